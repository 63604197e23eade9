"""
Heartbeat: a timer event continues the due records of every bucket, in turns by kind and owner.

A tick may run twice at once, stop after any call, and come late: a due record is removed only when nothing is
left to do for it. Nothing waits behind the failure of something else: a record that fails by itself is due
again later, and a service that fails is asked once for each owner.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from importlib import import_module

from function.annotations import Any
from function.context import RequestContext
from function.errors import AlreadyExists, Forbidden, UploadError
from function.oss import due
from function.oss.client import OssClient, oss_clients, require_client
from function.oss.due import PAUSES, Due, Unreadable
from function.request_log import encode, log
from function.webhook import FIRST_SECONDS

TICK_SECONDS = 20.0
# No turn begins with less; none is cut for other owners before it has had this long.
TURN_SECONDS, LONG_SECONDS = 0.5, 6.5
# Module and function that continue a record, most urgent kind first. It gets the context, a client of the
# bucket and the record, which it reads and removes; after False the owner's others wait for the next tick.
KINDS: Mapping[str, tuple[str, str]] = {
    "decision": ("function.holding.commands", "continue_decision"),
    "check": ("function.holding.due_check", "continue_check"),
    "clean": ("function.holding.clean_copy", "continue_cleaning"),
    "label": ("function.holding.label_record", "continue_label"),
    "webhook": ("function.operations.deliveries", "continue_delivery"),
    "replace": ("function.holding.replaced_deletion", "continue_replacement"),
    "erase": ("function.owners.erasure", "continue_erasure"),
    "doctor": ("function.operations.tick", "end_probe"),
}
# An unreadable record is removed when it has been due for this long.
UNREADABLE_FOR = timedelta(days=7)
# A record whose receipt is refused, in which time its profile may hold again, goes after the longest hold.
REFUSED_FOR = timedelta(days=31)
# What a service keeps waiting is an error of the log about once an hour: owners take turns.
HOUR, SOME_MINUTES = timedelta(hours=1), timedelta(minutes=3)

Found = tuple[OssClient, Due]
# By kind, then by owner.
Queues = dict[str, dict[str, deque[Found]]]


def continue_due(context: RequestContext, attempt: Callable[[Callable[[], None]], None]) -> None:
    """
    List what is due in each bucket, then continue it in turns; once no time is left it stays.

    Args:
        attempt: runs a step and notes its failure, which stops no other step.
    """
    locations = {
        profile.location.bucket: profile.location
        for profile in reversed([*context.settings.profiles.values()])
        # Erasures may be due in any.
        if profile.gives_receipts or context.settings.erase
    }
    found: list[Found] = []
    # However many buckets there are, each has time for a long turn.
    share = LONG_SECONDS + TURN_SECONDS
    clients = oss_clients(context, locations.values(), seconds=TICK_SECONDS, share=share)
    for client in clients.values():
        # Half of the tick is for what they list, whichever of them hang.
        with context.within(TICK_SECONDS / 2 / len(clients)):
            attempt(partial(_list, context, client, found))
    context.line.due = context.line.left = len(found)
    _take_turns(context, _queues(context, found), attempt)


def _list(context: RequestContext, client: OssClient | UploadError, found: list[Found]) -> None:
    oss = require_client(client)
    for record in due.sample_due(oss, context.now):
        # One of an unknown kind belongs to a newer version.
        if not record.kind or record.kind in KINDS:
            found.append((oss, record))


def _queues(context: RequestContext, found: Iterable[Found]) -> Queues:
    """Sort records by kind and owner; who is first, and which of an owner's records, changes each minute."""
    # Successive minutes begin at places that lie evenly around.
    place = context.now.timestamp() // 60 * due.GOLDEN_RATIO % 1
    queues: Queues = {kind: {} for kind in (*KINDS, "")}
    for oss, record in found:
        queues[record.kind].setdefault(record.owner, deque()).append((oss, record))
    rotated: Queues = {}
    for kind, owners in queues.items():
        names = deque(sorted(owners))
        names.rotate(-int(place * len(names)))
        for records in owners.values():
            records.rotate(-int(place * len(records)))
        rotated[kind] = {name: owners[name] for name in names}
    return rotated


def _take_turns(
    context: RequestContext, queues: Queues, attempt: Callable[[Callable[[], None]], None]
) -> None:
    """
    Continue one record after the other: of the kind that has had the least time, of the next owner.

    A turn leaves half of the time to the other kinds that wait; a long one half of the rest to other owners.
    """
    monotonic = context.instance.monotonic
    spent = dict.fromkeys(queues, 0.0)
    ended: set[tuple[str, str, str]] = set()
    while waiting := [kind for kind in queues if queues[kind]]:
        kind = min(waiting, key=lambda each: spent[each])
        owners = queues[kind]
        owner = next(iter(owners))
        records = owners.pop(owner)
        oss, record = records.popleft()
        left = context.seconds_left()
        if left <= TURN_SECONDS:
            return
        share = left / 2 if len(waiting) > 1 else left
        share = max(share / 2, min(share, LONG_SECONDS)) if owners else share
        # The buckets share the time as well.
        if oss.seconds_left() > TURN_SECONDS and (oss.bucket, kind, owner) not in ended:
            began = monotonic()
            with context.within(share):
                attempt(partial(_turn, context, oss, record, ended))
            spent[kind] += monotonic() - began
        if records:
            # Behind all others.
            owners[owner] = records


def _turn(context: RequestContext, oss: OssClient, record: Due, ended: set[tuple[str, str, str]]) -> None:
    """Continue a record, or make it due again later; a service that fails ends its owner's turns."""
    # First attempts share their seconds; writing an event down may take as long after each record.
    context.webhook_seconds = min(context.webhook_seconds, FIRST_SECONDS)
    context.has_cleaned = False
    # Each owner asks a checker once.
    context.wechat_failed, context.aliyun_has_failed = frozenset(), False
    try:
        is_up = _continue(context, oss, record)
    except UploadError as error:
        error.reason = f"{record.name}: {error.reason}"
        if error.is_own:
            _postpone(context, oss, record, error.reason)
        else:
            ended.add((oss.bucket, record.kind, record.owner))
            _log_late(context, record, error.reason)
        raise
    except Exception:
        # A mistake of ours, which the next record need not meet.
        _postpone(context, oss, record, "internal_error")
        raise
    if not is_up:
        ended.add((oss.bucket, record.kind, record.owner))
        _log_late(context, record, context.line.reason or "its service does not respond")


def _continue(context: RequestContext, oss: OssClient, record: Due) -> bool:
    line = context.line
    try:
        if not record.kind:
            raise Unreadable
        module, function = KINDS[record.kind]
        is_up: bool = getattr(import_module(module), function)(context, oss, record)
    except Unreadable:
        line.reason, is_up = f"{record.name}: unreadable due record", True
        if context.now - record.at < UNREADABLE_FOR:
            return True
        due.remove(oss, record.name)
    except AlreadyExists as error:
        # Another object has the name: repeating changes nothing.
        line.reason, is_up = f"{record.name}: {error.reason}", True
        due.remove(oss, record.name)
    except Forbidden as error:
        # Its profile holds nothing now, and may again.
        line.reason = f"{record.name}: {error.reason}"
        _postpone(context, oss, record, line.reason, REFUSED_FOR)
        return True
    line.left -= 1
    return is_up


def _postpone(
    context: RequestContext, oss: OssClient, record: Due, reason: str, most: timedelta = timedelta.max
) -> None:
    """Make a record that failed by itself due again later, with its count; each hour it is an error."""
    # If this fails as well, the record keeps its time.
    with suppress(UploadError, Unreadable):
        fields = due.read(oss, record)
        if fields is None:
            return
        failures, written = _count(fields) + 1, due.instant_of(fields, "at")
        if context.now - written > most:
            _log_stuck(record, reason)
            due.remove(oss, record.name)
            return
        at, fields = context.now + due.pause_after(failures), {**fields, "failures": failures}
        due.write(oss, record.kind, record.owner, record.id, at, fields, written)
        due.remove(oss, record.name)
        if failures >= len(PAUSES):
            _log_stuck(record, reason)


def _count(fields: Mapping[str, Any]) -> int:
    failures: Any = fields.get("failures")
    return failures if type(failures) is int and failures > 0 else 0


def _log_late(context: RequestContext, record: Due, reason: str) -> None:
    late = context.now - record.at
    if late >= HOUR and late % HOUR < SOME_MINUTES:
        _log_stuck(record, reason)


def _log_stuck(record: Due, reason: str) -> None:
    log.error(encode({"due": "stuck", "name": record.name, "reason": reason}))


def end_probe(_context: RequestContext, oss: OssClient, record: Due) -> bool:
    """Remove a record of ``manage.py doctor --timer``, which sees by that that ticks run."""
    return due.complete(oss, record, lambda _fields: None)
