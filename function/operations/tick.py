"""
Heartbeat: a timer event continues the due records of every bucket.

A tick may run twice at once, stop after any call, and come late: a due record is removed only when nothing is
left to do for it.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from importlib import import_module

from function.context import RequestContext
from function.errors import AlreadyExists, Forbidden, UploadError
from function.oss import due
from function.oss.client import OssClient, oss_clients, require_client
from function.oss.due import Due, Unreadable
from function.webhook import FIRST_SECONDS

TICK_SECONDS = 20.0
# Module and function that continue a record, most urgent kind first. It gets the context, a client of the
# bucket and the record, which it reads and removes; after False its kind waits for the next tick.
KINDS: Mapping[str, tuple[str, str]] = {
    "decision": ("function.holding.actions", "continue_decision"),
    "check": ("function.holding.actions", "continue_check"),
    "clean": ("function.holding.clean_copy", "continue_cleaning"),
    "webhook": ("function.operations.deliveries", "continue_delivery"),
    "replace": ("function.holding.replacement", "continue_replacement"),
    "erase": ("function.owners.erasure", "continue_erasure"),
    "doctor": ("function.operations.tick", "end_probe"),
}
# An unreadable record is removed when it has been due for this long.
UNREADABLE_FOR = timedelta(days=7)


def continue_due(context: RequestContext, attempt: Callable[[Callable[[], None]], None]) -> None:
    """
    List what is due in each bucket, then continue each record; once no time is left they stay.

    Args:
        attempt: runs a step and notes its failure, which stops no other step.
    """
    locations = {
        profile.location.bucket: profile.location
        for profile in reversed([*context.settings.profiles.values()])
        # Erasures may be due in any.
        if profile.gives_receipts or context.settings.erase
    }
    found: list[tuple[OssClient, Due]] = []
    for client in oss_clients(context, locations.values(), seconds=TICK_SECONDS).values():
        attempt(partial(_list, context, client, found))
    ranks = {kind: rank for rank, kind in enumerate([*KINDS, ""])}
    context.line.due = context.line.left = len(found)
    waiting: set[str] = set()
    for oss, record in sorted(found, key=lambda each: ranks[each[1].kind]):
        attempt(partial(_continue, context, oss, record, waiting))


def _list(
    context: RequestContext, client: OssClient | UploadError, found: list[tuple[OssClient, Due]]
) -> None:
    oss = require_client(client)
    for record in due.list_due(oss, context.now):
        # One of an unknown kind belongs to a newer version.
        if not record.kind or record.kind in KINDS:
            found.append((oss, record))


def _continue(context: RequestContext, oss: OssClient, record: Due, waiting: set[str]) -> None:
    if record.kind in waiting or context.seconds_left() <= 0:
        return
    line = context.line
    # First attempts share their seconds; writing an event down may take as long after each record.
    context.webhook_seconds = min(context.webhook_seconds, FIRST_SECONDS)
    context.has_cleaned = False
    try:
        if not record.kind:
            raise Unreadable
        module, function = KINDS[record.kind]
        if not getattr(import_module(module), function)(context, oss, record):
            waiting.add(record.kind)
    except Unreadable:
        line.reason = f"{record.name}: unreadable due record"
        if context.now - record.at < UNREADABLE_FOR:
            return
        due.remove(oss, record.name)
    except (AlreadyExists, Forbidden) as error:
        # Another object has the name, or the receipt is no longer valid: repeating changes neither.
        line.reason = f"{record.name}: {error.reason}"
        due.remove(oss, record.name)
    except UploadError as error:
        error.reason = f"{record.name}: {error.reason}"
        raise
    line.left -= 1


def end_probe(_context: RequestContext, oss: OssClient, record: Due) -> bool:
    """Remove a record of ``manage.py doctor --timer``, which sees by that that ticks run."""
    return due.complete(oss, record, lambda _fields: None)
