"""One connection to Redis within a time budget: the only module that knows the ``redis`` library."""

import time
from hashlib import sha1
from pathlib import Path
from socket import socket
from urllib.parse import parse_qs, unquote, urlsplit

from function.annotations import Any
from function.limits.quota import StoreDown
from function.time_limit import ExchangeFailed, with_timeout
from function.tls_trust import ca_bundle_path

ROOT = Path(__file__).parents[2]
DEFAULT_PORT = 6379
# Every server speaks it, and our commands have the same replies in both protocols.
RESP2 = 2
# A reply has some dozen numbers.
MAX_REPLY_BYTES = 64 * 1024
# Beside the library's own errors: a number that is none or too large, lists in lists without end.
UNREADABLE = (OSError, ValueError, OverflowError, RecursionError)


def import_library() -> None:
    """Import everything that a call needs, which takes longer than a budget allows."""
    import redis.connection  # noqa: F401


class Address:
    """The address in a checked ``QUOTA_URL``; without a ``repr`` of its parts, which include a password."""

    def __init__(self, url: str, protocol: int = RESP2) -> None:
        parts = urlsplit(url)
        self.is_tls = parts.scheme == "rediss"
        self.host = parts.hostname or ""
        self.port = parts.port or DEFAULT_PORT
        (self._ca_bundle,) = parse_qs(parts.query).get("ssl_ca_certs", [""])
        self._common = {
            "host": self.host,
            "port": self.port,
            "db": int(parts.path.strip("/") or 0),
            "username": unquote(parts.username or "") or None,
            "password": unquote(parts.password or "") or None,
            "protocol": protocol,
            # It costs two round trips to tell the server the name of a library.
            "driver_info": None,
        }

    def options(self) -> dict[str, Any]:
        """Return keyword arguments of a ``redis`` connection; TLS checks certificate and name."""
        if not self.is_tls:
            return self._common
        path = str(ROOT / self._ca_bundle) if self._ca_bundle else ca_bundle_path()
        kind = "ssl_ca_path" if Path(path).is_dir() else "ssl_ca_certs"
        return {**self._common, "ssl_cert_reqs": "required", "ssl_check_hostname": True, kind: path}


class ReplyTooLong(ValueError):
    """Raised instead of reading more than ``MAX_REPLY_BYTES``."""


class BoundedSocket:
    """A socket for one command at a time, which ends at ``until`` and after ``MAX_REPLY_BYTES``."""

    def __init__(self, sock: socket, until: float) -> None:
        self._sock = sock
        self.begin(until)

    def begin(self, until: float) -> None:
        """Begin a command, with a time and a size of its own."""
        self._until = until
        self._bytes_left = MAX_REPLY_BYTES

    def recv(self, size: int) -> bytes:
        if not self._bytes_left:
            raise ReplyTooLong
        self._sock.settimeout(self._left())
        data = self._sock.recv(min(size, self._bytes_left))
        self._bytes_left -= len(data)
        return data

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._left())
        self._sock.sendall(data)

    def settimeout(self, _seconds: float | None) -> None:
        """Ignore the library's timeout of each call; here all calls share one."""

    def shutdown(self, how: int) -> None:
        self._sock.shutdown(how)

    def close(self) -> None:
        self._sock.close()

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Wire:
    """An open connection, made by ``connect``."""

    def __init__(self, connection: Any, sock: BoundedSocket) -> None:
        self._connection = connection
        self._sock = sock

    def run(self, script: str, keys: list[str], arguments: list[int], until: float) -> Any:
        """
        Run a script, by its digest where the server knows it.

        Raises:
            Broken: the connection is useless now; unknown whether the script ran.
            StoreDown: the server refused, or took longer.
        """
        from redis.exceptions import NoScriptError, RedisError

        self._sock.begin(until)
        try:
            try:
                return self._send("EVALSHA", digest_of(script), keys, arguments)
            except NoScriptError:
                return self._send("EVAL", script, keys, arguments)
        except (RedisError, *UNREADABLE) as error:
            self.close()
            raise _failure(error) from None

    def _send(self, command: str, script: str, keys: list[str], arguments: list[int]) -> Any:
        self._connection.send_command(command, script, len(keys), *keys, *arguments)
        return self._connection.read_response()

    def close(self) -> None:
        self._connection.disconnect()


class Broken(StoreDown):
    """Raised when another connection may do better: this one was closed, or its server became a replica."""


def digest_of(script: str) -> str:
    """Return the name of a script for ``EVALSHA``, valid once the server has run it."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()


def connect(address: Address, until: float) -> Wire:
    """Open, authenticate and select the database before ``until`` (monotonic clock)."""
    from redis.connection import Connection, SSLConnection
    from redis.exceptions import RedisError

    left = max(0.001, until - time.monotonic())
    bounded: list[BoundedSocket] = []

    def greet(connection: Any) -> None:
        bounded.append(BoundedSocket(connection._sock, until))
        connection._sock = bounded[0]
        connection.on_connect()

    kind: Any = SSLConnection if address.is_tls else Connection
    timeouts = {"socket_timeout": left, "socket_connect_timeout": left}
    connection = kind(**address.options(), **timeouts, redis_connect_func=greet)

    def open_it() -> Wire:
        try:
            connection.connect()
        except (RedisError, *UNREADABLE) as error:
            raise _failure(error) from None
        return Wire(connection, bounded[0])

    try:
        # No socket timeout bounds a name lookup.
        return with_timeout(left, f"{address.host}:{address.port}", open_it, Wire.close)
    except ExchangeFailed as failed:
        raise StoreDown(failed.kind) from None


def _failure(error: Exception) -> StoreDown:
    """Name it after its root cause: ``ConnectionRefusedError``, ``ReadOnlyError``."""
    from redis.exceptions import ConnectionError as Disconnected
    from redis.exceptions import ReadOnlyError, ResponseError

    cause = error.__context__ if isinstance(error.__context__, OSError) else error
    kind = Broken if isinstance(error, Disconnected | ReadOnlyError) else StoreDown
    # Where the library has no name for it: the code at the start of the server's message.
    code = str(error).partition(" ")[0] if type(error) is ResponseError else ""
    return kind(code if code.isalpha() and code.isupper() else type(cause).__name__)
