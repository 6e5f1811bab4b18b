"""Measure a command: how long it takes, and the most memory it and its children hold at once.

In: a command line after ``--``. Out: one JSON object, printed and, with ``--out``, written to a file.
Memory is the sum of the resident sets of the process tree, sampled; shared pages count once a process.
It knows nothing of Dragoman, and exits as the command did.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

INTERVAL = 0.2  # seconds between two samples


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a command took: its exit status, seconds by the clock, and megabytes (10^6 bytes) at its largest."""

    command: list[str]
    exit: int
    seconds: float
    peak_mb: int


def tree_memory(process: psutil.Process) -> int:
    """Resident bytes of a process and all of its descendants; 0 once it is gone."""
    total = 0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        try:
            total += member.memory_info().rss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def measure(command: list[str]) -> Measurement:
    """Run a command to its end.

    Args:
        command: The program and its arguments.

    Returns:
        What it took.
    """
    start = time.monotonic()
    child = subprocess.Popen(command)
    process, peak = psutil.Process(child.pid), 0
    while child.poll() is None:
        peak = max(peak, tree_memory(process))
        time.sleep(INTERVAL)
    seconds = round(time.monotonic() - start, 1)
    return Measurement(command, child.returncode, seconds, round(peak / 1e6))


def main() -> int:
    """Read the command line, measure, report."""
    parser = argparse.ArgumentParser(description="Time and peak memory of a command, as JSON.")
    parser.add_argument("--out", type=Path, help="also write the JSON to this file")
    parser.add_argument("command", nargs="+", help="the command, after --")
    options = parser.parse_args()
    result = measure(options.command)
    text = json.dumps(asdict(result), indent=2)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return result.exit


if __name__ == "__main__":
    sys.exit(main())
