"""People's judgement: what is shown to reviewers, on which desk, and what their answers decide.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
