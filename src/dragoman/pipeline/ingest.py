"""The first stage: sources -> documents -> chunks.

In: a run. Out: the manifest of ``ingest``. Documents that are as they were keep their chunks; only the others are cut again.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.config import IngestSettings, Recipe, SourceSettings
from dragoman.errors import SourceError, UsageError
from dragoman.evaluate.ranking import Catalogue
from dragoman.ingest.chunk import Chunked, chunk_each
from dragoman.ingest.duplicates import mark_duplicates
from dragoman.ingest.read import read_documents
from dragoman.ingest.sources.fetch import fetch
from dragoman.ingest.sources.spec import parse_source
from dragoman.models.catalog import resolve
from dragoman.models.tokens import ModelTokens
from dragoman.pipeline.context import Outcome, Plan, Run, counts_by_reason, run_stage
from dragoman.pipeline.plans import ingest_plan
from dragoman.records import Chunk, Document, DocumentRow, Manifest, Rejected, content_id
from dragoman.tables import content_hash, read_rows, write_rows
from dragoman.train.split import copies

CHUNKS, DOCUMENTS, REJECTED = "chunks.parquet", "documents.parquet", "rejected.parquet"
POST_COLUMNS = {"filename": "path", "chunks": "text", "repo_name": "repository"}  # of the reference system's dataset


@dataclass(frozen=True, slots=True)
class Read:
    """What the sources hold: documents with their keys, what was left out, and the revision of each source by its label."""

    documents: tuple[Document, ...]
    keys: tuple[str, ...]  # a hash of each document; made once, since it takes in the whole text
    skipped: tuple[Rejected, ...]
    revisions: dict[str, str]

    @property
    def content(self) -> str:
        """Hash of all of it: a file that cannot be read must show, too, though no document changed."""
        return content_id(*sorted(self.keys), content_hash(self.skipped))


@dataclass(frozen=True, slots=True)
class Change:
    """How the chunks differ from those of the run before."""

    added: int
    changed: int
    removed: int

    def __str__(self) -> str:
        return f"+{self.added} ~{self.changed} -{self.removed} chunks"


def base_model(run: Run) -> Path:
    """Folder of the embedding base model, downloaded if need be.

    Raises:
        UsageError: The model is behind an endpoint, so that there is no folder of it.
    """
    models = run.recipe.models
    if models.embedding_url:
        hint = "Tune a map of its vectors: --set train.method=adapter"
        raise UsageError(f"{models.embedding} is at {models.embedding_url}: its weights are not here", hint=hint)
    return resolve(models.embedding, mirrors=models.mirrors, say=run.say)


def tokens_of(run: Run) -> ModelTokens:
    """Counts tokens as the embedding model does; for one behind an endpoint, as the smallest model here does."""
    models = run.recipe.models
    name = Recipe().models.embedding if models.embedding_url else models.embedding
    return ModelTokens(resolve(name, mirrors=models.mirrors, say=run.say))


def read_sources(run: Run) -> Read:
    """Fetch and read every source of the recipe.

    Args:
        run: The run.

    Returns:
        What they hold.

    Raises:
        SourceError: There is no source, or one cannot be had.
    """
    if not run.recipe.sources:
        hint = "Name one: dragoman build docs/ (or github:owner/repo), or sources = [...] in dragoman.toml."
        raise SourceError("no documentation source was given", hint=hint)
    specs = [parse_source(*_named(source, run.recipe.ingest)) for source in run.recipe.sources]
    documents: list[Document] = []
    skipped: list[Rejected] = []
    revisions: dict[str, str] = {}
    sources = fetch(specs, run.workspace.root / "sources", run.say)
    for source in sources:
        result = read_documents(source)
        documents += result.documents
        for glob in result.unmatched:
            run.say(f"{source.label}: no document matches '{glob}'")
        skipped += [_of_source(row, source.label, several=len(sources) > 1) for row in result.skipped]
        revisions[source.label] = source.revision
    return Read(tuple(documents), tuple(map(document_key, documents)), tuple(skipped), revisions)


def _named(source: str | SourceSettings, defaults: IngestSettings) -> tuple[str, IngestSettings]:
    return (source, defaults) if isinstance(source, str) else (source.source, source.over(defaults))


def source_names(recipe: Recipe) -> list[str]:
    """The sources of a recipe as they were named."""
    return [source if isinstance(source, str) else source.source for source in recipe.sources]


def document_key(document: Document) -> str:
    """Hash of all that a document's chunks are made of."""
    origin = content_id(*map(str, document.lines or ()), "", *(document.files or ()))
    named = (document.source, document.path, document.title, document.revision, document.url, document.style)
    return content_id(*named, document.repository, document.text, origin)


def ingest(run: Run) -> Manifest:
    """Read the documents and cut them into chunks.

    Args:
        run: The run.

    Returns:
        The manifest; its rows count documents, chunks and what was skipped.

    Raises:
        SourceError: A source is missing, or nothing in it gives a chunk.
    """
    read = read_sources(run)
    plan = ingest_plan(run, read.content)

    def work(folder: Path) -> Outcome:
        known = _Known.of(run, plan)
        pages = _cut(run, read, known)
        cut = _joined(read, pages)
        write_rows(folder / CHUNKS, cut.chunks, Chunk, also=POST_COLUMNS)
        write_rows(folder / DOCUMENTS, [page.row() for page in pages], DocumentRow)
        write_rows(folder / REJECTED, cut.skipped, Rejected)
        rows = {
            "documents": len(pages),
            "chunks": len(cut.chunks),
            "copies": sum(bool(chunk.canonical) for chunk in cut.chunks),
            "skipped": len(cut.skipped),
        }
        notes = {
            "skipped": counts_by_reason(cut.skipped),
            "revisions": read.revisions,
            "addresses": content_hash(cut.chunks),
            "change": _told(known, pages, cut.chunks) if known.chunks else "",
        }
        return Outcome(_content(cut.chunks), rows, notes)

    manifest = run_stage(run, plan, work)
    rows, change = manifest.rows, manifest.notes["change"]
    line = f"ingest: {rows['documents']} documents, {rows['chunks']} chunks, {rows['skipped']} left out"
    run.say(f"{line} ({change})" if change else line)
    return manifest


def cut_sources(run: Run) -> Chunked:
    """The chunks that ingest would make of the sources as they are, and what it would leave out; nothing is written.

    Raises:
        SourceError: A source is missing, or nothing in it gives a chunk.
    """
    read = read_sources(run)
    return _joined(read, _cut(run, read, _Known((), {})))


def _joined(read: Read, pages: Sequence["_Page"]) -> Chunked:
    chunks = mark_duplicates([chunk for page in pages for chunk in page.chunks])
    if not chunks:
        raise SourceError(f"{len(pages)} documents hold no text to index", expected="at least one paragraph")
    several = len(read.revisions) > 1
    rows = [(page.document.source, row) for page in pages for row in page.skipped]
    return Chunked(chunks, (*read.skipped, *(_of_source(row, source, several=several) for source, row in rows)))


def _of_source(row: Rejected, source: str, *, several: bool) -> Rejected:
    """The row with its source before the path, where paths alone could be those of another."""
    return replace(row, item=f"{source}: {row.item}") if several else row


def load_chunks(run: Run) -> list[Chunk]:
    """The chunks of the finished ingest."""
    run.workspace.need("ingest")
    return read_rows(run.workspace.folder("ingest") / CHUNKS, Chunk)


def catalogue_of(chunks: Sequence[Chunk]) -> Catalogue:
    """What can be found, with sections that say nearly the same made jointly relevant."""
    section_of = {chunk.id: chunk.section for chunk in chunks}
    alike: dict[str, set[str]] = {}
    for group in copies(chunks):
        sections = {section_of[chunk] for chunk in group}
        for section in sections:
            alike.setdefault(section, set()).update(sections)
    return Catalogue(
        tuple(chunk.id for chunk in chunks), section_of, {key: frozenset(value) for key, value in alike.items()}
    )


@dataclass(frozen=True, slots=True)
class _Page:
    """A document's chunks, not yet compared with those of others, and what of it was left out."""

    document: Document
    key: str
    chunks: tuple[Chunk, ...]
    skipped: tuple[Rejected, ...]

    def row(self) -> DocumentRow:
        document = self.document
        left_out = json.dumps([[row.item, row.reason, row.detail] for row in self.skipped], ensure_ascii=False)
        return DocumentRow(
            document.source,
            document.path,
            document.title,
            document.revision,
            document.url,
            self.key,
            len(self.chunks),
            left_out,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """The run before: all of its chunks, and what may be taken over, by the key of its document."""

    chunks: tuple[Chunk, ...]
    pages: dict[str, Chunked]

    @classmethod
    def of(cls, run: Run, plan: Plan) -> "_Known":
        """What the workspace holds; nothing may be taken over when other settings or rules made it."""
        found = run.workspace.manifest("ingest")
        if found is None:
            return cls((), {})
        folder = run.workspace.folder("ingest")
        chunks = read_rows(folder / CHUNKS, Chunk)
        same = {key: value for key, value in found.inputs.items() if key != "documents"}
        wanted = {key: value for key, value in plan.inputs.items() if key != "documents"}
        if run.force or same != wanted or dict(found.settings) != dict(plan.settings):
            return cls(tuple(chunks), {})
        of_page: dict[tuple[str, str], list[Chunk]] = defaultdict(list)
        for chunk in chunks:
            of_page[chunk.source, chunk.path].append(replace(chunk, canonical="") if chunk.canonical else chunk)
        pages = {}
        for row in read_rows(folder / DOCUMENTS, DocumentRow):
            skipped = tuple(Rejected("ingest", *parts) for parts in json.loads(row.left_out))
            pages[row.key] = Chunked(tuple(of_page[row.source, row.path]), skipped)
        return cls(tuple(chunks), pages)


def _cut(run: Run, read: Read, known: _Known) -> list[_Page]:
    documents = dict(zip(read.keys, read.documents, strict=True))
    new = {key: document for key, document in documents.items() if key not in known.pages}
    cut: dict[str, Chunked] = {}
    if new:
        tokens = tokens_of(run)
        with run.reporter.progress("cutting documents", len(new)) as advance:
            found = chunk_each(list(new.values()), tokens, run.recipe.chunk, advance, run.workers)
            cut = dict(zip(new, found, strict=True))
    pages = known.pages | cut
    return [_Page(document, key, pages[key].chunks, pages[key].skipped) for key, document in documents.items()]


def _told(known: "_Known", pages: Sequence["_Page"], chunks: Sequence[Chunk]) -> str:
    anew = sum(page.key not in known.pages for page in pages)
    return f"{anew} cut anew: {_change(known.chunks, chunks)}"


def _change(before: Sequence[Chunk], after: Sequence[Chunk]) -> Change:
    """Chunks that are new, gone, or stand for another one in the same section."""
    old, new = {chunk.id for chunk in before}, {chunk.id for chunk in after}
    gone = Counter(chunk.section for chunk in before if chunk.id not in new)
    come = Counter(chunk.section for chunk in after if chunk.id not in old)
    changed = sum((gone & come).values())
    return Change(come.total() - changed, changed, gone.total() - changed)


def _content(chunks: Sequence[Chunk]) -> str:
    """Hash of what is learned from and searched; addresses may change without a model growing stale."""
    return content_id(*sorted(content_id(chunk.id, chunk.section, chunk.passage, chunk.canonical) for chunk in chunks))
