"""Docstrings of Python code as Markdown; the code is parsed, never run.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
