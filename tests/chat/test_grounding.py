"""Names, options and commands that an answer makes up are found."""

import pytest

from dragoman.chat.grounding import ungrounded

SOURCE = (
    "Call `pantry.shelf(name, width=80)`, then `shelf.remove()`. Set `PANTRY_MODE`.\n\n```bash\npip install pantry-server\n"
    "pantry serve --port 4242\n```\n```toml\nmax_jars = 5\n```"
)


def found(answer: str, *more: str) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in ungrounded(answer, [SOURCE, *more])]


def test_a_called_or_accessed_name_that_no_source_has_is_strange() -> None:
    answer = "Use `pantry.shelf('a')` or:\n\n```js\nconst box = pantry.openBox()\nbox.lidColour = 1\nmelt(box)\n```"
    assert set(found(answer)) == {("identifier", "openBox"), ("identifier", "lidColour"), ("identifier", "melt")}


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ("Call pantry.openBox() now.", ("identifier", "openBox")),
        ("Set PANTRY_SPEED to 2.", ("identifier", "PANTRY_SPEED")),
        ("Set pantry_speed to 2.", ("identifier", "pantry_speed")),
        ("```py\npantry.shelf(\n    'a',\n    depth=3,\n)\n```", ("identifier", "depth")),
        ("```py\nfrom pantry.boxes import shelf\n```", ("identifier", "boxes")),
        ("```toml\nmax_boxes = 5\n```", ("identifier", "max_boxes")),
        ("```yaml\n- max_boxes: 5\n```", ("identifier", "max_boxes")),
        ("Pass `--deep`.", ("flag", "--deep")),
        ("Pass --deep to it.", ("flag", "--deep")),
        ("```bash\npantry serve \\\n  --deep\n```", ("flag", "--deep")),
        ("Run `pantry bake`.", ("command", "pantry bake")),
        ("```console\n$ pantry bake cake\nBaking.\n```", ("command", "pantry bake")),
        ("```bash\nsudo pip install -U pantri\n```", ("command", "pip install pantri")),
        ("```bash\ncd jars && baker start\n```", ("command", "baker start")),
    ],
)
def test_what_no_source_has_is_found(answer: str, finding: tuple[str, str]) -> None:
    assert found(answer) == [finding]
    assert found(answer, finding[1]) == []


@pytest.mark.parametrize(
    "answer",
    [
        "```py\nif (x):  # call other.thing()\n    print('see www.place.example')\n    shelf.remove()\n```",
        "```py\nimport os\nfrom pathlib import Path\nwidths = [int(w) for w in os.environ['W'].split()]\nPath('x').write_text('a')\n```",
        "```py\ndef make_all(names, *, wide=False):\n    for name in names:\n        pantry.shelf(name)\n\nmake_all(['a'], wide=True)\n```",
        "```js\nconst tops = names.map((top) => pantry.shelf(top))\nconsole.log(JSON.stringify(tops))\n```",
        "```bash\nexport PANTRY_MODE=fast  # made.up()\npip install --upgrade 'pantry_server[all]>=2'\ncd my_dir && pantry serve --port 80\n```",
        "```bash\npython -m venv .venv && source .venv/bin/activate\ngit clone --depth 1 https://place.example/pantry\n```",
        'Use `your_shelf_name`, `<name>`, `True`, `None`, `"text"`, `./jars/a.csv`, `settings.toml`, `0.5` or `...`.',
        'The snake_case word of `name="a_b_c"` aside, well-known and state-of-the-art e.g. and/or a--b words are none.'.replace(
            "snake_case", "plain"
        ),
        "```text\nServed.by(Baker) --fast\n```",
        "See [the made_up page](https://place.example/made_up/PAGE_NAME).".replace("made_up page", "page"),
        "Run `pantry --help`.",
    ],
)
def test_what_is_free_to_be_anything_is_not(answer: str) -> None:
    assert found(answer) == []


def test_a_name_of_the_question_is_known() -> None:
    assert found("`glaze()`") == [("identifier", "glaze")]
    assert found("`glaze()`", "What does glaze do?") == []
