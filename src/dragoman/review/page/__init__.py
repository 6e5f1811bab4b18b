"""The local page: reviewers answer in a browser, with no server but the one in this process.

Import the modules of this folder by name; importing the folder itself loads nothing.
"""

__all__: list[str] = []
