"""``/upload-params``: signed forms for one file, or for several, all or nothing."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from function.auth import Caller, identify
from function.config.places import Session
from function.config.profile import Profile
from function.config.settings import Settings
from function.context import Call
from function.errors import BadRequest, Misconfigured
from function.http.json_body import read_json_object
from function.limits.addresses import claims_of_caller
from function.limits.rate_limit import Claim
from function.oss.post_form import UploadRule, iso
from function.session_policy import UPLOADS
from function.uploads.classic_page import refuse_among_several
from function.uploads.plan import PlannedUpload, plan_upload
from function.uploads.request import WantedFile, profile_of, read_fields, read_files, read_query
from function.uploads.tickets import callback_field, issue_ticket


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        for one file its form; for ``files`` ``{"uploads": […], "serverTime": …}``.
    """
    request = call.request
    caller = identify(request.headers, call.settings, call.now)
    call.line.owner = caller.owner
    if request.method == "GET":
        return _answer_one(call, caller, read_query(request.query))
    fields = read_json_object(request.body)
    if fields.get("files") is None:
        return _answer_one(call, caller, read_fields(fields))
    return _answer_several(call, caller, read_files(fields["files"]))


def _answer_one(call: Call, caller: Caller, wanted: WantedFile) -> dict[str, Any]:
    profile = profile_of(wanted, call.settings.profiles)
    call.line.profile = profile.name
    (planned,), (form,) = _plan_and_sign(call, caller, [(wanted, profile)])
    call.line.key, call.line.upload_id = planned.key, planned.upload_id
    return form


def _answer_several(call: Call, caller: Caller, files: Sequence[WantedFile]) -> dict[str, Any]:
    profiles = [profile_of(wanted, call.settings.profiles) for wanted in files]
    call.line.profile = [profile.name for profile in profiles]
    refuse_among_several(profiles)
    planned, forms = _plan_and_sign(call, caller, list(zip(files, profiles, strict=True)))
    call.line.key = [upload.key for upload in planned]
    call.line.upload_id = [upload.upload_id for upload in planned]
    return {"uploads": forms, "serverTime": iso(call.now)}


def _plan_and_sign(
    call: Call, caller: Caller, files: Sequence[tuple[WantedFile, Profile]]
) -> tuple[list[PlannedUpload], list[dict[str, Any]]]:
    """What these files may become, and the answer to each: its form, or that it is there already."""
    # Before anything is planned: a flood should cost as little as can be. A quota must know the sizes.
    if not call.settings.quota_url:
        count_forms(call, caller, len(files))
    planned = [
        plan_for(
            caller,
            *by_own_rules(call, caller, wanted, profile),
            call.settings,
            call.instance.new_id(),
            call.now,
        )
        for wanted, profile in _traced(call, files)
    ]
    if call.settings.quota_url:
        return planned, _count_and_sign(call, caller, planned, [profile for _, profile in files])
    stored = _stored_already(call, planned)
    forms = iter(_sign(call, [upload for upload in planned if upload.ticket not in stored]))
    return planned, [stored.get(upload.ticket) or next(forms) for upload in planned]


def _count_and_sign(
    call: Call, caller: Caller, planned: Sequence[PlannedUpload], profiles: Sequence[Profile]
) -> list[dict[str, Any]]:
    """The same, counted in one go. What is there already costs no quota; that OSS is asked costs the rate."""
    from function.limits.counting import count, counted

    claims = claims_of_forms(call, caller, len(planned))
    if any(upload.is_named_by_digest for upload in planned):
        count(call, caller.owner, claims)
        claims = ()
    stored = _stored_already(call, planned)
    missing = [
        (upload, profile)
        for upload, profile in zip(planned, profiles, strict=True)
        if upload.ticket not in stored
    ]
    sizes = [(profile, upload.rule.max_size_bytes) for upload, profile in missing]
    with counted(call, caller.owner, claims, sizes) as quotas:
        forms = iter(_sign(call, [upload for upload, _ in missing]))
    return [
        stored.get(upload.ticket) or with_quota(next(forms), quotas.get(profile.name))
        for upload, profile in zip(planned, profiles, strict=True)
    ]


def with_quota(form: dict[str, Any], quota: dict[str, Any] | None) -> dict[str, Any]:
    return {**form, "quota": quota} if quota else form


def _traced(call: Call, files: Sequence[tuple[WantedFile, Profile]]) -> Sequence[tuple[WantedFile, Profile]]:
    trace = call.line.traceparent
    return [(wanted._replace(trace=trace), profile) for wanted, profile in files] if trace else files


def _stored_already(call: Call, planned: Sequence[PlannedUpload]) -> dict[str, dict[str, Any]]:
    if not any(upload.is_named_by_digest for upload in planned):
        return {}
    # Imported by those who need it alone.
    from function.uploads.deduplication import answers_about_stored

    return answers_about_stored(call, [upload.ticket for upload in planned if upload.is_named_by_digest])


def _sign(call: Call, planned: Sequence[PlannedUpload]) -> list[dict[str, Any]]:
    """Their forms, signed with credentials that outlive every one."""
    if not planned:
        return []
    form_ends: dict[Session, list[datetime]] = {}
    for upload in planned:
        form_ends.setdefault(upload.place.session(UPLOADS), []).append(upload.rule.expires_at)
    obtained = {
        session: call.instance.credentials_for(session, call.request.context, call.now, ends)
        for session, ends in form_ends.items()
    }
    call.line.sts_refreshed = any(each.are_new for each in obtained.values()) or bool(call.line.sts_refreshed)
    return [upload.sign(obtained[upload.place.session(UPLOADS)].credentials, call.now) for upload in planned]


def count_forms(call: Call, caller: Caller, forms: int) -> None:
    """Within this instance."""
    call.instance.limits.take(claims_of_forms(call, caller, forms), call.now)


def claims_of_forms(call: Call, caller: Caller, forms: int) -> tuple[Claim, ...]:
    settings = call.settings
    return claims_of_caller(call.request, settings, caller.owner, "forms", settings.caller_rate, forms)


def by_own_rules(
    call: Call, caller: Caller, wanted: WantedFile, profile: Profile
) -> tuple[WantedFile, Profile]:
    """What ``hooks.py`` leaves of an upload; where there is none, all of it."""
    path = call.instance.hooks_file
    if path is None:
        return wanted, profile
    # Imported by those who have one alone.
    from function.uploads.hooks import OwnRules

    rules = call.instance.keep(OwnRules, lambda: OwnRules(path))
    return rules.apply(caller.subject, caller.owner, wanted, profile)


def plan_for(
    caller: Caller, wanted: WantedFile, profile: Profile, settings: Settings, upload_id: str, now: datetime
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
    caller: Caller, wanted: WantedFile, profile: Profile, settings: Settings, upload_id: str, now: datetime
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
