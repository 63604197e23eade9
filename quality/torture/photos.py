"""
Photos of a profile with ``strip``, sent and committed under each reading of what OSS's processing does.

What is published is looked at by an independent reader: it holds no metadata and is not turned.
"""

import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from local.oss.rules import OssRules
from quality.torture.report import Progress, Result
from tests.support.photos import is_upright, photo, secrets_in
from tests.support.world import PLAIN, World

PHOTOS = 1_000
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
PROFILE = """
[photo]
key = "photos/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit"]
strip = true
"""
EXTENSIONS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "HEIC": ".heic"}
# Metadata survives the processing or not; of either, every other photo has EXIF that turns a PNG.
READINGS = (True, False)


def run(photos: int = PHOTOS, seed: int | None = None) -> Result:
    """Send so many photos under each reading, and look at what is published."""
    started, seed = time.monotonic(), random.SystemRandom().randrange(2**32) if seed is None else seed
    result, counts = Result("proof"), Counter[str]()
    progress, dice = Progress("photos", photos * len(READINGS)), random.Random(seed)
    with TemporaryDirectory() as folder:
        profiles = Path(folder) / "profiles.toml"
        profiles.write_text(PROFILE, "utf-8")
        world = World({**PLAIN, "CALLER_AUTH": "anonymous", "PROFILES_FILE": str(profiles)}, lambda: NOW)
        for number in range(photos * len(READINGS)):
            turns = number // len(READINGS) % 2 == 0
            survives = READINGS[number % len(READINGS)]
            world.oss.picture_rules = OssRules(variants_keep_exif=survives, auto_orient_reads_png=turns)
            said = publish_one(world, dice, counts)
            result.problems += [f"seed {seed}, photo {number}: {each}" for each in said]
            progress.show(number + 1)
    result.figures = [
        ("photos, under each reading of OSS's processing", f"{photos:,}"),
        ("of these published clean / left to a human", f"{counts['published']:,} / {counts['review']:,}"),
    ]
    result.totals = Counter({name: counts[name] for name in ("published with metadata", "published turned")})
    if not counts["published"] or not counts["review"]:
        result.problems.append("all photos had one outcome: nothing was proved")
    result.seconds = time.monotonic() - started
    return result


def publish_one(world: World, dice: random.Random, counts: Counter[str]) -> list[str]:
    """Send and commit one photo, count what becomes of it, and say what is wrong."""
    sent = photo(dice)
    stored = world.store("photo", body=sent.data, filename=f"a{EXTENSIONS[sent.kind]}")
    answer = world.commit(stored["receipt"])
    state = answer.json.get("state")
    counts[str(state)] += 1
    published = world.oss.objects.get(stored["key"])
    problems = [] if state in ("published", "review") else [f"{answer.status} {answer.text}"]
    if (published is not None) != (state == "published"):
        problems.append(f"{state}, but the object says otherwise")
    if published is None:
        return problems
    if left := secrets_in(published.body):
        counts["published with metadata"] += 1
        problems.append(f"{sent.kind} published with {left}")
    # The stand-in for HEIC has no pixels to look at.
    if sent.kind != "HEIC" and not is_upright(published.body):
        counts["published turned"] += 1
        problems.append(f"{sent.kind} with orientation {sent.orientation} published turned")
    return problems
