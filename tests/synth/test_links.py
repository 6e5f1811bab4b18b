"""Where links between sections lead."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dragoman.records import Chunk
from dragoman.synth.links import find_links, plain_words

MakeChunk = Callable[..., Chunk]


@pytest.mark.parametrize(
    "address",
    [
        "02-oven.md#hot-stones-racks",
        "oven#hot-stones--racks",
        "./oven.html#Hot_stones_racks",
        "../guide/oven/#hot-stones-racks",
        "/guide/oven#hot-stones-racks",
        "/docs/v2/guide/oven#hot-stones-racks",
        "02-oven.md?plain=1#hot-stones-racks",
        "oven.md#hot%2Dstones-racks",
        "../oven#hot-stones-racks",
    ],
)
def test_every_way_to_write_an_address_finds_the_heading(make_chunk: MakeChunk, address: str) -> None:
    page = make_chunk("Warm.", "01-guide/02-oven.md", ("Oven",))
    stones = make_chunk("Hot.", "01-guide/02-oven.md", ("Oven", "Hot stones & racks"))
    origin = make_chunk(f"See [the stones]({address}).", "01-guide/start.md", ("Start",))
    assert [(link.origin, link.words, link.target) for link in find_links([page, stones, origin])] == [
        (origin.id, "the stones", stones.id)
    ]


def test_an_anchor_that_the_site_chose_is_found_by_the_chunk_s_address(make_chunk: MakeChunk) -> None:
    stones = replace(make_chunk("Hot.", "oven.md", ("Oven", "Stones")), url="https://bakery.example/oven/#the-hot-ones")
    origin = make_chunk("See [the stones](oven.md#the-hot-ones).", "start.md", ("Start",))
    assert [link.target for link in find_links([stones, origin])] == [stones.id]


def test_a_folder_is_its_front_page(make_chunk: MakeChunk) -> None:
    front = make_chunk("Warm.", "guide/README.md", ("Guide",))
    origin = make_chunk("See [the guide](guide/).", "index.md", ("Start",))
    assert [link.target for link in find_links([front, origin])] == [front.id]


@pytest.mark.parametrize(
    "address",
    ["oven.md#gone", "gone.md", "https://bakery.example/oven.md", "mailto:oven.md", "//oven.md", "../../../etc"],
)
def test_what_is_not_among_the_chunks_is_no_link(make_chunk: MakeChunk, address: str) -> None:
    chunks = [make_chunk("Hot.", "oven.md"), make_chunk(f"See [the stones]({address}).", "start.md", ("Start",))]
    assert find_links(chunks) == []


def test_a_link_within_a_section_leads_nowhere_else(make_chunk: MakeChunk) -> None:
    first = make_chunk("Hot.", "oven.md", ("Oven", "Stones"))
    second = make_chunk("See [the stones](#stones).", "oven.md", ("Oven", "Stones"), part=1)
    assert find_links([first, second]) == []


def test_a_page_in_two_formats_is_found_once(make_chunk: MakeChunk) -> None:
    pages = [make_chunk("Hot.", f"oven.{kind}", ("Oven", "Stones")) for kind in ("md", "html")]
    origin = make_chunk("See [the stones](oven#stones).", "start.md", ("Start",))
    assert [link.target for link in find_links([*pages, origin])] == [pages[0].id]


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("The `bake()` *call*", "The bake() call"),
        ("`OVEN_HEAT_MAX` and _slow_", "OVEN_HEAT_MAX and slow"),
        (":octicons-arrow-right-24: To the oven", "To the oven"),
        ("[text](address) <b>bold</b> {#id}", "text bold"),
    ],
)
def test_marks_are_taken_off_and_names_are_kept(markdown: str, plain: str) -> None:
    assert plain_words(markdown) == plain
