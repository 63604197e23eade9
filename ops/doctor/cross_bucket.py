"""
The attacks of ``doctor`` from bucket to bucket: what signs for one must be good for nothing in another.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from function.config.profile import BucketLocation
from function.config.settings import Settings
from function.credentials import AccessKeys, StsCredentials
from function.errors import UploadError
from function.session_policy import OBJECTS
from ops.doctor.findings import Finding, State
from ops.doctor.identity import assume
from ops.doctor.objects import check_behind_forms
from ops.doctor.uploads import Uploads
from ops.terminal.language import Text

GOOD_FOR_NOTHING = Text("nothing can be written, read or deleted with them", "不能写、不能读、不能删")


class Stranger(NamedTuple):
    """
    Sessions of one bucket, before another.

    Args:
        uploads: what is behind its forms.

        objects: what reads and deletes there; ``uploads`` again where nothing does.
    """

    bucket: str
    uploads: StsCredentials
    objects: StsCredentials


def strangers(
    places: Iterable[Settings],
    sessions: Mapping[BucketLocation, StsCredentials],
    keys: AccessKeys,
    now: datetime,
) -> list[Stranger]:
    """
    One for each session; of a role that cannot be assumed other checks tell.

    Args:
        sessions: those behind the forms of each place, as far as there are any.
    """
    found = {}
    for there in places:
        uploads = sessions.get(there.home)
        if uploads is not None:
            objects = _objects_session(there, keys, now) or uploads
            found[there.home.session(OBJECTS)] = Stranger(there.bucket, uploads, objects)
    return [*found.values()]


def _objects_session(there: Settings, keys: AccessKeys, now: datetime) -> StsCredentials | None:
    if there.home.session(OBJECTS) not in there.session_policies:
        return None
    try:
        return assume(there, OBJECTS, keys, now)
    except UploadError:
        return None


def check_strangers(course: Uploads, others: Iterable[Stranger]) -> Iterator[Finding]:
    """Have the sessions of other buckets write, read and delete in this one."""
    for other in others:
        if other.bucket != course.settings.bucket:
            yield _attack(course, other)


def _attack(course: Uploads, other: Stranger) -> Finding:
    finding = course.check_keys_of(other.bucket, other.uploads)
    check = finding.check
    if finding.state is State.GOOD and course.stored:
        key = next(iter(course.stored.values()))
        finding = check_behind_forms(course.settings, other.objects, key, course.now)
    if finding.state is State.GOOD:
        finding = replace(finding, said=GOOD_FOR_NOTHING)
    return replace(finding, check=check)
