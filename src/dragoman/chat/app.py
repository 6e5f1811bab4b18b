"""The chat app in the browser: questions in, streamed answers with their sources out.

Each browser's conversation lives in its own session; nothing of it is kept in this module. No request leaves for
another host: fonts are the system's, analytics are off, and a policy header holds the browser to it. Knows neither
index nor model, only an ``Answerer``.
"""

import asyncio
import errno
import html
import importlib
import os
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from dragoman.chat.answer import Answerer
from dragoman.chat.page import answer_markdown, draft_markdown, turns_of
from dragoman.errors import DragomanError, ExtraMissing, PortInUse

if TYPE_CHECKING:
    import gradio as gr

QUESTION_CHARS = 2000
_PORTS_TRIED = 50
_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; img-src 'self' data: blob:; "
    "object-src 'none'; form-action 'self'; base-uri 'self'"
)
_Made = TypeVar("_Made")
_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Scope]]
_Send = Callable[[_Scope], Awaitable[None]]


def create_app(
    answerer: Answerer, *, title: str, examples: Sequence[str] = (), concurrency: int = 4, queue: int = 64
) -> "gr.Blocks":
    """Build the app; nothing listens yet.

    Args:
        answerer: Answers the questions.
        title: Stands above the chat and in the browser's tab.
        examples: Questions to start from; clicking on one asks it.
        concurrency: Answers under way at once.
        queue: Questions that may wait; further ones are told to come back.

    Returns:
        The app, for ``serve`` or for a Space.

    Raises:
        ExtraMissing: Gradio is not installed.
    """
    return _within_loop(lambda: _built(answerer, title, examples, concurrency).queue(max_size=queue, api_open=False))


def _built(answerer: Answerer, title: str, examples: Sequence[str], concurrency: int) -> "gr.Blocks":
    gr = _gradio()
    header = f'<div class="app-header"><h1>{html.escape(title)}</h1><p>{html.escape(answerer.banner)}</p></div>'
    with gr.Blocks(title=title, analytics_enabled=False, fill_height=True) as app:
        gr.HTML(header, padding=False)
        gr.ChatInterface(
            _responder(answerer),
            chatbot=gr.Chatbot(
                show_label=False,
                scale=1,
                height="100%",  # the style sheet decides
                layout="panel",
                sanitize_html=True,
                allow_tags=False,
                latex_delimiters=[],
                line_breaks=False,
                buttons=["copy"],
                feedback_options=None,
                elem_id="chat",
            ),
            textbox=gr.Textbox(
                show_label=False,
                placeholder=f"Ask about {answerer.name}" if answerer.name else "Ask a question",
                max_length=QUESTION_CHARS,
                autofocus=True,
                submit_btn=True,
                stop_btn=True,
                elem_id="question",
                scale=7,
            ),
            examples=list(examples),
            cache_examples=False,
            flagging_mode="never",
            analytics_enabled=False,
            concurrency_limit=concurrency,
            api_visibility="private",
        )
    return app


def serve(app: "gr.Blocks", host: str, port: int, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve the app until Ctrl-C.

    Args:
        app: From ``create_app``.
        host: Address to listen on.
        port: Port to listen on.
        ready: Called with the app's URL once it listens.

    Raises:
        PortInUse: Something else listens there, or the address is not this machine's.
    """
    with running(app, host, port) as url:
        try:
            if ready:
                ready(url)
            while app.is_running:
                time.sleep(0.2)
        except KeyboardInterrupt:
            return


@contextmanager
def running(app: "gr.Blocks", host: str, port: int) -> Iterator[str]:
    """Serve the app in the background while the ``with`` block lasts.

    Args:
        app: From ``create_app``.
        host: Address to listen on.
        port: Port to listen on.

    Yields:
        The app's URL.

    Raises:
        PortInUse: Something else listens there, or the address is not this machine's.
    """
    check_port(host, port)
    try:
        _within_loop(lambda: _launch(app, host, port))
    except OSError as error:
        raise PortInUse(f"cannot listen on {host}:{port}: {error}", hint=_other_port(host, port)) from error
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    finally:
        app.close(verbose=False)


def check_port(host: str, port: int) -> None:
    """Find out whether the app could listen, before anything slow is loaded.

    Args:
        host: Address to listen on.
        port: Port to listen on.

    Raises:
        PortInUse: It could not; the hint names a free port when that is the remedy.
    """
    problem = _bind_problem(host, port)
    if problem is None:
        return
    if problem.errno == errno.EADDRINUSE:
        raise PortInUse(f"port {port} on {host} is in use", expected="a free port", hint=_other_port(host, port))
    if problem.errno == errno.EACCES:
        raise PortInUse(f"no right to listen on port {port}", expected="a port from 1024 up", hint="Try: --port 7860")
    raise PortInUse(f"cannot listen on '{host}': {problem.strerror}", hint="On this machine only: --host 127.0.0.1")


def _bind_problem(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # Without it, a port that was left a minute ago would count as taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _other_port(host: str, port: int) -> str:
    candidates = range(port + 1, min(port + 1 + _PORTS_TRIED, 65536))
    free = next((other for other in candidates if _bind_problem(host, other) is None), 0)
    return f"Try: --port {free}" if free else "Choose another with --port."


def _responder(answerer: Answerer) -> Callable[[str, list[dict[str, Any]]], AsyncGenerator[str]]:
    async def respond(message: str, history: list[dict[str, Any]]) -> AsyncGenerator[str]:
        if not message.strip():
            yield f"Ask a question about {answerer.name or 'the documentation'}."
            return
        text = ""
        try:
            async with aclosing(answerer.stream(message.strip(), _turns(history))) as parts:
                async for part in parts:
                    text += part.text
                    yield answer_markdown(part.answer) if part.answer else draft_markdown(text)
        except DragomanError as error:
            yield draft_markdown(f"{text}\n\n{error}".strip())

    return respond


def _turns(history: Sequence[dict[str, Any]]) -> list[Any]:
    def text_of(content: object) -> str:
        if isinstance(content, str):
            return content
        parts = content if isinstance(content, list) else [content]
        return "".join(part.get("text") or "" if isinstance(part, dict) else str(part) for part in parts)

    return turns_of([(message["role"], text_of(message["content"])) for message in history])


def _launch(app: "gr.Blocks", host: str, port: int) -> None:
    gr = _gradio()
    app.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        inbrowser=False,
        share=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        run_history=False,
        enable_monitoring=False,
        footer_links=[],
        theme=gr.themes.Base(primary_hue="indigo", neutral_hue="slate", font=_FONTS, font_mono=_MONO_FONTS),
        css_paths=Path(__file__).with_name("app.css"),
        app_kwargs={"middleware": [(_SameHost, (), {})]},
    )


class _SameHost:
    """Middleware: tells the browser to load nothing from another host, whatever a page or model wrote."""

    def __init__(self, app: Callable[[_Scope, _Receive, _Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        async def send_with_policy(message: _Scope) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", _POLICY.encode("ascii"))
                message = {**message, "headers": [*message.get("headers", []), policy]}
            await send(message)

        await self._app(scope, receive, send_with_policy if scope["type"] == "http" else send)


def _within_loop(make: Callable[[], _Made]) -> _Made:
    """Call something of Gradio's while an event loop runs: without one, it opens some and never closes them."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:

        async def made() -> _Made:
            return make()

        return asyncio.run(made())
    return make()


def _gradio() -> ModuleType:
    # Read when gradio is imported: setting it later would be too late.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    # By default a table of all calls is computed anew at each call, for a page that is switched off here.
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")
    try:
        return importlib.import_module("gradio")
    except ImportError as error:
        raise ExtraMissing(f"the chat app needs gradio: {error}", extra="chat") from error
