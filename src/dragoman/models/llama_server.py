"""The program that runs a GGUF model in a process of its own: xllamacpp's HTTP server on loopback.

In: settings as one JSON argument. Out: one JSON line, ``{"url": ...}`` or ``{"error": ...}``, then the server
until standard input ends, which it does when the parent dies, however it dies. Started by file path by
``embedded``; it imports nothing of Dragoman's.
"""

import json
import os
import sys
from typing import Any


def serve(settings: dict[str, Any]) -> None:
    """Run the server until standard input is at its end.

    Args:
        settings: ``path`` of the GGUF, ``alias`` it answers to, ``slots``, ``context`` (tokens a slot), ``threads``.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["alias"]}
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["context"]
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    params.port = 0
    params.verbosity = -1
    params.ui = False
    params.endpoint_slots = False
    params.cors_origins = ""
    # Prompts share their beginning: the slot that just answered holds it, so nothing need be copied to a side cache.
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    server = xllamacpp.Server(params)
    answer(url=server.listening_address)
    sys.stdin.buffer.read()


def answer(**fields: str) -> None:
    """Tell the parent one thing."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve as the command line says, and end without waiting for requests under way."""
    try:
        serve(json.loads(sys.argv[1]))
    except (RuntimeError, ValueError, OSError, ImportError) as error:
        answer(error=f"{type(error).__name__}: {error}")
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
