"""Every check of a deployment, in the order in which one depends on another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import sleep

from function.config.profile import CHECK
from function.config.settings import Settings
from function.sts.credentials import AccessKeys
from ops.doctor.account import check_account
from ops.doctor.configuration import check_costs, check_settings
from ops.doctor.content_check import check_content, openid_in
from ops.doctor.deployed import check_callback, check_features, check_function, check_push
from ops.doctor.exchange import log_in_at
from ops.doctor.findings import Finding, Refused, State, joined
from ops.doctor.identity import check_keys, check_sts
from ops.doctor.places import each_place, told
from ops.doctor.services import check_bucket, check_clock, check_login
from ops.doctor.timer import check_timer, may_be_due
from ops.doctor.uploads import Uploads
from ops.terminal.language import Text

LOGIN = Text("Login at the function", "在函数处登录")
UPLOADS = Text("Uploads", "上传")
_NO_FORMS = Text("not tried: the deployed function signs the forms", "没有试：表单由已部署的函数签发")
_ASK_THE_FUNCTION = Text(
    "Add --url and --code (or --token). Before the first deployment check-deploy and setup say what to mend.",
    "请加 --url 和 --code（或 --token）；第一次部署之前，由 check-deploy 和 setup 检查。",
)
_ITS_OWN_ROLE = Text(
    "(no harm: the deployed function signs with its own role)", "（无妨：已部署的函数用自己的角色签名）"
)


@dataclass(frozen=True)
class Visit:
    """
    Options of an examination.

    Args:
        url: of the deployed function; empty: worked out from ``CALLBACK_URL``.
        code, token: to ask the deployed function for forms.
        content_check: whether WeChat is asked to look at something, which spends two checks of the day.
        openid: of a user whom WeChat has just seen; empty: whom code or token name.
        caller: name or id of the caller whose user all these are; empty: the first one of several.
        timer: whether a tick is waited for, which takes minutes.
    """

    url: str = ""
    code: str = ""
    token: str = ""
    uploads: bool = True
    content_check: bool = False
    openid: str = ""
    timer: bool = False
    caller: str = ""


def examine(environ: Mapping[str, str], visit: Visit) -> Iterator[Finding]:
    """Yield each finding once it is known: of settings and callers, of each bucket, of the function."""
    settings, findings = check_settings(environ)
    yield from findings
    if settings is None:
        yield from check_function(visit.url.rstrip("/"))
        return
    callers = sorted(settings.callers, key=lambda entry: visit.caller not in (entry.name, entry.id))
    settings = settings._replace(callers=tuple(callers))
    visit = replace(visit, url=function_url(settings, visit.url))
    yield from check_costs(settings)
    logins = [entry for entry in settings.callers if entry.kind.log_in]
    for entry in logins:
        yield check_login(entry, settings, datetime.now(UTC))
    asks_function = _asks_function(settings, visit)
    keys, finding = check_keys(environ)
    yield _not_needed(finding) if asks_function else finding
    if keys is not None:
        yield from check_account(environ, settings)
    if visit.code and (visit.content_check or (visit.uploads and asks_function and not visit.token)):
        # It is good once, and whatever comes later needs its user.
        app, code = logins[0].id.partition(":")[2] if logins else "", visit.code
        visit = replace(visit, code="")
        try:
            visit = replace(visit, token=log_in_at(visit.url, code, app))
        except Refused as error:
            yield Finding(LOGIN, State.BAD, error.said, error.remedy)
    elif visit.uploads and not asks_function:
        yield Finding(UPLOADS, State.SKIPPED, _NO_FORMS, _ASK_THE_FUNCTION)
    places = each_place(settings)
    for there in places:
        yield from told(settings, places, there, _of_place(there, visit, keys, asks_function))
    yield check_callback(settings)
    yield from check_push(settings, visit.url)
    findings = check_function(visit.url)
    yield from findings
    if findings[0].state is State.GOOD:
        yield from check_features(visit.url, visit.token, settings.profiles)


def _of_place(
    there: Settings, visit: Visit, keys: AccessKeys | None, asks_function: bool
) -> Iterator[Finding]:
    """Examine one bucket as if it were the only one."""
    now = datetime.now(UTC)
    yield check_clock(there, now)
    yield check_bucket(there)
    able_keys = None
    if keys is not None:
        finding = check_sts(there, keys, now)
        able_keys = keys if finding.state is State.GOOD else None
        yield _not_needed(finding) if asks_function else finding
    if visit.uploads and _asks_function(there, visit):
        course = Uploads(there, visit.url, visit.token, now)
        yield from _by_forms(course)
        yield course.remove(keys)
    if visit.content_check:
        openid = visit.openid or openid_in(visit.token, there, now)
        yield from check_content(there, openid, able_keys, now)
    if able_keys is not None and may_be_due(there):
        yield check_timer(there, able_keys, datetime.now(UTC), sleep if visit.timer else None)


def _asks_function(settings: Settings, visit: Visit) -> bool:
    """Return whether the deployed function gives us forms."""
    return bool(visit.url) and (bool(visit.code or visit.token) or settings.caller_auth == "anonymous")


def _not_needed(finding: Finding) -> Finding:
    """Keys of this machine that cannot sign say nothing against a function that signs with its own."""
    if finding.state is State.GOOD:
        return finding
    return replace(finding, state=State.UNSURE, said=joined(finding.said, _ITS_OWN_ROLE))


def _by_forms(course: Uploads) -> Iterator[Finding]:
    settings = course.settings
    profiles = [one for one in settings.profiles.values() if settings.may_use(settings.callers[0], one)]
    for profile in profiles:
        yield course.check_profile(profile)
    yield from map(course.check_changed_key, profiles[:1])
    yield from map(course.check_public_page, (one for one in profiles if one.takes_filename))
    # What follows is tried for one profile each: they all go the same way.
    stored = [one for one in profiles if one.name in course.stored]
    # Confirming an upload whose check comes first would have WeChat look at a dot.
    confirmed = [one for one in stored if one.hold[:1] != (CHECK,)]
    for profile in [one for one in confirmed if course.stored[one.name] in course.tickets][:1]:
        ticket = course.tickets[course.stored[profile.name]]
        yield course.check_confirmation(profile, ticket)
    for profile in [one for one in stored if one.read and not one.is_held][:1]:
        yield course.check_reading(profile, course.stored[profile.name])
    for profile in [one for one in profiles if one.parts][:1]:
        yield course.check_parts(profile)


def function_url(settings: Settings, url: str) -> str:
    """Return the URL of the function: as given, else that of its callback."""
    return (url or (settings.callback_url or "").removesuffix("/callback")).rstrip("/")
