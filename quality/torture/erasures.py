"""
One owner's erasure out of two buckets, crashed before and after every kind of call, by two workers at once.

There are objects, held ones, unfinished parts, versions and delete markers, those of the owner among those of
others whose names come close. In the end nothing of the owner is left, and nobody else has lost anything.
"""

import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from function.http.client import HttpResponse
from quality.torture.report import Progress, Result
from tests.support import stage
from tests.support.memory_oss import (
    BROKEN,
    BROKEN_AFTER,
    DENIED,
    HALF,
    LOST,
    UNHEARD,
    MemoryOss,
    Open,
    Stored,
)
from tests.support.turns import Killed, Turns
from tests.support.world import HELD, World, counted

OBJECTS = 100_000
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ARCHIVE = "archive-bucket"
ERASED, OTHER = "openid-erased", "openid-other"
AUDIENCE = "oss-direct-upload/erasure"
ENVIRONMENT = {
    **HELD,
    "ERASE": "true",
    "RECEIPT_SECRET": "a-receipt-secret-of-this-proof-alone-01",
    "PROFILES_FILE": str(Path(__file__).with_name("erasure_profiles.toml")),
}
# At these calls of each kind an instance ends, before OSS did it or after.
BEFORE, AFTER = {1, 4, 9, 40, 90}, {2, 5, 20, 60, 120}
# At these OSS fails, or its answer is lost, of a deletion of many in the middle.
FAULTS = {7: HALF, 11: LOST, 14: BROKEN, 17: BROKEN_AFTER, 23: UNHEARD, 29: DENIED, 31: HALF}
FAILED = {"oss_unavailable", "oss_rejected"}
# Requests in which nothing more goes: then the owner has to wait.
IDLE, MOST_IDLE = 3, 12
WAIT = timedelta(hours=2)
# A form may be good for as long as this, and its upload takes a while.
LEAST_WAIT = timedelta(hours=1, minutes=5)


class Erasures:
    """
    The world of one erasure.

    Attributes:
        calls: how many of each kind came to OSS.

        crashes: of each kind, before and after.

        new_oss: what the buckets are.
    """

    new_oss: Callable[..., MemoryOss] = MemoryOss

    def __init__(self, objects: int, seed: int = 1) -> None:
        self.now, self.dice, self.turns = START, random.Random(seed), Turns()
        self.are_at_work = False
        self.calls: Counter[str] = Counter()
        self.crashes: Counter[tuple[str, str]] = Counter()
        home = self.new_oss(stage.BUCKET, stage.REGION, lambda: self.now)
        self.world = World(ENVIRONMENT, lambda: self.now, instances=0, oss=home, random_bytes=counted())
        self.world.buckets[ARCHIVE] = self.new_oss(ARCHIVE, "cn-shanghai", lambda: self.now)
        self._exchange, self.world.exchange = self.world.exchange, self._crashing  # type: ignore[method-assign]
        self.world.functions = [self.world.new_instance() for _ in range(2)]
        self.owners = {subject: self._owner_of(subject) for subject in (ERASED, OTHER)}
        self._fill(self.owners[ERASED], objects)
        self._fill(self.owners[OTHER], min(objects // 20, 500))
        self._fill_neighbours(self.owners[ERASED])
        self.strangers = self.left(of_owner=False)

    # --- the world ---

    def _owner_of(self, subject: str) -> str:
        return str(self.world.form("photos", subject)["key"].split("/")[1])

    def _crashing(self, method: str, url: str, **options: Any) -> HttpResponse:
        """The network of both instances, where each may end before and after a call."""
        self.turns.point()
        oss = self.world.buckets[str(urlsplit(url).hostname).partition(".")[0]]
        kind = f"{oss.name_of(method, url, options.get('headers') or {})}"
        if not self.are_at_work:
            return self._exchange(method, url, **options)
        self.calls[kind] += 1
        times = self.calls[kind]
        if times in BEFORE:
            self._crash(kind, "before")
        if times in FAULTS:
            oss.fail(kind, FAULTS[times])
        answer = self._exchange(method, url, **options)
        if times in AFTER:
            self._crash(kind, "after")
        return answer

    def _crash(self, kind: str, moment: str) -> None:
        self.crashes[kind, moment] += 1
        raise Killed

    def _keys(self, owner: str, count: int) -> Iterator[tuple[str, MemoryOss]]:
        home, archive = self.world.oss, self.world.buckets[ARCHIVE]
        for number in range(count):
            id = f"{number:022}"
            match number % 10:
                case 0:
                    yield f"held/posts/{owner}/{id}.png", home
                case 1 | 2 | 3 | 4:
                    yield f"photos/{owner}/{'a&<b> +%/' if number % 100 == 1 else ''}{id}.png", home
                case 5:
                    yield f"posts/{owner}/{id}.png", home
                case _:
                    yield f"tight/{owner}-{id}.mp4", archive

    def _fill(self, owner: str, count: int) -> None:
        """So many things: objects, their versions and markers, unfinished parts."""
        archive = self.world.buckets[ARCHIVE]
        for number, (key, oss) in enumerate(self._keys(owner, count)):
            if number % 200 == 9:
                oss.uploads[f"{owner[:8]}{number:024}"] = Open(key, {}, self.now)
                continue
            # The oldest are from before there were versions.
            archive.versioning = "Enabled" if number > count // 10 else ""
            oss.store(key, b"x", content_type="image/png")
            if oss is archive and archive.versioning and number % 3:
                oss.store(key, b"y", content_type="image/png")
                if number % 2:
                    oss._delete(key)
        archive.versioning = "Enabled"

    def _fill_neighbours(self, owner: str) -> None:
        """Names that begin almost as the owner's do, and are not the owner's."""
        close = f"{owner[:-1]}{'b' if owner[-1] == 'a' else 'a'}"
        for oss in self.world.buckets.values():
            for key in (
                *(f"{folder}{close}/x.png" for folder in ("photos/", "posts/", "held/posts/")),
                *(f"{folder}{owner}" for folder in ("photos/", "held/posts/")),
                *(f"{folder}{owner}x/y.png" for folder in ("photos/", "posts/", "held/posts/", "other/")),
                *(f"tight/{name}" for name in (owner, f"{owner}a-x.mp4", f"{owner}/x.mp4", f"{close}-x.mp4")),
                f"other/{owner}/x.png",
                f"x/photos/{owner}/x.png",
                "named/x.png",
            ):
                oss.store(key, b"z", content_type="image/png")
                oss.uploads[f"OF{len(oss.uploads):030}"] = Open(key, {}, self.now)

    def _is_owners(self, key: str) -> bool:
        owner = self.owners[ERASED]
        key = key.removeprefix("held/")
        return key.startswith((f"photos/{owner}/", f"posts/{owner}/", f"tight/{owner}-"))

    def left(self, *, of_owner: bool) -> dict[tuple[str, ...], Stored | str]:
        """Everything that is stored, versions and unfinished parts included, but the function's records."""
        found: dict[tuple[str, ...], Stored | str] = {}
        for name, oss in self.world.buckets.items():
            found |= {(name, key): stored for key, stored in oss.objects.items()}
            found |= {
                (name, key, version.id): version.stored or "marker"
                for key, versions in oss.past.items()
                for version in versions
            }
            found |= {(name, upload.key, id): "parts" for id, upload in oss.uploads.items()}
        return {
            place: what
            for place, what in found.items()
            if not place[1].startswith("held/.") and self._is_owners(place[1]) is of_owner
        }

    # --- the erasure ---

    def ask(self, instance: int) -> dict[str, Any] | None:
        """One request of a worker; ``None`` if it was killed over it."""
        reply = self.world.ask("erase", self.world.backend(aud=AUDIENCE), instance, sub=ERASED)
        assert reply.status == 200 or reply.code in FAILED, reply.text
        return dict(reply.json) if reply.status == 200 else {}

    def tick(self, instance: int) -> dict[str, Any]:
        """The timer's event of the next minute."""
        self.now += timedelta(minutes=1)
        self.world.tick(instance)
        return {}

    def both(self) -> list[dict[str, Any]]:
        """A request of each worker at once, a call of one of them at a time; who was killed is replaced."""
        order = [self.dice.randrange(2) for _ in range(10_000)]
        acts = [partial(self.dice.choice((self.ask, self.ask, self.tick)), instance) for instance in range(2)]
        self.are_at_work = True
        replies = self.turns.run(acts, order, (0, 0))
        self.are_at_work = False
        for instance, reply in enumerate(replies):
            if reply is None:
                self.world.functions[instance] = self.world.new_instance()
        return [reply for reply in replies if reply is not None]

    def upload_once_more(self) -> None:
        """A form that was signed before the erasure is still good for a while."""
        owner = self.owners[ERASED]
        for folder, oss in (("photos/", self.world.oss), ("tight/", self.world.buckets[ARCHIVE])):
            key = f"{folder}{owner}{'-' if folder == 'tight/' else '/'}late.png"
            oss.store(key, b"late", content_type="image/png")
            oss.uploads[f"LATE{len(oss.uploads):028}"] = Open(key, {}, self.now)

    def erase(self, progress: Progress | None = None) -> dict[str, Any]:
        """
        Ask until the erasure is done.

        Raises:
            AssertionError: it does not come to an end, or says that it is done while something is left.
        """
        idle, waits, count = 0, 0, len(self.left(of_owner=True))
        total = count
        while True:
            replies = self.both()
            left = len(self.left(of_owner=True))
            if progress and left < count:
                progress.show(total - left)
            if done := [reply for reply in replies if reply.get("state") == "done"]:
                assert not left, f"{left} left when it was done"
                assert self.now >= START + LEAST_WAIT, "done before the forms of before were over"
                return done[0]
            idle, count = (idle + 1 if left == count and replies else 0), left
            assert idle < MOST_IDLE, f"{left} left, and nothing goes on"
            if idle >= IDLE and not left:
                if not waits:
                    self.upload_once_more()
                waits, idle, count = waits + 1, 0, len(self.left(of_owner=True))
                self.now += WAIT
                assert waits < MOST_IDLE, "never done"


def run(objects: int = OBJECTS, erasures: type[Erasures] = Erasures) -> Result:
    """Erase so many objects, and say at what rate and in how much memory."""
    result = Result("proof")
    life = erasures(objects)
    count, before = len(life.left(of_owner=True)), _peak()
    began, cpu = time.monotonic(), time.process_time()
    try:
        said = life.erase(Progress("erasures", count))
        now = life.left(of_owner=False)
        before_it = life.strangers
        if touched := [place for place in {**now, **before_it} if now.get(place) != before_it.get(place)]:
            result.problems.append(f"{len(touched)} things of others were touched, {touched[0]} for one")
        if untried := {kind for kind in life.calls if not life.crashes[kind, "after"]}:
            result.problems.append(f"no crash around {', '.join(sorted(untried))}")
        result.notes.append(f"the erasure said {said['deleted']} deleted, {said['aborted']} aborted")
    except AssertionError as error:
        result.problems.append(str(error))
    result.seconds = time.monotonic() - began
    rate = count / max(time.process_time() - cpu, 0.001)
    result.totals["objects erased"] = count
    result.figures += [
        ("things of one owner erased", f"{count:,}"),
        ("  a second of processor time, both sides of the calls", f"{rate:,.0f}"),
        ("  crashes", f"{sum(life.crashes.values()):,}"),
        ("  MB of memory more at the peak", f"{(_peak() - before) / 1024:,.0f}"),
    ]
    return result


def _peak() -> int:
    """KiB that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
