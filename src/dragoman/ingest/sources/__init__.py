"""What a user names (a folder, an archive, a repository, a package, a dataset), brought onto this machine.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
