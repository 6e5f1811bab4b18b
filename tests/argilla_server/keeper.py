"""A process that runs another one, and ends it with its whole group when the process that started it is gone.

    python keeper.py COMMAND ...

Who starts it holds its standard input; that closes with the holder, however the holder ends. Needs nothing but Python.
"""

import os
import signal
import subprocess
import sys
import threading
import time

_PATIENCE = 10.0


def main(command: list[str]) -> int:
    """Run the command in this group until it ends or standard input does."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the group's signal is for the others
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL)
    )
    threading.Thread(target=_end_with_the_holder, args=(child,), daemon=True).start()
    return child.wait()


def _end_with_the_holder(child: "subprocess.Popen[bytes]") -> None:
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGTERM)
    until = time.monotonic() + _PATIENCE
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
