"""
Clean copy of a held picture: processed by OSS, made private, and verified by its own bytes.

OSS does not say whether its processing drops metadata: what it leaves is cut out here, and only what is
walked to its end and has none is shown. A copy that nobody waits for any more is deleted by its due record.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

from function.annotations import TYPE_CHECKING
from function.config.content_types import default_disposition
from function.config.key_template import CLEAN, OWNER
from function.config.profile import META_PREFIX, UPLOAD_ID_METADATA
from function.context import RequestContext
from function.errors import Forbidden, OssUnavailable
from function.holding import picture_metadata as pictures
from function.holding import records
from function.holding.clean_record import get_cleaning
from function.holding.held_upload import HeldUpload, Shown, read_recorded
from function.holding.picture_size import MAX_PIXELS, pixels_of
from function.holding.records import get_decision
from function.holding.transitions import PUBLISH
from function.moderation.picture_structure import JPEG, MAX_BYTES, PNG, WEBP, PictureFile, kind_of
from function.oss import due
from function.oss.client import OssClient
from function.oss.objects import (
    ObjectFacts,
    delete_object,
    first_bytes,
    head_object,
    process_object,
    put_object,
    read_object,
    read_range,
    set_private,
)

if TYPE_CHECKING:
    from function.ai_label.label import AiLabel

RANGE_BYTES = 1024 * 1024
UNSUPPORTED, TOO_LARGE, CHANGED = "unsupported", "too large", "the held object changed"
# Content type and processing by kind. A quality makes OSS encode anew what it might else return as it was.
PROCESSES = {
    JPEG: ("image/jpeg", "image/auto-orient,1/format,jpg/quality,q_90"),
    PNG: ("image/png", "image/auto-orient,1/format,png"),
    WEBP: ("image/webp", "image/auto-orient,1/format,webp/quality,q_90"),
}
OTHERS = "-"
# Kind of the due records that delete copies. What was processed has been stored by then, or never will be.
KIND, DUE_AFTER = "clean", timedelta(minutes=5)


def make_clean_copy(
    context: RequestContext, oss: OssClient, upload: HeldUpload, number: int
) -> Shown | str | None:
    """
    Make and verify the clean copy of a held object.

    Args:
        number: of this attempt.

    Returns:
        the copy; the reason if the picture cannot be cleaned; ``None`` if another request makes this attempt.

    Raises:
        OssUnavailable: the held object changed meanwhile.
        UploadError: OSS refuses, or does not respond; another attempt may be made later.
    """
    # A receipt that the business signed may name any owner.
    folder = upload.owner if re.fullmatch(OWNER, upload.owner) else OTHERS
    name, key = records.cleaned_key(upload.upload_id, number), f"{CLEAN}{folder}/{context.instance.new_id()}"
    attempt = {"source": upload.etag, "key": key}
    if not records.create(oss, name, attempt, context.now):
        return None
    held = head_object(oss, upload.held_key)
    if not upload.is_waiting(held, context.now):
        raise OssUnavailable(reason=CHANGED)
    kind, problem = _examine(oss, upload, held)
    made: Shown | str = problem
    if not problem:
        fields = {"receipt": upload.receipt, "key": key}
        id, at = f"{upload.upload_id}-{number}", context.now + DUE_AFTER
        due.write(oss, KIND, upload.owner, id, at, fields, context.now)
        made = process_object(oss, upload.held_key, key, PROCESSES[kind][1]) or _verify(oss, kind, key)
    # Other bytes may have been there meanwhile; then OSS gives it a new date.
    if head_object(oss, upload.held_key) != held:
        raise OssUnavailable(reason=CHANGED)
    if isinstance(made, str):
        records.put(oss, name, {**attempt, "problem": made}, context.now)
        delete_object(oss, key)
        return made
    records.put(oss, name, {**attempt, "copy": made.fields}, context.now)
    return made._replace(number=number)


def _verify(oss: OssClient, kind: str, key: str) -> Shown | str:
    """Make what OSS has stored private and free of metadata; return the reason if that is impossible."""
    # OSS gives it the ACL of the bucket.
    set_private(oss, key)
    content_type, facts = PROCESSES[kind][0], _facts(oss, key)
    if facts.size_bytes > MAX_BYTES:
        return TOO_LARGE
    left, spans = pictures.metadata_in(kind, _file(oss, key, facts))
    if spans:
        body = pictures.without(kind, read_object(oss, key, MAX_BYTES) or b"", spans)
        again = PictureFile(len(body), lambda at, count: body[at : at + count], RANGE_BYTES)
        left, _ = pictures.metadata_in(kind, again)
        put_object(oss, key, body, content_type)
        facts = _facts(oss, key)
    return left or Shown(key, facts.etag, facts.size_bytes, content_type, facts.last_modified)


def _facts(oss: OssClient, key: str) -> ObjectFacts:
    facts = head_object(oss, key)
    if facts is None:
        raise OssUnavailable(reason="the clean copy disappeared")
    return facts


def _examine(oss: OssClient, upload: HeldUpload, held: ObjectFacts) -> tuple[str, str]:
    """Return the kind of picture that a held object becomes, and the reason if it cannot be cleaned."""
    if held.size_bytes > MAX_BYTES:
        return "", TOO_LARGE
    beginning, encoding = first_bytes(oss, upload.held_key, pictures.FIRST_BYTES)
    kind = "" if encoding else pictures.kind_after_cleaning(beginning)
    if not kind:
        return kind, UNSUPPORTED
    # Decoding costs by the pixel, whatever the file weighs.
    if pixels_of(beginning, _file(oss, upload.held_key, held)) > MAX_PIXELS:
        return kind, TOO_LARGE
    # OSS turns a JPEG by its EXIF, as its pages say.
    if kind in (PNG, WEBP):
        return kind, pictures.why_not_cleaned(kind, _file(oss, upload.held_key, held))
    return kind, ""


def _file(oss: OssClient, key: str, facts: ObjectFacts) -> PictureFile:
    return PictureFile(
        facts.size_bytes, lambda at, count: read_range(oss, key, at, count, facts.etag), RANGE_BYTES
    )


def attributes_of(upload: HeldUpload, copy: Shown) -> dict[str, str]:
    """Return type, headers and metadata under which a clean copy is published: those of its form."""
    pinned = {name.lower(): value for name, value in upload.profile.pinned}
    headers = ("cache-control", "content-disposition")
    kept = {name: value for name, value in pinned.items() if name in headers or name.startswith(META_PREFIX)}
    return {
        "content-disposition": default_disposition(copy.content_type),
        **kept,
        "content-type": copy.content_type,
        f"{META_PREFIX}{UPLOAD_ID_METADATA}": upload.upload_id,
    }


def put_labelled(
    oss: OssClient, upload: HeldUpload, copy: Shown, label: "AiLabel", headers: Mapping[str, str]
) -> None:
    """
    Store a clean copy with a label under the key of its upload, the same bytes each time.

    Nothing is stored if the copy is gone, or has other bytes than those that were checked.

    Raises:
        AlreadyExists: the name is taken, perhaps by an earlier try whose response was lost.
        UploadError: OSS refuses, or does not respond.
    """
    import hashlib

    from function.ai_label.embed import embed, packet

    body = read_object(oss, copy.key, MAX_BYTES, etag=copy.etag)
    if body is None:
        return
    made = embed(kind_of(body), body, packet(label))
    # OSS compares what it stores with this.
    digest = b64encode(hashlib.md5(made, usedforsecurity=False).digest()).decode()
    put_object(
        oss,
        upload.key,
        made,
        copy.content_type,
        forbid_overwrite=True,
        acl=upload.profile.acl,
        headers={**headers, "content-md5": digest},
    )


def continue_cleaning(context: RequestContext, oss: OssClient, record: due.Due) -> bool:
    """
    Delete the clean copy of a due record, or look again when its upload ends if it is still waited for.

    Raises:
        Unreadable: a field is missing or invalid.
        UploadError: OSS refuses, or does not respond; the next tick continues.
    """
    fields = due.read(oss, record)
    if fields is None:
        return True
    key = due.text_of(fields, "key")
    if not key.startswith(CLEAN):
        raise due.Unreadable(key)
    upload = None
    # A receipt that is not valid any more is of no upload that waits.
    with suppress(Forbidden):
        upload = read_recorded(due.text_of(fields, "receipt"), oss.bucket, context.settings, context.now)
    if upload is not None and _is_wanted(context, oss, upload, key):
        due.write(oss, KIND, record.owner, record.id, upload.held_until, fields, context.now)
    else:
        delete_object(oss, key)
    due.remove(oss, record.name)
    return True


def _is_wanted(context: RequestContext, oss: OssClient, upload: HeldUpload, key: str) -> bool:
    """Return whether an upload may still be checked, reviewed or published by this copy."""
    if not upload.is_waiting(head_object(oss, upload.held_key), context.now):
        return False
    decision = get_decision(oss, upload.upload_id)
    if decision is None:
        copy = get_cleaning(oss, upload, context.now).copy
    else:
        copy = decision.copy if decision.action == PUBLISH else None
    return copy is not None and copy.key == key
