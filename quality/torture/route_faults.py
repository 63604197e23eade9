"""
Every route that asks OSS x its calls x every fault: what is answered, and that a repetition makes it good.

OSS is in memory here, strict about signatures and rights, and remembers what it did before an answer was
lost; the calls themselves meet their faults over real sockets in ``oss_faults``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from quality.torture.report import Result, try_cells
from tests.support import stage
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, MALFORMED, SLOW, UNHEARD
from tests.support.world import PART, PLAIN, World, counted

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
AT_A_TIME = 24
PROFILES = str(Path(__file__).with_suffix(".toml"))
FAULTS = (SLOW, UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED, MALFORMED)
# Not heard, or not whole: what may be sent twice is sent once more.
NOT_DECIDED = {UNHEARD, LOST, BROKEN, BROKEN_AFTER}
SENT_ONCE = {"CompleteMultipartUpload"}
# A success of these is a status of its own, 204; any other one is a refusal.
BARE = {"AbortMultipartUpload"}
STRIKES = (1, 2)
LISTS, LOOKS = "ListParts", "HeadObject"
COMPLETES, DROPS = "CompleteMultipartUpload", "AbortMultipartUpload"


class Trial(World):
    """The client's side of one upload, before two instances; the same each time it is made."""

    def __init__(self) -> None:
        environ = {**PLAIN, "CALLER_AUTH": "anonymous", "PROFILES_FILE": PROFILES}
        super().__init__(environ, lambda: NOW, instances=2, random_bytes=counted())
        self.begun: dict[str, Any] = {}

    def with_ticket(self, route: str, instance: int = 0) -> stage.Reply:
        return self.ask(route, instance=instance, ticket=self.begun["ticket"])

    def sent(self) -> None:
        """A file whose parts have all arrived."""
        self.begun = self.begin(2 * PART + 7, "large")
        self.send(self.begun)

    def stored(self, **fields: Any) -> None:
        self.begun = self.ask("upload-params", **fields).json
        self.oss.store(self.begun["key"], b"a picture", content_type="image/png")


ONCE = {"profile": "once", "filename": "a.png", "sha256": "0" * 64, "size": 9}


@dataclass(frozen=True)
class Situation:
    """
    What is asked when, and what that ends in.

    Args:
        calls: that it makes when all is well.

        code: of the answer when all is well, "" for success.

        fails: whether a failure of OSS is one of the answer; if not, the file is sent once more.
    """

    before: Callable[[Trial], None]
    route: str
    calls: tuple[str, ...]
    code: str = ""
    fails: bool = True
    body: Mapping[str, Any] = field(default_factory=dict)

    def ask(self, world: Trial, instance: int = 0) -> stage.Reply:
        fields = self.body or {"ticket": world.begun["ticket"]}
        return world.ask(self.route, instance=instance, **fields)


COMPLETE, ABORT, PARTS = "multipart-complete", "multipart-abort", "multipart-parts"


def _after(route: str) -> Callable[[Trial], None]:
    def before(world: Trial) -> None:
        world.sent()
        world.with_ticket(route)

    return before


SITUATIONS: Mapping[str, Situation] = {
    "completed": Situation(Trial.sent, COMPLETE, (LISTS, COMPLETES, LOOKS)),
    "completed twice": Situation(_after(COMPLETE), COMPLETE, (LISTS, LOOKS)),
    "completed after abort": Situation(_after(ABORT), COMPLETE, (LISTS, LOOKS), "upload_gone"),
    "aborted": Situation(Trial.sent, ABORT, (DROPS,)),
    "aborted twice": Situation(_after(ABORT), ABORT, (DROPS, LOOKS)),
    "aborted after completion": Situation(_after(COMPLETE), ABORT, (DROPS, LOOKS), "already_complete"),
    "gone on with": Situation(Trial.sent, PARTS, (LISTS,)),
    "gone on with after completion": Situation(_after(COMPLETE), PARTS, (LISTS, LOOKS), "already_complete"),
    "confirmed": Situation(lambda world: world.stored(profile="seen", filename="a.png"), "confirm", (LOOKS,)),
    "stored already": Situation(
        lambda world: world.stored(**ONCE), "upload-params", (LOOKS,), fails=False, body=ONCE
    ),
}


@dataclass(frozen=True)
class Cell:
    """One fault, which strikes the first ``strikes`` tries of one call."""

    situation: str
    call: str
    fault: str
    strikes: int

    def __str__(self) -> str:
        return f"{self.situation} / {self.call} / {self.fault} x {self.strikes}"


def cells() -> Iterator[Cell]:
    for name, situation in SITUATIONS.items():
        for call in situation.calls:
            for fault in FAULTS:
                for strikes in STRIKES:
                    yield Cell(name, call, fault, strikes)


def failure(cell: Cell) -> str:
    """The code that OSS's failure has in the end, "" where it does not show."""
    if cell.fault == SLOW:
        return ""
    if cell.fault in NOT_DECIDED:
        is_made_good = cell.strikes == 1 and cell.call not in SENT_ONCE
        return "" if is_made_good else "oss_unavailable"
    return "oss_rejected" if cell.fault == DENIED or cell.call in BARE else "oss_unavailable"


def attempt(cell: Cell) -> str:
    """What went wrong in this cell; empty when it was as documented."""
    situation = SITUATIONS[cell.situation]
    world = Trial()
    situation.before(world)
    world.oss.fail(cell.call, *[cell.fault] * cell.strikes)
    first = situation.ask(world)
    if len(world.oss.faults[cell.call]) == cell.strikes:
        return "this call was not made"
    failed = failure(cell)
    wanted = failed if failed and situation.fails else situation.code
    if first.code != wanted or (first.status == 200) is not (wanted == ""):
        return f"answered {first.status} {first.code}, documented is {wanted or 'success'}"
    if first.status == 503 and "Retry-After" not in first.headers:
        return "no Retry-After"
    if not situation.fails and ("formData" in first.json) is not bool(failed):
        return "gave a form for what is there, or none where that is not known"
    world.oss.faults.clear()
    # Whoever asks again may meet another instance.
    repeated = [situation.ask(world, instance) for instance in (1, 0)]
    undisturbed, objects = _undisturbed(cell.situation)
    if [_outcome(reply) for reply in repeated] != undisturbed[1:]:
        return "a repetition ended otherwise than where nothing had failed"
    if not failed and _outcome(first) != undisturbed[0]:
        return "answered otherwise than where nothing had failed"
    if (world.oss.objects, set(world.oss.uploads)) != objects:
        return "left something else in the bucket than where nothing had failed"
    return ""


@cache
def _undisturbed(name: str) -> tuple[list[Any], Any]:
    """The outcomes of three tries, and what the bucket holds then, where OSS is well."""
    situation, world = SITUATIONS[name], Trial()
    situation.before(world)
    outcomes = [_outcome(situation.ask(world, instance)) for instance in (0, 1, 0)]
    return outcomes, (world.oss.objects, set(world.oss.uploads))


def _outcome(reply: stage.Reply) -> Any:
    """An answer, byte for byte where it is a success: its receipt, too."""
    return (reply.status, reply.code or reply.text)


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    return try_cells("routes that ask OSS", filter(only, cells()), attempt, AT_A_TIME)
