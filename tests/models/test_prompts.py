"""What stands before a question and a passage: the model's folder, its family, or the recipe."""

import json
from pathlib import Path
from typing import Any

import pytest

from dragoman.config import ModelSettings
from dragoman.errors import ModelError
from dragoman.models.prompts import prompts_of


def model(folder: Path, prompts: dict[str, Any] | None = None, pooling: dict[str, Any] | None = None) -> Path:
    """A folder as sentence-transformers writes it, without weights."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {"include_prompt": True}))
    settings = {"prompts": prompts, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"query": "ask: ", "document": "text: "}, ("ask: ", "text: ")),
        ({"query": "ask: ", "passage": "text: "}, ("ask: ", "text: ")),
        ({"query": "ask: ", "corpus": "text: "}, ("ask: ", "text: ")),
        ({"query": "ask: ", "document": "", "passage": "text: "}, ("ask: ", "text: ")),
        ({"query": "ask: ", "clustering": "group: "}, ("ask: ", "")),
        ({"query": "", "document": ""}, ("", "")),
        ({"query": None}, ("", "")),
        (None, ("", "")),
    ],
)
def test_a_model_says_in_its_folder_what_it_wants(
    tmp_path: Path, said: dict[str, Any] | None, expected: tuple[str, str]
) -> None:
    folder = model(tmp_path / "workshop", said)
    assert prompts_of(folder, ModelSettings(embedding=str(folder))) == expected


BGE = "Represent this sentence for searching relevant passages: "


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BAAI/bge-base-en-v1.5", (BGE, "")),
        ("baai/BGE-small-en", (BGE, "")),
        ("BAAI/bge-m3", ("", "")),
        ("BAAI/bge-large-zh-v1.5", ("为这个句子生成表示以用于检索相关文章：", "")),
        ("intfloat/e5-base-v2", ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-small", ("query: ", "passage: ")),
        ("nomic-embed-text:latest", ("search_query: ", "search_document: ")),
        ("nomic-ai/nomic-embed-text-v1.5", ("search_query: ", "search_document: ")),
        ("mixedbread-ai/mxbai-embed-large-v1", (BGE, "")),
        ("Snowflake/snowflake-arctic-embed-m-v1.5", (BGE, "")),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", ("query: ", "")),
        ("google/embeddinggemma-300m", ("task: search result | query: ", "title: none | text: ")),
        ("all-MiniLM-L6-v2", ("", "")),
        ("text-embedding-3-small", ("", "")),
        ("models/e5-base-v2/workshop", ("", "")),
    ],
)
def test_a_family_that_is_behind_an_api_is_known_by_its_name(name: str, expected: tuple[str, str]) -> None:
    assert prompts_of(None, ModelSettings(embedding=name)) == expected


def test_models_that_follow_instructions_are_told_what_to_look_for() -> None:
    for name, end in (
        ("intfloat/multilingual-e5-large-instruct", "Query: "),
        ("Qwen/Qwen3-Embedding-0.6B", "\nQuery:"),
    ):
        query, passage = prompts_of(None, ModelSettings(embedding=name))
        assert query.startswith("Instruct: Given a web search query")
        assert query.endswith(end)
        assert passage == ""


def test_a_folder_is_known_by_its_name_only_when_it_says_nothing_itself(tmp_path: Path) -> None:
    silent = model(tmp_path / "silent" / "e5-base-v2", {"query": "", "document": ""})
    assert prompts_of(silent, ModelSettings(embedding=str(silent))) == ("query: ", "passage: ")
    assert prompts_of(silent, ModelSettings(embedding="all-MiniLM-L6-v2")) == ("query: ", "passage: ")
    telling = model(tmp_path / "telling" / "e5-base-v2", {"query": "ask: "})
    assert prompts_of(telling, ModelSettings(embedding=str(telling))) == ("ask: ", "")


def test_a_tuned_folder_has_the_prompts_of_the_base_it_was_tuned_from(tmp_path: Path) -> None:
    tuned = model(tmp_path / "round-0", {"query": "", "document": ""})
    assert prompts_of(tuned, ModelSettings(embedding="BAAI/bge-base-en-v1.5")) == (BGE, "")


def test_the_recipes_own_words_go_before_the_models(tmp_path: Path) -> None:
    folder = model(tmp_path / "workshop", {"query": "ask: ", "document": "text: "})
    settings = ModelSettings(embedding=str(folder), query_prompt="", passage_prompt="from the docs: ")
    assert prompts_of(folder, settings) == ("", "from the docs: ")
    assert prompts_of(folder, ModelSettings(query_prompt="Where is it? ")) == ("Where is it? ", "text: ")


def test_a_model_whose_pooling_leaves_prompts_out_is_refused_when_there_is_one(tmp_path: Path) -> None:
    folder = model(tmp_path / "workshop", {"query": "ask: "}, {"include_prompt": False})
    with pytest.raises(ModelError, match=r"'ask: '.*include_prompt.*models\.query_prompt"):
        prompts_of(folder, ModelSettings())
    assert prompts_of(folder, ModelSettings(query_prompt="", passage_prompt="")) == ("", "")


def test_damaged_settings_are_one_clear_line(tmp_path: Path) -> None:
    folder = model(tmp_path / "workshop")
    (folder / "config_sentence_transformers.json").write_text('{"prompts": ')
    with pytest.raises(ModelError, match=r"config_sentence_transformers\.json is damaged"):
        prompts_of(folder, ModelSettings())


def test_the_real_model_wants_nothing(minilm: Path) -> None:
    assert prompts_of(minilm, ModelSettings()) == ("", "")
