"""A server that dies in the middle of a push, and comes back: the next push completes it, and nothing is lost or doubled."""

from collections import Counter
from contextlib import suppress
from threading import Timer

import httpx
import pytest
from tests.review.argilla.conftest import Place
from tests.review.desks import RIGHT, TRIPLETS, WRONG, triplets

from dragoman.errors import DragomanError
from dragoman.review.items import Pushed

pytestmark = [pytest.mark.argilla, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(autouse=True)
def warm(place: Place) -> None:
    """The stand-in for Redis drops the first connection of a server that was started again; no test is about that."""
    for _ in range(2):
        with suppress(DragomanError):
            place.desk(prefix="warm").push(TRIPLETS, triplets(1))


def ids_there(place: Place) -> Counter[str]:
    path = f"datasets/{place.dataset(TRIPLETS)['id']}/records?limit=1000"
    return Counter(one["external_id"] for one in place.server.call("GET", path)["items"])


def test_a_push_that_broke_off_says_how_far_it_came_and_the_next_completes_it(place: Place) -> None:
    first, items = triplets(1, 2), triplets(*range(1, 131))
    place.desk().push(TRIPLETS, first)
    place.answer(TRIPLETS, first[0].id, "anna", WRONG)
    dealt: list[int] = []

    def die_after_the_first_part(count: int) -> None:
        dealt.append(count)
        if len(dealt) == 2:
            place.server.kill()

    with pytest.raises(DragomanError) as caught:
        place.desk().push(TRIPLETS, items, die_after_the_first_part)
    place.server.start()
    there = sum(dealt)
    assert 2 < there < 130
    assert f"the push broke off when {there} of 130 triplets were there" in str(caught.value)
    assert "Push again to complete it" in str(caught.value)
    assert len(ids_there(place)) == there
    assert place.desk().push(TRIPLETS, items) == Pushed(added=130 - there, unchanged=there)
    assert ids_there(place) == Counter(item.id for item in items)
    assert place.desk().push(TRIPLETS, items) == Pushed(unchanged=130)
    answered = [one for one in place.desk().pull(TRIPLETS) if one.responses]
    assert [(one.item.id, dict(one.responses[0].values)) for one in answered] == [(first[0].id, WRONG)]


@pytest.mark.parametrize("seconds", [0.05, 0.4])
def test_a_server_killed_within_a_call_loses_and_doubles_nothing(place: Place, seconds: float) -> None:
    items = triplets(*range(1, 131))
    place.desk().push(TRIPLETS, items[:1])
    place.answer(TRIPLETS, items[0].id, "anna", RIGHT)
    timers: list[Timer] = []

    def die_soon(_count: int) -> None:
        if not timers:
            timers.append(Timer(seconds, place.server.kill))
            timers[0].start()

    with pytest.raises(DragomanError):
        place.desk().push(TRIPLETS, items, die_soon)
    timers[0].join()
    place.server.start()
    before = ids_there(place)
    assert place.desk().push(TRIPLETS, items) == Pushed(added=130 - len(before), unchanged=len(before))
    assert ids_there(place) == Counter(item.id for item in items)
    assert place.shown(TRIPLETS)[:3] == [item.id for item in items[:3]], "the page knows them all, the answered one too"
    (answered,) = [one for one in place.desk().pull(TRIPLETS) if one.responses]
    assert answered.item.id == items[0].id


def test_a_record_that_the_search_engine_never_heard_of_is_told_by_the_next_push(place: Place) -> None:
    items = triplets(1, 2, 3)
    place.desk().push(TRIPLETS, items)
    record = place.records(TRIPLETS)[items[1].id]["id"]
    dataset = place.dataset(TRIPLETS)["id"]
    # As when the server dies after it has stored the record and before it has told the search engine.
    index = f"{place.server.search_url}/rg.{dataset}"
    httpx.delete(f"{index}/_doc/{record}?refresh=true", trust_env=False).raise_for_status()
    assert place.shown(TRIPLETS) == [items[0].id, items[2].id]
    assert place.desk().push(TRIPLETS, items) == Pushed(unchanged=3)
    assert place.shown(TRIPLETS) == [item.id for item in items]


def test_a_search_engine_that_forgot_all_knows_it_again_after_a_start(place: Place) -> None:
    items = triplets(1, 2, 3)
    place.desk().push(TRIPLETS, items)
    place.server.kill(search=True)
    place.server.start()
    assert place.shown(TRIPLETS) == [item.id for item in items]
    assert place.desk().push(TRIPLETS, items) == Pushed(unchanged=3)
