"""Instances of the function whose profiles have quotas."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.connection import AbstractConnection

from function.http.client import HttpResponse
from tests.function.limits.requests_to_stores import Canned
from tests.support.cases import profile_toml
from tests.support.redis_server import NEEDED, RedisServer, is_installed
from tests.support.scripted_oss import ScriptedOss

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
PROFILES = (
    profile_toml("default", "uploads", max_size=1000, files_per_day=3, bytes_per_day=2000)
    + profile_toml("few", max_size=1000, files_per_day=1)
    + profile_toml("free", max_size=1000)
    + profile_toml("bytes", end="{owner}/{sha256}{ext}", max_size=1000, confirm=True, files_per_day=2)
    + profile_toml(
        "video",
        "videos",
        max_size="8MiB",
        content_types=["video/*"],
        parts=True,
        part_size="100KiB",
        files_per_day=2,
        bytes_per_day="8MiB",
    )
)


BEGUN = (
    b"<InitiateMultipartUploadResult><UploadId>0004B9894A22E5B1888A1E29F823</UploadId>"
    b"</InitiateMultipartUploadResult>"
)


@pytest.fixture(autouse=True)
def closed_connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Close every connection at the end of its test.

    An exception that a test keeps holds its frames, and so the store; its connection would be reported as
    leaked in a later test.
    """
    opened: list[AbstractConnection] = []
    connect = AbstractConnection.connect

    def connected(connection: AbstractConnection) -> None:
        opened.append(connection)
        connect(connection)

    monkeypatch.setattr(AbstractConnection, "connect", connected)
    yield
    for connection in opened:
        connection.disconnect()


@pytest.fixture
def oss() -> ScriptedOss:
    """OSS without objects that begins uploads in parts."""
    oss = ScriptedOss()
    absent, begun = oss.lacks(), HttpResponse(200, BEGUN)
    oss.says = lambda url: begun if "?uploads" in url else absent
    return oss


@pytest.fixture
def quoted(
    instance: Callable[..., Any], profiles_file: Callable[[str], str], oss: ScriptedOss
) -> Callable[..., Any]:
    """Build an instance with quotas; keywords change settings."""

    def build(profiles: str = PROFILES, **changes: str | None) -> Any:
        own = {"QUOTA_URL": "memory:", "TOKEN_SECRET": TOKEN_SECRET, "PROFILES_FILE": profiles_file(profiles)}
        return instance(oss, **{**own, **changes})

    return build


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Request a form."""

    def ask(function: Any, path: str = "/upload-params", **fields: Any) -> Any:
        return function.ask(body={"filename": "a.png", **fields}, path=path)

    return ask


@pytest.fixture(scope="session")
def redis_installed() -> None:
    """Require a Redis server; without one the tests are skipped."""
    if not is_installed():
        pytest.skip(NEEDED)


@pytest.fixture(scope="session")
def server(redis_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server shared by many tests, each with its own owner."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def own_server(redis_installed: None, tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Start a server that a test may break."""
    with ExitStack() as running:

        def start(**options: str) -> RedisServer:
            return running.enter_context(RedisServer(tmp_path, **options))

        yield start


@pytest.fixture
def canned() -> Iterator[Callable[..., Canned]]:
    """Start a scripted Redis."""
    servers: list[Canned] = []

    def serve(*answers: bytes | None) -> Canned:
        servers.append(Canned(*answers))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()
