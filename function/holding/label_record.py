"""
Label of AI-made content of a held upload: read once from its bytes, kept with their ETag in ``labels/<id>``.

The file's own label counts before the declaration in its ticket, that before a reviewer's word.
"""

from datetime import timedelta

from function.ai_label.embed import can_be_carried, label_to_write
from function.ai_label.label import DECLARED, REVIEWED, AiLabel, declared, fields, from_fields, reviewed
from function.annotations import Any
from function.context import RequestContext
from function.errors import AlreadyLabelled, BadRequest, UploadError
from function.holding import records
from function.holding.held_upload import Case, read_recorded
from function.moderation.finding import AI_LABEL, Finding
from function.oss import due
from function.oss.client import OssClient, same_bucket
from function.oss.objects import ObjectFacts, head_object
from function.uploads.ai_labels import read_label

# Kind of the due records of what no request had the time to read.
KIND, DUE_AFTER = "label", timedelta(seconds=1)
# Of a label that a clean copy would lose: nobody could say it, or it has more than is carried over.
NOT_CARRIED = "not-carried"


def read_held_label(case: Case, facts: ObjectFacts | None = None) -> AiLabel | None:
    """
    Return the label of an upload; its bytes are read unless that was done before.

    Args:
        facts: of its object, if they are known; by default of the held one.

    Raises:
        UploadError: as ``read_label``; or a record is invalid.
    """
    upload = case.upload
    found, is_known = _recorded(case)
    if not is_known:
        held = facts or head_object(case.oss, upload.held_key)
        if held is None or not (facts or upload.is_waiting(held, case.now)):
            return upload.content.ai_label
        key = upload.held_key if upload.is_held else upload.key
        found = read_label(case.context, case.oss, key, held)
    label = _with_declaration(case, found)
    if not is_known or label != found:
        _record(case, label)
    return label


def _with_declaration(case: Case, found: AiLabel | None) -> AiLabel | None:
    """Return a label as the receipt has it declared; a confirmation without one may have come after it."""
    said = case.upload.content.ai_label
    return declared(found) if said and said.source == DECLARED else found


def recorded_label(case: Case) -> AiLabel | None:
    """Return the label of an upload as its record has it, else its receipt; its bytes are not read."""
    found, is_known = _recorded(case)
    return _with_declaration(case, found) if is_known else case.upload.content.ai_label


def doubt_about_label(case: Case, *, is_checked: bool, is_by_hand: bool) -> Finding | None:
    """
    Return why the label of an upload leaves to a human whether it is published.

    Args:
        is_checked: True if a check would publish it, which waits for its label; a clean copy does as well.
        is_by_hand: True if a human does.

    Raises:
        UploadError: as ``read_held_label``, where the label is waited for.
    """
    strip = case.upload.profile.strip
    try:
        label = read_held_label(case)
    except UploadError as error:
        if is_checked or strip:
            raise
        case.context.line.reason = f"label: {error.code}, {error.reason}"
        return None
    if is_by_hand or not (is_checked or strip):
        return None
    problem = label.problem if label else ""
    # A declaration says nothing of what stands in a file that could not be examined.
    if strip and (label is None or label.c2pa is None or not can_be_carried(label)):
        problem = problem or NOT_CARRIED
    return Finding(AI_LABEL, errcode=problem) if problem else None


def label_of_copy(case: Case, *, is_labelled: bool) -> AiLabel | None:
    """
    Return the label that a published copy gets, once it was read; ``None`` for none.

    Args:
        is_labelled: whether a reviewer labels it.
    """
    label = recorded_label(case)
    label = reviewed(label) if is_labelled else label
    return label_to_write(label, case.context.settings.ai_label_code, case.upload.upload_id)


def refuse_review(case: Case) -> None:
    """
    Check that a reviewer may label an upload.

    Raises:
        BadRequest: its profile reads no labels, or does not hold it.
        AlreadyLabelled: its file or its uploader did.
    """
    if not (case.upload.is_held and case.upload.profile.ai_label):
        raise BadRequest("aiLabel needs a held upload of a profile with ai_label.")
    label = read_held_label(case)
    if label and label.label and label.source != REVIEWED:
        raise AlreadyLabelled


def note_review(case: Case) -> None:
    """Record that a reviewer labelled an upload, unless that is recorded."""
    known = recorded_label(case)
    if known != (label := reviewed(known)):
        _record(case, label)


def note_label(case: Case) -> None:
    """Write the due record by which a tick reads a label."""
    upload, at = case.upload, case.now + DUE_AFTER
    due.write(case.oss, KIND, upload.owner, upload.upload_id, at, {"receipt": upload.receipt}, case.now)


def continue_label(context: RequestContext, oss: OssClient, record: due.Due) -> bool:
    """
    Read the label that a due record is about.

    Raises:
        Unreadable: the record has no receipt.
        UploadError: as ``read_held_label``; the record stays.
    """

    def act(said: dict[str, Any]) -> None:
        upload = read_recorded(due.text_of(said, "receipt"), oss.bucket, context.settings, context.now)
        if upload.profile.ai_label:
            read_held_label(Case(context, same_bucket(context, oss, upload.profile.location), upload))

    return due.complete(oss, record, act)


def _recorded(case: Case) -> tuple[AiLabel | None, bool]:
    """Return the recorded label of the bytes of a receipt, and whether it is on record."""
    known, upload = case.context.ai_labels, case.upload
    id = upload.profile.location.bucket, upload.upload_id, upload.etag
    if id not in known:
        name = records.label_key(upload.upload_id)
        found = records.get(case.oss, name)
        if found is None or found.get("etag") != upload.etag:
            return None, False
        try:
            known[id] = from_fields(found["label"]) if "label" in found else None
        except ValueError:
            raise records.invalid(name) from None
    return known[id], True


def _record(case: Case, label: AiLabel | None) -> None:
    upload, said = case.upload, {} if label is None else {"label": fields(label)}
    name = records.label_key(upload.upload_id)
    records.put(case.oss, name, {"etag": upload.etag, **said}, case.now)
    case.context.ai_labels[upload.profile.location.bucket, upload.upload_id, upload.etag] = label
