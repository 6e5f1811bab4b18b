"""Counting by lines is counting: equal to the tokenizer itself, on real pages and on made-up text."""

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from dragoman.config import ChunkSettings
from dragoman.errors import ModelError
from dragoman.ingest.chunk import chunk_documents
from dragoman.models.tokens import ModelTokens
from dragoman.records import Document

_ROOT = Path(__file__).parents[2]
PAGES = sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/*.md")])
_WORDS = [
    "kettle",
    "don't",
    "[CLS]",
    "[MASK]",
    "_x_",
    "--port",
    "12.5",
    "é",
    "é",
    "水",
    "ゆ",
    "👩\u200d🍳",
    "\xad",
    "ﬁ",
    "ſ",
    "İ",
    "client.users",
    "=>",
    "½",
    "\ufeff",
]
_SPACES = [" ", "\n", "\t", "  ", "\x00", "\x0b", "\x7f", "\u2028", "\xa0"]
PIECES = st.sampled_from([*_WORDS, *_SPACES, "a" * 120])
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=30).map("".join))


@pytest.fixture(scope="module")
def reference(minilm: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.fixture(scope="module", params=["tokie", "tokenizers"])
def tokens(request: pytest.FixtureRequest, minilm: Path) -> ModelTokens:
    """The counter with its fast part, and as it is where that part is not installed."""
    counter = ModelTokens(minilm)
    assert counter._lines is not None
    assert counter._lines.fast is not None, "the tests compare both, so both are installed for them"
    if request.param == "tokenizers":
        counter._lines.fast = None
    return counter


def test_pages_count_what_the_tokenizer_counts(tokens: ModelTokens, reference: Tokenizer) -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    expected = [len(encoding.ids) for encoding in reference.encode_batch(texts, add_special_tokens=False)]
    assert sum(expected) > 10_000
    assert [ruler.count(0, len(text)) for ruler, text in zip(tokens.rulers(texts), texts, strict=True)] == expected
    assert tokens.count(texts) == [count + tokens.special for count in expected]


@given(text=TEXTS)
@settings(max_examples=500)
def test_any_text_counts_what_the_tokenizer_counts(text: str, tokens: ModelTokens, reference: Tokenizer) -> None:
    expected = len(reference.encode(text, add_special_tokens=False).ids)
    (ruler,) = tokens.rulers([text])
    assert ruler.count(0, len(text)) == expected
    assert tokens.count([text]) == [expected + tokens.special]


@given(text=TEXTS, data=st.data())
@settings(max_examples=300)
def test_a_part_counts_what_it_would_by_itself(
    text: str, data: st.DataObject, tokens: ModelTokens, reference: Tokenizer
) -> None:
    start, end = sorted(data.draw(st.integers(0, len(text))) for _ in range(2))
    (ruler,) = tokens.rulers([text])
    assert ruler.count(start, end) == len(reference.encode(text[start:end], add_special_tokens=False).ids)


def test_a_counter_goes_to_another_process_and_counts_the_same(tokens: ModelTokens) -> None:
    other = pickle.loads(pickle.dumps(tokens))  # noqa: S301 - our own
    assert other.count(["Fill the kettle."]) == tokens.count(["Fill the kettle."])


def test_counts_are_not_cut_where_the_file_says_so(minilm: Path) -> None:
    assert json.loads((minilm / "tokenizer.json").read_text())["truncation"], "or this test shows nothing"
    assert ModelTokens(minilm).count(["kettle " * 1000])[0] > 1000


@pytest.fixture(scope="module")
def bytewise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a byte-level tokenizer, for which white space belongs to the word after it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = [page.read_text(encoding="utf-8") for page in PAGES[:20]]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet))
    folder = tmp_path_factory.mktemp("bytewise")
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_a_tokenizer_of_another_kind_is_asked_for_every_passage(bytewise: Path) -> None:
    tokens = ModelTokens(bytewise)
    assert not tokens.additive
    documents = [Document("docs", page.name, page.read_text(encoding="utf-8"), page.stem) for page in PAGES[:20]]
    chunks = chunk_documents(documents, tokens, ChunkSettings(tokens=100)).chunks
    assert len(chunks) > 50
    assert [chunk.tokens for chunk in chunks] == tokens.count([chunk.passage for chunk in chunks])
    assert max(chunk.tokens for chunk in chunks) <= 100


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_tokenizer_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        ModelTokens(tmp_path)
    with pytest.raises(ModelError, match="no tokenizer"):
        ModelTokens(tmp_path / "nowhere")
