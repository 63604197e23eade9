"""The environment and ``profiles.toml`` become one frozen, validated ``Settings``."""

from collections.abc import Callable, Container, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from function import jwt_key
from function.errors import Misconfigured, Problem
from function.form_life import MARGIN, fits
from function.grants import MAX_POLICY_CHARACTERS, session_policies
from function.kinds import MIN_SECRET_BYTES, Rate
from function.phrase import Phrase
from function.profiles import PROFILES_TOML, Profile, problem_in, read_profiles
from function.setting_table import CALLER_KINDS, SETTINGS, CallerKind, Setting

DEFAULT_PROFILES_FILE = Path(__file__).parents[1] / PROFILES_TOML


class BusinessJwt(NamedTuple):
    """How the business's own login tokens are checked; ``key`` is a secret or a public key in PEM."""

    key: str
    algorithm: str
    issuer: str | None
    audience: str | None

    def __repr__(self) -> str:
        return f"BusinessJwt({self.algorithm})"


class WechatApp(NamedTuple):
    """The mini-program, as ``code2Session`` knows it; ``endpoint`` is an origin."""

    appid: str
    secret: str
    endpoint: str

    def __repr__(self) -> str:
        return f"WechatApp({self.appid})"


class Settings(NamedTuple):
    """
    Everything the function is told from outside, checked.

    Args:
        host: origin a form is posted to, without a trailing slash.

        session_policies: the RAM document sent with AssumeRole for each purpose, as JSON text.

        token_secrets: the first signs, all verify; of ``receipt_secrets`` as well.

        client_address_header: in lower case; what the one trusted proxy in front writes.
    """

    bucket: str
    region: str
    host: str
    profiles: Mapping[str, Profile]
    role_arn: str
    sts_endpoint: str
    session_life: timedelta
    session_policies: Mapping[str, str]
    caller_auth: str
    wechat: WechatApp | None
    jwt: BusinessJwt | None
    token_secrets: tuple[str, ...]
    receipt_secrets: tuple[str, ...]
    owner_secret: str
    token_life: timedelta
    callback_url: str | None
    callback_key_origin: str
    upload_webhook_url: str | None
    caller_rate: Rate
    login_rate: Rate
    client_address_header: str | None
    allowed_origins: frozenset[str]
    log_level: str

    @property
    def caller_kind(self) -> CallerKind:
        return CALLER_KINDS[self.caller_auth]

    def __repr__(self) -> str:
        return f"Settings({self.bucket})"


def read_settings(
    environ: Mapping[str, str], read_text: Callable[[Path], str] = lambda path: path.read_text("utf-8")
) -> Settings:
    """
    Read and check them all.

    Raises:
        Misconfigured: with a problem for every missing, malformed or contradictory value.
    """
    values, problems = _read_rows(environ)
    profiles, found = _read_profiles_file(values, read_text)
    policies = session_policies(values.get("OSS_BUCKET", ""), profiles.values())
    problems += found
    problems += _what_misleads_the_sdk(environ)
    problems += _policies_too_long(policies)
    problems += _profiles_that_need_more(values, profiles)
    judged = frozenset(problem.setting for problem in problems)
    problems += _weak_secrets(values, judged)
    problems += jwt_key.problems_of(values, judged)
    if problems:
        raise Misconfigured(problems)
    return _settings(values, profiles, policies)


def _read_rows(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    """The value of each row that is set or has a default; of those that are wrong a problem instead."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    texts = {"FC_REGION": environ.get("FC_REGION", "").strip()}
    for row in SETTINGS:
        if row.caller not in ("", values.get("CALLER_AUTH")):
            continue
        given = environ.get(row.name, "").strip()
        # What is made from a wrong value is not judged by itself.
        if not given and any(f"{{{problem.setting}}}" in row.default for problem in problems):
            continue
        text = texts[row.name] = given or row.default.format_map(texts)
        if not text.isascii():
            problems.append(Problem(row.name, Phrase("{name} must be plain ASCII", name=row.name)))
        elif text:
            try:
                values[row.name] = row.kind.read(text)
            except ValueError as error:
                problems.append(Problem(row.name, _refusal(row, *error.args or (text,))))
        elif row.is_needed:
            sentence = Phrase(
                "{name} is missing; it must be {allowed}", name=row.name, allowed=row.kind.allowed
            )
            problems.append(Problem(row.name, sentence))
    return values, problems


def _refusal(row: Setting, shown: str) -> Phrase:
    value = "" if row.is_secret else f" = {shown!r}"
    return Phrase("{name}{value} must be {allowed}", name=row.name, value=value, allowed=row.kind.allowed)


def _read_profiles_file(
    values: Mapping[str, Any], read_text: Callable[[Path], str]
) -> tuple[dict[str, Profile], list[Problem]]:
    path = DEFAULT_PROFILES_FILE.parent / values.get("PROFILES_FILE", PROFILES_TOML)
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or Phrase("it is not UTF-8")
        sentence = Phrase("PROFILES_FILE = {path!r} cannot be read: {why}", path=str(path), why=why)
        return {}, [Problem("PROFILES_FILE", sentence)]
    return read_profiles(text, default_signature=values.get("OSS_SIGNATURE_VERSION", "v4"))


def _what_misleads_the_sdk(environ: Mapping[str, str]) -> Iterator[Problem]:
    # The SDK silently prefers this pair to the credentials it is handed.
    if environ.get("ALIYUN_ACCESS_KEY_ID") or environ.get("ALIYUN_ACCESS_KEY_SECRET"):
        yield Problem(
            "ALIYUN_ACCESS_KEY_ID",
            Phrase(
                "ALIYUN_ACCESS_KEY_ID and ALIYUN_ACCESS_KEY_SECRET must be unset: the SDK would use them"
                " instead of the function's role (ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET)"
            ),
        )
    if environ.get("DEBUG", "").lower() == "sdk":
        yield Problem("DEBUG", Phrase("DEBUG = 'sdk' must be unset: the SDK would print tokens"))


def _policies_too_long(policies: Mapping[str, str]) -> Iterator[Problem]:
    for policy in policies.values():
        if len(policy) > MAX_POLICY_CHARACTERS:
            yield Problem(
                PROFILES_TOML,
                Phrase(
                    "{file}: all folders together make a session policy of {count} characters;"
                    " STS takes {most}. Use fewer or shorter first folders",
                    file=PROFILES_TOML,
                    count=len(policy),
                    most=MAX_POLICY_CHARACTERS,
                ),
            )


def _profiles_that_need_more(values: Mapping[str, Any], profiles: Mapping[str, Profile]) -> Iterator[Problem]:
    session = values.get("STS_SESSION_SECONDS")
    for profile in profiles.values():
        if session and not fits(profile.expires_in, session):
            yield problem_in(
                profile.name,
                Phrase(
                    "expires_in ({life} s) plus {margin} s must be less than"
                    " STS_SESSION_SECONDS ({session} s)",
                    life=profile.expires_in.seconds,
                    margin=MARGIN.seconds,
                    session=session.seconds,
                ),
            )
        if profile.callback and "CALLBACK_URL" not in values:
            clause = Phrase("callback = true needs CALLBACK_URL")
            yield problem_in(profile.name, clause, needs="CALLBACK_URL")


def _weak_secrets(values: Mapping[str, Any], judged: Container[str]) -> Iterator[Problem]:
    secrets = values.get("TOKEN_SECRET", ())
    kind = CALLER_KINDS.get(values.get("CALLER_AUTH", ""))
    for_callers = kind is not None and kind.needs_tokens
    if not secrets and "TOKEN_SECRET" not in judged and (for_callers or "CALLBACK_URL" in values):
        needed_for = f"CALLER_AUTH={values['CALLER_AUTH']}" if for_callers else "CALLBACK_URL"
        yield Problem(
            "TOKEN_SECRET",
            Phrase(
                "TOKEN_SECRET is missing; {needed_for} needs at least {least} random bytes",
                needed_for=needed_for,
                least=MIN_SECRET_BYTES,
            ),
        )
    owner = values.get("OWNER_SECRET")
    if owner and len(owner) < MIN_SECRET_BYTES:
        sentence = Phrase("OWNER_SECRET must have at least {least} bytes", least=MIN_SECRET_BYTES)
        yield Problem("OWNER_SECRET", sentence)
    if set(secrets) & set(values.get("RECEIPT_SECRET", ())):
        sentence = Phrase(
            "RECEIPT_SECRET must not be a TOKEN_SECRET: who verifies receipts could log in as anybody"
        )
        yield Problem("RECEIPT_SECRET", sentence)


def _settings(
    values: Mapping[str, Any], profiles: dict[str, Profile], policies: Mapping[str, str]
) -> Settings:
    caller_auth, secrets = values["CALLER_AUTH"], values.get("TOKEN_SECRET", ())
    wechat = jwt = None
    if caller_auth == "wechat":
        wechat = WechatApp(values["WECHAT_APPID"], values["WECHAT_SECRET"], values["WECHAT_ENDPOINT"])
    if caller_auth == "jwt":
        issuer, audience = values.get("JWT_ISSUER"), values.get("JWT_AUDIENCE", jwt_key.ANY_AUDIENCE)
        wanted = None if audience == jwt_key.ANY_AUDIENCE else audience
        jwt = BusinessJwt(values["JWT_KEY"], values["JWT_ALGORITHM"], issuer, wanted)
    # A field that bears a row's name in lower case holds its value as it is; the others are named here.
    fields: dict[str, Any] = {row.name.lower(): values.get(row.name) for row in SETTINGS}
    fields |= {
        "bucket": values["OSS_BUCKET"],
        "region": values["OSS_REGION"],
        "host": values["OSS_HOST"],
        "profiles": MappingProxyType(profiles),
        "role_arn": values["STS_ROLE_ARN"],
        "session_life": values["STS_SESSION_SECONDS"],
        "session_policies": policies,
        "wechat": wechat,
        "jwt": jwt,
        "token_secrets": secrets,
        "receipt_secrets": values.get("RECEIPT_SECRET", secrets),
        "owner_secret": values.get("OWNER_SECRET") or (secrets[-1] if secrets else ""),
        "token_life": values["TOKEN_SECONDS"],
        "allowed_origins": values.get("ALLOWED_ORIGINS", frozenset()),
    }
    return Settings(**{name: fields[name] for name in Settings._fields})
