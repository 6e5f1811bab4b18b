"""Tells code from prose in Markdown that is still being written.

In: an answer, character by character. Out: whether each character is code. Knows no more of Markdown than backticks and tildes.
"""


class CodeWatch:
    """Follows a text and knows at each character whether it stands in a code block or a code span."""

    def __init__(self) -> None:
        self._ticks = ""  # a run of backticks or tildes whose length is not yet known
        self._line = ""  # what the line holds so far, as far as a fence is concerned
        self._fence = ""  # the run that opened the code block we are in
        self._inline = ""  # the run that opened the code span we are in

    def sees(self, char: str) -> bool:
        """Take the next character; whether it is code, or one of the marks around code."""
        if self._ticks and char != self._ticks[0]:
            self._end_of_run()
        self._line = "" if char == "\n" else self._line + char
        if char in "`~":
            self._ticks += char
            return True
        inside = bool(self._fence or self._inline)
        if char == "\n":
            self._inline = ""
        return inside

    def forget(self, count: int) -> None:
        """Take back the last characters, since they are not shown."""
        self._line = self._line[:-count]

    def _end_of_run(self) -> None:
        """A run of backticks is over: it opens or closes a block, a span, or nothing."""
        run, self._ticks = self._ticks, ""
        starts_line = self._line.lstrip(" \t>").rstrip() == run
        if self._fence:
            if starts_line and run.startswith(self._fence):
                self._fence = ""
        elif starts_line and len(run) >= len("```"):
            self._fence = run
        elif self._inline:
            self._inline = "" if run == self._inline else self._inline
        elif run[0] == "`":
            self._inline = run
