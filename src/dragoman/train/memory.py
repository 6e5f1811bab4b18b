"""Memory that a training no longer needs, given back to the system.

In and out: nothing. Batches of ever other lengths leave the C library's heap full of holes that it keeps: without this, several trainings
in one process take twice the memory of one.
"""

import ctypes
import gc
import platform


def give_back() -> None:
    """Free what only circles of references hold, of which a trainer has many, and return free pages to the system."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
