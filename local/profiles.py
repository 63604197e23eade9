"""
The profiles of the local cloud, as the callers it is run for allow them, and the lifecycle rules they need.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.buckets import bucket_of
from local.oss.lifecycle import LifecycleRule

PROFILES_FILE = Path(__file__).resolve().parent / "profiles.toml"
# What setup puts on a bucket that it makes: see ops/account/lifecycle_plan.py.
ABORT_RULE, ABORT_DAYS = "oss-direct-upload-abort-stale-multipart", 7
HELD_RULE, HELD_PREFIX = "oss-direct-upload-expire-held", "held/"

# WeChat checks what its own users send, and nobody else's.
NOT_OF_WECHAT = {'hold = ["commit", "check"]': 'hold = ["commit"]'}
# Where nobody says who they are, nothing is anybody's own.
ALL_ONE = {'read = "owner"': 'read = "callers"', 'commit_by = "owner"\n': ""}
# The file has the address that the second bucket has where no port is taken.
ARCHIVE_HOST = 'host = "{}"'
USUAL_ARCHIVE = "http://127.0.0.1:9006"
CHANGES: dict[str, Mapping[str, str]] = {
    "wechat": {},
    "jwt": NOT_OF_WECHAT,
    "anonymous": NOT_OF_WECHAT | ALL_ONE,
}


def profiles_file(caller_auth: str, folder: Path, archive: str) -> Path:
    """
    The file beside this module, made one for these callers.

    Args:
        folder: where it is written.

        archive: the origin of the second bucket.
    """
    text = PROFILES_FILE.read_text("utf-8")
    changes = {**CHANGES[caller_auth], ARCHIVE_HOST.format(USUAL_ARCHIVE): ARCHIVE_HOST.format(archive)}
    for old, new in changes.items():
        text = text.replace(old, new)
    path = folder / PROFILES_FILE.name
    path.write_text(text, "utf-8")
    return path


def read_profiles(path: Path) -> dict[str, dict[str, Any]]:
    """By name."""
    return tomllib.loads(path.read_text("utf-8"))


def lifecycle_rules(profiles: Mapping[str, Mapping[str, Any]], bucket: str) -> list[LifecycleRule]:
    """Return the lifecycle rules of a bucket for unfinished parts and for held objects never published."""
    rules = [LifecycleRule(ABORT_RULE, "", True, abort_days=ABORT_DAYS)]
    kept = [profile for profile in profiles.values() if bucket_of(profile) == bucket]
    held = [profile.get("hold_days", 1) for profile in kept if profile.get("hold")]
    if held:
        rules.append(LifecycleRule(HELD_RULE, HELD_PREFIX, True, days=max(held)))
    return rules
