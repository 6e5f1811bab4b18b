"""Maps a function over batches in several processes of this machine.

In: a function of a module, batches of anything that can be pickled. Out: the results, in the order of the batches. It knows no stage.
"""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from dragoman.errors import DragomanError

T = TypeVar("T")
R = TypeVar("R")


def mapped(function: Callable[[T], R], batches: Iterable[T], workers: int) -> Iterator[R]:
    """Call a function for each batch.

    Args:
        function: It and what it returns can be pickled, when there is more than one worker.
        batches: Its arguments.
        workers: Processes. 1 calls it here; with more, the program's main module must be importable
            without running the program, as that of the command line is.

    Yields:
        What the function returned, in the order of the batches.

    Raises:
        DragomanError: A worker died, e.g. for want of memory.
    """
    if workers < 2:  # noqa: PLR2004 - one process is this one
        yield from map(function, batches)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin)
    try:
        yield from pool.map(function, batches)
    except BrokenProcessPool as error:
        raise DragomanError(
            f"one of {workers} worker processes died: {error}", hint="Free some memory and run it again."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """A worker leaves Ctrl-C to the process that started it, and does not outlive that one, however it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_leave_with, args=[parent.sentinel], daemon=True).start()


def _leave_with(sentinel: int) -> None:
    connection.wait([sentinel])
    signal.raise_signal(signal.SIGTERM)
