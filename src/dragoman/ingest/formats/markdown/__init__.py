"""Markdown of every flavour as plain Markdown, with what its pages include.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
