"""A phone that sends a large file in parts, and the OSS that it sends it to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.support.memory_oss import MemoryOss
from tests.support.stage import Reply

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
KIB = 1024
PART = 100 * KIB
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
[video]
key = "videos/{owner}/{id}{ext}"
max_size = "8MiB"
content_types = ["video/*"]
acl = "private"
parts = true
part_size = "100KiB"
parts_within = 3600
[many]
key = "many/{owner}/{id}{ext}"
max_size = "976MiB"
content_types = ["video/*"]
parts = true
part_size = "100KiB"
[kept]
key = "kept/{owner}/{id}{ext}"
max_size = "8MiB"
content_types = ["video/mp4", "text/plain"]
overwrite = true
cache_control = "no-cache"
storage_class = "IA"
parts = true
part_size = "100KiB"
callback = false
[kept.metadata]
source = "app"
"""


@dataclass
class Phone:
    """A client of one instance of the function."""

    function: Any
    oss: MemoryOss

    def ask(self, route: str, token: str = "", **fields: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.function.ask(body=fields, path=f"/{route}", headers=headers)

    def credentials_of(self, purpose: str) -> Any:
        """What holds the credentials of the one bucket for this purpose."""
        ready = self.function.function._ready()
        return ready._credentials[ready.settings.home.session(purpose)]

    def assume(self, purpose: str, now: datetime) -> None:
        ready = self.function.function._ready()
        ready.credentials_for(ready.settings.home.session(purpose), None, now, [now])

    def begin(self, size: Any = 2 * PART + 1, profile: str = "video", **fields: Any) -> dict[str, Any]:
        wanted = {"profile": profile, "filename": "a.mp4", "size": size, **fields}
        answer = self.ask("multipart", **wanted)
        assert answer.status == 200, answer.text
        return answer.json

    def parts(self, ticket: str, **fields: Any) -> Reply:
        return self.ask("multipart-parts", ticket=ticket, **fields)

    def complete(self, ticket: str) -> Reply:
        return self.ask("multipart-complete", ticket=ticket)

    def abort(self, ticket: str) -> Reply:
        return self.ask("multipart-abort", ticket=ticket)

    def send(self, begun: dict[str, Any], parts: Iterable[Any] | None = None, name: str = "a") -> list[int]:
        """Each of these parts in full: what OSS answered."""
        chosen = begun["parts"] if parts is None else parts
        return [
            self.oss.put(part, begun["headers"], f"{name}{part['number']}", part["size"]) for part in chosen
        ]

    def store(self, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """One whole upload: how it began, and its receipt's answer."""
        begun = self.begin(**fields)
        assert set(self.send(begun)) == {200}
        done = self.complete(begun["ticket"])
        assert done.status == 200, done.text
        return begun, done.json


@pytest.fixture
def oss(clock: Any) -> MemoryOss:
    return MemoryOss("my-bucket", "cn-hangzhou", clock)


@pytest.fixture
def phone_of(instance: Any, oss: MemoryOss, profiles_file: Any) -> Callable[..., Phone]:
    """A phone and an instance of its own, all of them before the same OSS."""

    def build(profiles: str = PROFILES, **changes: str | None) -> Phone:
        settings = {"TOKEN_SECRET": TOKEN_SECRET, "PROFILES_FILE": profiles_file(profiles), **changes}
        function = instance(send=oss.send, **settings)
        oss.give_sessions(function.function)
        return Phone(function, oss)

    return build


@pytest.fixture
def phone(phone_of: Callable[..., Phone]) -> Phone:
    return phone_of()
