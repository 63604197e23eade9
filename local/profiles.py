"""
Profiles in the local cloud: the samples of ``local/demo/``, the places of this cloud, and lifecycle rules.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.buckets import ARCHIVE, bucket_of
from local.oss.lifecycle import LifecycleRule

Profiles = Mapping[str, Mapping[str, Any]]

DEMO = Path(__file__).resolve().parent / "demo"
PROFILES_FILE = DEMO / "profiles.toml"
# Options that say where a profile's objects are.
PLACE = ("bucket", "region", "host", "role")
# What setup puts on a bucket that it makes: see ops/account/lifecycle.py.
ABORT_RULE, ABORT_DAYS = "oss-direct-upload-abort-stale-multipart", 7
HELD_RULE, HELD_PREFIX = "oss-direct-upload-expire-held", "held/"
RECORDS = (
    "accepted",
    "attempts",
    "checks",
    "clean",
    "cleaned",
    "copied",
    "decided",
    "fetched",
    "labels",
    "review",
    "verdicts",
)
RECORD_DAYS = 8
DUE, SHORT_RECORDS = "due", ("doctor", "prove")


def sample_profiles(caller_auth: str) -> dict[str, dict[str, Any]]:
    """Return the samples as these callers may have them."""
    profiles = read_profiles(PROFILES_FILE)
    for profile in profiles.values():
        # WeChat checks what its own users send, and nobody else's.
        if caller_auth == "several" and "check" in profile.get("hold", ()):
            profile["callers"] = ["main", "second"]
        elif caller_auth != "wechat" and "hold" in profile:
            profile["hold"] = ["commit"]
        # Where nobody says who they are, nothing is anybody's own.
        if caller_auth == "anonymous":
            for option in ("commit_by", "list", "delete"):
                profile.pop(option, None)
            profile |= {"read": "callers"} if "read" in profile else {}
    return profiles


def read_profiles(path: Path) -> dict[str, dict[str, Any]]:
    """By name."""
    return tomllib.loads(path.read_text("utf-8"))


def in_local_buckets(profiles: Profiles, archive: str) -> dict[str, dict[str, Any]]:
    """
    Return the profiles with places of this cloud: whichever bucket one names, here it is the second.

    Args:
        archive: origin of the second bucket.
    """
    second = {"bucket": ARCHIVE.bucket, "region": ARCHIVE.region, "role": ARCHIVE.role_arn, "host": archive}
    return {
        name: {option: value for option, value in profile.items() if option not in PLACE}
        | (second if "bucket" in profile else {})
        for name, profile in profiles.items()
    }


def toml_of(profiles: Profiles) -> str:
    """Return them as the function reads them."""
    lines = []
    for name, profile in profiles.items():
        lines += [f"[{name}]", *(f"{option} = {_value(value)}" for option, value in profile.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # Texts, numbers, true and false are written as in JSON.
    return json.dumps(value, ensure_ascii=False)


def lifecycle_rules(profiles: Profiles, bucket: str) -> list[LifecycleRule]:
    """Return the lifecycle rules of a bucket for unfinished parts and for held objects never published."""
    rules = [LifecycleRule(ABORT_RULE, "", True, abort_days=ABORT_DAYS)]
    kept = [profile for profile in profiles.values() if bucket_of(profile) == bucket]
    held = {
        f"{HELD_PREFIX}{profile['key'].partition('{')[0].rpartition('/')[0]}/": _hold_days(profile)
        for profile in kept
        if profile.get("hold")
    }
    longest = max(held.values(), default=0)
    lives = {kind: longest + RECORD_DAYS for kind in RECORDS if held}
    lives |= {kind: RECORD_DAYS for kind in SHORT_RECORDS if held}
    if any(profile.get(option) for profile in kept for option in ("confirm", "callback", "parts")):
        lives[DUE] = longest + RECORD_DAYS
    records = {f"{HELD_PREFIX}.{kind}/": days for kind, days in lives.items()}
    # The function ends a hold; what it did not end, a rule does a day later.
    folders = {prefix: days + 1 for prefix, days in held.items()}
    for prefix, days in {**folders, **records}.items():
        rules.append(LifecycleRule(f"{HELD_RULE}-{prefix}", prefix, True, days=days))
    return rules


def _hold_days(profile: Mapping[str, Any]) -> int:
    return int(profile.get("hold_days", 7 if "check" in profile["hold"] else 1))
