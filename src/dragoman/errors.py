"""Every error that a user of Dragoman can meet.

    DragomanError            exit 1: something the user can fix
    ├── UsageError           exit 2: the command line or a call was wrong
    ├── ConfigError          dragoman.toml is unreadable or holds a bad value
    ├── SourceError          documents cannot be had from where they were said to be
    ├── ModelError           a model is missing, damaged, or cannot be run
    ├── LLMError             a language model endpoint refused or failed
    │   ├── LLMRefused       it will refuse every request alike: wrong key, model or address
    │   └── RequestRefused   it refused one request, e.g. for its length; others may go through
    ├── WorkspaceError       the artefact folder cannot be used as it is
    │   ├── WorkspaceBusy    another process is writing to it
    │   └── MissingArtefact  a stage's output is not there (yet), or is stale
    ├── ExtraMissing         an optional part of the package is not installed
    ├── PortInUse            a server cannot listen where it was told to
    └── CheckFailed          exit 3: a check that was asked for did not hold

A message says what happened (with the value), what was expected, and what to type next.
"""


class DragomanError(Exception):
    """Base of all of Dragoman's errors; printed as one line, never as a traceback.

    Args:
        happened: What went wrong, with the offending value.
        expected: What would have been right; may be empty.
        hint: What to type or change next; may be empty.
    """

    exit_code = 1

    def __init__(self, happened: str, *, expected: str = "", hint: str = "") -> None:
        self.happened, self.expected, self.hint = happened, expected, hint
        super().__init__(happened)

    def __str__(self) -> str:
        parts = [self.happened.rstrip(".")]
        if self.expected:
            parts.append(f"expected {self.expected.rstrip('.')}")
        line = "; ".join(parts) + f". {self.hint}"
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.happened, self.expected, self.hint))


def _rebuild(kind: type[DragomanError], happened: str, expected: str, hint: str) -> DragomanError:
    return kind(happened, expected=expected, hint=hint)


class UsageError(DragomanError):
    """The command line, or a call of the Python API, does not make sense."""

    exit_code = 2


class ConfigError(DragomanError):
    """``dragoman.toml`` cannot be read, or holds an unknown key or a bad value."""


class SourceError(DragomanError):
    """A documentation source is missing, empty, unreachable or unsafe."""


class ModelError(DragomanError):
    """A model cannot be downloaded, does not match its hash, or cannot be loaded."""


class LLMError(DragomanError):
    """A language model endpoint cannot be reached, or refused or failed a request."""


class LLMRefused(LLMError):
    """An endpoint will refuse every request alike: its key, model or address is wrong, or nothing listens there."""


class RequestRefused(LLMError):
    """One request was refused, such as for its length; others may go through, and asking elsewhere would not help."""


class WorkspaceError(DragomanError):
    """The workspace folder cannot be used: wrong schema, no space, not writable."""


class WorkspaceBusy(WorkspaceError):
    """Another living process holds the workspace's lock."""


class MissingArtefact(WorkspaceError):
    """A stage needs an artefact that is absent or stale."""


class ExtraMissing(DragomanError):
    """An optional dependency is needed; the hint is the install command."""

    def __init__(self, happened: str, *, expected: str = "", hint: str = "", extra: str = "") -> None:
        hint = hint or f"Install it with: pip install 'dragoman[{extra}]'"
        super().__init__(happened, expected=expected, hint=hint)


class PortInUse(DragomanError):
    """A server cannot bind to its address."""


class CheckFailed(DragomanError):
    """A check that the user asked for did not hold."""

    exit_code = 3
