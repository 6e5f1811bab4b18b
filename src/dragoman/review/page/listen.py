"""A server's port: taken before anything is promised, and an error that names the remedy where it cannot be had.

In: an address and a port. Out: a socket that listens, and the URL under which a browser finds it.
"""

import errno
import socket

from dragoman.errors import PortInUse

_PORTS = 65536
_PORTS_TRIED = 50
_WAITING = 128  # connections that may wait


def listening(host: str, port: int) -> socket.socket:
    """Take a port.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0: any free one.

    Returns:
        The socket; the caller closes it.

    Raises:
        PortInUse: Something else listens there, or the address is not this machine's; the hint names a free port when that is
            the remedy.
    """
    if not 0 <= port < _PORTS:
        raise PortInUse(f"there is no port {port} to listen on", expected=f"0 to {_PORTS - 1}", hint="Try: --port 8600")
    try:
        return _bound(host, port)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        if number == errno.EADDRINUSE:
            said = f"port {port} on {host} is in use"
            raise PortInUse(said, expected="a free port", hint=_other(host, port)) from error
        if number == errno.EACCES:
            said = f"no right to listen on port {port}"
            raise PortInUse(said, expected="a port from 1024 up", hint="Try: --port 8600") from error
        said = f"cannot listen on '{host}' port {port}: {getattr(error, 'strerror', None) or error}"
        raise PortInUse(said, hint="On this machine only: --host 127.0.0.1") from error


def url_of(host: str, taken: socket.socket) -> str:
    """The URL for a browser on this machine, or on another where ``host`` is an address that others reach."""
    port = taken.getsockname()[1]
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - what was asked for, not bound to here
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    taken = socket.socket(family, kind, protocol)
    try:
        # Without it, a port that was left a minute ago would count as taken.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(_WAITING)
    except OSError:
        taken.close()
        raise
    return taken


def _other(host: str, port: int) -> str:
    for other in range(port + 1, min(port + 1 + _PORTS_TRIED, _PORTS)):
        try:
            _bound(host, other).close()
        except OSError:
            continue
        return f"Try: --port {other}"
    return "Choose another with --port."
