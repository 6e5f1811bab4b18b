"""The recipe: what `init` writes is what is read, and a slip of the pen is named."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from dragoman import recipes
from dragoman.config import IngestSettings, Recipe, SourceSettings
from dragoman.errors import ConfigError
from dragoman.recipes import load_recipe, parse_recipe, template

SECTIONS = {
    key: info.annotation
    for key, info in Recipe.model_fields.items()
    if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
}
KEYS = sorted((section, key) for section, kind in SECTIONS.items() for key in kind.model_fields)
written = st.text(st.characters(exclude_categories=["C"]), max_size=40)


def test_the_template_says_what_the_defaults_are() -> None:
    assert parse_recipe(tomllib.loads(template())) == Recipe()


@given(name=written, sources=st.lists(written, max_size=3))
def test_the_template_keeps_the_name_and_the_sources(name: str, sources: list[str]) -> None:
    recipe = parse_recipe(tomllib.loads(template(tuple(sources), name=name)))
    assert recipe == Recipe(name=name, sources=tuple(sources))


def test_the_template_explains_every_key() -> None:
    text = template()
    for section, key in KEYS:
        line = next(line for line in text.splitlines() if line.startswith(f"{key} = "))
        assert line.partition("  # ")[2], f"{section}.{key}"
    for section in SECTIONS:
        assert f"\n[{section}]\n" in text


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_letter_too_many_is_answered_with_the_right_key(section: str, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"unknown key '{section}\.{key}x'") as caught:
        parse_recipe({section: {f"{key}x": 1}})
    assert caught.value.hint == f"Did you mean '{key}'?"


def test_an_unknown_section_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="unknown key 'trian'") as caught:
        parse_recipe({"trian": {}})
    assert caught.value.hint == "Did you mean 'train'?"


def test_a_key_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_recipe({"chunk": {"qqqqqqqq": 1}})
    assert caught.value.hint == f"Valid keys: {', '.join(SECTIONS['chunk'].model_fields)}."


def test_a_bad_value_is_named_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"dragoman\.toml: chat\.port = 70000: input should be less than"):
        parse_recipe({"chat": {"port": 70000}}, where="dragoman.toml")


def test_a_section_that_is_no_table_is_named() -> None:
    with pytest.raises(ConfigError, match="train = 3"):
        parse_recipe({"train": 3})


def test_a_missing_file_is_answered_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no recipe at") as caught:
        load_recipe(tmp_path / recipes.FILE_NAME)
    assert "dragoman init" in caught.value.hint


@pytest.mark.parametrize("content", [b"chunk = [", b"name = \xff\xfe", b"name = 'a'\nname = 'b'\n"])
def test_a_file_that_is_not_toml_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / recipes.FILE_NAME
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=recipes.FILE_NAME):
        load_recipe(file)


def test_a_folder_in_the_place_of_the_file_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_recipe(tmp_path)


def test_a_file_leaves_out_what_it_does_not_change(tmp_path: Path) -> None:
    file = tmp_path / recipes.FILE_NAME
    file.write_text("seed = 7\n[chunk]\ntokens = 128\n", encoding="utf-8")
    recipe = load_recipe(file)
    assert (recipe.seed, recipe.chunk.tokens) == (7, 128)
    assert recipe.train == Recipe().train


def test_a_recipe_cannot_be_changed_under_way() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().seed = 1  # type: ignore[misc]


def test_no_setting_holds_a_secret() -> None:
    for section, key in KEYS:
        # A setting may name the environment variable that holds one.
        secret = {"token", "secret", "password"} & set(key.split("_"))
        assert not secret or key.endswith("_env"), f"{section}.{key}"
        assert "api_key" not in key or key.endswith("_env"), f"{section}.{key}"


def test_a_source_may_have_settings_of_its_own_over_those_of_ingest() -> None:
    table: dict[str, object] = {"sources": ["docs", {"source": "api", "site": "https://api.example"}]}
    first, second = parse_recipe(table).sources
    assert first == "docs"
    assert isinstance(second, SourceSettings)
    defaults = IngestSettings(site="https://docs.example", exclude=("old/**",))
    assert second.over(defaults) == defaults.model_copy(update={"site": "https://api.example"})


@pytest.mark.parametrize(
    ("sources", "complaint"),
    [
        ([{"source": "docs", "exclud": []}], "unknown key 'sources.0.exclud'. Did you mean 'exclude'?"),
        ([{"source": "docs", "style": "mkdoc"}], "sources.0.style = 'mkdoc'"),
        ([{"site": "x"}], "sources.0.source"),
        ("docs", "sources = 'docs': input should be a list"),
        ([{"source": "docs", "site": "docs.example"}], "expected an address such as https://"),
    ],
)
def test_a_wrong_table_of_a_source_is_told_by_its_key(sources: object, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_recipe({"sources": sources})
    assert complaint in str(caught.value)
