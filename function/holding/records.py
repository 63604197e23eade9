"""
Records of held uploads: small private JSON objects in the bucket, below ``held/.``.

Any instance can continue what another began, because everything is stored there. A record that only one
request may write is created without overwriting, so OSS decides which of two instances was first.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial

from function.annotations import TYPE_CHECKING, Any, NamedTuple
from function.config.key_template import CLEAN, RECORD_ID, RECORDS
from function.errors import AlreadyExists, OssUnavailable, UploadError
from function.holding.held_upload import Shown
from function.holding.transitions import DISCARD, EXPIRE, PUBLISH, REJECT
from function.http.json_body import object_in
from function.moderation.finding import Finding, read_finding
from function.oss.client import OssClient, require_client
from function.oss.instants import instant_in, iso
from function.oss.objects import get_record, put_record

if TYPE_CHECKING:
    from function.ai_label.label import AiLabel
    from function.moderation.wechat_verdict import Verdict

# After these an upload is gone.
ENDS = (DISCARD, EXPIRE)
# More than any check can fail in the days of a hold.
MAX_FAILURES, MAX_CODE = 10**9, 10**10
MAX_SIZE = 10**15

_encode = json.JSONEncoder(separators=(",", ":")).encode


def is_name(text: str) -> bool:
    """Return whether an upload id or trace id may end the name of a record."""
    return re.fullmatch(RECORD_ID, text) is not None


def _name(kind: str, name: str) -> str:
    # They come from receipts and verdicts that were validated: another one could reach a foreign record.
    assert is_name(name)
    return f"{RECORDS}{kind}/{name}"


# Names of records, by the id of an upload, or the trace of a submission.
decision_key = partial(_name, "decided")
rejection_key = partial(_name, "rejected")
copy_key = partial(_name, "copied")
accepted_key = partial(_name, "accepted")
review_key = partial(_name, "review")
check_key = partial(_name, "checks")
verdict_key = partial(_name, "verdicts")
label_key = partial(_name, "labels")


def attempt_key(upload_id: str, turn: int, number: int) -> str:
    """Return the name of a lease: of an attempt at the step that follows a turn of the progress."""
    return _name("attempts", f"{upload_id}-{turn}-{number}")


def fetched_key(upload_id: str, copy: int) -> str:
    """Return the name of the record of WeChat's first fetch of an object, or a copy, from this function."""
    return _name("fetched", f"{upload_id}-c{copy}" if copy else upload_id)


def cleaned_key(upload_id: str, number: int) -> str:
    """Return the name of the record of an attempt to make a clean copy, which is its lease at first."""
    return _name("cleaned", f"{upload_id}-{number}")


def put(oss: OssClient, name: str, fields: Mapping[str, Any], now: datetime) -> None:
    """Write a record; repeating it is harmless."""
    put_record(oss, name, _body(fields, now))


def create(oss: OssClient, name: str, fields: Mapping[str, Any], now: datetime) -> bool:
    """
    Write a record unless it exists; return whether this call wrote it.

    Raises:
        UploadError: OSS refuses, or does not respond; the record may exist or not.
    """
    try:
        put_record(oss, name, _body(fields, now), forbid_overwrite=True)
    except AlreadyExists:
        return False
    return True


def get(oss: OssClient, name: str) -> dict[str, Any] | None:
    """
    Return the fields of a record; ``None`` if there is none.

    Raises:
        UploadError: OSS refuses, or does not respond, or the record is no JSON object.
    """
    body = get_record(oss, name)
    if body is None:
        return None
    fields = object_in(body)
    if fields is None:
        raise invalid(name)
    return fields


def _body(fields: Mapping[str, Any], now: datetime) -> bytes:
    return _encode({**fields, "at": iso(now)}).encode()


def shown_in(name: str, fields: Mapping[str, Any]) -> Shown:
    """
    Return the clean copy in a record.

    Raises:
        OssUnavailable: the record is invalid.
    """
    copy = fields.get("copy")
    if not isinstance(copy, dict):
        raise invalid(name)
    key, etag, content_type = (text_in(name, copy, field) for field in ("key", "etag", "type"))
    if not key.startswith(CLEAN):
        raise invalid(name)
    return Shown(key, etag, number_in(name, copy.get("size"), 0, MAX_SIZE), content_type)


class Decision(NamedTuple):
    """
    The fate of an upload.

    Args:
        action: ``PUBLISH``, ``REJECT``, ``DISCARD`` or ``EXPIRE``.
        by: the step or the caller that decided.
        receipt: of the upload; only the bytes of this receipt are published. Empty if it was discarded by its
            key and none was on record.
        etag: of these bytes.
        at: when it was made.
        finding: of the checker whose verdict decided.
        copied: of a discard, when a copy of the publication that it overrules was sent that may still finish.
        reviewer: name of the person who decided, if a backend sent it.
        copy: the clean copy that is published in place of the bytes of the receipt.
        state: of an upload that expired, until then.
        due: kind of the due record by which a tick tells of it; empty for one of its own.
        is_labelled: True if a reviewer labelled it as suspected to be AI-made.
        label: of AI-made content, that the published copy gets; ``None`` for none.
    """

    action: str
    by: str
    receipt: str
    etag: str
    at: datetime
    finding: Finding | None = None
    copied: datetime | None = None
    reviewer: str = ""
    copy: Shown | None = None
    state: str = ""
    due: str = ""
    is_labelled: bool = False
    label: "AiLabel | None" = None

    @property
    def fields(self) -> dict[str, Any]:
        fields = {
            "decision": self.action,
            "by": self.by,
            "finding": self.finding and self.finding.fields,
            "copied": self.copied and iso(self.copied),
            "reviewer": self.reviewer,
            "copy": self.copy and self.copy.fields,
            "state": self.state,
            "due": self.due,
            "labelled": self.is_labelled,
            "label": self.label and _fields_of(self.label),
            "etag": self.etag,
            "receipt": self.receipt,
        }
        return {name: value for name, value in fields.items() if value}


def get_decision(oss: OssClient, upload_id: str) -> Decision | None:
    """
    Return the decision about an upload; ``None`` until there is one.

    Raises:
        UploadError: as ``get``, or the record is invalid.
    """
    name = decision_key(upload_id)
    fields = get(oss, name)
    if fields is None:
        return None
    action = text_in(name, fields, "decision")
    if action not in (PUBLISH, REJECT, DISCARD, EXPIRE):
        raise invalid(name)
    by, etag = (text_in(name, fields, field) for field in ("by", "etag"))
    # Of what was deleted by its key there may be none.
    receipt = text_in(name, {"receipt": "", **fields}, "receipt")
    copied = time_in(name, fields, "copied") if "copied" in fields else None
    reviewer, due = (text_in(name, {each: "", **fields}, each) for each in ("reviewer", "due"))
    at, finding = time_in(name, fields, "at"), _finding(fields)
    copy = shown_in(name, fields) if "copy" in fields else None
    state = text_in(name, fields, "state") if action == EXPIRE else ""
    is_labelled = fields.get("labelled") is True
    label = _label_in(name, fields["label"]) if "label" in fields else None
    return Decision(
        action, by, receipt, etag, at, finding, copied, reviewer, copy, state, due, is_labelled, label
    )


def _fields_of(label: "AiLabel") -> dict[str, Any]:
    from function.ai_label.label import fields

    return fields(label)


def _label_in(name: str, found: object) -> "AiLabel":
    from function.ai_label.label import from_fields

    try:
        return from_fields(found)
    except ValueError:
        raise invalid(name) from None


def _finding(fields: Mapping[str, Any]) -> Finding | None:
    found = fields.get("finding")
    return read_finding(found) if isinstance(found, dict) else None


def written_at(oss: OssClient, name: str) -> datetime | None:
    """
    Return when a record was last written; ``None`` if there is none.

    Raises:
        UploadError: as ``get``, or the record is invalid.
    """
    fields = get(oss, name)
    return None if fields is None else time_in(name, fields, "at")


class Check(NamedTuple):
    """
    Subject of a submission.

    Args:
        receipt: of the upload, as the record has it.
        stored_at: when OSS stored the object that is checked, to the second; ``None`` if that is unknown.
        number: of the submission.
        copy: number of the clean copy that is checked; 0 for none.
    """

    receipt: str
    stored_at: datetime | None
    number: int
    copy: int

    @property
    def fields(self) -> dict[str, Any]:
        numbers = {"number": self.number if self.number > 1 else 0, "copy": self.copy}
        more = {name: value for name, value in numbers.items() if value}
        return {"receipt": self.receipt, "stored_at": self.stored_at and iso(self.stored_at), **more}


def get_check(oss: OssClient, trace_id: str) -> Check | None:
    """
    Return what a submission is about; ``None`` if it is not of this function.

    Raises:
        UploadError: as ``get``.
    """
    name = check_key(trace_id)
    fields = get(oss, name)
    if fields is None:
        return None
    try:
        stored_at = time_in(name, fields, "stored_at")
    except OssUnavailable:
        stored_at = None
    # A receipt of another type is invalid, and read as such.
    copy = number_in(name, fields.get("copy", 0), 0, MAX_FAILURES)
    return Check(str(fields.get("receipt")), stored_at, 2 if fields.get("number") == 2 else 1, copy)


def checks_of(
    buckets: Iterable[OssClient | UploadError], trace_id: str
) -> dict[tuple[str, Check], OssClient]:
    """
    Find the uploads of a submission; a trace id does not tell the bucket.

    Every bucket is read, so that a forged record in one cannot hide an upload in another.

    Returns:
        by bucket and record, the client that found it.

    Raises:
        UploadError: no record was found, and a bucket could not be read.
    """
    found: dict[tuple[str, Check], OssClient] = {}
    failed: UploadError | None = None
    for bucket in buckets:
        try:
            oss = require_client(bucket)
            record = get_check(oss, trace_id)
        except UploadError as error:
            failed = error
        else:
            if record is not None:
                found[oss.bucket, record] = oss
    if failed is not None and not found:
        raise failed
    return found


def verdict_in(trace_id: str, fields: Mapping[str, Any]) -> "Verdict":
    """
    Return the verdict in a record that was stored because it arrived early.

    Raises:
        OssUnavailable: the record is invalid.
    """
    from function.moderation.finding import Outcome
    from function.moderation.wechat_verdict import Verdict

    name = verdict_key(trace_id)
    outcome = text_in(name, fields, "outcome")
    if outcome not in Outcome.__members__ or "label" not in fields:
        raise invalid(name)
    label = None if fields["label"] is None else number_in(name, fields["label"], -MAX_CODE, MAX_CODE)
    errcode = number_in(name, fields.get("errcode"), -MAX_CODE, MAX_CODE)
    return Verdict(trace_id, Outcome[outcome], label, errcode)


def text_in(name: str, fields: Mapping[str, Any], field: str) -> str:
    value = fields.get(field)
    # A lone surrogate can stand in no URL, header or answer.
    if not isinstance(value, str) or re.search("[\ud800-\udfff]", value):
        raise invalid(name)
    return value


def time_in(name: str, fields: Mapping[str, Any], field: str) -> datetime:
    try:
        return instant_in(text_in(name, fields, field))
    except ValueError:
        raise invalid(name) from None


def number_in(name: str, value: object, least: int, end: int) -> int:
    if not isinstance(value, int) or not least <= value < end:
        raise invalid(name)
    return value


def invalid(name: str) -> OssUnavailable:
    return OssUnavailable(reason=f"{name}: invalid record")
