"""The Argilla desk keeps what every desk promises, on the real server."""

import pytest
from tests.review.argilla.conftest import Place
from tests.review.desks import DeskContract, Harness

from dragoman.records import ReviewKind
from dragoman.review.items import Desk

pytestmark = [pytest.mark.argilla, pytest.mark.timeout(400)]


class OnTheServer:
    """A workspace of its own, as the contract wants to see it."""

    def __init__(self, place: Place) -> None:
        self.place, self.answer, self.shown = place, place.answer, place.shown

    def desk(self, _kind: ReviewKind) -> Desk:
        """The desk, opened anew."""
        return self.place.desk()


class TestArgillaDesk(DeskContract):
    @pytest.fixture
    def harness(self, place: Place) -> Harness:
        return OnTheServer(place)
