"""A search engine for the Argilla server: osmem-server, and the two calls that it lacks.

    python search.py PORT

All calls go through to osmem, but a scripted update of a document (one of Argilla's own scripts) is read, changed and written
here, and a query for near vectors is answered here by comparing with all of them. Runs in the server's environment.
"""

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession, web  # type: ignore[import-not-found,unused-ignore]  # of the server's environment
from osmem_server import OsmemServer  # type: ignore[import-not-found,unused-ignore]  # of the server's environment

_DROP_SUGGESTION = re.compile(r'ctx\._source\["suggestions"\]\.remove\("(.+)"\)')
_ALL = "size=100000"


def changed_by(script: Any, source: dict[str, Any]) -> bool:
    """Do to the document what Argilla's script would; False for a script that is not known."""
    code = script if isinstance(script, str) else script.get("source", "")
    if "ctx._source.responses" in code:
        response = script["params"]["response"]
        kept = [one for one in source.get("responses") or [] if one.get("id") != response["id"]]
        adds = "ctx._source.responses.add(params.response)" in code
        source["responses"] = [*kept, response] if adds else kept
        return True
    if match := _DROP_SUGGESTION.fullmatch(code.strip()):
        (source.get("suggestions") or {}).pop(match[1], None)
        return True
    return False


def cosine(one: list[float], other: list[float]) -> float:
    """Similarity of two vectors; 0 where one has no length."""
    lengths = sum(x * x for x in one) ** 0.5 * sum(y * y for y in other) ** 0.5
    product: float = sum(x * y for x, y in zip(one, other, strict=True))
    return product / lengths if lengths else 0.0


def at(source: Any, path: str) -> Any:
    """The value at a dotted path of a document, or None."""
    for part in path.split("."):
        source = source.get(part) if isinstance(source, dict) else None
    return source


class Search:
    """What stands before osmem; writes go one at a time, since a scripted update is a read and a write."""

    def __init__(self, upstream: str) -> None:
        self.upstream, self.writing = upstream, asyncio.Lock()

    async def open(self, _app: Any) -> None:
        """Connect to osmem."""
        self.http = ClientSession(base_url=self.upstream)

    async def close(self, _app: Any) -> None:
        """Let go of osmem."""
        await self.http.close()

    async def answer(self, request: Any) -> Any:
        """Answer one call of the Argilla server."""
        body = await request.read()
        parts = request.path.strip("/").split("/")
        if request.method == "POST" and parts[1:2] == ["_update"]:
            async with self.writing:
                script = json.loads(body or b"{}").get("script")
                done = await self._scripted(request, parts[0], parts[2], script) if script else None
                return done or await self._through(request, body)
        if parts[1:] == ["_search"] and b'"knn"' in body:
            query = json.loads(body)
            if "knn" in query.get("query", {}):
                return await self._near(parts[0], query, int(request.query.get("size", query.get("size", 10))))
        if request.method in {"PUT", "DELETE"} or parts[-1] == "_bulk":
            async with self.writing:
                return await self._through(request, body)
        return await self._through(request, body)

    async def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, path, json=body) as reply:
            return reply.status, await reply.json()

    async def _through(self, request: Any, body: bytes) -> Any:
        kind = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        async with self.http.request(request.method, request.raw_path, data=body or None, headers=kind) as reply:
            kind = {"Content-Type": reply.headers.get("Content-Type", "application/json")}
            return web.Response(status=reply.status, body=await reply.read(), headers=kind)

    async def _scripted(self, request: Any, index: str, name: str, script: Any) -> Any:
        status, found = await self._call("GET", f"/{index}/_doc/{name}")
        if status != web.HTTPOk.status_code:
            cause = {"type": "document_missing_exception", "reason": f"[{name}]: document missing", "index": index}
            return web.json_response({"error": {**cause, "root_cause": [cause]}, "status": 404}, status=404)
        if not changed_by(script, found["_source"]):
            return None
        status, said = await self._call("PUT", f"/{index}/_doc/{name}?{request.query_string}", found["_source"])
        return web.json_response(said, status=status)

    async def _near(self, index: str, asked: Mapping[str, Any], size: int) -> Any:
        ((field, wanted),) = asked["query"]["knn"].items()
        query = {"bool": {"must": [{"match_all": {}}], "filter": [wanted["filter"]] if wanted.get("filter") else []}}
        status, said = await self._call("POST", f"/{index}/_search?{_ALL}", {"query": query, "_source": [field]})
        if status != web.HTTPOk.status_code:
            return web.json_response(said, status=status)
        vectors = {hit["_id"]: at(hit.get("_source"), field) for hit in said["hits"]["hits"]}
        scores = {name: (1 + cosine(wanted["vector"], vector)) / 2 for name, vector in vectors.items() if vector}
        near = sorted(scores, key=lambda name: -scores[name])[: wanted["k"]]
        if near and asked.get("post_filter"):
            query = {"bool": {"filter": [asked["post_filter"], {"ids": {"values": near}}]}}
            status, kept = await self._call("POST", f"/{index}/_search?{_ALL}&_source=false", {"query": query})
            if status != web.HTTPOk.status_code:
                return web.json_response(kept, status=status)
            names = {hit["_id"] for hit in kept["hits"]["hits"]}
            near = [name for name in near if name in names]
        hits = [{"_index": index, "_id": name, "_score": scores[name]} for name in near[:size]]
        best = scores[near[0]] if near else None
        said["hits"] = {"total": {"value": len(near), "relation": "eq"}, "max_score": best, "hits": hits}
        return web.json_response(said)


def main(port: int) -> None:
    """Serve on the loopback until told to end."""
    with OsmemServer.start(japanese=False) as osmem:
        search = Search(osmem.url)
        app = web.Application(client_max_size=1 << 30)
        app.on_startup.append(search.open)
        app.on_cleanup.append(search.close)
        app.router.add_route("*", "/{tail:.*}", search.answer)
        web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
