"""A phone that sends a large file in parts, and the OSS that it sends it to."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.memory_oss import MemoryOss
from tests.support.world import World

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
PROFILES = (
    profile_toml("default", "uploads")
    + profile_toml(
        "video",
        "videos",
        max_size="8MiB",
        content_types=["video/*"],
        acl="private",
        parts=True,
        part_size="100KiB",
        parts_within=3600,
    )
    + profile_toml("many", max_size="976MiB", content_types=["video/*"], parts=True, part_size="100KiB")
    + profile_toml(
        "kept", max_size="8MiB", content_types=["video/mp4"], overwrite=True, parts=True, part_size="100KiB"
    )
)


@pytest.fixture
def oss(clock: Any) -> MemoryOss:
    return MemoryOss("my-bucket", "cn-hangzhou", clock)


@pytest.fixture
def phone_of(environment: Any, clock: Any, oss: MemoryOss, profiles_file: Any) -> Callable[..., World]:
    """A phone and an instance of its own, all of them before the same OSS."""

    def build(profiles: str = PROFILES, **changes: str | None) -> World:
        settings = {"TOKEN_SECRET": TOKEN_SECRET, "PROFILES_FILE": profiles_file(profiles), **changes}
        environ = {name: value for name, value in {**environment, **settings}.items() if value is not None}
        return World(environ, clock, life=timedelta(hours=1), oss=oss, check=check_answer)

    return build


@pytest.fixture
def phone(phone_of: Callable[..., World]) -> World:
    return phone_of()
