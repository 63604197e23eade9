"""Replacements: the object that a new upload replaces is deleted once the new one exists."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from function.annotations import Any
from function.config.profile import Profile
from function.context import RequestContext
from function.errors import UploadError
from function.oss import due
from function.oss.client import OssClient, oss_client, same_bucket, with_time_limit
from function.oss.instants import iso
from function.oss.objects import delete_object, head_object
from function.sts.session_policy import DELETIONS
from function.uploads.receipt import Receipt
from function.uploads.tickets import FormTicket, MultipartTicket

# Kind of the due records of deletions that failed.
REPLACE = "replace"
ATTEMPT_SECONDS = 2.0
# If the new object exists already, both its clock and ours may be late.
CLOCKS_DIFFER_BY = timedelta(minutes=1)


def delete_replaced(
    context: RequestContext,
    upload: FormTicket | MultipartTicket | Receipt,
    new: str,
    stored_at: datetime | None = None,
) -> None:
    """
    Delete the object that an upload replaces; a deletion that fails becomes due.

    Args:
        new: key of the new object, which never replaces itself.
        stored_at: when OSS stored the new object, if known: a later object under the old key stays.

    Raises:
        UploadError: it could be neither deleted nor made due; the request may be repeated.
    """
    profile, old = context.settings.profiles[upload.profile], upload.replaces
    if old is None or old == new or not _may_replace(context, profile, upload.owner, old):
        return
    oss = oss_client(context, profile.location)
    try:
        # The rest of the budget is for the due record.
        attempt = with_time_limit(oss, ATTEMPT_SECONDS, context.instance.monotonic)
        if stored_at is None:
            stored = head_object(attempt, new)
            stored_at = stored and stored.last_modified
        if stored_at is not None:
            _delete_older(context, attempt, profile, old, stored_at)
    except UploadError as error:
        context.line.reason = f"not replaced yet: {error.reason}"
        before = iso(stored_at or context.now)
        fields = {"profile": profile.name, "owner": upload.owner, "key": old, "before": before}
        due.write(oss, REPLACE, upload.owner, upload.upload_id, context.now, fields, context.now)


def continue_replacement(context: RequestContext, oss: OssClient, record: due.Due) -> bool:
    """
    Delete the object of a due record, if it still is an older one, and remove the record.

    Raises:
        Unreadable: a field is missing or invalid.
        UploadError: OSS refuses, or does not respond; the next tick continues.
    """
    return due.complete(oss, record, lambda fields: _delete_recorded(context, oss, fields))


def _delete_recorded(context: RequestContext, oss: OssClient, fields: Mapping[str, Any]) -> None:
    profile = context.settings.profiles.get(due.text_of(fields, "profile"))
    owner, key = due.text_of(fields, "owner"), due.text_of(fields, "key")
    before = due.instant_of(fields, "before")
    if profile and profile.location.bucket == oss.bucket and _may_replace(context, profile, owner, key):
        _delete_older(context, oss, profile, key, before)


def _may_replace(context: RequestContext, profile: Profile, owner: str, key: str) -> bool:
    """Check again: a receipt may be signed by the business, and profiles change."""
    template = profile.key._replace(has_inner_folders=context.instance.hooks_file is not None)
    return bool(profile.delete) and template.is_of(key, owner)


def _delete_older(
    context: RequestContext, oss: OssClient, profile: Profile, key: str, before: datetime
) -> None:
    if profile.is_held:
        from function.holding.delete_by_key import delete_by_key
        from function.holding.transitions import BY_OWNER

        delete_by_key(context, oss, profile, key, BY_OWNER, before)
        return
    facts = head_object(oss, key)
    if facts and facts.last_modified < before:
        deletions = same_bucket(context, oss, profile.location, DELETIONS)
        # Not repeated: another object may have the name by then.
        delete_object(deletions, key, is_repeatable=False)
