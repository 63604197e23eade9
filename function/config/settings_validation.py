"""What settings and profiles must not say together: a sentence for each contradiction."""

from collections.abc import Container, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

from function.config.messages import Message
from function.config.profile import MARGIN, Profile, Session, fits
from function.config.profiles import PROFILES_TOML, problem_in
from function.config.setting_table import CallerKind
from function.config.types import MIN_SECRET_BYTES
from function.errors import Problem

# Of a session policy, which AssumeRole takes.
MAX_POLICY_CHARACTERS = 2048
# The address that WeChat gets is good for an hour, and a session is in use for a while before it signs one.
LEAST_SESSION_OF_A_CHECK = timedelta(minutes=90)


def what_misleads_the_sdk(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Variables that no row of ours has, and that the SDK reads all the same."""
    # The SDK silently prefers this pair to the credentials it is handed.
    if environ.get("ALIYUN_ACCESS_KEY_ID") or environ.get("ALIYUN_ACCESS_KEY_SECRET"):
        yield Problem(
            "ALIYUN_ACCESS_KEY_ID",
            Message(
                "ALIYUN_ACCESS_KEY_ID and ALIYUN_ACCESS_KEY_SECRET must be unset: the SDK would use them"
                " instead of the function's role (ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET)"
            ),
        )
    if environ.get("DEBUG", "").lower() == "sdk":
        yield Problem("DEBUG", Message("DEBUG = 'sdk' must be unset: the SDK would print tokens"))


def policies_too_long(policies: Mapping[Session, str]) -> Iterator[Problem]:
    """Session policies that STS would refuse."""
    for policy in policies.values():
        if len(policy) > MAX_POLICY_CHARACTERS:
            sentence = Message(
                "{file}: all folders together make a session policy of {count} characters;"
                " STS takes {most}. Use fewer or shorter first folders",
                file=PROFILES_TOML,
                count=len(policy),
                most=MAX_POLICY_CHARACTERS,
            )
            yield Problem(PROFILES_TOML, sentence)


def profiles_that_need_more(
    values: Mapping[str, Any], kind: CallerKind | None, profiles: Mapping[str, Profile]
) -> Iterator[Problem]:
    """What a profile asks of the settings, and what these do not say."""
    session = values.get("STS_SESSION_SECONDS")
    for profile in profiles.values():
        for what, life in _lives(profile):
            if session and not fits(life, session):
                clause = Message(
                    "{what} plus {margin} s must be less than STS_SESSION_SECONDS ({session} s)",
                    what=what,
                    margin=MARGIN.seconds,
                    session=session.seconds,
                )
                yield problem_in(profile.name, clause)
        if profile.callback and "CALLBACK_URL" not in values:
            yield problem_in(
                profile.name, Message("callback = true needs CALLBACK_URL"), needs="CALLBACK_URL"
            )
        if profile.has_quota and "QUOTA_URL" not in values:
            option = "files_per_day" if profile.files_per_day else "bytes_per_day"
            yield problem_in(
                profile.name, Message("{option} needs QUOTA_URL", option=option), needs="QUOTA_URL"
            )
        if profile.read == "owner" and kind and not kind.tells_apart:
            clause = Message(
                'read = "owner" needs callers who are told apart, and CALLER_AUTH is {caller_auth}',
                caller_auth=values["CALLER_AUTH"],
            )
            yield problem_in(profile.name, clause)


def store_without_a_choice(values: Mapping[str, Any], judged: Container[str]) -> Iterator[Problem]:
    """A store that other machines keep can be away, and what then is the operator's to say."""
    is_apart = values.get("QUOTA_URL", "memory:") != "memory:"
    if is_apart and "QUOTA_WHEN_DOWN" not in values and "QUOTA_WHEN_DOWN" not in judged:
        yield Problem(
            "QUOTA_WHEN_DOWN", Message("QUOTA_WHEN_DOWN is missing; with Redis it must be deny or allow")
        )


def holds_that_need_more(
    values: Mapping[str, Any], kind: CallerKind | None, profiles: Mapping[str, Profile]
) -> Iterator[Problem]:
    """What profiles that hold back ask of the settings, and what these do not say."""
    for profile in profiles.values():
        if profile.commit_by == "owner" and kind and not kind.tells_apart:
            clause = Message(
                'commit_by = "owner" needs callers who are told apart, and CALLER_AUTH is {caller_auth}',
                caller_auth=values["CALLER_AUTH"],
            )
            yield problem_in(profile.name, clause)
        if profile.is_checked:
            yield from _what_a_check_needs(values, profile)


def _what_a_check_needs(values: Mapping[str, Any], profile: Profile) -> Iterator[Problem]:
    if "CALLER_AUTH" not in values:
        return
    if values["CALLER_AUTH"] != "wechat":
        clause = Message('hold with "check" needs CALLER_AUTH=wechat: WeChat wants the openid of who uploads')
        yield problem_in(profile.name, clause, needs="CALLER_AUTH")
        return
    session = values.get("STS_SESSION_SECONDS")
    if session and session < LEAST_SESSION_OF_A_CHECK:
        clause = Message(
            'hold with "check" needs STS_SESSION_SECONDS of at least {least},'
            " because WeChat gets an address that is good for an hour; it is {session}",
            least=LEAST_SESSION_OF_A_CHECK.seconds,
            session=session.seconds,
        )
        yield problem_in(profile.name, clause, needs="STS_SESSION_SECONDS")


def _lives(profile: Profile) -> Iterator[tuple[Message, timedelta]]:
    """How long the credentials behind what we sign for a profile must last, and the option that says so."""
    # Both are at most 43,200 seconds, so there is no day in them.
    yield Message("expires_in ({life} s)", life=profile.expires_in.seconds), profile.expires_in
    if profile.read:
        yield Message("twice read_for ({life} s)", life=profile.read_for.seconds), profile.read_life


def weak_secrets(
    values: Mapping[str, Any],
    kind: CallerKind | None,
    profiles: Mapping[str, Profile],
    judged: Container[str],
) -> Iterator[Problem]:
    """Secrets that are missing, short, or the same where they must differ."""
    secrets = values.get("TOKEN_SECRET", ())
    if not secrets and "TOKEN_SECRET" not in judged:
        for needed_for in islice(_what_needs_tokens(values, kind, profiles), 1):
            yield Problem(
                "TOKEN_SECRET",
                Message(
                    "TOKEN_SECRET is missing; {needed_for} needs at least {least} random bytes",
                    needed_for=needed_for,
                    least=MIN_SECRET_BYTES,
                ),
            )
    owner = values.get("OWNER_SECRET")
    if owner and len(owner) < MIN_SECRET_BYTES:
        yield Problem(
            "OWNER_SECRET", Message("OWNER_SECRET must have at least {least} bytes", least=MIN_SECRET_BYTES)
        )
    if set(secrets) & set(values.get("RECEIPT_SECRET", ())):
        sentence = Message(
            "RECEIPT_SECRET must not be a TOKEN_SECRET: who verifies receipts could log in as anybody"
        )
        yield Problem("RECEIPT_SECRET", sentence)


def _what_needs_tokens(
    values: Mapping[str, Any], kind: CallerKind | None, profiles: Mapping[str, Profile]
) -> Iterator[str]:
    if kind and kind.needs_tokens:
        yield f"CALLER_AUTH={values['CALLER_AUTH']}"
    if "CALLBACK_URL" in values:
        yield "CALLBACK_URL"
    for profile in profiles.values():
        if profile.confirm:
            yield Message("confirm = true in [{profile}]", profile=profile.name)
        if profile.parts:
            yield Message("parts = true in [{profile}]", profile=profile.name)
