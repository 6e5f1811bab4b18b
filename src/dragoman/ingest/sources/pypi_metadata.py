"""Where a Python package says that its repository is.

In: an unpacked sdist or wheel. Out: the repository at GitHub or GitLab, and the address at which that shows a file. What the
metadata says is a stranger's word: it becomes an address, and nothing is asked there.
"""

import re
from email.errors import MessageError
from email.parser import BytesHeaderParser
from pathlib import Path
from urllib.parse import quote, unquote

_HOSTED = re.compile(
    r"https?://(?:www\.)?(?P<host>github\.com|gitlab\.com)/(?!sponsors/|orgs/|groups/)"
    r"(?P<path>[\w.-]+(?:/(?!-/)[\w.-]+){1,6}?)(?:(?:/-)?/tree/[^/?#]+/(?P<below>[^?#]+?))?/?(?:[?#].*)?",
    re.ASCII | re.IGNORECASE,
)
_LABELS = ("source", "sourcecode", "repository", "code", "github", "gitlab", "homepage")  # who is asked first
_MOST_METADATA = 2**20
_LONGEST = 500  # characters of an address


def repository_of(base: Path, folder: str) -> tuple[str, str]:
    """The repository that a package was made from.

    Args:
        base: The package; ``PKG-INFO`` or the ``METADATA`` of a wheel is read.
        folder: The folder of it that is read.

    Returns:
        ``owner/repo``, and the address of a file with ``{path}``; both "" when no known host is named.
    """
    files = [base / "PKG-INFO", *sorted(base.glob("*.dist-info/METADATA"))]
    file = next((each for each in files if each.is_file()), None)
    try:
        if file is None:
            return "", ""
        with file.open("rb") as opened:
            metadata = BytesHeaderParser().parsebytes(opened.read(_MOST_METADATA))
        named = [str(value).partition(",") for value in metadata.get_all("Project-URL", [])]
        pairs = [(label, address) for label, _, address in named] + [("homepage", str(metadata.get("Home-page", "")))]
    except (OSError, MessageError, ValueError, LookupError):
        return "", ""
    ranks = {label: rank for rank, label in enumerate(_LABELS)}
    found = []
    for label, address in pairs:
        match = _HOSTED.fullmatch(address.strip()[:_LONGEST])
        # GitHub has no groups of groups: what is longer is a page of the repository.
        if match and (match["host"].lower() != "github.com" or match["path"].count("/") == 1):
            found.append((ranks.get(re.sub(r"[^a-z]", "", label.lower()), len(ranks)), match))
    if not found:
        return "", ""
    match = min(found, key=lambda each: each[0])[1]
    host, repository = match["host"].lower(), match["path"].removesuffix(".git")
    # How a project names its tags is not told: a link that may have moved beats a dead one.
    below = [quote(unquote(part).strip("/")) for part in (match["below"] or "", folder) if part]
    show = "blob/HEAD" if host == "github.com" else "-/blob/HEAD"
    return repository, "/".join([f"https://{host}", repository, show, *below, "{path}"])
