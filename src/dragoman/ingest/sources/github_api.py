"""The few requests to GitHub's API that reading a repository takes.

In: a repository and the ``[ingest]`` settings. Out: archives, commits and names of refs, or an error that says what to do: a
token, another spelling, or until when to wait. The token goes to the API's own server and into no message.
"""

import difflib
import io
import json
import math
import os
import re
import time
from http import HTTPStatus
from typing import IO, Any, Final
from urllib.parse import quote, urlsplit

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources.address import is_commit
from dragoman.ingest.sources.download import Reply, Unreachable, download, host_of
from dragoman.ingest.sources.spec import Say

_PUBLIC: Final = IngestSettings.model_fields["github_api"].default
_TOKEN: Final = IngestSettings.model_fields["github_token_env"].default
_OTHER_TOKEN = "GH_TOKEN"  # noqa: S105 - a variable's name: where GitHub's own command line looks
_PATIENCE = 60.0  # seconds; a longer wait is the user's to decide
_JSON_BYTES = 16 * 2**20
_LONG_WAIT = 60.0  # what GitHub asks for where it gives no time
_TRIES = 3
_JSON = "application/vnd.github+json"
_VERSION = "2022-11-28"
_SHOWN_MESSAGE = 200
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
_NEAR = 5


class UnknownRef(SourceError):
    """The repository is there, but has no such branch, tag or commit."""


class GitHubApi:
    """GitHub's API, for one repository.

    Args:
        repository: ``owner/repo``.
        settings: Where the API is, and which environment variable holds the token.
        say: Told when a rate limit is waited for.

    Raises:
        SourceError: The address of the API, or the token, cannot be used.
    """

    def __init__(self, repository: str, settings: IngestSettings, say: Say) -> None:
        self.repository, self._say = repository, say
        self._base = settings.github_api.rstrip("/")
        self.host = host_of(self._base)
        if not self.host:
            raise SourceError(
                "[ingest] github_api is no address of an API", expected=f"{_PUBLIC} or https://HOST/api/v3"
            )
        self._variable = settings.github_token_env
        self._token = os.environ.get(self._variable, "").strip()
        if not self._token and self._variable == _TOKEN and os.environ.get(_OTHER_TOKEN, "").strip():
            self._variable, self._token = _OTHER_TOKEN, os.environ[_OTHER_TOKEN].strip()
        if self._token and not re.fullmatch(r"[\x21-\x7e]+", self._token):
            raise SourceError(
                f"the environment variable {self._variable} holds no token", expected="letters and digits"
            )
        name = self.host.rpartition(":")[0] if re.search(r":\d+$", self.host) else self.host
        if self._token and self._base.startswith("http:") and name not in _LOOPBACK:
            happened = f"the token in {self._variable} would go to {self.host} without encryption"
            raise SourceError(happened, hint="Let github_api begin with https://, or unset the variable.")

    @property
    def web(self) -> str:
        """Address of the site whose API this is."""
        parts = urlsplit(self._base)
        path = parts.path.removesuffix("/api/v3")
        host = self.host.removeprefix("api.") if not path and path == parts.path else self.host
        return f"{parts.scheme}://{host}{path}"

    @property
    def shelf(self) -> str:
        """What tells this server's repositories from others' in the cache; "" for GitHub itself."""
        return "" if self._base == _PUBLIC else re.sub(r"[^\w.-]", "_", self.host) + "+"

    def archive(self, ref: str, sink: IO[bytes], limit: int) -> Reply:
        """Write the archive of a ref ("" for the default branch)."""
        return self._get("tarball" + (f"/{quote(ref)}" if ref else ""), sink, limit, ref)

    def commit(self, ref: str) -> str:
        """The commit that a ref is now ("" for the default branch)."""
        content = io.BytesIO()
        self._get(f"commits/{quote(ref or 'HEAD')}", content, _JSON_BYTES, ref, accept="application/vnd.github.sha")
        commit = content.getvalue()[:100].decode("ascii", "replace").strip()
        if not is_commit(commit):
            raise SourceError(
                f"{self.host} did not answer with a commit for '{ref or 'HEAD'}'", expected="GitHub's API"
            )
        return commit

    def names(self, prefix: str) -> list[str]:
        """Branches and tags that begin with a text."""
        found = []
        for kind in ("heads", "tags"):
            content = io.BytesIO()
            self._get(f"git/matching-refs/{kind}/{quote(prefix)}", content, _JSON_BYTES, "")
            listed = self._json(content)
            names = (
                [str(each.get("ref")) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
            )
            found += [name.split("/", 2)[2] for name in names if name.startswith(f"refs/{kind}/")]
        return found

    def unknown(self, ref: str) -> SourceError:
        """What to say of a ref that is not there: the ones that may be meant."""
        near = difflib.get_close_matches(ref, sorted(set(self.names(ref[:1]))), n=_NEAR, cutoff=0.5)
        hint = f"Did you mean {' or '.join(sorted(near))}?" if near else "Without @ref, the default branch is taken."
        return SourceError(f"{self.host}: '{self.repository}' has no branch, tag or commit '{ref}'", hint=hint)

    def _json(self, content: io.BytesIO) -> Any:  # noqa: ANN401 - whatever a server sends
        try:
            return json.loads(content.getvalue())
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{self.host} did not answer with JSON", expected="GitHub's API") from error

    def _get(self, path: str, sink: IO[bytes], limit: int, ref: str, accept: str = _JSON) -> Reply:
        """One request below the repository; waits for a rate limit when that is short."""
        headers = {"Accept": accept, "User-Agent": "dragoman", "X-GitHub-Api-Version": _VERSION}
        private = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        address = f"{self._base}/repos/{self.repository}" + (f"/{path}" if path else "")
        for patient in (True,) * _TRIES + (False,):
            reply = download(address, sink, limit, headers, private)
            if reply.status == HTTPStatus.OK:
                return reply
            said = self._message(sink)
            pause = _pause(reply, said)
            if pause is None:
                raise self._refused(reply, said, ref)
            if pause >= _PATIENCE or not patient:
                raise self._limited(pause)
            self._say(f"github:{self.repository}: waiting {pause:.0f} s for the rate limit of {self.host}")
            time.sleep(pause)
        raise AssertionError("the last time round, a pause is an error")

    def _message(self, sink: IO[bytes]) -> str:
        """GitHub's own words for a refusal, on one line."""
        sink.seek(0)
        try:
            said = str(json.loads(sink.read(_JSON_BYTES))["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return ""
        said = said.replace(self._token, "***") if self._token else said
        plain = "".join(letter if letter.isprintable() else " " for letter in said)
        return " ".join(plain.split())[:_SHOWN_MESSAGE].rstrip(".")

    def _limited(self, pause: float) -> Unreachable:
        until = time.strftime("%H:%M", time.localtime(time.time() + pause))
        minutes = math.ceil(pause / 60)
        happened = f"the rate limit of {self.host} is used up until {until} ({minutes} min from now)"
        if self._token:
            return Unreachable(happened, hint="Try again then.")
        hint = f"Try again then, or set {self._variable}: with a token, GitHub answers far more requests an hour."
        return Unreachable(happened, hint=hint)

    def _refused(self, reply: Reply, said: str, ref: str) -> SourceError:
        """What to say of a refusal that has nothing to do with limits."""
        status = reply.status
        happened, hint = f"{self.host} answers HTTP {status} for '{self.repository}'", "Try again later."
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            happened = f"{self.host} does not let us read '{self.repository}' (HTTP {status})"
            hint = self._key(reply)
        elif status == HTTPStatus.CONFLICT:
            hint = "The repository may be empty."
        elif status in {HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY} and ref:
            self._get("", io.BytesIO(), _JSON_BYTES, "")  # is it the repository that is missing, or only the ref?
            return UnknownRef(f"{self.host}: '{self.repository}' has no branch, tag or commit '{ref}'")
        elif status == HTTPStatus.NOT_FOUND:
            happened, said = f"{self.host} shows no repository '{self.repository}'", ""
            private = f"the token in {self._variable} may not be allowed to read it."
            private = (
                private if self._token else f"it may be private: set {self._variable} to a token that may read it."
            )
            hint = f"Check the spelling; {private}"
        return SourceError(f"{happened}: {said}" if said else happened, hint=hint)

    def _key(self, reply: Reply) -> str:
        """What to do about the token."""
        if not self._token:
            return f"Set {self._variable} to a token that may read it."
        if reply.status == HTTPStatus.UNAUTHORIZED:
            return f"The token in {self._variable} may be mistyped or expired: renew it, or unset it for a public repository."
        if "x-github-sso" in reply.headers:
            return f"The organisation wants the token in {self._variable} to be authorised for its single sign-on."
        return f"The token in {self._variable} has to be allowed to read the repository's contents."


def _pause(reply: Reply, said: str) -> float | None:
    """Seconds to wait before the next request; ``None`` when the refusal is not about too many of them.

    As GitHub describes it: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if reply.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        return None
    after, reset = (_number(reply.headers.get(name, "")) for name in ("retry-after", "x-ratelimit-reset"))
    if after is not None:
        return after
    if reply.headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        return max(0.0, reset - time.time()) + 1.0  # its clock and ours may differ by a little
    limited = reply.status == HTTPStatus.TOO_MANY_REQUESTS or "rate limit" in said.lower()
    return _LONG_WAIT if limited else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[0-9]{1,10}", text) else None
