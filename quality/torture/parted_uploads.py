"""
Random lives of large files: a phone that loses its line, instances that come and go, an OSS that fails.

At every moment there is the whole file, once, or none.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from quality.torture.lives import live
from quality.torture.report import Result
from tests.support import stage
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, UNHEARD, MemoryOss, Part, Stored
from tests.support.world import PART, PLAIN, World, counted

LIVES = 1500
STEPS = 60
START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
ENVIRONMENT = {
    **PLAIN,
    "CALLER_AUTH": "anonymous",
    "PROFILES_FILE": str(Path(__file__).with_name("parted_profiles.toml")),
}
FAULTS = st.sampled_from(["", "", "", "", "", UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED])
INSTANCES = st.integers(0, 1)
CALLS_OF_A_COMPLETION = ("ListParts", "CompleteMultipartUpload", "HeadObject")
RACES = ("", "", "complete", "abort", "swap")
# What a call may end in when OSS fails, whatever else is true.
STRANGER = "stranger"
FAILED = {"oss_unavailable", "oss_rejected"}


class PartedUploads(RuleBasedStateMachine):
    """
    One phone with one file after another.

    Attributes:
        new_oss: what stores them.
    """

    new_oss = MemoryOss

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.oss = self.new_oss(stage.BUCKET, stage.REGION, lambda: self.now)
        self.world = World(
            ENVIRONMENT,
            lambda: self.now,
            instances=2,
            life=timedelta(hours=1),
            oss=self.oss,
            random_bytes=counted(),
        )
        self.version = 0
        self.plans: dict[str, list[int]] = {}
        self._forget()

    def _forget(self) -> None:
        self.begun: dict[str, Any] = {}
        self.urls: dict[int, dict[str, Any]] = {}
        self.signed_at: dict[int, datetime] = {}
        self.ends = START
        self.answer = ""
        self.is_aborted = False

    def _ask(self, instance: int, route: str, **body: Any) -> stage.Reply:
        reply = self.world.ask(route, instance=instance, **body)
        assert reply.status < 500 or reply.code in FAILED, reply.text
        assert ("Retry-After" in reply.headers) == (reply.status == 503)
        return reply

    # --- what is true, whatever the function says ---

    @property
    def _open(self) -> bool:
        return any(upload.key == self.begun.get("key") for upload in self.oss.uploads.values())

    @property
    def _object(self) -> Stored | None:
        stored = self.oss.objects.get(self.begun.get("key", ""))
        return None if stored is None or _is_a_stranger_s(stored) else stored

    @property
    def _stranger_is_there(self) -> bool:
        return not self._object and self.begun.get("key") in self.oss.objects

    def _missing(self) -> list[int]:
        upload = next(one for one in self.oss.uploads.values() if one.key == self.begun["key"])
        plan = self.plans[self.begun["key"]]
        return [
            number
            for number, size in enumerate(plan, start=1)
            if number not in upload.parts or upload.parts[number].size != size
        ]

    # --- what the phone does ---

    @precondition(lambda self: not self.begun)
    @rule(
        profile=st.sampled_from(["kept", "replaced"]),
        full=st.integers(0, 3),
        rest=st.sampled_from([1, PART - 1, PART]),
        instance=INSTANCES,
        fault=FAULTS,
    )
    def begin(self, profile: str, full: int, rest: int, instance: int, fault: str) -> None:
        self.oss.fail("InitiateMultipartUpload", fault)
        reply = self._ask(instance, "multipart", profile=profile, filename="a.mp4", size=full * PART + rest)
        if fault:
            assert reply.code in FAILED
            return
        self._forget()
        self.begun = reply.json
        self.plans[self.begun["key"]] = [*[PART] * full, rest]
        self.ends = self.now + timedelta(seconds=7200)
        self._take(self.begun["parts"])

    def _take(self, parts: list[dict[str, Any]]) -> None:
        for part in parts:
            self.urls[part["number"]] = part
            self.signed_at[part["number"]] = self.now

    @precondition(lambda self: self.urls)
    @rule(number=st.integers(1, 4), shorter=st.sampled_from([0, 0, 0, 1]))
    def send(self, number: int, shorter: int) -> None:
        part = self.urls.get(number)
        if part is None:
            return
        self.version += 1
        was_open = self._open
        name = f"{self.begun['key']} {number} {self.version}"
        status = self.oss.put(part, self.begun["headers"], name, part["size"] - shorter)
        in_time = self.now <= self.signed_at[number] + timedelta(minutes=15)
        assert (status == 200) == (was_open and in_time and not shorter)

    @precondition(lambda self: self._open)
    @rule(instance=INSTANCES)
    def send_what_is_missing(self, instance: int) -> None:
        """As a client does that has nothing but its ticket."""
        reply = self._ask(instance, "multipart-parts", ticket=self.begun["ticket"])
        if reply.status == 200:
            self._take(reply.json["parts"])
            for part in reply.json["parts"]:
                self.send(part["number"], 0)

    @precondition(lambda self: self.begun)
    @rule(numbers=st.none() | st.just([1]), instance=INSTANCES, faults=st.lists(FAULTS, max_size=2))
    def renew(self, numbers: list[int] | None, instance: int, faults: list[str]) -> None:
        self.oss.fail("ListParts", *faults)
        reply = self._ask(instance, "multipart-parts", ticket=self.begun["ticket"], numbers=numbers)
        self.oss.faults.clear()
        if self.now >= self.ends:
            assert reply.code == "forbidden"
        elif any(faults) and reply.code in FAILED:
            return
        elif self._open:
            missing = self._missing()
            assert reply.json["missing"] == len(missing)
            assert [part["number"] for part in reply.json["parts"]] == (numbers or missing)
            self._take(reply.json["parts"])
        else:
            assert reply.code == ("already_complete" if self._object else "upload_gone")

    @precondition(lambda self: self.begun)
    @rule(
        instance=INSTANCES,
        faults=st.tuples(*[st.lists(FAULTS, max_size=2)] * 3),
        race=st.sampled_from(RACES),
        moment=st.sampled_from(CALLS_OF_A_COMPLETION),
    )
    def complete(self, instance: int, faults: tuple[list[str], ...], race: str, moment: str) -> None:
        for name, planned in zip(CALLS_OF_A_COMPLETION, faults, strict=True):
            self.oss.fail(name, *planned)
        if race:
            self.oss.between[moment] = self._racing(race, 1 - instance)
        reply = self._ask(instance, "multipart-complete", ticket=self.begun["ticket"])
        self.oss.between.clear()
        self.oss.faults.clear()
        is_disturbed = bool(race) or any(map(any, faults))
        if self.now >= self.ends:
            assert reply.code == "forbidden"
        elif reply.status == 200:
            self._check_receipt(reply)
        elif reply.code == "incomplete":
            assert not self._object
            assert reply.json["error"]["missing"]
        elif reply.code == "already_exists":
            assert self._stranger_is_there
        elif reply.code == "upload_gone":
            assert not self._open
            assert not self._object
        else:
            assert is_disturbed
            assert reply.code in FAILED
        if not is_disturbed and self.now < self.ends and not self._stranger_is_there:
            assert (reply.status == 200) == bool(self._object)

    @precondition(lambda self: self._open and self.now < self.ends)
    @rule(instance=INSTANCES)
    def send_and_complete(self, instance: int) -> None:
        """Where nothing goes wrong."""
        self.send_what_is_missing(instance)
        reply = self._ask(instance, "multipart-complete", ticket=self.begun["ticket"])
        assert reply.status == 200 or (reply.code == "already_exists" and self._stranger_is_there)
        self._check_receipt(reply)

    def _racing(self, race: str, instance: int) -> Callable[[], None]:
        def happens() -> None:
            # The faults that were planned are for the call that is disturbed.
            faults, self.oss.faults = self.oss.faults, {}
            if race == "complete":
                self._check_receipt(self._ask(instance, "multipart-complete", ticket=self.begun["ticket"]))
            elif race == "abort":
                self._note(self._ask(instance, "multipart-abort", ticket=self.begun["ticket"]))
            else:
                self.send(1, 0)
            self.oss.faults = faults

        return happens

    def _check_receipt(self, reply: stage.Reply) -> None:
        if reply.status != 200:
            return
        stored = self._object
        assert stored is not None, "a receipt without an object"
        assert not self.is_aborted, "a receipt of what was given up"
        assert (reply.json["etag"], reply.json["size"]) == (stored.etag, stored.size)
        assert self.answer in ("", reply.text), "two receipts for one upload"
        self.answer = reply.text

    @precondition(lambda self: self.begun)
    @rule(instance=INSTANCES, faults=st.lists(FAULTS, max_size=2), looks=st.lists(FAULTS, max_size=2))
    def give_up(self, instance: int, faults: list[str], looks: list[str]) -> None:
        self.oss.fail("AbortMultipartUpload", *faults)
        self.oss.fail("HeadObject", *looks)
        self._note(self._ask(instance, "multipart-abort", ticket=self.begun["ticket"]))
        self.oss.faults.clear()

    def _note(self, reply: stage.Reply) -> None:
        if reply.status == 200:
            assert reply.json == {"state": "aborted"}
            assert not self._open
            self.is_aborted = True
        elif reply.code == "already_complete":
            assert self._object
        else:
            assert reply.code in (FAILED if self.now < self.ends else {"forbidden"})

    @precondition(lambda self: self.begun and (not self._open or self.now >= self.ends))
    @rule()
    def take_the_next_file(self) -> None:
        self._forget()

    # --- what happens around it ---

    @rule(instance=INSTANCES)
    def an_instance_is_replaced(self, instance: int) -> None:
        self.world.functions[instance] = self.world.new_instance()

    @rule(minutes=st.sampled_from([1, 1, 1, 5, 5, 14, 16, 50, 120, 1440]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.oss.age(days=1)

    @precondition(lambda self: self.begun and not self._object)
    @rule(size=st.sampled_from([1, PART]))
    def somebody_else_stores_something_there(self, size: int) -> None:
        """With keys of their own, and all but the proof that it is this upload's."""
        headers = {"content-type": "video/mp4", "x-oss-meta-upload-id": "B" * 22}
        self.oss.objects[self.begun["key"]] = Stored((Part(STRANGER, size),), headers, "private")

    # --- what holds at every moment ---

    @invariant()
    def there_is_the_whole_file_or_none(self) -> None:
        for key, stored in self.oss.objects.items():
            if _is_a_stranger_s(stored):
                continue
            assert [part.size for part in stored.parts] == self.plans[key]
            assert [part.name.split()[:2] for part in stored.parts] == [
                [key, str(number)] for number in range(1, len(stored.parts) + 1)
            ]

    @invariant()
    def what_was_given_up_never_appears(self) -> None:
        assert not (self.is_aborted and self._object)

    @invariant()
    def a_receipt_s_object_stays(self) -> None:
        assert not self.answer or self._object

    def teardown(self) -> None:
        """Whatever was left behind, the bucket's rule removes it."""
        self.time_passes(1440)
        assert self.oss.uploads == {}


def _is_a_stranger_s(stored: Stored) -> bool:
    return stored.parts[0].name == STRANGER


def run(
    lives: int = LIVES, machine: type[PartedUploads] = PartedUploads, steps: int = STEPS, shrinks: bool = True
) -> Result:
    started = time.monotonic()
    result = Result("proof")
    try:
        live(machine, lives=lives, steps=steps, shrinks=shrinks)
    except (AssertionError, ExceptionGroup) as error:
        result.problems.append(f"uploads in parts: {error}")
    result.figures.append((f"lives of large files, {steps} steps each, with whole files only", f"{lives:,}"))
    result.totals = Counter({"lives of large files": lives})
    result.seconds = time.monotonic() - started
    return result
