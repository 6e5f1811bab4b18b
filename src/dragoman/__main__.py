"""``python -m dragoman`` and the ``dragoman`` script: the command line, for whoever may change their mind at once.

It knows nothing but where the command line is, and that loading it takes long enough for a Ctrl-C.
"""

import sys

_INTERRUPTED = 130


def main() -> None:
    """Load the command line and run it.

    Raises:
        SystemExit: Always; it holds the exit code.
    """
    try:
        from dragoman.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
