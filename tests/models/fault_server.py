"""A chat server on loopback that fails by the dice, and writes down what it was asked to do.

In: HTTP requests. Out: answers that follow the schema, or one of its faults, drawn from the seed, the passage and how
often that was asked before: the order in which requests arrive decides nothing. Each answer takes one of its slots for
its latency; a request that hangs keeps its slot until the client goes away.
"""

import asyncio
import heapq
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

GOOD = json.dumps({"question": "How often are hinges oiled?", "kind": "howto"})
BAD = (
    "I would ask about hinges.",
    '{"question": "How oft',
    '{"question": "Oil?", "kind": "poem"}',
    '{"kind": "howto"}',
)
ROUND_TRIP = 0.002  # seconds between two programs on one machine, the client's work on an answer included


@dataclass(frozen=True)
class Shares:
    """How many of a hundred requests end in each way; the others are answered well."""

    limited: float = 0.0  # 429
    failed: float = 0.0  # 500, and 503 now and then
    hanging: float = 0.0
    cut: float = 0.0
    bad: float = 0.0  # an answer that is no JSON, or not by the schema

    def draw(self, dice: random.Random) -> str:
        names = ("limited", "failed", "hanging", "cut", "bad")
        weights = [getattr(self, name) for name in names]
        return dice.choices([*names, "good"], [*weights, 100 - sum(weights)])[0]


@dataclass
class Asked:
    """One request: seconds on the server's clock, how it ended, and the wait demanded."""

    key: str
    arrival: float
    start: float = 0.0
    end: float = 0.0
    outcome: str = ""
    wait: float = 0.0


@dataclass
class FaultServer:
    """The server; ``log`` has a line for each request, in the order of arrival.

    The first requests get what is ``scripted``: a status, and a body as bytes (and their type) or as an object.
    """

    slots: int = 8
    latency: float = 0.05
    shares: Shares = field(default_factory=Shares)
    seed: int = 1
    retry_after: float = 0.1
    scripted: Sequence[tuple[Any, ...]] = ()
    log: list[Asked] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0
    most: int = 0  # requests that were in the house at once
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        self._free = asyncio.Semaphore(self.slots)
        self._times: Counter[str] = Counter()
        self._inside = 0
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # Cancelled when the server stops; asyncio would complain of a cancelled handler.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._request(reader, writer):
                pass
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.bodies.append(body)
        self.headers.append(headers)
        if len(self.bodies) <= len(self.scripted):
            _send(writer, *self.scripted[len(self.bodies) - 1])
            return True
        clock = asyncio.get_running_loop().time
        key = next(message["content"] for message in body["messages"] if message["role"] == "user")
        asked = Asked(key, clock())
        self.log.append(asked)
        self._times[key] += 1
        dice = random.Random(f"{self.seed} {key} {self._times[key]}")
        asked.outcome = self.shares.draw(dice)
        self._inside += 1
        self.most = max(self.most, self._inside)
        try:
            return await self._answered(asked, dice, reader, writer)
        finally:
            asked.end = clock()
            self._inside -= 1

    async def _answered(
        self, asked: Asked, dice: random.Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        clock = asyncio.get_running_loop().time
        asked.start = clock()
        if asked.outcome == "limited":  # at the door, without a slot
            asked.wait = self.retry_after
            told = {"Retry-After-Ms": f"{1000 * asked.wait:g}"}
            _send(writer, 429, {"error": {"message": "too many requests"}}, more=told)
            return True
        async with self._free:
            asked.start = clock()
            if asked.outcome == "hanging":
                return bool(await reader.read(1))
            await asyncio.sleep(self.latency)
            if asked.outcome == "failed":
                _send(writer, dice.choice((500, 500, 503)), {"error": {"message": "out of order"}})
            elif asked.outcome == "cut":
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"choi')
                return False
            else:
                _send(writer, 200, completion(GOOD if asked.outcome == "good" else dice.choice(BAD)))
        return True


def completion(text: str) -> dict[str, Any]:
    """A chat completion with this text."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
    return {"object": "chat.completion", "choices": [choice], "usage": usage}


def _send(
    writer: asyncio.StreamWriter,
    status: int,
    content: Mapping[str, Any] | bytes,
    kind: str = "application/json",
    more: Mapping[str, str] | None = None,
) -> None:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in (more or {}).items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)


@contextmanager
def serving(server: FaultServer) -> Iterator[FaultServer]:
    """Run the server in a thread of its own for as long as the block lasts."""
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve(ready, stop)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()


def ideal_seconds(log: Sequence[Asked], slots: int, latency: float, timeout: float) -> float:
    """How long a client without any cost of its own would have needed for the work in a log.

    Each passage's requests follow each other as they did: with the same outcomes, each as long as the server takes for
    it (a hanging one: until the client's timeout), on the server's slots, passages in the order of their first
    arrival, requests sent again before all others. After a 429 nothing is sent until the demanded wait is over. There
    are no waits but those, no ramp, and no work on the client's side but a loopback's round trip.

    Args:
        log: What the server was asked.
        slots: Requests that it answers at once.
        latency: Seconds that it takes for one.
        timeout: Seconds after which the client gives a request up.

    Returns:
        Seconds from the first request to the last answer.
    """
    taken = {"limited": 0.0, "hanging": timeout}
    chains: dict[str, list[Asked]] = {}
    for asked in log:
        chains.setdefault(asked.key, []).append(asked)
    ready = [(1, place, 0) for place in range(len(chains))]  # sent again first, then by arrival
    heapq.heapify(ready)
    every = list(chains.values())
    running: list[tuple[float, int, int]] = []
    now = closed = 0.0
    while ready or running:
        while ready and len(running) < slots and now >= closed:
            _, place, turn = heapq.heappop(ready)
            spent = taken.get(every[place][turn].outcome, latency) + ROUND_TRIP
            heapq.heappush(running, (now + spent, place, turn))
        upcoming = [running[0][0]] if running else []
        if ready and now < closed:
            upcoming.append(closed)
        now = min(upcoming)
        while running and running[0][0] <= now:
            _, place, turn = heapq.heappop(running)
            if every[place][turn].outcome == "limited":
                closed = max(closed, now + every[place][turn].wait)
            if turn + 1 < len(every[place]):
                heapq.heappush(ready, (0, place, turn + 1))
    return now
