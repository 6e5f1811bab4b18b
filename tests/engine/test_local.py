import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from dragoman.engine.local import mapped
from dragoman.errors import DragomanError

DOCS = ["Fill it.", "Boil it.", "Pour it."]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_batches(workers: int) -> None:
    assert list(mapped(partial(int, base=7), ["3", "10", "6"], workers)) == [3, 7, 6]


def test_one_worker_is_this_process_and_two_are_others() -> None:
    assert set(mapped(_pid, range(3), 1)) == {os.getpid()}
    assert os.getpid() not in set(mapped(_pid, range(3), 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_function_is_the_callers(workers: int) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(mapped(int, ["1", "x"], workers))


def test_a_worker_that_dies_is_told() -> None:
    with pytest.raises(DragomanError, match="one of 2 worker processes died"):
        list(mapped(os._exit, [3, 3], 2))


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import time\n"
        "from dragoman.engine.local import mapped\n"
        'if __name__ == "__main__":\n'
        "    print(next(mapped(abs, [-1], 2)), flush=True)\n"
        "    list(mapped(time.sleep, [60, 60], 2))\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        workers: list[psutil.Process] = []
        deadline = time.monotonic() + 30
        while len(workers) < 2 and time.monotonic() < deadline:
            found = psutil.Process(child.pid).children(recursive=True)
            workers = [process for process in found if "spawn_main" in " ".join(process.cmdline())]
            time.sleep(0.1)
        time.sleep(1)  # a worker watches its parent once it has begun
        child.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert (len(gone), alive) == (2, [])


def _pid(_number: int) -> int:
    return os.getpid()
