"""Names that an answer makes up are found."""

from dragoman.chat.grounding import strange_names

SOURCE = "Call `pantry.shelf(name)`, then `shelf.remove()`."


def test_a_called_or_accessed_name_that_no_source_has_is_strange() -> None:
    answer = "Use `pantry.shelf('a')` or:\n\n```js\nconst box = pantry.openBox()\nbox.lidColour = 1\nmelt(box)\n```"
    assert strange_names(answer, [SOURCE]) == ["openBox", "lidColour", "melt"]


def test_prose_strings_comments_and_keywords_are_not_code_names() -> None:
    answer = (
        "Prose with madeUp.call() in it.\n\n```py\nif (x):  # call other.thing()\n"
        "    print('see www.place.example')\n    shelf.remove()\n```"
    )
    assert strange_names(answer, [SOURCE]) == []


def test_a_name_of_the_question_is_known() -> None:
    assert strange_names("`glaze()`", [SOURCE]) == ["glaze"]
    assert strange_names("`glaze()`", [SOURCE, "What does glaze do?"]) == []
