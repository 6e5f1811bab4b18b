"""Files of every format as one: Markdown text whose lines know where they came from.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
