"""One connection to Redis, which keeps to a budget: the one file that knows ``redis``."""

import time
from hashlib import sha1
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from function.http.client import ExchangeFailed, authorities, with_timeout
from function.limits.quota import StoreDown

FOLDER = Path(__file__).parents[2]
DEFAULT_PORT = 6379
# Every server speaks it, and what we ask it answers alike in both.
RESP2 = 2


def prepare() -> None:
    """
    Import the library, which takes longer than a budget may.

    Raises:
        ImportError: it is not there: the package was made for a deployment without.
    """
    import redis.connection  # noqa: F401 - and with it all that a call needs


class Address:
    """
    Where the store is, from a checked ``QUOTA_URL``; says nothing of it, because it holds a password.

    Args:
        protocol: of Redis, 2 or 3.
    """

    def __init__(self, url: str, protocol: int = RESP2) -> None:
        parts = urlsplit(url)
        self.is_tls = parts.scheme == "rediss"
        self.host = parts.hostname or ""
        self.port = parts.port or DEFAULT_PORT
        (self._authorities,) = parse_qs(parts.query).get("ssl_ca_certs", [""])
        self._common = {
            "host": self.host,
            "port": self.port,
            "db": int(parts.path.strip("/") or 0),
            "username": unquote(parts.username or "") or None,
            "password": unquote(parts.password or "") or None,
            "protocol": protocol,
            # Two round trips, to tell the server the name of a library.
            "driver_info": None,
        }

    def options(self) -> dict[str, Any]:
        """Keywords of a connection of ``redis``; the certificate and the name are checked."""
        if not self.is_tls:
            return self._common
        own = str(FOLDER / self._authorities) if self._authorities else authorities()
        return {**self._common, "ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_certs": own}


class Bounded:
    """A socket all of whose calls end together at ``until``, however slowly bytes come."""

    def __init__(self, sock: socket, until: float) -> None:
        self._sock = sock
        self.until = until

    def recv(self, size: int) -> bytes:
        self._sock.settimeout(self._left())
        return self._sock.recv(size)

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._left())
        self._sock.sendall(data)

    def settimeout(self, _seconds: float | None) -> None:
        """Redis' library sets one for each call; here all have one together."""

    def shutdown(self, how: int) -> None:
        self._sock.shutdown(how)

    def close(self) -> None:
        self._sock.close()

    def _left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Wire:
    """An open connection; ``connect`` makes one."""

    def __init__(self, connection: Any, sock: Bounded) -> None:
        self._connection = connection
        self._sock = sock

    def run(self, script: str, keys: list[str], arguments: list[int], until: float) -> Any:
        """
        Run a script, by its digest where the store knows it.

        Raises:
            Broken: the connection is of no use any more; whether the script ran is not known.

            StoreDown: the store refused, or took longer.
        """
        from redis.exceptions import NoScriptError, RedisError

        self._sock.until = until
        try:
            try:
                return self._ask("EVALSHA", digest_of(script), keys, arguments)
            except NoScriptError:
                return self._ask("EVAL", script, keys, arguments)
        # ValueError is an answer that is no number where one must be.
        except (RedisError, OSError, ValueError) as error:
            self.close()
            raise _failure(error) from None

    def _ask(self, command: str, what: str, keys: list[str], arguments: list[int]) -> Any:
        self._connection.send_command(command, what, len(keys), *keys, *arguments)
        return self._connection.read_response()

    def close(self) -> None:
        self._connection.disconnect()


class Broken(StoreDown):
    """Raised when another connection may do better: this one was closed, or its server is a replica now."""


def digest_of(script: str) -> str:
    """What ``EVALSHA`` knows it by, once the store has run it."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()


def connect(address: Address, until: float) -> Wire:
    """
    Open a connection, log in and choose the database.

    Args:
        until: of the monotonic clock.

    Raises:
        StoreDown: that could not be done, or took longer.
    """
    from redis.connection import Connection, SSLConnection
    from redis.exceptions import RedisError

    left = max(0.001, until - time.monotonic())
    bounded: list[Bounded] = []

    def greet(connection: Any) -> None:
        bounded.append(Bounded(connection._sock, until))
        connection._sock = bounded[0]
        connection.on_connect()

    kind: Any = SSLConnection if address.is_tls else Connection
    times = {"socket_timeout": left, "socket_connect_timeout": left}
    connection = kind(**address.options(), **times, redis_connect_func=greet)

    def open_it() -> None:
        try:
            connection.connect()
        except (RedisError, OSError) as error:
            raise _failure(error) from None

    try:
        # A name that does not resolve is bounded by no timeout of a socket.
        with_timeout(left, f"{address.host}:{address.port}", open_it)
    except ExchangeFailed as failed:
        raise StoreDown(failed.kind) from None
    return Wire(connection, bounded[0])


def _failure(error: Exception) -> StoreDown:
    """Named after what is at the bottom of it: ``ConnectionRefusedError``, ``ReadOnlyError``."""
    from redis.exceptions import ConnectionError as Disconnected
    from redis.exceptions import ReadOnlyError, ResponseError

    cause = error.__context__ if isinstance(error.__context__, OSError) else error
    kind = Broken if isinstance(error, Disconnected | ReadOnlyError) else StoreDown
    # Of what the library has no name for, the code that Redis begins its sentence with.
    code = str(error).partition(" ")[0] if type(error) is ResponseError else ""
    return kind(code if code.isalpha() and code.isupper() else type(cause).__name__)
