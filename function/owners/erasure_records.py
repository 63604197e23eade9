"""
Records of erasures, below ``held/.erasures/`` in ``OSS_BUCKET`` where a profile has it, else in the first
bucket by name. What began in another bucket, before the profiles changed, ends there.

The state of an owner's erasure is a chain of numbered records, each written without overwriting: of two
workers that continue one state, one is refused and stops. The last record of an erasure stays for good. A
mark for each owner with a running erasure tells every instance to give that owner no forms.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from function.annotations import Any, NamedTuple
from function.config.key_template import ERASURES, RECORD_ID
from function.config.profile import BucketLocation
from function.context import RequestContext
from function.errors import AlreadyExists, Forbidden, OssRejected, OssUnavailable, StsRejected
from function.http.json_body import object_in
from function.oss.client import OssClient, budget, oss_client
from function.oss.instants import instant_in, iso
from function.oss.listing import list_objects
from function.oss.objects import delete_object, get_record, put_record
from function.oss.versions import Entry, Markers, delete_many

RUNNING = f"{ERASURES}running/"
OWNER = "[a-z2-7]{26}"
# Fields that stand in the name of a record.
NAMED = ("owner", "number")
# An instance learns of an erasure after this at the latest.
RUNNING_FOR = timedelta(minutes=1)
# Longer than any worker lives.
LEASE = timedelta(minutes=1)
# For the list of them.
LIST_SECONDS = 3.0


class Erasure(NamedTuple):
    """
    State of an erasure.

    Args:
        number: of its record; ``base`` is that of the first one.
        due: ends the wait for forms that are out: a pass that begins then, or later, may be the last.
        rests_until: nothing is done before.
        pass_began: the pass over all steps; ``None`` between passes.
        plan: digest of the steps of this pass, or the last; ``profiles`` are those that it covers.
        step, after: where the pass goes on.
        found: of this pass, what there was; ``blocked`` is what is under retention.
        first, last: Last-Modified of the oldest and newest object that was deleted.
        done: when the last pass ended.
        leased: when the worker that continues it took it; ``None`` for none.
    """

    owner: str
    erasure: str
    number: int
    base: int
    began: datetime
    due: datetime
    rests_until: datetime
    pass_began: datetime | None = None
    plan: str = ""
    profiles: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()
    step: int = 0
    after: Markers = Markers()
    found: int = 0
    blocked: int = 0
    deleted: int = 0
    aborted: int = 0
    first: datetime | None = None
    last: datetime | None = None
    done: datetime | None = None
    leased: datetime | None = None

    def is_leased(self, now: datetime) -> bool:
        """Return whether a worker may still continue it."""
        return self.leased is not None and timedelta(0) <= now - self.leased < LEASE

    def with_deleted(self, versions: Iterable[Entry]) -> "Erasure":
        """Return the state after these were deleted."""
        gone = [*versions]
        dates = [each.last_modified for each in gone if each.last_modified]
        first = min([*dates, *([self.first] if self.first else [])], default=None)
        last = max([*dates, *([self.last] if self.last else [])], default=None)
        return self._replace(first=first, last=last, deleted=self.deleted + len(gone))


def places(context: RequestContext) -> list[BucketLocation]:
    """Return a location of each bucket where such records may be; erasures begin in the first."""
    settings = context.settings
    every = sorted({profile.location for profile in settings.profiles.values()}, reverse=True)
    by_bucket = {each.bucket: each for each in every}
    return sorted(by_bucket.values(), key=lambda each: (each.bucket != settings.bucket, each))


def records_client(context: RequestContext, seconds_left: Any = None, bucket: str = "") -> OssClient:
    """Return a client for these records in a bucket; by default where erasures begin."""
    place = next(each for each in places(context) if bucket in ("", each.bucket))
    return oss_client(context, place, seconds_left)


def latest(oss: OssClient, owner: str) -> Erasure | None:
    """Return the last state of this owner's last erasure; ``None`` if there never was one."""
    prefix = f"{ERASURES}{owner}/"
    names = [each.key for each in list_objects(oss, prefix) if each.key[len(prefix) :].isdecimal()]
    if not names:
        return None
    last = max(names)
    try:
        return _read(owner, int(last[len(prefix) :]), object_in(get_record(oss, last) or b"") or {})
    # Or another worker took it away, once there was a later one.
    except (ValueError, TypeError, KeyError):
        raise OssUnavailable(reason=f"{last}: invalid record") from None


def save(oss: OssClient, state: Erasure) -> Erasure | None:
    """Write the next record, and return it; ``None`` if another worker was first."""
    following = state._replace(number=state.number + 1)
    try:
        put_record(oss, _name(following), json.dumps(_fields(following)).encode(), forbid_overwrite=True)
    except AlreadyExists:
        return None
    return following


def mark(oss: OssClient, owner: str, erasure: str) -> None:
    """Tell every instance that an erasure of this owner runs."""
    put_record(oss, f"{RUNNING}{owner}-{erasure}", b"{}")


def unmark(oss: OssClient, owner: str, erasure: str) -> None:
    """Tell every instance that this erasure does not run, or not any more."""
    delete_object(oss, f"{RUNNING}{owner}-{erasure}")


def finish(oss: OssClient, state: Erasure) -> None:
    """Take the mark away, and all records of this erasure but its last; repeating it is harmless."""
    unmark(oss, state.owner, state.erasure)
    earlier = [_name(state._replace(number=number)) for number in range(state.base, state.number)]
    delete_many(oss, [Entry(name, "") for name in earlier])


def _name(state: Erasure) -> str:
    return f"{ERASURES}{state.owner}/{state.number:09}"


def _fields(state: Erasure) -> dict[str, Any]:
    values = {name: value for name, value in state._asdict().items() if name not in NAMED}
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _read(owner: str, number: int, fields: Mapping[str, Any]) -> Erasure:
    """Return the state in a record; raise ``ValueError``, ``TypeError`` or ``KeyError`` if it is none."""
    kinds = {name: kind for name, kind in Erasure.__annotations__.items() if name not in NAMED}
    values = {name: _value(kind, fields[name]) for name, kind in kinds.items()}
    return Erasure(owner=owner, number=number, **values)


def _value(kind: Any, value: Any) -> Any:
    if kind == datetime | None and value is None:
        return None
    if kind in (datetime, datetime | None):
        return instant_in(value)
    if kind in (Markers, tuple[str, ...]):
        texts = [_value(str, text) for text in value]
        return Markers(*texts) if kind is Markers else tuple(texts)
    if type(value) is not kind or (kind is int and value < 0):
        raise ValueError(kind)
    return value


class RunningErasures:
    """Owners with a running erasure, as this instance last read them."""

    def __init__(self) -> None:
        self.owners: frozenset[str] = frozenset()
        self.read_at: datetime | None = None
        # Where erasures begin, then other buckets until they have no mark any more.
        self.places: list[BucketLocation] = []


def refuse_while_erasing(context: RequestContext, owner: str) -> None:
    """
    Raise ``Forbidden`` if this owner's erasure runs; the list of them is read once a minute at most.

    Raises:
        UploadError: the list cannot be read; then no owner gets a form.
    """
    running = context.instance.keep(RunningErasures, RunningErasures)
    age = context.now - running.read_at if running.read_at else RUNNING_FOR
    if not timedelta(0) <= age < RUNNING_FOR:
        first, *others = running.places or places(context)
        # A form needs OSS for nothing else: where that hangs, each would take ten seconds.
        seconds_left = budget(context.monotonic, LIST_SECONDS)
        owners = {first: _marked(context, first, seconds_left)}
        for place in others:
            # Without the right there, no erasure ever began there.
            with suppress(OssRejected, StsRejected):
                owners[place] = _marked(context, place, seconds_left)
        running.places = [place for place in owners if place == first or owners[place]]
        running.owners, running.read_at = frozenset().union(*owners.values()), context.now
    if owner in running.owners:
        raise Forbidden("This caller's data is being erased.", reason="an erasure runs")


def _marked(context: RequestContext, place: BucketLocation, seconds_left: Callable[[], float]) -> set[str]:
    """Return the owners of the marks in a bucket."""
    oss = oss_client(context, place, seconds_left)
    names = [each.key.removeprefix(RUNNING) for each in list_objects(oss, RUNNING)]
    return {name[:26] for name in names if re.fullmatch(f"{OWNER}-{RECORD_ID}", name)}
