"""Admission of uploads: erasure, rate, replacement and hooks, before anything is signed."""

from collections.abc import Mapping, Sequence

from function.annotations import Any
from function.auth import Caller, check_profile
from function.config.profile import Profile
from function.context import RequestContext
from function.errors import BadRequest
from function.limits.rate_limit import Reservation
from function.uploads.plan import PlannedUpload
from function.uploads.request import UploadRequest


def reserve_forms(context: RequestContext, caller: Caller, profiles: Sequence[Profile]) -> Reservation:
    """
    Reserve a form of each profile.

    Raises:
        Forbidden: the caller may not use a profile, or everything of the caller is being erased.
    """
    if context.settings.only is None:
        context.line.caller = caller.entry.id
        for profile in profiles:
            check_profile(context, caller.entry.app, profile)
    if context.settings.erase:
        from function.owners.erasure_records import refuse_while_erasing

        refuse_while_erasing(context, caller.owner)
    items = context.rate_limit_items("forms", context.settings.caller_rate, caller.owner, len(profiles))
    return context.instance.limiter.reserve(caller.owner, items, context.now, context.line)


def check_replacement(context: RequestContext, caller: Caller, file: UploadRequest, profile: Profile) -> None:
    """Check that an upload may replace the object that its request names, if it names one."""
    if file.replaces:
        from function.owners.deletion import check_replaced
        from function.reading import profiles_with_keys

        check_replaced(file.replaces, caller.owner, profile, profiles_with_keys(context, caller.entry))


def refuse_replacing_each_other(planned: Sequence[PlannedUpload], replaced: Sequence[str | None]) -> None:
    """Refuse a request that replaces one of its own files: the response would say that it exists."""
    keys = {upload.key for upload in planned}
    for index, (upload, old) in enumerate(zip(planned, replaced, strict=True)):
        if old in keys - {upload.key}:
            raise BadRequest(f"files[{index}].replaces must not be the key of another of these files.")


def apply_hooks(
    context: RequestContext, caller: Caller, file: UploadRequest, profile: Profile
) -> tuple[UploadRequest, Profile]:
    """Return an upload as ``hooks.py`` changes it, if there is one."""
    path = context.instance.hooks_file
    if path is None:
        return file, profile
    from function.uploads.before_sign_hook import Hooks

    hooks = context.instance.keep(Hooks, lambda: Hooks(path, context.instance.hooks_seconds))
    return hooks.apply(caller, file, profile, context.now)


def with_quota(form: dict[str, Any], quotas: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """Add what is left of the profile's quota, if it has one."""
    return {**form, "quota": quotas[profile.name]} if profile.name in quotas else form
