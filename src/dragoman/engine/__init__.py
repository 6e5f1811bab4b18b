"""How a function is mapped over many rows: here in processes of this machine.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
