"""How many requests an endpoint gets at once, on a clock of the test's own."""

import asyncio

from dragoman.models.throttle import START, Outcome, Throttle, throttle_for


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def round_of(throttle: Throttle, clock: Clock, outcomes: list[Outcome], seconds: float = 0.2) -> None:
    """Fill the slots at once, with more waiting, and end all that got one."""
    done = asyncio.Event()
    taken = 0

    async def one() -> None:
        nonlocal taken
        async with throttle.slot() as slot:
            taken += 1
            place = taken - 1
            await done.wait()
            slot.outcome = outcomes[place] if place < len(outcomes) else "good"

    async def wait() -> None:  # slots grow only while somebody waits for one
        async with throttle.slot():
            pass

    tasks = [asyncio.create_task(one()) for _ in range(throttle.limit)]
    tasks += [asyncio.create_task(wait()) for _ in range(2 * throttle.limit)]
    await asyncio.sleep(0)
    assert throttle.active == throttle.limit == taken
    clock.now += seconds
    done.set()
    await asyncio.gather(*tasks)


def limits(maximum: int, rounds: list[list[Outcome]], start: int | None = None) -> list[int]:
    """The limit after each round."""
    clock, seen = Clock(), []

    async def run() -> None:
        throttle = Throttle(maximum, start=start, clock=clock)
        for outcomes in rounds:
            await round_of(throttle, clock, outcomes)
            seen.append(throttle.limit)

    asyncio.run(run())
    return seen


def test_the_slots_grow_quickly_to_the_maximum_and_not_beyond() -> None:
    seen = limits(50, [[]] * 8, start=8)
    assert seen == sorted(seen)
    assert seen[2] >= 30
    assert seen[-1] == 50
    assert limits(3, [[]] * 4) == [3] * 4


def test_trouble_halves_the_slots_once_a_round_and_never_below_one() -> None:
    assert limits(START, [["overload"] * START])[0] == START // 2
    assert limits(2, [["overload"] * 2] * 40)[-1] == 1
    assert min(limits(16, [["overload"] * 16] * 30)) >= 1


def test_faults_that_are_no_sign_of_load_do_not_halve() -> None:
    assert limits(16, [["fault"] * 16] * 3) == [16] * 3


def test_a_halving_that_costs_answers_is_taken_back_and_one_that_helps_is_kept() -> None:
    clock = Clock()

    async def run(*, helps: bool) -> int:
        throttle = Throttle(32, start=32, clock=clock)
        await round_of(throttle, clock, ["overload"] * 16)  # 16 good answers in 0.2 s
        assert throttle.limit == 16
        await round_of(throttle, clock, [] if helps else ["overload"] * 8)  # 16, or only 8
        return throttle.limit

    assert asyncio.run(run(helps=True)) == 16
    assert asyncio.run(run(helps=False)) == 32


def test_slots_do_not_grow_while_answers_only_get_slower() -> None:
    clock = Clock()

    async def run() -> list[int]:
        throttle, seen = Throttle(256, start=8, clock=clock), []
        for _ in range(12):  # a server with eight slots: what is more waits there
            await round_of(throttle, clock, [], seconds=0.1 * throttle.limit / 8)
            seen.append(throttle.limit)
        return seen

    seen = asyncio.run(run())
    assert 8 < seen[-1] < 64


def test_who_came_first_goes_first_but_for_what_is_sent_again() -> None:
    order: list[str] = []

    async def run() -> None:
        throttle = Throttle(1)

        async def one(name: str, *, urgent: bool = False) -> None:
            async with throttle.slot(urgent=urgent):
                order.append(name)
                await asyncio.sleep(0.01)

        names = [asyncio.create_task(one(name)) for name in "abc"]
        await asyncio.sleep(0)
        await asyncio.gather(*names, one("again", urgent=True))

    asyncio.run(run())
    assert order == ["a", "again", "b", "c"]


def test_a_cancelled_waiter_leaves_its_place_to_the_next() -> None:
    async def run() -> int:
        throttle = Throttle(1)
        async with throttle.slot():
            waiting = [asyncio.create_task(throttle._acquire(urgent=False)) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
        waiting[1].cancel()  # in the same moment as it gets the slot
        await asyncio.wait_for(waiting[2], 1)
        return throttle.active

    assert asyncio.run(run()) == 1


def test_nobody_gets_a_slot_while_the_endpoint_is_held() -> None:
    async def run() -> float:
        throttle = Throttle(4)
        throttle.hold(0.05)
        throttle.hold(0.01)
        begun = asyncio.get_running_loop().time()
        async with throttle.slot():
            return asyncio.get_running_loop().time() - begun

    assert asyncio.run(run()) >= 0.045


def test_all_clients_of_an_endpoint_share_its_slots_in_one_loop() -> None:
    async def run() -> Throttle:
        one = throttle_for("http://x/v1", 2, 1.0)
        assert throttle_for("http://x/v1", 4, 1.0) is one
        assert throttle_for("http://y/v1", 4, 1.0) is not one
        return one

    assert asyncio.run(run()) is not asyncio.run(run())
