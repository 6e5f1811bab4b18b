"""Children that hear Ctrl-C, whoever started the tests."""

import signal


def hear_ctrl_c() -> None:
    """A shell starts what it puts into the background deaf to Ctrl-C, and whatever that starts inherits it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
