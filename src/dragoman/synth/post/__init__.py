"""The post's own pipeline, run by distilabel: chunks in, triplets and their questions out.

Import the modules of this room by name; importing the room itself loads nothing.
"""

__all__: list[str] = []
