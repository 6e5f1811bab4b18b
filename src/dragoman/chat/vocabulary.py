"""Words that belong to a programming language, a shell or an example, and to no documentation: no answer makes them up.

In: nothing. Out: sets of words and questions about a word. Knows no answer and no passage.
"""

import builtins
import keyword
import re
import sys

STDLIB = sys.stdlib_module_names
_TYPES = (str, bytes, list, dict, set, int, float, tuple, BaseException)
_PYTHON_MORE = (
    "self cls args kwargs environ getenv path join exists mkdir open read read_text write_text write readlines close Path dataclass field Any "
    "Optional Union List Dict Iterator Iterable Sequence Callable now today isoformat strftime sleep time dumps loads dump load run main "
    "basicConfig getLogger info warning debug randint choice sqrt mean numpy np array pandas pd DataFrame read_csv requests httpx get post put "
    "delete patch json text status_code raise_for_status headers params timeout data content ok name doc file version all init new pytest "
    "check capture_output shell stdout stderr stdin"
)
_SCRIPT = (
    "const let var function return async await new typeof instanceof export default import from of in this null undefined true false void "
    "class extends super constructor static get set yield switch case break continue throw try catch finally delete interface type enum "
    "implements private public protected readonly namespace declare abstract as is keyof never unknown any string number boolean object "
    "console log error warn require module exports document window globalThis process env argv exit JSON parse stringify Promise then all "
    "race resolve reject Object keys values entries assign Array isArray from map filter reduce forEach push pop shift unshift slice splice "
    "concat includes indexOf find some every sort reverse flat flatMap length Math floor ceil round max min random Number String Boolean Date "
    "toString toISOString toFixed now Error message stack Map Set has add clear size fetch Response Request Headers setTimeout setInterval "
    "clearTimeout addEventListener querySelector getElementById trim split replace replaceAll toLowerCase toUpperCase startsWith endsWith "
    "padStart match test exec substring charAt body headers method status statusText ok text json readFile writeFile node fs promises utf8 "
    "Buffer URL URLSearchParams encodeURIComponent"
)
_OTHERS = (
    "fn pub mut struct impl trait enum use mod crate match loop while for if else elif elsif end do begin then fi done esac func go defer chan "
    "package main println printf fmt Println Printf Sprintf nil int int32 int64 float32 float64 double char bool byte string void final static "
    "public private protected extends implements throws unsigned sizeof include define std vec Vec Option Some None Ok Err Result unwrap "
    "expect clone into iter collect String str usize i32 i64 u8 u32 u64 f32 f64 select where order by group having insert update create table "
    "values limit join left inner null true false yes no on off not and or nan inf utf"
)
LANGUAGE = frozenset(
    [
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        *(name for kind in _TYPES for name in dir(kind)),
        *STDLIB,
        *f"{_PYTHON_MORE} {_SCRIPT} {_OTHERS}".split(),
    ]
)

_PROGRAMS_WORDS = (
    "apt apt-get awk bash brew bun bunx cargo cat cd chmod chown code conda cp curl deno dnf docker docker-compose "
    "dotnet echo env exec exit export find gem git go gradle grep gunzip head helm java jq kill kubectl less ln ls "
    "make mamba mkdir more mv mvn nano node nohup npm npx open pip pip3 pipenv pipx pnpm podman poetry ps pwd "
    "pytest python python3 rm rmdir rsync ruby rustup scp screen sed set sh sleep source ssh sudo systemctl tail "
    "tar tee test time tmux top touch uname unset unzip uv uvicorn uvx vi vim wget which xargs yarn yum zip zsh ."
)
PROGRAMS = frozenset(_PROGRAMS_WORDS.split())
_EVERYWHERE_WORDS = "--help --version -h"
EVERYWHERE = frozenset(_EVERYWHERE_WORDS.split())
_PLACEHOLDER = re.compile(
    r"(?i)(?:your|my|some|example|sample|dummy|test|path_to|path-to|placeholder)(?:[_-].*)?|(?:your|my)[A-Z].*|.*[_-]here|foo|bar|baz|qux|x{2,}|abc"
    r"|changeme|lorem|ipsum|todo"
)


def is_placeholder(word: str) -> bool:
    """Whether a word stands for what a reader puts in its place: ``your_api_key``, ``my_dataset``, ``foo``."""
    return bool(_PLACEHOLDER.fullmatch(word))
