"""A peer's own virtual environment, made when it is not there as pinned.

In: a folder, and requirements for pip. Out: the path of the environment's Python, on standard output. It runs as a
script of its own, so that each benchmark can start it; it does not know what the packages are for.
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path


def environment(home: Path, pins: list[str], alone: list[str], constraints: Path | None) -> Path:
    """The Python of an environment that holds just what is pinned; ``alone``: packages without what they depend on."""
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    held = [f"-c {line}" for line in constraints.read_text(encoding="utf-8").splitlines()] if constraints else []
    pinned, made = "\n".join([*pins, *(f"--no-deps {pin}" for pin in alone), *held]), home / "pinned.txt"
    if made.is_file() and made.read_text(encoding="utf-8") == pinned:
        return python
    print(f"installing {', '.join([*pins, *alone])}", file=sys.stderr, flush=True)
    venv.create(home, clear=True, with_pip=True)
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet"]
    within: list[str | Path] = ["-c", constraints] if constraints else []
    # Standard output is for the answer alone.
    subprocess.run([*install, *within, *pins], stdout=sys.stderr, check=True)
    if alone:
        subprocess.run([*install, "--no-deps", *alone], stdout=sys.stderr, check=True)
    made.write_text(pinned, encoding="utf-8")
    return python


def main() -> None:
    """Make what is missing, and say where it lies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("pins", nargs="+")
    parser.add_argument("--alone", action="append", default=[], help="a package to install without its dependencies")
    parser.add_argument("--constraints", type=Path)
    options = parser.parse_args()
    print(environment(options.home, options.pins, options.alone, options.constraints))


if __name__ == "__main__":
    main()
