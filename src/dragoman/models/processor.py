"""What this machine's processor offers: cores that may be used, and bfloat16 arithmetic.

In: nothing but the machine. Out: plain facts. It does not know which model asks.
"""

import os
import platform
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_CPUINFO = Path("/proc/cpuinfo")
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def physical_cores() -> int:
    """Physical cores this process may keep busy, at least 1.

    Returns:
        The cores in the process's affinity, hyper-threads counted once, no more than a container's quota.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    cores = {_siblings(cpu) for cpu in allowed}
    return max(1, min(len(cores), _quota()))


def has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 matrices in hardware (AVX512_BF16 or AMX)."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return False
    try:
        text = _CPUINFO.read_text(encoding="utf-8")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not _BF16_FLAGS.isdisjoint(flags.split())


def _siblings(cpu: int) -> str:
    try:
        return (_TOPOLOGY / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text(encoding="utf-8").strip()
    except OSError:
        return str(cpu)


def _quota() -> int:
    try:
        quota, period = _QUOTA.read_text(encoding="utf-8").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return os.cpu_count() or 1
