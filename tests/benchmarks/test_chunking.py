"""The benchmark of chunkers runs, and judges chunks by figures that can be worked out by hand."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PAGE = "# Tea\n\nBoil water.\n\n## Steep\n\n```sh\nsteep --minutes 3\n```\n\nPour it.\n"


def run(*command: str | Path) -> str:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def judge(tmp_path: Path, minilm: Path) -> Any:
    def facts(pieces: list[tuple[str, str, int, str]], budget: int = 256) -> dict[str, Any]:
        texts, chunks, tokenizer = (tmp_path / name for name in ("texts", "chunks", "tokenizer.json"))
        texts.write_text(json.dumps(PAGE) + "\n", encoding="utf-8")
        chunks.write_text(json.dumps(pieces) + "\n", encoding="utf-8")
        tokenizer.write_bytes((minilm / "tokenizer.json").read_bytes())
        return dict(json.loads(run(BENCHMARKS / "peers" / "quality.py", texts, chunks, tokenizer, str(budget))))

    return facts


def piece(text: str, trail: str = "", start: int = -1) -> tuple[str, str, int, str]:
    return text, trail, start, text


def test_sections_as_they_stand_are_judged_to_be_faultless(judge: Any) -> None:
    middle = PAGE.index("## Steep")
    facts = judge([piece(PAGE[:middle], start=0), piece(PAGE[middle:], start=middle)])
    assert facts["chunks"] == 2
    assert [facts[name] for name in ("over_budget", "short_fences_cut", "odd_fence_marks")] == [0, 0, 0]
    assert [facts[name] for name in ("heading_known", "offsets_right", "text_kept")] == [1, 1, 1]


def test_a_cut_in_a_fence_a_lost_heading_and_a_wrong_offset_are_seen(judge: Any) -> None:
    inside, after = PAGE.index("--minutes"), PAGE.index("Pour")
    facts = judge(
        [piece(PAGE[:inside], start=0), piece(PAGE[inside:after], start=inside), piece(PAGE[after:], start=3)]
    )
    assert facts["short_fences_cut"] == 1  # of the one fence
    assert facts["odd_fence_marks"] == pytest.approx(2 / 3, abs=1e-4)
    assert facts["heading_known"] == pytest.approx(1 / 3, abs=1e-4)
    assert facts["offsets_right"] == pytest.approx(2 / 3, abs=1e-4)


def test_a_trail_beside_the_text_tells_the_heading_and_text_that_is_left_out_is_missed(judge: Any) -> None:
    facts = judge([piece("Pour it.", trail="Tea > Steep")])
    assert facts["heading_known"] == 1
    assert facts["offsets_right"] is None
    assert 0 < facts["text_kept"] < 0.3


def test_the_budget_holds_the_special_tokens(judge: Any) -> None:
    # [CLS] the water . [SEP]
    assert judge([piece("The water.")], budget=5)["over_budget"] == 0
    assert judge([piece("The water.")], budget=4)["over_budget"] == 1


@pytest.mark.usefixtures("minilm")
def test_ours_and_the_tokenizer_give_a_table_and_figures(tmp_path: Path) -> None:
    docs, out = tmp_path / "docs", tmp_path / "figures.json"
    docs.mkdir()
    (docs / "tea.md").write_text(PAGE, encoding="utf-8")
    (docs / "notes.rst").write_text("not read\n", encoding="utf-8")
    only = ["--only", "tokenizer-alone", "dragoman", "--repeat", "2"]
    printed = run(BENCHMARKS / "chunking.py", "--docs", docs, "--cache", tmp_path / "cache", *only, "--out", out)
    assert len(printed.splitlines()) == 4
    report = json.loads(out.read_text(encoding="utf-8"))
    assert (report["documents"], report["bytes"]) == (1, len(PAGE))
    ours = report["rows"][1]
    assert len(ours["seconds"]) == 2
    assert ours["facts"]["over_budget"] == 0
    assert ours["facts"]["text_kept"] == 1
