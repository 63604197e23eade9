"""Rules that relate several settings, or settings and profiles."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from function.annotations import Any
from function.config.green import WECHAT, endpoint_of
from function.config.option_table import OPTIONS
from function.config.profile import CREDENTIALS_MARGIN, Profile, SessionKey, fits
from function.config.profiles import PROFILES_TOML, problem_in
from function.config.setting_table import CallerEntry, CallerKind, Setting, reaches
from function.errors import Problem
from function.messages import Message

# AssumeRole takes no longer session policy.
MAX_POLICY_CHARACTERS = 2048
# WeChat gets a URL that lives an hour, signed by a session that may have been used for a while.
LEAST_SESSION_OF_A_CHECK = timedelta(minutes=90)


def sdk_variables(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Find variables that are no settings of ours, but mislead the SDK."""
    # The SDK silently prefers this pair to the credentials it is given.
    if environ.get("ALIYUN_ACCESS_KEY_ID") or environ.get("ALIYUN_ACCESS_KEY_SECRET"):
        sentence = Message(
            "ALIYUN_ACCESS_KEY_ID and ALIYUN_ACCESS_KEY_SECRET must be unset: the SDK would use them"
            " instead of the function's role (ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET)"
        )
        yield Problem("ALIYUN_ACCESS_KEY_ID", sentence)
    if environ.get("DEBUG", "").lower() == "sdk":
        yield Problem("DEBUG", Message("DEBUG = 'sdk' must be unset: the SDK would print tokens"))


def policies_too_long(policies: Mapping[SessionKey, str]) -> Iterator[Problem]:
    """Find session policies that STS would refuse."""
    for policy in policies.values():
        if len(policy) > MAX_POLICY_CHARACTERS:
            sentence = Message(
                "profiles.toml: all folders together make a session policy of {count} characters;"
                " STS takes {most}. Use fewer or shorter first folders",
                count=len(policy),
                most=MAX_POLICY_CHARACTERS,
            )
            yield Problem(PROFILES_TOML, sentence)


def missing_settings(
    rows: Iterable[Setting],
    values: Mapping[str, Any],
    kind: CallerKind | None,
    profiles: Iterable[Profile],
    refused: Container[str],
) -> Iterator[Problem]:
    """Find settings that others, the caller kind or options of profiles need."""
    allowed = {row.name: row.type.allowed for row in rows}
    needed_by = {need: row.name for row in rows if row.name in values for need in row.needs}
    if kind and kind.needs_tokens:
        needed_by["TOKEN_SECRET"] = f"CALLER_AUTH={values['CALLER_AUTH']}"
    for profile in profiles:
        # Two options that need the same setting are one problem.
        used = [option for option in OPTIONS if option.needs_setting and getattr(profile, option.name)]
        for name, option in {row.needs_setting: row.name for row in used}.items():
            if name == "TOKEN_SECRET":
                user = Message("{option} in [{profile}]", option=option, profile=profile.name)
                needed_by.setdefault(name, user)
            elif name not in values and name not in refused:
                clause = Message("{option} needs {other}", option=option, other=name)
                yield problem_in(profile.name, clause, needs=name)
    for name, by in needed_by.items():
        if name not in values and name not in refused:
            sentence = Message(
                "{name} is missing; {by} needs it. It must be {allowed}",
                name=name,
                by=by,
                allowed=allowed[name],
            )
            yield Problem(name, sentence)


def profiles_and_settings(
    values: Mapping[str, Any],
    kind: CallerKind | None,
    profiles: Iterable[Profile],
    callers: Iterable[CallerEntry] | None = None,
) -> Iterator[Problem]:
    """
    Check lives of signatures against the session, and options that need a caller kind.

    Args:
        callers: all of several; ``None`` with one.
    """
    session = values.get("STS_SESSION_SECONDS")
    profiles = [*profiles]
    if values.get("ERASE") and profiles and not any("{owner}" in each.key.text for each in profiles):
        yield Problem("ERASE", Message("ERASE needs a profile with {{owner}} in key"))
    for profile in profiles:
        yield from _lives_over_the_session(profile, session)
        kinds = {values["CALLER_AUTH"]: kind} if kind else {}
        if callers is not None:
            kinds = {each.kind_name: each.kind for each in callers if reaches(each, profile)}
        elif kind and profile.callers:
            yield problem_in(profile.name, Message("callers needs CALLER_AUTH=several"), needs="CALLER_AUTH")
        yield from _no_owners(profile, [name for name, each in kinds.items() if not each.identifies_callers])
        yield from _no_green(profile, values)
        if profile.is_checked_by_wechat and any(name != WECHAT for name in kinds):
            clause = Message(
                'hold with "check" needs CALLER_AUTH=wechat: WeChat asks for the openid;'
                ' check_by = ["aliyun"] needs no WeChat'
            )
            if callers is not None:
                clause = Message(
                    'hold with "check" lets in callers of WeChat alone: name them in callers,'
                    ' or write check_by = ["aliyun"]'
                )
            yield problem_in(profile.name, clause, needs="CALLER_AUTH")
        elif profile.is_checked_by_wechat and kind and session and session < LEAST_SESSION_OF_A_CHECK:
            clause = Message(
                'hold with "check" needs STS_SESSION_SECONDS of at least {least},'
                " because WeChat gets a URL that lives an hour; it is {session}",
                least=LEAST_SESSION_OF_A_CHECK.seconds,
                session=session.seconds,
            )
            yield problem_in(profile.name, clause, needs="STS_SESSION_SECONDS")


def _no_owners(profile: Profile, shared: Sequence[str]) -> Iterator[Problem]:
    """Find options that need an owner for each caller; ``shared`` are the kinds that give all callers one."""
    if not shared:
        return
    for option, other in (("read", "callers"), ("commit_by", "backend")):
        if getattr(profile, option) == "owner":
            clause = Message(
                '{option} = "owner" needs callers who are told apart, and CALLER_AUTH is {caller_auth};'
                ' write {option} = "{other}", or set CALLER_AUTH to wechat, alipay, douyin or jwt',
                option=option,
                caller_auth=shared[0],
                other=other,
            )
            yield problem_in(profile.name, clause)
    for row in OPTIONS:
        if row.needs_owner and getattr(profile, row.name):
            clause = Message(
                "{option} needs callers who are told apart, and CALLER_AUTH is {caller_auth}; leave out"
                " {option}, or set CALLER_AUTH to wechat, alipay, douyin or jwt",
                option=row.name,
                caller_auth=shared[0],
            )
            yield problem_in(profile.name, clause)


def _no_green(profile: Profile, values: Mapping[str, Any]) -> Iterator[Problem]:
    region = values.get("OSS_REGION")
    if profile.is_checked_by_aliyun and region and not (values.get("GREEN_ENDPOINT") or endpoint_of(region)):
        clause = Message(
            "check_by with aliyun needs GREEN_ENDPOINT: {region} has no Content Moderation;"
            " set it to another region's, such as https://green-cip.ap-southeast-1.aliyuncs.com",
            region=region,
        )
        yield problem_in(profile.name, clause, needs="GREEN_ENDPOINT")


def _lives_over_the_session(profile: Profile, session: timedelta | None) -> Iterator[Problem]:
    lives = {"expires_in": profile.expires_in}
    if profile.read:
        lives["read_for"] = profile.read_life
    for option, life in lives.items():
        if session and not fits(life, session):
            clause = Message(
                "{option} needs credentials for {life} s plus {margin} s, which must be less than"
                " STS_SESSION_SECONDS ({session} s)",
                option=option,
                life=int(life.total_seconds()),
                margin=CREDENTIALS_MARGIN.seconds,
                session=session.seconds,
            )
            yield problem_in(profile.name, clause)


def related_settings(values: Mapping[str, Any], refused: Container[str]) -> Iterator[Problem]:
    """Check settings against each other."""
    # Only a store on other machines can be down.
    is_remote = values.get("QUOTA_URL", "memory:") != "memory:"
    if is_remote and "QUOTA_WHEN_DOWN" not in values and "QUOTA_WHEN_DOWN" not in refused:
        sentence = Message("QUOTA_WHEN_DOWN is missing; with Redis it must be deny or allow")
        yield Problem("QUOTA_WHEN_DOWN", sentence)
    secrets = ("RECEIPT_SECRET", "TOKEN_SECRET")
    if values.get("ERASE") and not any(name in values or name in refused for name in secrets):
        yield Problem("ERASE", Message("ERASE needs RECEIPT_SECRET or TOKEN_SECRET, which signs its records"))
    if values.get("ERASE_ON") and values.get("ERASE") is False:
        yield Problem("ERASE_ON", Message("ERASE_ON needs ERASE=true"))
    if values.get("ERASE_ON") and values.get("CALLER_AUTH", WECHAT) not in (WECHAT, "several"):
        yield Problem("ERASE_ON", Message("ERASE_ON needs CALLER_AUTH=wechat: the events are WeChat's"))
    if set(values.get("TOKEN_SECRET", ())) & set(values.get("RECEIPT_SECRET", ())):
        sentence = Message(
            "RECEIPT_SECRET must differ from TOKEN_SECRET: a backend that verifies receipts could forge"
            " session tokens"
        )
        yield Problem("RECEIPT_SECRET", sentence)
