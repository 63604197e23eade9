"""``/upload-params``: signed forms for one file, or for several, all or nothing."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from function.auth import Caller, identify
from function.config.profile import Profile, Session
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import BadRequest, Misconfigured
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem, claims_of_caller
from function.oss.post_form import UploadRule, iso
from function.session_policy import UPLOADS
from function.uploads.plan import PlannedUpload, plan_upload, refuse_among_several
from function.uploads.request import UploadRequest, profile_of, read_fields, read_files, read_query
from function.uploads.tickets import callback_field, issue_ticket


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        for one file its form; for ``files`` ``{"uploads": […], "serverTime": …}``.
    """
    request = context.request
    caller = identify(request.headers, context.settings, context.now)
    context.line.owner = caller.owner
    if request.method == "GET":
        return _answer_one(context, caller, read_query(request.query))
    fields = read_json_object(request.body)
    if fields.get("files") is None:
        return _answer_one(context, caller, read_fields(fields))
    return _answer_several(context, caller, read_files(fields["files"]))


def _answer_one(context: RequestContext, caller: Caller, wanted: UploadRequest) -> dict[str, Any]:
    profile = profile_of(wanted, context.settings.profiles)
    context.line.profile = profile.name
    (planned,), (form,) = _plan_and_sign(context, caller, [(wanted, profile)])
    context.line.key, context.line.upload_id = planned.key, planned.upload_id
    return form


def _answer_several(
    context: RequestContext, caller: Caller, files: Sequence[UploadRequest]
) -> dict[str, Any]:
    profiles = [profile_of(wanted, context.settings.profiles) for wanted in files]
    context.line.profile = [profile.name for profile in profiles]
    refuse_among_several(profiles)
    planned, forms = _plan_and_sign(context, caller, list(zip(files, profiles, strict=True)))
    context.line.key = [upload.key for upload in planned]
    context.line.upload_id = [upload.upload_id for upload in planned]
    return {"uploads": forms, "serverTime": iso(context.now)}


def _plan_and_sign(
    context: RequestContext, caller: Caller, files: Sequence[tuple[UploadRequest, Profile]]
) -> tuple[list[PlannedUpload], list[dict[str, Any]]]:
    """What these files may become, and the answer to each: its form, or that it is there already."""
    # Before anything is planned: a flood should cost as little as can be. A quota must know the sizes.
    if not context.settings.quota_url:
        count_forms(context, caller, len(files))
    planned = [
        plan_for(
            caller,
            *by_own_rules(context, caller, wanted, profile),
            context.settings,
            context.instance.new_id(),
            context.now,
        )
        for wanted, profile in _traced(context, files)
    ]
    if context.settings.quota_url:
        return planned, _count_and_sign(context, caller, planned, [profile for _, profile in files])
    stored = _stored_already(context, planned)
    forms = iter(_sign(context, [upload for upload in planned if upload.ticket not in stored]))
    return planned, [stored.get(upload.ticket) or next(forms) for upload in planned]


def _count_and_sign(
    context: RequestContext, caller: Caller, planned: Sequence[PlannedUpload], profiles: Sequence[Profile]
) -> list[dict[str, Any]]:
    """The same, counted in one go. What is there already costs no quota; that OSS is asked costs the rate."""
    from function.limits.quota import count, counted

    claims = claims_of_forms(context, caller, len(planned))
    if any(upload.is_named_by_digest for upload in planned):
        count(context, caller.owner, claims)
        claims = ()
    stored = _stored_already(context, planned)
    missing = [
        (upload, profile)
        for upload, profile in zip(planned, profiles, strict=True)
        if upload.ticket not in stored
    ]
    sizes = [(profile, upload.rule.max_size_bytes) for upload, profile in missing]
    with counted(context, caller.owner, claims, sizes) as quotas:
        forms = iter(_sign(context, [upload for upload, _ in missing]))
    return [
        stored.get(upload.ticket) or with_quota(next(forms), quotas.get(profile.name))
        for upload, profile in zip(planned, profiles, strict=True)
    ]


def with_quota(form: dict[str, Any], quota: dict[str, Any] | None) -> dict[str, Any]:
    return {**form, "quota": quota} if quota else form


def _traced(
    context: RequestContext, files: Sequence[tuple[UploadRequest, Profile]]
) -> Sequence[tuple[UploadRequest, Profile]]:
    trace = context.line.traceparent
    return [(wanted._replace(trace=trace), profile) for wanted, profile in files] if trace else files


def _stored_already(context: RequestContext, planned: Sequence[PlannedUpload]) -> dict[str, dict[str, Any]]:
    if not any(upload.is_named_by_digest for upload in planned):
        return {}
    # Imported by those who need it alone.
    from function.uploads.deduplication import answers_about_stored

    return answers_about_stored(context, [upload.ticket for upload in planned if upload.is_named_by_digest])


def _sign(context: RequestContext, planned: Sequence[PlannedUpload]) -> list[dict[str, Any]]:
    """Their forms, signed with credentials that outlive every one."""
    if not planned:
        return []
    form_ends: dict[Session, list[datetime]] = {}
    for upload in planned:
        form_ends.setdefault(upload.location.session(UPLOADS), []).append(upload.rule.expires_at)
    credentials = {session: context.credentials(session, ends) for session, ends in form_ends.items()}
    return [upload.sign(credentials[upload.location.session(UPLOADS)], context.now) for upload in planned]


def count_forms(context: RequestContext, caller: Caller, forms: int) -> None:
    """Within this instance."""
    context.instance.limiter.hit(claims_of_forms(context, caller, forms), context.now)


def claims_of_forms(context: RequestContext, caller: Caller, forms: int) -> tuple[RateLimitItem, ...]:
    settings = context.settings
    return claims_of_caller(context.request, settings, caller.owner, "forms", settings.caller_rate, forms)


def by_own_rules(
    context: RequestContext, caller: Caller, wanted: UploadRequest, profile: Profile
) -> tuple[UploadRequest, Profile]:
    """What ``hooks.py`` leaves of an upload; where there is none, all of it."""
    path = context.instance.hooks_file
    if path is None:
        return wanted, profile
    # Imported by those who have one alone.
    from function.uploads.hooks import Hooks

    rules = context.instance.keep(Hooks, lambda: Hooks(path))
    return rules.apply(caller.subject, caller.owner, wanted, profile)


def plan_for(
    caller: Caller, wanted: UploadRequest, profile: Profile, settings: Settings, upload_id: str, now: datetime
) -> PlannedUpload:
    """
    What this caller's form will admit, with the ticket and the callback that the profile asks for.

    Raises:
        BadRequest: what the caller wants to find in the receipt leaves its ticket no room.
    """
    try:
        return _plan(caller, wanted, profile, settings, upload_id, now)
    except Misconfigured:
        if wanted.trace:
            # No upload fails because somebody watches it.
            return plan_for(caller, wanted._replace(trace=None), profile, settings, upload_id, now)
        if wanted.context is None:
            raise
        # Where it is the key alone that is too long, that is said.
        _plan(caller, wanted._replace(context=None), profile, settings, upload_id, now)
    raise BadRequest("context is too long beside a key of this profile.")


def _plan(
    caller: Caller, wanted: UploadRequest, profile: Profile, settings: Settings, upload_id: str, now: datetime
) -> PlannedUpload:
    def ticket(admitted: Profile, rule: UploadRule, of: str) -> str:
        traced = {"trace": wanted.trace} if wanted.trace and admitted.callback else {}
        return issue_ticket(
            settings,
            admitted,
            rule,
            of,
            subject=caller.subject,
            owner=caller.owner,
            said={**wanted.said, **traced},
            now=now,
        )

    return plan_upload(
        wanted,
        profile.for_forms(),
        owner=caller.owner,
        upload_id=upload_id,
        now=now,
        issue_ticket=ticket,
        callback_field=partial(callback_field, settings),
    )
