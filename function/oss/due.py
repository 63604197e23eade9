"""
Due records: work that a tick continues later, named by the minute from which it is due.

They are ``held/.due/<YYYYMMDDHHMM>/<kind>-<owner>-<id>``, ``<kind>--<id>`` without an owner, in UTC and
rounded up, so that nothing is done early, and a listing finds the oldest first and shows whose each is.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf

from function.annotations import Any, NamedTuple
from function.config.key_template import DUE, OWNER, RECORD_ID
from function.http.json_body import object_in
from function.oss.client import OssClient
from function.oss.instants import instant_in, iso
from function.oss.listing import Listed, list_objects, list_page
from function.oss.objects import MAX_RECORD_BYTES, delete_object, get_record, put_record

MINUTE = "%Y%m%d%H%M"
ONE_MINUTE = timedelta(minutes=1)
# After each failure in a row; the last one from then on.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60))
# Of very many records a tick lists the oldest, then two pages at each of so many later minutes, of which the
# last are the newest.
OLDEST, SAMPLES, NEWEST = 3000, 6, timedelta(minutes=2)
# Spreads the samples of successive ticks evenly.
GOLDEN_RATIO = 0.618
NAME = re.compile(rf"{re.escape(DUE)}([0-9]{{12}})/([a-z]+)-((?:{OWNER})?)-({RECORD_ID})")


class Unreadable(Exception):
    """Raised for a due record that lacks the fields of its kind."""


class Due(NamedTuple):
    """
    A due record as a listing shows it.

    Args:
        at: its minute; with an invalid name, when it was stored.
        kind: empty if the name is invalid or the record too large.
    """

    name: str
    at: datetime
    kind: str = ""
    owner: str = ""
    id: str = ""


def pause_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row, at least one."""
    return PAUSES[min(failures, len(PAUSES)) - 1]


def attempt_at(now: datetime, since: datetime) -> int:
    """
    Return the number of the attempt that is due now, of those that began to be due at ``since``.

    One follows each attempt that left no record, ever later: what is not kept costs all the same.
    """
    number, left = 0, now - since
    for number, pause in enumerate(PAUSES):
        if left < pause:
            return number
        left -= pause
    return number + 1 + left // pause


def name_of(kind: str, owner: str, id: str, at: datetime) -> str:
    """
    Return the name of a due record.

    Args:
        kind: lower-case letters.
        owner: left out if it is none of ours: a receipt signed by the business may name any.
        id: as ``RECORD_ID``; the same id at the same minute is the same record.
    """
    minute = (at + ONE_MINUTE - timedelta.resolution).astimezone(UTC)
    whose = owner if re.fullmatch(OWNER, owner) else ""
    name = f"{DUE}{minute:{MINUTE}}/{kind}-{whose}-{id}"
    # Any other name could overwrite another record.
    assert NAME.fullmatch(name)
    return name


def write(
    oss: OssClient, kind: str, owner: str, id: str, at: datetime, fields: Mapping[str, Any], now: datetime
) -> str:
    """Write a due record, and return its name; repeating it is harmless."""
    name = name_of(kind, owner, id, at)
    body = json.dumps({**fields, "at": iso(now)}, separators=(",", ":"))
    put_record(oss, name, body.encode())
    return name


def remove(oss: OssClient, name: str) -> None:
    """Delete a due record, whether it is there or not."""
    delete_object(oss, name)


def read(oss: OssClient, due: Due) -> dict[str, Any] | None:
    """
    Return the fields of a due record; ``None`` if it was removed in the meantime.

    Raises:
        Unreadable: it is no JSON object.
        UploadError: OSS refuses, or does not respond.
    """
    body = get_record(oss, due.name)
    if body is None:
        return None
    fields = object_in(body)
    if fields is None:
        raise Unreadable(due.name)
    return fields


def complete(oss: OssClient, due: Due, act: Callable[[dict[str, Any]], None]) -> bool:
    """Act on the fields of a due record, then remove it; the True is for the tick."""
    fields = read(oss, due)
    # Another tick may have been faster.
    if fields is not None:
        act(fields)
        remove(oss, due.name)
    return True


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """
    Return a text field of a due record.

    Raises:
        Unreadable: it is missing, no text, or cannot be encoded.
    """
    value = fields.get(name)
    if not isinstance(value, str) or re.search("[\ud800-\udfff]", value):
        raise Unreadable(name)
    return value


def instant_of(fields: Mapping[str, Any], name: str) -> datetime:
    """
    Return an instant of a due record.

    Raises:
        Unreadable: it is invalid, or has no time zone.
    """
    try:
        return instant_in(text_of(fields, name))
    except ValueError:
        raise Unreadable(name) from None


def list_due(oss: OssClient, now: datetime, least_seconds: float = -inf) -> Iterator[Due]:
    """
    List the records that are due by now, oldest first, including invalid ones.

    Raises:
        UploadError: OSS refuses, or does not respond, perhaps after some pages.
    """
    for record in map(_due, list_objects(oss, DUE, least_seconds)):
        if record.kind and record.at > now:
            return
        yield record


def sample_due(oss: OssClient, now: datetime) -> Iterator[Due]:
    """
    List the records that are due by now; of very many the oldest, then samples of later minutes.

    What it leaves out is listed by a later tick: each samples other minutes, and each the newest ones, so
    that what many old records hide is found when it becomes due.

    Raises:
        UploadError: as ``list_due``.
    """
    # The other half of the time is for what was found.
    least = oss.seconds_left() / 2
    seen, last = set[str](), now
    for record in islice(list_due(oss, now, least), OLDEST):
        seen.add(record.name)
        last = record.at
        yield record
    if len(seen) < OLDEST:
        return
    phase = now.timestamp() / 60 * GOLDEN_RATIO % 1
    places = [last + (now - last) * (number + phase) / SAMPLES for number in range(SAMPLES)]
    for place in (*places, now - NEWEST):
        for record in _sample(oss, place, now, least):
            if record.name not in seen:
                seen.add(record.name)
                yield record


def _sample(oss: OssClient, place: datetime, now: datetime, least: float) -> Iterator[Due]:
    after = f"{DUE}{place:{MINUTE}}/"
    for _ in range(2):
        if oss.seconds_left() <= least:
            return
        page = list_page(oss, DUE, start_after=after)
        for record in map(_due, page.objects):
            if record.kind and record.at > now:
                return
            yield record
            after = record.name.removesuffix(record.id) + "~"
        # Behind the many records of one owner stand those of others.
        if not page.token:
            return


def _due(listed: Listed) -> Due:
    match = NAME.fullmatch(listed.key)
    if match is None or listed.size_bytes > MAX_RECORD_BYTES:
        return Due(listed.key, listed.last_modified)
    minute, kind, owner, id = match.groups()
    try:
        return Due(listed.key, datetime.fromisoformat(f"{minute[:8]}T{minute[8:]}+00:00"), kind, owner, id)
    except ValueError:
        return Due(listed.key, listed.last_modified)
