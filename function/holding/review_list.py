"""
The list of held uploads that wait for a human, by the end of their hold, soonest first.

A record ``held/.review/<YYYYMMDDHHMMSS>-<id>`` stands for each of them, with the fields of
``held/.review/<id>`` and named by that end, so that a repeated request writes the same one. A decision by
hand removes it; whatever else ends an upload leaves it to the next list, which looks at each upload.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from heapq import merge
from operator import itemgetter

from function.annotations import Any
from function.config.key_template import REVIEWS
from function.context import RequestContext
from function.errors import Forbidden, UploadError
from function.holding import records
from function.holding.clean_record import get_cleaning
from function.holding.current_state import label_of
from function.holding.held_upload import Case, HeldUpload, held_url, read_recorded
from function.http.json_body import object_in
from function.moderation.finding import Finding, read_finding
from function.oss.client import OssClient, oss_clients, require_client, same_bucket
from function.oss.instants import instant_in, iso
from function.oss.listing import list_objects
from function.oss.objects import delete_object, get_record, head_object
from function.uploads.ai_labels import told_label

# Names of this century: those of other records are ids, and few ids begin so; none is a time.
CENTURY, TIMED = "20", re.compile(rf"{re.escape(REVIEWS)}[0-9]{{14}}-")
LIST_SECONDS = 20.0
URL_LIFE = timedelta(minutes=10)
# Browsers show none of these types.
SHOWN_AS_JPEG, AS_JPEG = ("image/heic", "image/heif", "image/tiff"), "image/format,jpg"


def list_for_review(oss: OssClient, upload: HeldUpload, review: Mapping[str, Any], now: datetime) -> None:
    """Put an upload on the list; ``review`` has the fields of its record, with ``at`` once that was read."""
    try:
        at = instant_in(str(review.get("at")))
    except ValueError:
        # It is new, or odd; then it waits since now.
        at = now
    records.put(oss, _name(upload), review, at)


def _name(upload: HeldUpload) -> str:
    return f"{REVIEWS}{upload.held_until:%Y%m%d%H%M%S}-{upload.upload_id}"


def forget_review(case: Case) -> None:
    """Take an upload off the list that was decided; a failure changes no response: a list does it later."""
    try:
        delete_object(case.oss, _name(case.upload))
    except UploadError as error:
        case.context.line.reason = f"review: {error}"


def list_reviews(context: RequestContext, limit: int, after: str) -> tuple[list[dict[str, Any]], str]:
    """
    Return what waits for a human, the soonest end first, and the name after which there may be more.

    A page may be short: it ends early rather than late.

    Args:
        after: only records after this name; empty at first, and at the end.

    Raises:
        UploadError: OSS refuses, or does not respond, for a list, or for one of them while no other is found.
    """
    locations = {
        profile.location.bucket: profile.location
        for profile in reversed([*context.settings.profiles.values()])
        if profile.is_reviewed
    }
    clients = [*map(require_client, oss_clients(context, locations.values(), seconds=LIST_SECONDS).values())]
    found: list[dict[str, Any]] = []
    failed: UploadError | None = None
    begin = after
    for name, oss in merge(*(_names(client, after) for client in clients), key=itemgetter(0)):
        is_late = oss.seconds_left() < LIST_SECONDS / len(clients) / 2
        if len(found) == limit or (is_late and after != begin):
            break
        try:
            found += _item(context, oss, name)
        except UploadError as error:
            # One bad record hides no other.
            failed, context.line.reason = error, error.reason
        after = name
    else:
        after = ""
    if failed and not found:
        raise failed
    return found, after


def _names(oss: OssClient, after: str) -> Iterator[tuple[str, OssClient]]:
    for listed in list_objects(oss, f"{REVIEWS}{CENTURY}", start_after=after):
        if TIMED.match(listed.key):
            yield listed.key, oss


def _item(context: RequestContext, oss: OssClient, name: str) -> list[dict[str, Any]]:
    """Return the upload of a record, or none if it does not wait any more; then the record is removed."""
    body = get_record(oss, name)
    review = body and object_in(body)
    if not review:
        return []
    try:
        upload = read_recorded(str(review.get("receipt")), oss.bucket, context.settings, context.now)
        since = instant_in(str(review.get("at")))
    except (Forbidden, ValueError):
        # Its profile holds nothing now; the bucket's rule ends the record.
        return []
    own = same_bucket(context, oss, upload.profile.location)
    facts = head_object(own, upload.held_key)
    if upload.is_waiting(facts, context.now) and not records.get_decision(own, upload.upload_id):
        if upload.profile.strip:
            upload = upload._replace(copy=get_cleaning(own, upload, context.now).copy)
        ends = upload.ends(facts)
        is_converted = upload.shown.content_type in SHOWN_AS_JPEG
        return [
            {
                "key": upload.key,
                "profile": upload.profile.name,
                "receipt": upload.receipt,
                **context.settings.caller_field(upload.content.app),
                **_found(read_finding(review)),
                **told_label(label_of(Case(context, own, upload))),
                "since": iso(since),
                "heldUntil": iso(ends),
                "hoursLeft": (ends - context.now) // timedelta(hours=1),
                "url": held_url(context, own, upload, URL_LIFE, process=AS_JPEG if is_converted else ""),
                "size": upload.shown.size_bytes,
                "contentType": upload.shown.content_type,
            }
        ]
    # The same form may store the first bytes once more.
    if not (upload.is_ours(facts) and facts.etag != upload.etag):
        delete_object(oss, name)
    return []


def verdict_about(oss: OssClient, upload: HeldUpload) -> dict[str, Any]:
    """
    Return who decided about an upload, and what its check found, as far as there is either; for backends.

    Raises:
        UploadError: OSS refuses, or does not respond, or a record is invalid.
    """
    decision = records.get_decision(oss, upload.upload_id)
    finding = decision.finding if decision else None
    if finding is None and upload.profile.is_reviewed:
        review = records.get(oss, records.review_key(upload.upload_id))
        finding = None if review is None else read_finding(review)
    verdict = _found(finding) if finding else {}
    if decision is None:
        return verdict
    who = {"action": decision.action, "by": decision.by, "reviewer": decision.reviewer or None}
    return {"decision": {**who, "at": iso(decision.at)}, **verdict}


def _found(finding: Finding) -> dict[str, Any]:
    """Return reason, checker and all labels."""
    labels = finding.labels or (() if finding.label is None else (finding.label,))
    errcode = {} if finding.errcode is None else {"errcode": finding.errcode}
    return {"reason": finding.reason, "by": finding.by or None, "labels": [*labels], **errcode}
