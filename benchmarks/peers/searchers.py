"""One system that searches, in a process of its own: it builds and answers when search.py tells it to.

In: a system's name, the model's folder, a folder with ``texts.jsonl``, a folder to work in; then one JSON object a line on
standard input: {"build": folder of vectors, or null} or {"ask": questions}. Out: one JSON object a line on standard output, with
the seconds by this process's own clock. Models are loaded and texts are read before the clock runs. Each peer is put together as its
documentation shows for hybrid search; telemetry is off. Only ``dragoman`` (search_ours.py) knows Dragoman.
"""

import argparse
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

TOP = 10


class Searcher(Protocol):
    """What each system can do; it is made with the model's folder."""

    def build(self, ids: Sequence[str], texts: Sequence[str], vectors: Any, folder: Path) -> None:  # noqa: ANN401
        """Make an index that ``search`` answers from; with vectors (an array, a row a text), nothing is encoded."""

    def search(self, question: str) -> list[str]:
        """Ids of the best texts, best first."""


class LlamaIndex:
    """Vectors and BM25, joined by reciprocal rank fusion; one query, so no language model takes part."""

    def __init__(self, model: str) -> None:
        library = importlib.import_module("llama_index.embeddings.huggingface")
        self._model = library.HuggingFaceEmbedding(model_name=model, device="cpu")

    def build(self, ids: Sequence[str], texts: Sequence[str], vectors: Any, folder: Path) -> None:  # noqa: ANN401
        """Nodes with their vectors are not encoded again. All is held in memory, and not saved."""
        del folder
        core, keywords = (importlib.import_module(f"llama_index.{name}") for name in ("core", "retrievers.bm25"))
        make = importlib.import_module("llama_index.core.schema").TextNode
        nodes = [make(id_=name, text=text) for name, text in zip(ids, texts, strict=True)]
        if vectors is not None:
            for node, vector in zip(nodes, vectors, strict=True):
                node.embedding = vector.tolist()
        index = core.VectorStoreIndex(nodes, embed_model=self._model)
        words = keywords.BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=TOP)
        self._retriever = importlib.import_module("llama_index.core.retrievers").QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=TOP), words],
            llm=importlib.import_module("llama_index.core.llms").MockLLM(),  # it asks for one to be there
            mode="reciprocal_rerank",
            similarity_top_k=TOP,
            num_queries=1,
            use_async=False,
        )

    def search(self, question: str) -> list[str]:
        """Ids of nodes."""
        return [hit.node.node_id for hit in self._retriever.retrieve(question)]


class LangChain:
    """BM25 and Chroma in an ensemble of equal weights; Chroma keeps its part on disk."""

    def __init__(self, model: str) -> None:
        library = importlib.import_module("langchain_huggingface")
        self._model = library.HuggingFaceEmbeddings(model_name=model, model_kwargs={"device": "cpu"})

    def build(self, ids: Sequence[str], texts: Sequence[str], vectors: Any, folder: Path) -> None:  # noqa: ANN401
        """Ready vectors go in by Chroma's own collection, in the batches that it takes at most."""
        chromadb = importlib.import_module("chromadb")
        chroma = importlib.import_module("langchain_chroma").Chroma
        keywords = importlib.import_module("langchain_community.retrievers").BM25Retriever
        make = importlib.import_module("langchain_core.documents").Document
        retrievers = importlib.import_module("langchain_classic.retrievers")

        client = chromadb.PersistentClient(str(folder), chromadb.Settings(anonymized_telemetry=False))
        documents = [make(page_content=text, id=name) for name, text in zip(ids, texts, strict=True)]
        if vectors is None:
            store = chroma.from_documents(documents, self._model, client=client, collection_name="docs")
        else:
            store = chroma("docs", self._model, client=client)
            size = client.get_max_batch_size()
            for start in range(0, len(texts), size):
                part = slice(start, start + size)
                client.get_collection("docs").add(list(ids[part]), vectors[part], documents=list(texts[part]))
        words = keywords.from_documents(documents, k=TOP)
        near = store.as_retriever(search_kwargs={"k": TOP})
        self._retriever = retrievers.EnsembleRetriever(retrievers=[words, near], weights=[0.5, 0.5])

    def search(self, question: str) -> list[str]:
        """Ids of documents; the ensemble gives all that either found."""
        return [str(document.id) for document in self._retriever.invoke(question)[:TOP]]


class Txtai:
    """An embeddings database with hybrid search and its texts kept beside (in SQLite)."""

    def __init__(self, model: str) -> None:
        self._make = importlib.import_module("txtai").Embeddings
        self._own = {"path": model, "gpu": False, "content": True, "hybrid": True}
        self._loaded: dict[str, Any] = {}  # without it, each index loads the model anew
        self._query = self._make(self._own, models=self._loaded)

    def build(self, ids: Sequence[str], texts: Sequence[str], vectors: Any, folder: Path) -> None:  # noqa: ANN401
        """Ready vectors come by the way for vectors from elsewhere: a function from texts to vectors."""
        del folder
        self._made = self._make(self._own, models=self._loaded)
        if vectors is not None:
            row_of, query = {text: row for row, text in enumerate(texts)}, self._query

            def transform(asked: Sequence[str]) -> Any:  # noqa: ANN401
                rows = [row_of.get(text) for text in asked]
                return query.batchtransform(list(asked)) if None in rows else vectors[rows]

            self._made = self._make({"method": "external", "transform": transform, "content": True, "hybrid": True})
        self._made.index(zip(ids, texts, [None] * len(ids), strict=True))

    def search(self, question: str) -> list[str]:
        """Ids of rows."""
        return [str(row["id"]) for row in self._made.search(question, TOP)]


OURS = "dragoman"
PEERS: dict[str, Callable[[str], Searcher]] = {"llamaindex": LlamaIndex, "langchain": LangChain, "txtai": Txtai}


def _searcher(system: str, model: str, data: Path) -> Searcher:
    if system != OURS:
        return PEERS[system](model)
    ours: Searcher = importlib.import_module("search_ours").Ours(model, data)  # beside this script
    return ours


def main() -> None:
    """Load the model, then do as told until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=[OURS, *PEERS])
    parser.add_argument("model")
    parser.add_argument("data", type=Path, help="the folder of texts.jsonl")
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    # Some of the libraries print; the answers have a line of their own to the driver.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    importlib.import_module("torch").set_num_threads(options.threads)
    searcher = _searcher(options.system, options.model, options.data)
    with (options.data / "texts.jsonl").open(encoding="utf-8") as file:
        ids, texts = zip(*(json.loads(line) for line in file), strict=True)
    _answer(answers, {"ready": True})
    for turn, line in enumerate(sys.stdin):
        _answer(answers, _done(searcher, json.loads(line), ids, texts, options.scratch / f"{options.system}-{turn}"))


def _done(
    searcher: Searcher, told: dict[str, Any], ids: Sequence[str], texts: Sequence[str], folder: Path
) -> dict[str, Any]:
    if "build" in told:
        vectors = _read(Path(told["build"]), len(ids)) if told["build"] else None
        begun = time.perf_counter()
        searcher.build(ids, texts, vectors, folder)
        result: dict[str, Any] = {"seconds": time.perf_counter() - begun}
    elif "recall" in told:
        result = {"recall": searcher.recall(told["recall"])}  # type: ignore[attr-defined]  # of ours alone
    else:
        result = {"seconds": [], "found": []}
        for question in told["ask"]:
            begun = time.perf_counter()
            found = searcher.search(question)
            result["seconds"].append(time.perf_counter() - begun)
            result["found"].append(found)
    return result | {"peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)}


def _read(folder: Path, count: int) -> Any:  # noqa: ANN401 - an array; a peer's environment need not know its type
    import numpy as np

    parts: list[Any] = []
    while (have := sum(map(len, parts))) < count:
        # The last part of a smaller corpus is there beside the whole one.
        found = {int(path.stem.partition("-")[2]): path for path in folder.glob(f"{len(parts):05d}-*.npy")}
        parts.append(np.load(found.get(count - have, found[max(found)])))
    return np.concatenate(parts)


def _answer(out: TextIO, result: dict[str, Any]) -> None:
    out.write(json.dumps(result) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
