"""``/upload-params``: signed forms for one file, or for several, all or nothing."""

from collections.abc import Sequence
from datetime import datetime

from function.annotations import Any
from function.auth import Caller, identify
from function.config.profile import Profile, SessionKey
from function.context import RequestContext
from function.errors import BadRequest
from function.http.json_body import read_json_object
from function.lifecycle.admission import (
    apply_hooks,
    check_replacement,
    refuse_replacing_each_other,
    reserve_forms,
    with_quota,
)
from function.limits.rate_limit import Reservation
from function.oss.instants import iso
from function.sts.session_policy import UPLOADS
from function.uploads.plan import PlannedUpload, plan_upload
from function.uploads.request import (
    UploadRequest,
    profile_of,
    read_fields,
    read_files,
    read_query,
    refuse_among_several,
)


def handle(context: RequestContext) -> dict[str, Any]:
    """Return for one file its form; for ``files`` ``{"uploads": […], "serverTime": …}``."""
    request = context.request
    caller = identify(context.request.headers, context.settings, context.now)
    context.line.owner = caller.owner
    if request.method == "GET":
        return _one_form(context, caller, read_query(request.query))
    fields = read_json_object(request.body)
    if fields.get("files") is None:
        return _one_form(context, caller, read_fields(fields))
    return _several_forms(context, caller, read_files(fields["files"]))


def _one_form(context: RequestContext, caller: Caller, file: UploadRequest) -> dict[str, Any]:
    profile = profile_of(file, context.settings.profiles)
    context.line.profile = profile.name
    (planned,), (form,) = _forms(context, caller, [(file, profile)])
    context.line.key, context.line.upload_id = planned.key, planned.upload_id
    return form


def _several_forms(context: RequestContext, caller: Caller, files: Sequence[UploadRequest]) -> dict[str, Any]:
    profiles = [profile_of(file, context.settings.profiles) for file in files]
    context.line.profile = [profile.name for profile in profiles]
    refuse_among_several(profiles)
    planned, forms = _forms(context, caller, list(zip(files, profiles, strict=True)))
    context.line.key = [upload.key for upload in planned]
    context.line.upload_id = [upload.upload_id for upload in planned]
    return {"uploads": forms, "serverTime": iso(context.now)}


def _forms(
    context: RequestContext, caller: Caller, files: Sequence[tuple[UploadRequest, Profile]]
) -> tuple[list[PlannedUpload], list[dict[str, Any]]]:
    """Return the planned uploads, and of each its form, or that the object exists already."""
    reservation = reserve_forms(context, caller, [profile for _, profile in files])
    for file, profile in files:
        if file.replaces:
            # In parts it would be confirmed without a ticket of the form.
            if not (profile.confirm or profile.callback):
                raise BadRequest("replaces needs a profile with confirm or callback.")
            check_replacement(context, caller, file, profile)
    trace = context.line.traceparent
    planned = [
        plan_upload(
            caller,
            *apply_hooks(context, caller, file._replace(trace=trace) if trace else file, profile),
            context.settings,
            context.instance.new_id(),
            context.now,
        )
        for file, profile in files
    ]
    if len(planned) > 1:
        refuse_replacing_each_other(planned, [file.replaces for file, _ in files])
    stored = _stored_already(context, reservation, planned)
    missing = [upload for upload in planned if upload.upload_id not in stored]
    sizes = [
        (profile, upload.rule.max_size_bytes)
        for upload, (_, profile) in zip(planned, files, strict=True)
        if upload.upload_id not in stored
    ]
    with reservation.take(sizes) as quotas:
        forms = _sign(context, missing)
    for upload in planned if stored else ():
        _replace_by_stored(context, upload, stored.get(upload.upload_id))
    return planned, [
        stored.get(upload.upload_id) or with_quota(forms[upload.upload_id], quotas, profile)
        for upload, (_, profile) in zip(planned, files, strict=True)
    ]


def _stored_already(
    context: RequestContext, reservation: Reservation, planned: Sequence[PlannedUpload]
) -> dict[str, dict[str, Any]]:
    """Return the responses about existing objects by upload id; they cost no quota, only rate."""
    tickets = [upload.ticket for upload in planned if upload.ticket and upload.is_named_by_digest]
    if not tickets:
        return {}
    reservation.count_rate()
    # Neither this module nor the client of OSS is imported before.
    from function.lifecycle.deduplication import stored_responses

    return stored_responses(context, tickets)


def _replace_by_stored(context: RequestContext, planned: PlannedUpload, response: Any) -> None:
    """Delete the object that one which exists already replaces; a held one does so once it is published."""
    if response is None or "held" in response:
        return
    ticket = planned.ticket
    if ticket and ticket.replaces:
        from function.holding.replaced_deletion import CLOCKS_DIFFER_BY, delete_replaced

        delete_replaced(context, ticket, planned.key, context.now + CLOCKS_DIFFER_BY)


def _sign(context: RequestContext, planned: Sequence[PlannedUpload]) -> dict[str, dict[str, Any]]:
    """Return the signed forms by upload id; credentials outlive every one."""
    sessions = [upload.location.session(UPLOADS) for upload in planned]
    ends: dict[SessionKey, list[datetime]] = {}
    for session, upload in zip(sessions, planned, strict=True):
        ends.setdefault(session, []).append(upload.rule.expires_at)
    credentials = {session: context.credentials(session, ends[session]) for session in ends}
    return {
        upload.upload_id: upload.sign(credentials[session], context.now)
        for session, upload in zip(sessions, planned, strict=True)
    }
