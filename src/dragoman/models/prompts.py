"""What an embedding model wants to stand before a question, and before a passage.

In: the recipe's [models] section, and the model's folder where there is one. Out: two texts, mostly empty. A model
says so in its own folder; of a few families that do not, or that are behind an API, it is known by the name.
"""

import json
import re
from pathlib import Path
from typing import Any

from dragoman.config import ModelSettings
from dragoman.errors import ModelError

AUTO = "auto"
_FILE = "config_sentence_transformers.json"
_QUERY_NAMES = ("query",)
_PASSAGE_NAMES = ("document", "passage", "corpus")

_PASSAGES_THAT = "Represent this sentence for searching relevant passages: "
_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"
# As the models' cards on the Hub have it, and as MTEB evaluates them (github.com/embeddings-benchmark/mteb, folder
# mteb/models: bge_models.py, e5_models.py, e5_instruct.py, nomic_models.py, mxbai_models.py, arctic_models.py,
# qwen3_models.py, google_models.py). The first pattern that is found in a name decides; bge-m3 wants nothing.
_FAMILIES: tuple[tuple[str, str, str], ...] = (
    (r"\bbge-(small|base|large)-en\b", _PASSAGES_THAT, ""),
    (r"\bbge-(small|base|large)-zh\b", "为这个句子生成表示以用于检索相关文章：", ""),
    (r"\be5-(large|mistral-7b)-instruct\b", f"{_TASK}Query: ", ""),
    (r"\be5-(small|base|large)\b", "query: ", "passage: "),
    (r"\bnomic-embed-text\b", "search_query: ", "search_document: "),
    (r"\bmxbai-embed-large\b", _PASSAGES_THAT, ""),
    (r"\barctic-embed(2|-[ml]-v2\.0)\b", "query: ", ""),
    (r"\barctic-embed\b", _PASSAGES_THAT, ""),
    (r"\bqwen3-embedding\b", f"{_TASK}Query:", ""),
    (r"\bembeddinggemma\b", "task: search result | query: ", "title: none | text: "),
)


def prompts_of(folder: Path | None, settings: ModelSettings) -> tuple[str, str]:
    """The texts to put before questions and passages, the same in training, evaluation and serving.

    Args:
        folder: The model's folder; None: it is behind an API.
        settings: The recipe's choice; "auto" is what the model asks for, by its folder or else by its name.

    Returns:
        The question's prompt and the passage's; "" where there is none.

    Raises:
        ModelError: The model's settings are damaged, or it cannot be given a prompt by putting text in front.
    """
    asked = _asked_for(folder, settings)
    query, passage = (
        wanted if chosen == AUTO else chosen
        for chosen, wanted in zip((settings.query_prompt, settings.passage_prompt), asked, strict=True)
    )
    if folder is not None and (query or passage) and _leaves_prompts_out(folder):
        raise ModelError(
            f"{folder} leaves its prompts ({query!r}, {passage!r}) out of the mean of a text's tokens",
            expected="a model whose pooling has include_prompt",
            hint="Choose another models.embedding, or set models.query_prompt and models.passage_prompt to ''.",
        )
    return query, passage


def _asked_for(folder: Path | None, settings: ModelSettings) -> tuple[str, str]:
    if folder is not None:
        said = _read(folder / _FILE).get("prompts")
        said = said if isinstance(said, dict) else {}
        # Empty prompts say nothing: sentence-transformers writes them for every model that it saves.
        found = _first(said, _QUERY_NAMES), _first(said, _PASSAGE_NAMES)
        if any(found):
            return found
    names = [settings.embedding.rstrip("/\\"), folder.name if folder else ""]
    for name in names:
        short = re.split(r"[/\\]", name)[-1].lower()
        for pattern, query, passage in _FAMILIES:
            if re.search(pattern, short):
                return query, passage
    return "", ""


def _first(prompts: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if isinstance(text := prompts.get(name), str) and text), "")


def _leaves_prompts_out(folder: Path) -> bool:
    return any(_read(path).get("include_prompt") is False for path in sorted(folder.glob("*/config.json")))


def _read(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        hint = "Fetch the model again with: dragoman models pull NAME; or give the folder of another one"
        raise ModelError(f"the embedding model's {path} is damaged: {error}", hint=hint) from error
    return table if isinstance(table, dict) else {}
