"""A chat endpoint on loopback with one latency and so many slots, in a process of its own.

In: passages with their questions (a JSON row a line), and requests of the OpenAI chat protocol over HTTP. Out: the
questions of the passage that a request holds, as JSON by the schema that was sent with it, else one a line: whoever asks
gets the same. Requests beyond the slots wait their turn. ``GET /log`` tells when each came, was begun and was answered,
on the machine's monotonic clock. One event loop and nothing but the standard library, so that it is not what is measured.
"""

import argparse
import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CLOSE = re.compile(rb"(?i)\r\nconnection: *close")
_BACKLOG = 1024
_LARGEST_HEAD = 2**20


class Endpoint:
    """Answers after ``latency`` seconds, to at most ``slots`` requests at once."""

    def __init__(self, rows: list[dict[str, Any]], latency: float, slots: int) -> None:
        self._rows, self._latency = rows, latency
        self._slots = asyncio.Semaphore(slots)
        self._log: list[tuple[int, float, float, float]] = []  # passage, came, begun, answered

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as it is kept."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = _LENGTH.search(head)
                body = await reader.readexactly(int(size[1])) if size else b""
                answer = json.dumps(await self._answer(head, body)).encode()
                start = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                writer.write(start % len(answer) + answer)
                await writer.drain()
                if _CLOSE.search(head):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes, body: bytes) -> dict[str, Any]:
        if head.startswith(b"GET"):
            return {"requests": self._log, "cpu_seconds": time.process_time()}
        came = time.monotonic()
        async with self._slots:
            begun = time.monotonic()
            asked = json.loads(body)
            number, text = self._found(asked)
            # What finding the answer took is part of the latency.
            await asyncio.sleep(begun + self._latency - time.monotonic())
            self._log.append((number, came, begun, time.monotonic()))
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": len(body) // 4, "completion_tokens": len(text) // 4, "total_tokens": len(body) // 4}
        name = {"id": "chatcmpl-0", "object": "chat.completion", "created": 0, "model": asked["model"]}
        return name | {"choices": [choice], "usage": usage}

    def _found(self, asked: dict[str, Any]) -> tuple[int, str]:
        said = asked["messages"][-1]["content"]
        prompt = said if isinstance(said, str) else "".join(part["text"] for part in said)
        number = next((n for n, row in enumerate(self._rows) if row["passage"] in prompt), -1)
        questions = self._rows[number]["questions"]
        shape = (asked.get("response_format") or {}).get("json_schema")
        if shape:
            return number, json.dumps(dict(zip(shape["schema"]["properties"], questions, strict=False)))
        return number, "\n".join(f"{place}. {question}" for place, question in enumerate(questions, 1))


async def run(rows: list[dict[str, Any]], latency: float, slots: int) -> None:
    """Listen on a free port, and say which."""
    endpoint = Endpoint(rows, latency, slots)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0, backlog=_BACKLOG, limit=_LARGEST_HEAD)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Load, listen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("passages", type=Path)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--slots", type=int, default=32)
    options = parser.parse_args()
    with options.passages.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    asyncio.run(run(rows, options.latency, options.slots))


if __name__ == "__main__":
    main()
