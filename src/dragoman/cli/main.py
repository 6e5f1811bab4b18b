"""``dragoman``: every command, its options and its exit code.

In: the command line. Out: calls of the pipeline, and what is printed. Exit codes: 0 done, 1 the user
can fix it, 2 usage, 3 a check failed, 130 interrupted.
"""

import logging
import os
import sys
import warnings

import typer

from dragoman.cli import answers, making
from dragoman.cli.screen import Screen
from dragoman.errors import DragomanError

_INTERRUPTED = 130
_BROKEN = 1

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
answers.register(app)


def main() -> None:
    """Run the command line and exit."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    verbose = "-v" in sys.argv or "--verbose" in sys.argv
    logging.basicConfig(level=logging.INFO if verbose else logging.ERROR)
    if not verbose:
        warnings.simplefilter("ignore")
    screen = Screen()
    try:
        app()
    except DragomanError as error:
        screen.err.print(f"dragoman: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        screen.err.print("Interrupted; what was finished is kept, and the same command goes on from there.")
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN)
    except OSError as error:
        screen.err.print(f"dragoman: {error.strerror}: {error.filename}", style="red", markup=False, soft_wrap=True)
        sys.exit(_BROKEN)
    except Exception as error:
        if verbose:
            raise
        what = (
            f"dragoman: internal error: {type(error).__name__}: {error}. Run it again with -v and report what it says."
        )
        screen.err.print(what, style="red", markup=False, soft_wrap=True)
        sys.exit(_BROKEN)
