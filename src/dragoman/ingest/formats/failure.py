"""What a converter raises when a file is not what its name says.

It carries a reason of a few words, for the list of files left out, and a detail for a person. The run goes on without the file.
"""

from dragoman.errors import DragomanError


class PageError(DragomanError):
    """A file that cannot be read as its format.

    Args:
        reason: A few words out of a closed list, such as ``"no notebook"``.
        detail: What was found, for a person; may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)

    def __reduce__(self) -> tuple[object, ...]:
        return (PageError, (self.reason, self.detail))
