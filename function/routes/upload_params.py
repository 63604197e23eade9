"""``/upload-params``: signed forms for one file, or for several, all or nothing."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from function.addresses import claims_by_address, client_address
from function.body import read_json_object
from function.callers import Caller, identify
from function.grants import UPLOADS
from function.http import Request
from function.instance import Instance
from function.limits import Claim
from function.log_line import LogLine
from function.oss.post_form import iso
from function.profiles import Profile
from function.receipts.ticket import callback_field
from function.settings import Settings
from function.uploads.classic_page import refuse_among_several
from function.uploads.plan import PlannedUpload, plan_upload
from function.uploads.wanted import WantedFile, profile_of, read_fields, read_files, read_query


def answer(request: Request, instance: Instance, now: datetime, line: LogLine) -> dict[str, Any]:
    """
    Returns:
        for one file its form; for ``files`` ``{"uploads": […], "serverTime": …}``.
    """
    caller = identify(request.headers, instance.settings, now)
    line.owner = caller.owner
    if request.method == "GET":
        return _answer_one(read_query(request.query), caller, request, instance, now, line)
    fields = read_json_object(request.body)
    if fields.get("files") is None:
        return _answer_one(read_fields(fields), caller, request, instance, now, line)
    return _answer_several(read_files(fields["files"]), caller, request, instance, now, line)


def _answer_one(
    wanted: WantedFile, caller: Caller, request: Request, instance: Instance, now: datetime, line: LogLine
) -> dict[str, Any]:
    profile = profile_of(wanted, instance.settings.profiles)
    line.profile = profile.name
    _count(1, caller, request, instance, now)
    planned = plan_for(caller, wanted, profile, instance.settings, instance.new_id(), now)
    (signed,) = _sign([planned], request, instance, now, line)
    line.key, line.upload_id = planned.rule.key, planned.upload_id
    return signed


def _answer_several(
    files: Sequence[WantedFile],
    caller: Caller,
    request: Request,
    instance: Instance,
    now: datetime,
    line: LogLine,
) -> dict[str, Any]:
    profiles = [profile_of(wanted, instance.settings.profiles) for wanted in files]
    line.profile = [profile.name for profile in profiles]
    refuse_among_several(profiles)
    _count(len(files), caller, request, instance, now)
    planned = [
        plan_for(caller, wanted, profile, instance.settings, instance.new_id(), now)
        for wanted, profile in zip(files, profiles, strict=True)
    ]
    signed = _sign(planned, request, instance, now, line)
    line.key = [upload.rule.key for upload in planned]
    line.upload_id = [upload.upload_id for upload in planned]
    return {"uploads": signed, "serverTime": iso(now)}


def _count(forms: int, caller: Caller, request: Request, instance: Instance, now: datetime) -> None:
    """Before anything is planned: a flood should cost as little as can be."""
    settings = instance.settings
    claims: Sequence[Claim] = [Claim("forms", settings.caller_rate, caller.owner, forms)]
    if settings.caller_kind.is_counted_by_address:
        address = client_address(request, settings.client_address_header)
        claims = claims_by_address("forms", settings.caller_rate, address, forms)
    instance.limits.take(claims, now)


def plan_for(
    caller: Caller, wanted: WantedFile, profile: Profile, settings: Settings, upload_id: str, now: datetime
) -> PlannedUpload:
    """What this caller's form will admit, with the callback that the profile asks for."""
    return plan_upload(
        wanted,
        profile,
        owner=caller.owner,
        upload_id=upload_id,
        now=now,
        settings=settings,
        callback_field=partial(callback_field, settings, subject=caller.subject, owner=caller.owner, now=now),
    )


def _sign(
    planned: Sequence[PlannedUpload],
    request: Request,
    instance: Instance,
    now: datetime,
    line: LogLine,
) -> list[dict[str, Any]]:
    """Sign them all with credentials that outlive every one."""
    form_ends = [upload.rule.expires_at for upload in planned]
    obtained = instance.credentials_for(UPLOADS, request.context, now, form_ends)
    line.sts_refreshed = obtained.are_new
    return [upload.sign(obtained.credentials, instance.settings.host, now) for upload in planned]
