"""Every check of a deployment, in the order in which one depends on another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from time import sleep

from function.config.profile import CHECK, BucketLocation
from function.config.settings import Settings
from function.sts.credentials import AccessKeys, StsCredentials
from ops.doctor.account import check_account
from ops.doctor.after_upload import check_confirmation, check_parts, check_reading
from ops.doctor.configuration import check_costs, check_settings
from ops.doctor.content_check import check_content, checked_places, openid_in
from ops.doctor.deployed import check_callback, check_features, check_function, check_push
from ops.doctor.exchange import Refused, log_in_at
from ops.doctor.findings import Finding, State, as_one, joined
from ops.doctor.identity import check_keys, check_sts
from ops.doctor.places import each_place, of_each, told
from ops.doctor.services import check_bucket, check_clock, check_login
from ops.doctor.timer import check_timers
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


def examine(environ: Mapping[str, str], visit: Visit, now: datetime | None = None) -> Iterator[Finding]:
    """
    Every check, in the order in which one depends on another; a finding comes as soon as it is known.

    Args:
        now: timezone-aware UTC; the machine's own clock when it is not given.
    """
    settings, findings = check_settings(environ)
    yield from findings
    if settings is None:
        yield from check_function(visit.url.rstrip("/"))
        return
    callers = sorted(settings.callers, key=lambda entry: visit.caller not in (entry.name, entry.id))
    settings = settings._replace(callers=tuple(callers))
    visit = replace(visit, url=function_url(settings, visit.url))
    places = each_place(settings)
    yield from check_costs(settings)
    yield from of_each(settings, places, lambda there: check_clock(there, now or datetime.now(UTC)))
    yield from of_each(settings, places, check_bucket)
    logins = [entry for entry in settings.callers if entry.kind.log_in]
    yield from as_one([check_login(entry, settings, now or datetime.now(UTC)) for entry in logins])
    instant = now or datetime.now(UTC)
    asks_function = _asks_function(settings, visit)
    keys, finding = check_keys(environ)
    yield _not_needed(finding) if asks_function else finding
    sessions: dict[BucketLocation, StsCredentials] = {}
    if keys is not None:
        findings = [*of_each(settings, places, partial(_assumed, sessions, keys, instant))]
        yield from map(_not_needed, findings) if asks_function else findings
        yield from check_account(environ, settings)
    if visit.code and (visit.content_check or (visit.uploads and asks_function and not visit.token)):
        # It is good once, and whatever comes later needs its user.
        visit, failed = _logged_in(visit, logins[0].id.partition(":")[2] if logins else "")
        yield from [failed] if failed else []
    elif visit.uploads and not asks_function:
        yield Finding(UPLOADS, State.SKIPPED, _NO_FORMS, _ASK_THE_FUNCTION)
    if visit.uploads and _asks_function(settings, visit):
        for there in places:
            course = Uploads(there, visit.url, visit.token, instant)
            yield from told(settings, places, there, _uploads(course, visit, keys))
    if visit.content_check:
        yield from _content_of_each(settings, places, visit, sessions, keys, instant)
    reached = [there for there in places if keys and there.home in sessions]
    timers = check_timers(settings, reached, keys, instant, sleep if visit.timer else None)
    yield from as_one([check_callback(settings), *check_push(settings, visit.url), *timers])
    findings = check_function(visit.url)
    yield from findings
    if findings[0].state is State.GOOD:
        yield from check_features(visit.url, visit.token, settings.profiles)


def _content_of_each(
    settings: Settings,
    places: Sequence[Settings],
    visit: Visit,
    sessions: Mapping[BucketLocation, StsCredentials],
    keys: AccessKeys | None,
    now: datetime,
) -> Iterator[Finding]:
    openid = visit.openid or openid_in(visit.token, settings, now)
    checked = checked_places(places)
    for there in checked:
        others = [other for other in checked if other is not there]
        own_keys = keys if there.home in sessions else None
        yield from told(settings, places, there, check_content(there, openid, own_keys, now, others))


def _asks_function(settings: Settings, visit: Visit) -> bool:
    """Return whether the deployed function gives us forms."""
    return bool(visit.url) and (bool(visit.code or visit.token) or settings.caller_auth == "anonymous")


def _assumed(
    sessions: dict[BucketLocation, StsCredentials], keys: AccessKeys, now: datetime, there: Settings
) -> Finding:
    """Assume the role of a bucket and keep its keys."""
    credentials, finding = check_sts(there, keys, now)
    if credentials is not None:
        sessions[there.home] = credentials
    return finding


def _logged_in(visit: Visit, app: str) -> tuple[Visit, Finding | None]:
    """The same visit with a token instead of its code."""
    try:
        return replace(visit, code="", token=log_in_at(visit.url, visit.code, app)), None
    except Refused as error:
        return replace(visit, code=""), Finding(LOGIN, State.BAD, error.said, error.remedy)


def _not_needed(finding: Finding) -> Finding:
    """Keys of this machine that cannot sign say nothing against a function that signs with its own."""
    if finding.state is State.GOOD:
        return finding
    return replace(finding, state=State.UNSURE, said=joined(finding.said, _ITS_OWN_ROLE))


def _uploads(course: Uploads, visit: Visit, keys: AccessKeys | None) -> Iterator[Finding]:
    yield from _by_forms(course, visit)
    yield course.remove(keys)


def _by_forms(course: Uploads, visit: Visit) -> Iterator[Finding]:
    settings = course.settings
    profiles = [one for one in settings.profiles.values() if settings.may_use(settings.callers[0], one)]
    for profile in profiles:
        yield course.check_profile(profile)
    pages = [one for one in profiles if one.takes_filename]
    yield from as_one([*map(course.check_changed_key, profiles[:1]), *map(course.check_public_page, pages)])
    yield from as_one([*_confirming_and_reading(course, visit)])
    for profile in [one for one in profiles if one.parts][:1]:
        yield check_parts(visit.url, visit.token, profile)


def _confirming_and_reading(course: Uploads, visit: Visit) -> Iterator[Finding]:
    """Of one profile each: they all go the same way."""
    stored = [one for one in course.settings.profiles.values() if one.name in course.stored]
    # Confirming an upload whose check comes first would have WeChat look at a dot.
    confirmed = [one for one in stored if one.hold[:1] != (CHECK,)]
    for profile in [one for one in confirmed if course.stored[one.name] in course.tickets][:1]:
        ticket = course.tickets[course.stored[profile.name]]
        yield check_confirmation(course.settings, profile, visit.url, ticket, course.now)
    for profile in [one for one in stored if one.read and not one.is_held][:1]:
        yield check_reading(visit.url, visit.token, profile, course.stored[profile.name])


def function_url(settings: Settings, url: str) -> str:
    """Return the URL of the function: as given, else that of its callback."""
    return (url or (settings.callback_url or "").removesuffix("/callback")).rstrip("/")
