"""Deletion of what a key of a profile with ``hold`` has, held or published, and the end of its decision."""

from contextlib import suppress
from datetime import datetime
from functools import partial
from operator import eq

from function.config.key_template import held_name, is_held_name, published_name
from function.config.profile import Profile
from function.context import RequestContext
from function.errors import Forbidden
from function.holding import records
from function.holding.apply_decision import discard_any
from function.holding.held_upload import Case, HeldUpload, read_recorded
from function.holding.publication import check_no_copy_runs, delete_same
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts, head_object
from function.uploads.receipt import Receipt, upload_id_in


def delete_by_key(
    context: RequestContext,
    oss: OssClient,
    profile: Profile,
    key: str,
    by: str,
    before: datetime | None = None,
) -> None:
    """
    Discard the uploads that are held or published under a key; the same form sent again brings nothing back.

    Args:
        oss: of the session for objects.
        by: as of ``Decision``.
        before: only what OSS stored earlier is deleted.

    Raises:
        UploadError: OSS refuses, or does not respond; it may be repeated.
    """
    is_there = False
    # In this order: publishing copies, then deletes, so what is not found at first is found then.
    for name in (held_name(key), key):
        facts = head_object(oss, name)
        if facts is None or (before is not None and facts.last_modified >= before):
            continue
        is_there = True
        upload = _upload_of(context, oss, profile, name, facts)
        if upload is None:
            delete_same(oss, name, partial(eq, facts))
        else:
            discard_any(Case(context, oss, upload), by)
    if not is_there and before is None:
        _check_no_copy_lands(context, oss, profile, key)


def _check_no_copy_lands(context: RequestContext, oss: OssClient, profile: Profile, key: str) -> None:
    """Check that no copy of a publication that was overruled may still get this name, if its id is in it."""
    # The profile that permits the deletion has read the key.
    upload_id = (profile.key.read(key) or {}).get("id")
    if upload_id and (decision := records.get_decision(oss, upload_id)) and decision.copied is not None:
        check_no_copy_runs(oss, upload_id, decision.copied, context.now)


def _upload_of(
    context: RequestContext, oss: OssClient, profile: Profile, name: str, facts: ObjectFacts
) -> HeldUpload | None:
    """
    Return the upload that an object is of, without a receipt if none is on record.

    Returns:
        ``None`` for an object of no upload, or published so long ago that its decision, and before that its
        form, has expired.
    """
    upload_id = upload_id_in(facts)
    decision = records.get_decision(oss, upload_id) if upload_id else None
    if not (decision or (upload_id and is_held_name(name))):
        return None
    receipt = decision.receipt if decision else _recorded_receipt(oss, upload_id)
    with suppress(Forbidden):
        return read_recorded(receipt, oss.bucket, context.settings, context.now)
    content = Receipt(
        upload_id=upload_id,
        key=published_name(name),
        size_bytes=facts.size_bytes,
        etag=facts.etag,
        mime_type=facts.content_type,
        profile=profile.name,
        subject="",
        owner="",
        is_held=True,
        held_until=context.now,
    )
    return HeldUpload(content, "", profile)


def _recorded_receipt(oss: OssClient, upload_id: str) -> str:
    """Return the receipt of an undecided upload, as its progress or review has it; or empty."""
    for name in (records.accepted_key(upload_id), records.review_key(upload_id)):
        if receipt := (records.get(oss, name) or {}).get("receipt"):
            return str(receipt)
    return ""
