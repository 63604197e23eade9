"""
Each pair of values of two options, in a profile that is played to the end: refused when settings are read, or
its upload is stored, held, checked, published, read, listed and deleted as both options say.
"""

import random
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from function.errors import Misconfigured
from function.moderation.finding import Outcome
from quality.torture.report import Progress, Result
from tests.support.photos import photo, secrets_in
from tests.support.world import HELD, World

START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ENVIRONMENT = {**HELD, "QUOTA_URL": "memory:", "CALLBACK_URL": "https://function.example/callback"}
BASE = {
    "key": '"p/{owner}/{id}{ext}"',
    "max_size": '"1MiB"',
    "content_types": '["image/*"]',
    "confirm": "true",
}
HOLDS = ('["commit"]', '["check"]', '["commit", "check"]')
# Values beside the default, as TOML.
VALUES: Mapping[str, tuple[str, ...]] = {
    "key": ('"p/{owner}/{sha256}{ext}"', '"p/{owner}/{yyyy}/{mm}/{id}"', '"p/{id}{ext}"'),
    "title": ('"photos"',),
    "min_size": ("2",),
    "content_types": ('["image/jpeg"]', '["*/*"]'),
    "expires_in": ("60",),
    "acl": ('"private"', '"public-read"'),
    "overwrite": ("true",),
    "callback": ("true",),
    "signature": ('"v1"',),
    "cache_control": ('"no-store"',),
    "content_disposition": ('"attachment"',),
    "storage_class": ('"IA"', '"Archive"'),
    "metadata": ('{ shop = "7" }',),
    "confirm": ("false",),
    "read": ('"owner"', '"callers"'),
    "read_for": ("60",),
    "variants": ('{ small = "image/resize,w_9" }',),
    "parts": ("true",),
    "part_size": ('"100KiB"',),
    "parts_within": ("900",),
    "files_per_day": ("9",),
    "bytes_per_day": ('"9MiB"',),
    "hold": HOLDS,
    "hold_days": ("7",),
    "commit_by": ('"owner"',),
    "check_scene": ("3",),
    "check_by": ('["aliyun"]', '["aliyun", "wechat"]'),
    "check_service": ('"baselineCheck_cb"',),
    "check_reject": ('["ads"]',),
    "check_animated": ('"first-frame"',),
    "strip": ("true",),
    "ai_label": ("true",),
    "list": ("true",),
    "delete": ('"owner"',),
    # It is for several callers.
    "callers": (),
    "bucket": ('"other"',),
    "region": ('"cn-shanghai"',),
    "host": ('"https://other.example.com"',),
    "role": ('"acs:ram::1234567890123456:role/other"',),
}
# What an option needs beside it, where the pair says nothing else.
NEEDED = {
    **dict.fromkeys(("read_for", "variants"), {"read": '"owner"'}),
    **dict.fromkeys(("part_size", "parts_within"), {"parts": "true"}),
    **dict.fromkeys(("hold_days", "commit_by", "strip"), {"hold": HOLDS[0]}),
    **dict.fromkeys(("check_scene", "check_by", "check_animated"), {"hold": HOLDS[1]}),
    **dict.fromkeys(("check_service", "check_reject"), {"hold": HOLDS[1], "check_by": '["aliyun"]'}),
    "region": {"bucket": '"other"'},
}
HEADERS = {"cache_control": "cache-control", "content_disposition": "content-disposition"}
Pair = tuple[tuple[str, str], tuple[str, str]]


def pairs() -> list[Pair]:
    """Return the whole table."""
    values = [(name, value) for name, several in VALUES.items() for value in several]
    return [(one, other) for one, other in combinations(values, 2) if one[0] != other[0]]


def run(share: int = 1, seed: int | None = None) -> Result:
    """Probe the whole table, or one of so many pairs as the seed draws them."""
    started, seed = time.monotonic(), random.SystemRandom().randrange(2**32) if seed is None else seed
    dice, table, counts = random.Random(seed), pairs(), Counter[str]()
    chosen = table if share == 1 else dice.sample(table, len(table) // share)
    result, progress = Result("proof"), Progress("pairs of options", len(chosen))
    sent = next(each for each in iter(lambda: photo(dice), None) if each.kind == "JPEG").data
    with TemporaryDirectory() as folder:
        for number, pair in enumerate(chosen, start=1):
            found = probe(Path(folder) / "profiles.toml", dict(pair), sent)
            counts["refused" if found is None else "played"] += 1
            result.problems += [f"seed {seed}, {pair}: {each}" for each in found or ()]
            progress.show(number)
    result.figures = [
        ("pairs of options, refused / played to the end", f"{counts['refused']} / {counts['played']}")
    ]
    if not counts["played"]:
        result.problems.append("every pair was refused: nothing was proved")
    result.seconds = time.monotonic() - started
    return result


def probe(file: Path, pair: Mapping[str, str], body: bytes) -> list[str] | None:
    """Return what is wrong with an upload of such a profile; ``None`` if the profile is refused."""
    needed = {name: value for option in pair for name, value in NEEDED.get(option, {}).items()}
    options = {**BASE, **needed, **pair}
    file.write_text("[p]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()), "utf-8")
    clock = [START]
    try:
        world = World({**ENVIRONMENT, "PROFILES_FILE": str(file)}, lambda: clock[0])
    except Misconfigured:
        return None
    if "bucket" in options:
        world.add_bucket("other", options.get("region", HELD["OSS_REGION"]).strip('"'))
    try:
        return [*_play(world, clock, options, body)]
    except (AssertionError, KeyError) as error:
        return [f"{type(error).__name__}: {error}"]


def _play(world: World, clock: list[datetime], options: Mapping[str, str], body: bytes) -> Any:
    profile = world.settings.profiles["p"]
    oss = world.buckets[profile.location.bucket]
    wanted: dict[str, Any] = {
        "filename": "a.jpg",
        "contentType": "image/jpeg",
        "size": len(body),
        "sha256": "a" * 64,
    }
    form = world.form("p", **wanted)
    key, held = form["key"], f"held/{form['key']}"
    assert oss.post(form["formData"], "a", body=body) == 200
    stored = held if profile.is_held else key
    if set(oss.names()) != {stored} or (profile.is_held and oss.objects[held].acl != "private"):
        yield f"stored as {oss.names()}"
    if not profile.confirm:
        return
    receipt = world.ask("confirm", ticket=form["ticket"]).json["receipt"]
    if profile.is_held:
        is_early = "commit" in profile.hold or profile.is_checked_by_wechat
        if is_early and key in oss.objects:
            yield "published before its hold ended"
        said = world.ask("commit", world.session(), receipt=receipt)
        if (said.status == 200) != ("commit" in profile.hold and profile.commit_by == "owner"):
            yield f"an owner's commit: {said.status}"
        world.commit(receipt)
        _let_checkers_end(world, clock, profile)
        asked = {"aliyun": len(world.green.checks), "wechat": len(world.wechat.checks)}
        if asked != {name: int(profile.is_checked and name in profile.check_by) for name in asked}:
            yield f"checked: {asked}"
        if (state := world.status(receipt)) != "published":
            yield f"at last {state}"
    if set(oss.names()) != {key}:
        yield f"at last as {oss.names()}"
        return
    yield from _differences(oss.objects[key], options, profile)
    yield from _uses(world, profile, key, set(oss.names()))


def _let_checkers_end(world: World, clock: list[datetime], profile: Any) -> None:
    for _ in range(4):
        for trace in [*world.wechat.submitted]:
            world.verdict(Outcome.PASS, trace)
        clock[0] += timedelta(minutes=2)
        world.tick()


def _differences(found: Any, options: Mapping[str, str], profile: Any) -> Any:
    if found.acl != profile.acl:
        yield f"acl {found.acl}"
    pinned = {header: options[name].strip('"') for name, header in HEADERS.items() if name in options}
    pinned |= {"x-oss-storage-class": options.get("storage_class", '"Standard"').strip('"')}
    pinned |= {"x-oss-meta-shop": "7"} if "metadata" in options else {}
    for name, value in pinned.items():
        if found.headers.get(name) != value:
            yield f"{name}: {found.headers.get(name)}"
    if profile.strip and secrets_in(found.body):
        yield "published with metadata"


def _uses(world: World, profile: Any, key: str, names: set[str]) -> Any:
    """Read, list and delete as an owner and as another caller."""
    for subject, is_owner in (("another", False), ("openid-1", True)):
        session = world.session(subject)
        if profile.read:
            may = is_owner or profile.read == "callers"
            if (said := world.ask("read", session, key=key).status) != (200 if may else 403):
                yield f"read by {subject}: {said}"
        if profile.list:
            items = world.ask("list", session, profile="p").json["items"]
            if len(items) != is_owner:
                yield f"{subject} lists {len(items)}"
        if profile.delete:
            world.ask("delete", session, keys=[key])
            oss = world.buckets[profile.location.bucket]
            if (key in oss.objects) == is_owner:
                yield f"after a deletion by {subject}: {oss.names()}"
