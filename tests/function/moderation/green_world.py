"""A world whose uploads Aliyun checks."""

from tests.docs.openapi import check_answer
from tests.support.cases import profile_toml
from tests.support.world import World

ID = "A" * 22
URL = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com/held/posts/a.jpg?x-oss-signature=SecretCanary"
PROFILES = profile_toml(
    "post",
    "posts",
    max_size="30MiB",
    content_types=["image/*", "audio/*", "video/*"],
    confirm=True,
    hold=["check"],
    check_by=["aliyun"],
)
SETTINGS = {"CALLER_AUTH": "anonymous", "TOKEN_SECRET": "token-secret-canary-0123456789abcdef"}


def world_of(environment, clock, profiles_file, service="baselineCheck", **changes):
    profiles = f'{PROFILES}check_service = "{service}"\n'
    changed = {**environment, **SETTINGS, "PROFILES_FILE": profiles_file(profiles), **changes}
    return World(
        {name: value for name, value in changed.items() if value is not None}, clock, check=check_answer
    )


def profile_of(world):
    return world.settings.profiles["post"]
