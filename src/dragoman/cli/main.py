"""``dragoman``: every command, its options and its exit code.

In: the command line. Out: calls of the pipeline, and what is printed. Exit codes: 0 done, 1 the user
can fix it, 2 usage, 3 a check failed, 130 interrupted.
"""

import errno
import logging
import os
import sys
import warnings
from collections.abc import Sequence

import typer

from dragoman.cli import answers, compare, making, review, searching, state, syncing
from dragoman.cli.screen import Screen
from dragoman.errors import DragomanError

_INTERRUPTED = 130
_BROKEN = 1
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

app = typer.Typer(
    name="dragoman",
    help="Turn a project's documentation into a chatbot that answers from it, on an embedding model tuned to it.",
    epilog="Start with:  dragoman build docs/  then  dragoman ask 'How do I ...?'  or  dragoman chat",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
making.register(app)
syncing.register(app)
review.register(app)
state.register(app)
compare.register(app)
searching.register(app)
answers.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: What stands after the program's name; None: the process's own.

    Raises:
        SystemExit: Always; it holds the exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that spin while they wait make a busy machine many times slower: they wait for each other.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    verbose = "-v" in given or "--verbose" in given
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR)
    if not verbose:
        warnings.simplefilter("ignore")
    screen = Screen()
    try:
        app(given, prog_name="dragoman")
    except DragomanError as error:
        screen.err.print(f"dragoman: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:  # typer turns Ctrl-C into an exit
        if ended.code == _INTERRUPTED:
            screen.err.print("Interrupted; what was finished is kept, and the same command goes on from there.")
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN)
    except OSError as error:
        # A disk that fills up in the middle of a file gives no file name.
        said = ": ".join(str(part) for part in (error.strerror or error, error.filename) if part)
        hint = "Free some space, or choose another folder with --workspace." if error.errno in _FULL else ""
        screen.err.print(f"dragoman: {said}. {hint}".rstrip(), style="red", markup=False, soft_wrap=True)
        sys.exit(_BROKEN)
    except Exception as error:
        if verbose:
            raise
        what = (
            f"dragoman: internal error: {type(error).__name__}: {error}. Run it again with -v and report what it says."
        )
        screen.err.print(what, style="red", markup=False, soft_wrap=True)
        sys.exit(_BROKEN)
