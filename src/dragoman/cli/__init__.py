"""The command line: the one room that prints and exits.

``main`` is what the ``dragoman`` script calls.
"""

from dragoman.cli.main import main

__all__ = ["main"]
