"""
Records of an upload's clean copies: ``cleaned/<id>-<n>``, one for each attempt to make one.

Such a record is first the lease of the request that has OSS process the picture. It names the copy from the
beginning, so that the end of an upload finds all that any attempt has stored or may still store.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from function.annotations import NamedTuple
from function.config.key_template import CLEAN
from function.holding import records
from function.holding.held_upload import HeldUpload, Shown
from function.oss.client import OssClient
from function.oss.objects import head_object

# How long an attempt that left no result counts as under way, or rests, after so many before it.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 5))
# After so many failures a human decides; a backend that publishes by hand may have it tried some more times.
MAX_FAILURES, MAX_ATTEMPTS = 3, 9
FAILED = "failed"


class Cleaning(NamedTuple):
    """
    Cleaning of an upload's picture, as far as it is.

    Args:
        copy: that is there.
        number: of the attempt that may be made; 0 for none.
        next_at: when another one may be made, while none may.
        problem: why a human must decide.
    """

    copy: Shown | None = None
    number: int = 0
    next_at: datetime | None = None
    problem: str = ""


def get_cleaning(oss: OssClient, upload: HeldUpload, now: datetime) -> Cleaning:
    """
    Return how far the cleaning of an upload's picture is.

    Raises:
        UploadError: OSS refuses, or does not respond, or a record is invalid.
    """
    failures = 0
    for number in range(1, MAX_ATTEMPTS + 1):
        name = records.cleaned_key(upload.upload_id, number)
        fields = records.get(oss, name)
        if fields is None:
            return Cleaning(number=number, problem=FAILED if failures >= MAX_FAILURES else "")
        if fields.get("source") != upload.etag:
            # Of other bytes, which the same form has stored.
            continue
        if "problem" in fields:
            return Cleaning(problem=records.text_in(name, fields, "problem"))
        if "copy" in fields:
            copy = records.shown_in(name, fields)
            facts = head_object(oss, copy.key)
            if facts is not None and facts.etag == copy.etag:
                return Cleaning(copy._replace(stored_at=facts.last_modified, number=number))
            continue
        next_at = records.time_in(name, fields, "at") + PAUSES[min(failures, MAX_FAILURES - 1)]
        if now < next_at:
            return Cleaning(next_at=next_at)
        failures += 1
    return Cleaning(problem=FAILED)


def copies_of(oss: OssClient, upload: HeldUpload) -> Iterator[str]:
    """Yield the name of each clean copy that an attempt has stored, or may have."""
    for number in range(1, MAX_ATTEMPTS + 1):
        name = records.cleaned_key(upload.upload_id, number)
        fields = records.get(oss, name)
        if fields is None:
            return
        key = records.text_in(name, fields, "key")
        if not key.startswith(CLEAN):
            raise records.invalid(name)
        yield key
