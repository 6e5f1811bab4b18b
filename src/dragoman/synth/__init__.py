"""Chunks in, questions worth training on out.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
