"""What an Argilla desk does beyond the contract of desks, on the real server."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from tests.review.argilla.conftest import Place
from tests.review.desks import CHUNKS, CONVERSATIONS, RIGHT, TRIPLETS, WRONG, chunk, triplet, triplets, turn

from dragoman.review.items import FORMS, NO, YES, Form, Item, Pushed, Suggestion

pytestmark = [pytest.mark.argilla, pytest.mark.timeout(400)]


def test_what_three_people_answered_adds_up(place: Place) -> None:
    items = triplets(*range(6))
    place.desk(min_submitted=3).push(TRIPLETS, items)
    # Everybody, two against one, one against one with a draft, one alone, only discarded, nobody.
    answers = [
        ("anna", 0, RIGHT, "submitted"), ("bob", 0, RIGHT, "submitted"), ("carol", 0, RIGHT, "submitted"),
        ("anna", 1, WRONG, "submitted"), ("bob", 1, RIGHT, "submitted"), ("carol", 1, WRONG, "submitted"),
        ("anna", 2, RIGHT, "submitted"), ("bob", 2, WRONG, "submitted"), ("carol", 2, RIGHT, "draft"),
        ("bob", 3, RIGHT | {"question": "Which switch opens a port?"}, "submitted"),
        ("carol", 4, {}, "discarded"),
    ]  # fmt: skip
    for reviewer, number, values, status in answers:
        place.answer(TRIPLETS, items[number].id, reviewer, values, status)  # type: ignore[arg-type]
    pulled = {one.item.id: one for one in place.desk().pull(TRIPLETS)}
    found = {
        (response.reviewer, [item.id for item in items].index(id_), tuple(response.values.items()), response.status)
        for id_, one in pulled.items()
        for response in one.responses
    }
    assert found == {(who, number, tuple(values.items()), status) for who, number, values, status in answers}
    submitted = [response for one in pulled.values() for response in one.responses if response.status == "submitted"]
    assert Counter(response.reviewer for response in submitted) == {"bob": 4, "anna": 3, "carol": 2}
    assert Counter(response.values["is_positive_relevant"] for response in submitted) == {YES: 6, NO: 3}
    statuses = {id_: record["status"] for id_, record in place.records(TRIPLETS).items()}
    assert [statuses[item.id] for item in items] == ["completed"] * 2 + ["pending"] * 4


def test_the_datasets_are_those_of_the_post_and_some_more(place: Place) -> None:
    items: dict[str, Item] = {"chunks": chunk("A text."), "triplets": triplet(1), "conversations": turn("Why?", "So.")}
    for form in FORMS.values():
        place.desk(min_submitted=2).push(form, [items[form.kind]])
        dataset = place.dataset(form)
        assert dataset["guidelines"] == f"Judge the {form.kind}."
        assert dataset["distribution"] == {"strategy": "overlap", "min_submitted": 2}
        fields = place.server.call("GET", f"datasets/{dataset['id']}/fields")["items"]
        assert [one["name"] for one in fields] == [one.name for one in form.fields]
        assert not any(one["settings"]["use_markdown"] for one in fields)
        questions = place.server.call("GET", f"datasets/{dataset['id']}/questions")["items"]
        asked = [(one["name"], one["title"], one["required"], one["description"] or "") for one in questions]
        assert asked == [(ask.name, ask.title, ask.required, ask.description) for ask in form.asks]
        options = [tuple(each["value"] for each in one["settings"].get("options", ())) for one in questions]
        assert options == [ask.options for ask in form.asks]
        properties = place.server.call("GET", f"me/datasets/{dataset['id']}/metadata-properties")["items"]
        kinds = {one["name"]: one["settings"]["type"] for one in properties}
        assert kinds == dict(form.metadata) | {"state": "terms"}


def test_suggestions_carry_their_score_and_agent_and_go_when_they_are_made_no_more(place: Place) -> None:
    both = (
        Suggestion("is_positive_relevant", YES, 0.75, "round trip"),
        Suggestion("is_negative_irrelevant", NO, 0.5, ""),
    )
    item = replace(triplet(1), suggestions=both)
    place.desk().push(TRIPLETS, [item])
    there = place.records(TRIPLETS)[item.id]["suggestions"]
    assert sorted((one["value"], one["score"], one["agent"]) for one in there if one["agent"]) == [
        (YES, 0.75, "round trip")
    ]
    assert place.desk().pull(TRIPLETS)[0].item.suggestions == both
    assert place.desk().push(TRIPLETS, [replace(item, suggestions=both[1:])]) == Pushed(updated=1)
    (left,) = place.records(TRIPLETS)[item.id]["suggestions"]
    assert (left["value"], left["score"]) == (NO, 0.5)


def test_what_the_server_cannot_take_comes_back_whole_all_the_same(place: Place) -> None:
    half, nul = "half \ud83d a face", "nul \x00 and bell \x07"
    odd = replace(
        triplet(1, anchor=half, positive=nul),
        metadata={"trail": "heading > " * 5000, "document": half, "rank": 2**70, "judge": math.inf, "priority": 1},
        suggestions=(
            Suggestion("is_positive_relevant", "perhaps", 0.5, "a judge"),
            Suggestion("is_negative_irrelevant", YES, 1.5, "«judge»\n№ 1"),
            Suggestion("nothing_we_ask", YES, 0.5, "judge"),
        ),
        priority=1.0,
    )
    place.desk().push(TRIPLETS, [odd, triplet(2)])
    pulled = {one.item.id: one.item for one in place.desk().pull(TRIPLETS)}
    assert pulled[odd.id] == replace(odd, vector=())
    record = place.records(TRIPLETS)[odd.id]
    assert record["fields"]["anchor"] == "half \ufffd a face"
    assert len(record["metadata"]["trail"]) == 1000
    assert {"rank", "judge"}.isdisjoint(record["metadata"])
    assert [(one["value"], one["score"]) for one in record["suggestions"]] == [(YES, 1.0)]
    assert place.desk().push(TRIPLETS, [odd, triplet(2)]) == Pushed(unchanged=2)


@pytest.mark.parametrize("form", [CHUNKS, CONVERSATIONS], ids=["chunks", "conversations"])
def test_a_text_of_a_megabyte_is_shown(place: Place, form: Form) -> None:
    long = "<&> 日本 " * 60_000
    item = chunk(long) if form is CHUNKS else turn("Why?", long)
    place.desk().push(form, [item])
    (one,) = place.desk().pull(form)
    assert one.item.fields == item.fields


def test_similar_items_are_found_by_their_vectors_also_after_the_model_changed(place: Place) -> None:
    vectors = [(1.0, 0.0), (0.0, 1.0), (0.9, 0.1)]
    items = [replace(item, vector=vector) for item, vector in zip(triplets(1, 2, 3), vectors, strict=True)]
    place.desk(vector_dims=2).push(TRIPLETS, items)

    def nearest(vector: list[float]) -> list[str]:
        query = {"query": {"vector": {"name": "similar", "value": vector}}}
        path = f"datasets/{place.dataset(TRIPLETS)['id']}/records/search?limit=2"
        return [one["record"]["external_id"] for one in place.server.call("POST", path, query)["items"]]

    assert nearest([1.0, 0.0]) == [items[0].id, items[2].id]
    longer = [replace(item, vector=(*item.vector[::-1], 0.0)) for item in items]
    assert place.desk(vector_dims=3).push(TRIPLETS, longer) == Pushed(updated=3)
    assert nearest([0.0, 1.0, 0.0]) == [items[0].id, items[2].id]
    assert place.desk(vector_dims=3).push(TRIPLETS, longer) == Pushed(unchanged=3)
    assert place.desk(vector_dims=0).push(TRIPLETS, longer) == Pushed(updated=3), "their notes name no vector now"
    assert place.desk(vector_dims=0).push(TRIPLETS, longer) == Pushed(unchanged=3)


def test_what_others_note_about_a_record_stays(place: Place) -> None:
    item = triplet(1)
    place.desk().push(TRIPLETS, [item])
    record = place.records(TRIPLETS)[item.id]
    place.server.call("PATCH", f"records/{record['id']}", {"metadata": record["metadata"] | {"team": "docs"}})
    assert place.desk().push(TRIPLETS, [item]) == Pushed(unchanged=1)
    assert place.desk().push(TRIPLETS, [replace(item, suggestions=())]) == Pushed(updated=1)
    assert place.records(TRIPLETS)[item.id]["metadata"]["team"] == "docs"
    assert "team" not in place.desk().pull(TRIPLETS)[0].item.metadata


def test_a_dataset_takes_what_may_be_added_or_changed(place: Place) -> None:
    place.desk(vector_dims=0).push(TRIPLETS, [triplet(1)])
    dataset = place.dataset(TRIPLETS)["id"]
    for one in place.server.call("GET", f"me/datasets/{dataset}/metadata-properties")["items"]:
        if one["name"] in {"style", "state"}:
            place.server.call("DELETE", f"metadata-properties/{one['id']}")
    place.server.call("PATCH", f"datasets/{dataset}", {"allow_extra_metadata": False})
    desk = place.desk(guidelines=lambda form: f"{form.kind}\x00 " + "word\n" * 9000, min_submitted=2)
    assert desk.push(TRIPLETS, [triplet(1), triplet(2)]) == Pushed(added=1, updated=1)
    changed = place.dataset(TRIPLETS)
    assert changed["guidelines"].startswith("triplets\ufffd word\n")
    assert changed["guidelines"].endswith("word\n…")
    assert changed["distribution"]["min_submitted"] == 2
    assert changed["allow_extra_metadata"]
    assert place.shown(TRIPLETS) == [triplet(1).id, triplet(2).id]


def test_an_item_of_one_id_is_shown_once(place: Place) -> None:
    counted: list[int] = []
    assert place.desk().push(TRIPLETS, triplets(1, 1, 2), counted.append) == Pushed(added=2)
    assert sum(counted) == 3


def test_argilla_is_kept_quiet(
    place: Place, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    desk = place.desk()
    desk.push(TRIPLETS, triplets(1))
    desk.pull(TRIPLETS)
    assert capfd.readouterr() == ("", "")
    assert not list(recwarn)


def test_an_admin_of_the_workspace_may_push_and_pull(place: Place) -> None:
    admin = place.server.user("ada", place.space, role="admin")
    desk = place.desk(key=admin.key)
    assert desk.push(TRIPLETS, triplets(1)) == Pushed(added=1)
    place.answer(TRIPLETS, triplet(1).id, "anna", RIGHT)
    (one,) = desk.pull(TRIPLETS)
    assert [response.reviewer for response in one.responses] == ["anna"]
