"""HTML pages as Markdown.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
