"""What a page says, for tests: its tags with their attributes, its text, and numbers as it writes them."""

from html.parser import HTMLParser

VOID = {"meta"}


class Reader(HTMLParser):
    """The page as tags with their attributes, and its text; every tag must be closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def ids(self) -> list[str]:
        return [value for _, name, value in self.attributes if name == "id"]


def shown(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}".replace("-", "−")
