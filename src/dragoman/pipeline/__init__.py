"""The chain of stages; the one place that knows more than one of them.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
