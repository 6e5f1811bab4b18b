"""Items of all kinds, some of them hostile, as the tests of the local page show them."""

from dragoman.review.items import FORMS, Form, Item, Suggestion

TRIPLETS, CHUNKS, CONVERSATIONS = FORMS["triplets"], FORMS["chunks"], FORMS["conversations"]
HOSTILE = (
    "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\"> [x](javascript:alert(1)) "
    "```\n<svg onload=alert(1)>\n```\n**bold** `<b>code</b>` {{7*7}} </textarea><iframe src='https://foreign.example/'>"
)
TEXT = """Pantry > Ports

The server listens on port `6900`.

```python
server = pantry.Server(port=7000)
```

- **one** machine: nginx
- a cluster: an ingress"""


def triplet(number: int, **metadata: str | float) -> Item:
    fields = {"anchor": TEXT, "positive": f"How do I open port {number}?", "negative": f"Who reads log {number}?"}
    about: dict[str, str | int | float] = {
        "trail": "Pantry > Ports",
        "document": "ports.md",
        "url": f"https://docs.example/ports/#{number}",
        "rank": number,
    }
    hint = Suggestion("is_positive_relevant", "no", 0.83, "round trip")
    return Item(f"t{number:03}", "triplets", fields, about | metadata, (hint,))


def turn(number: int, text: str = HOSTILE) -> Item:
    return Item(
        f"c{number}", "conversations", {"instruction": text, "response": text}, {"conv_id": text, "turn": number}
    )


def chunk(number: int) -> Item:
    return Item(f"k{number}", "chunks", {"filename": "ports.md", "chunk": f"{TEXT} {number}"}, {"tokens": 40})


def guidelines(form: Form) -> str:
    return f"# How to review {form.kind}\n\nSay **yes** if it helps. <b>Not bold.</b>"
