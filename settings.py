"""
The environment and ``profiles.toml`` become one frozen, validated ``Settings``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from errors import Misconfigured
from profiles import (
    MAX_SESSION_POLICY_CHARACTERS,
    SIGNATURE_VERSIONS,
    Profile,
    read_profiles,
    session_policy,
)

# A form ends at least this long before the credentials that signed it do.
EXPIRY_MARGIN = timedelta(seconds=60)
CALLER_KINDS = ("wechat", "jwt", "anonymous")
JWT_ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MIN_SECRET_BYTES = 32
RATE_UNITS = {"s": 1, "min": 60, "h": 3600}
DEFAULT_PROFILES_FILE = Path(__file__).with_name("profiles.toml")

BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
REGION = re.compile(r"(?!oss-)[a-z]{2,3}(-[a-z0-9]+)+")
ROLE_ARN = re.compile(r"acs:ram::\d+:role/[A-Za-z0-9.@_-]+")
ORIGIN = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?")
URL = re.compile(
    r"(?P<origin>https?://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?)(?P<path>/[^?#\s]*)(?P<query>\?[^#\s]*)?"
)
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/.*)?")
RATE = re.compile(r"([1-9]\d{0,8})/(s|min|h)")


class Rate(NamedTuple):
    """At most ``limit`` in any window of ``seconds`` that starts with a caller's first request."""

    limit: int
    seconds: int


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

        session_policy: the RAM document sent with AssumeRole, as JSON text.

        token_secrets: the first signs, all verify.
    """

    bucket: str
    region: str
    host: str
    profiles: Mapping[str, Profile]
    role_arn: str
    sts_endpoint: str
    session_life: timedelta
    session_policy: str
    caller_auth: str
    wechat: WechatApp | None
    jwt: BusinessJwt | None
    token_secrets: tuple[str, ...]
    owner_secret: str
    token_life: timedelta
    callback_url: str | None
    callback_key_origin: str
    upload_webhook_url: str | None
    caller_rate: Rate
    login_rate: Rate
    allowed_origins: frozenset[str]
    log_level: str

    def __repr__(self) -> str:
        # Secrets, and addresses of the business, which often carry a token.
        return f"Settings({self.bucket})"


def read_settings(
    environ: Mapping[str, str], read_text: Callable[[Path], str] = lambda path: path.read_text("utf-8")
) -> Settings:
    """
    Read and check them all.

    Raises:
        Misconfigured: with one sentence for every missing, malformed or contradictory value.
    """
    return _Reader(environ, read_text).settings()


class _Reader:
    """One pass over the environment that collects problems instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str], read_text: Callable[[Path], str]) -> None:
        self.environ = environ
        self.read_text = read_text
        self.problems: list[str] = []

    def settings(self) -> Settings:
        self.refuse_what_misleads_the_sdk()
        bucket = self.text("OSS_BUCKET", BUCKET, "3 to 63 lower-case letters, digits and hyphens")
        region = self.text(
            "OSS_REGION", REGION, "a region id such as cn-hangzhou", default=self.environ.get("FC_REGION", "")
        )
        session_life = self.seconds("STS_SESSION_SECONDS", 3600, 900, 43200)
        profiles = self.profiles()
        policy = session_policy(bucket, profiles.values())
        self.check_lives(profiles, session_life)
        if len(policy) > MAX_SESSION_POLICY_CHARACTERS:
            self.problem(
                f"profiles.toml: all folders together make a session policy of {len(policy)} characters;"
                f" STS takes {MAX_SESSION_POLICY_CHARACTERS}. Use fewer or shorter first folders"
            )
        caller_auth = self.choice("CALLER_AUTH", CALLER_KINDS)
        callback_url = self.callback_url(profiles)
        secrets = self.token_secrets(caller_auth, callback_url)
        settings = Settings(
            bucket=bucket,
            region=region,
            host=self.origin("OSS_HOST", f"https://{bucket}.oss-{region}.aliyuncs.com"),
            profiles=MappingProxyType(profiles),
            role_arn=self.text("STS_ROLE_ARN", ROLE_ARN, "acs:ram::<account>:role/<name>"),
            sts_endpoint=self.origin("STS_ENDPOINT", f"https://sts.{region}.aliyuncs.com"),
            session_life=session_life,
            session_policy=policy,
            caller_auth=caller_auth,
            wechat=self.wechat() if caller_auth == "wechat" else None,
            jwt=self.jwt(secrets) if caller_auth == "jwt" else None,
            token_secrets=secrets,
            owner_secret=self.owner_secret(secrets),
            token_life=self.seconds("TOKEN_SECONDS", 7200, 60, 2592000),
            callback_url=callback_url,
            callback_key_origin=self.origin("CALLBACK_KEY_ORIGIN", "https://gosspublic.alicdn.com"),
            upload_webhook_url=self.webhook_url(),
            caller_rate=self.rate("CALLER_RATE", "60/min"),
            login_rate=self.rate("LOGIN_RATE", "30/min"),
            allowed_origins=self.origins("ALLOWED_ORIGINS"),
            log_level=self.choice("LOG_LEVEL", LOG_LEVELS, "INFO"),
        )
        if self.problems:
            raise Misconfigured(self.problems)
        return settings

    def problem(self, sentence: str) -> None:
        self.problems.append(sentence)

    def refuse_what_misleads_the_sdk(self) -> None:
        # The SDK silently prefers this pair to the credentials it is handed.
        if self.environ.get("ALIYUN_ACCESS_KEY_ID") or self.environ.get("ALIYUN_ACCESS_KEY_SECRET"):
            self.problem(
                "ALIYUN_ACCESS_KEY_ID and ALIYUN_ACCESS_KEY_SECRET must be unset: the SDK would use them"
                " instead of the function's role (ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET)"
            )
        if self.environ.get("DEBUG", "").lower() == "sdk":
            self.problem("DEBUG = 'sdk' must be unset: the SDK would print tokens")

    def value(self, name: str, default: str = "") -> str:
        value = self.environ.get(name, "").strip()
        if not value.isascii():
            self.problem(f"{name} must be plain ASCII")
            return default
        return value or default

    def text(self, name: str, pattern: re.Pattern[str], allowed: str, default: str = "") -> str:
        value = self.value(name, default)
        if not value:
            self.problem(f"{name} is missing; it must be {allowed}")
        elif not pattern.fullmatch(value):
            self.problem(f"{name} = {value!r} must be {allowed}")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str = "") -> str:
        value = self.value(name, default)
        if value not in allowed:
            is_now = f"= {value!r}" if value else "is missing; it"
            self.problem(f"{name} {is_now} must be one of {', '.join(allowed)}")
        return value

    def seconds(self, name: str, default: int, least: int, most: int) -> timedelta:
        value = self.value(name, str(default))
        if not re.fullmatch(r"\d{1,9}", value) or not least <= int(value) <= most:
            self.problem(f"{name} = {value!r} must be whole seconds from {least} to {most}")
            return timedelta(seconds=default)
        return timedelta(seconds=int(value))

    def origin(self, name: str, default: str) -> str:
        value = self.value(name, default)
        if value != default and not (ORIGIN.fullmatch(value) and self.is_safe(value)):
            self.problem(
                f"{name} = {value!r} must be https://host[:port] without a path (http only for loopback)"
            )
        return value

    def is_safe(self, url: str) -> bool:
        return url.startswith("https://") or bool(LOOPBACK.fullmatch(url))

    def origins(self, name: str) -> frozenset[str]:
        values = frozenset(item.strip() for item in self.value(name).split(",") if item.strip())
        for value in sorted(values):
            if not ORIGIN.fullmatch(value):
                self.problem(
                    f"{name} has {value!r}; allowed: origins such as https://www.example.com, never *"
                )
        return values

    def rate(self, name: str, default: str) -> Rate:
        value = self.value(name, default)
        match = RATE.fullmatch(value)
        if not match:
            self.problem(f"{name} = {value!r} must be a number over s, min or h, such as {default}")
            return Rate(1, 60)
        return Rate(int(match[1]), RATE_UNITS[match[2]])

    def profiles(self) -> dict[str, Profile]:
        version = self.choice("OSS_SIGNATURE_VERSION", SIGNATURE_VERSIONS, "v4")
        path = DEFAULT_PROFILES_FILE.parent / self.value("PROFILES_FILE", str(DEFAULT_PROFILES_FILE))
        try:
            text = self.read_text(path)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            self.problem(f"PROFILES_FILE = {str(path)!r} cannot be read: {why}")
            return {}
        return read_profiles(text, default_signature=version, problems=self.problems)

    def check_lives(self, profiles: Mapping[str, Profile], session_life: timedelta) -> None:
        for profile in profiles.values():
            if profile.expires_in + EXPIRY_MARGIN >= session_life:
                self.problem(
                    f"profiles.toml [{profile.name}]: expires_in ({profile.expires_in.seconds} s) plus"
                    f" {EXPIRY_MARGIN.seconds} s must be less than STS_SESSION_SECONDS"
                    f" ({session_life.seconds} s)"
                )

    def token_secrets(self, caller_auth: str, callback_url: str | None) -> tuple[str, ...]:
        secrets = tuple(item.strip() for item in self.value("TOKEN_SECRET").split(",") if item.strip())
        if not secrets and (caller_auth in ("wechat", "jwt") or callback_url):
            needed_for = "CALLBACK_URL" if caller_auth == "anonymous" else f"CALLER_AUTH={caller_auth}"
            self.problem(
                f"TOKEN_SECRET is missing; {needed_for} needs at least {MIN_SECRET_BYTES} random bytes"
            )
        if any(len(secret.encode()) < MIN_SECRET_BYTES for secret in secrets):
            self.problem(
                f"TOKEN_SECRET must have at least {MIN_SECRET_BYTES} bytes in each comma-separated part"
            )
        return secrets

    def owner_secret(self, token_secrets: tuple[str, ...]) -> str:
        secret = self.value("OWNER_SECRET", token_secrets[-1] if token_secrets else "")
        if secret and len(secret.encode()) < MIN_SECRET_BYTES and secret not in token_secrets:
            self.problem(f"OWNER_SECRET must have at least {MIN_SECRET_BYTES} bytes")
        return secret

    def wechat(self) -> WechatApp:
        return WechatApp(
            appid=self.text(
                "WECHAT_APPID", re.compile(r"[A-Za-z0-9_-]{1,64}"), "the mini-program's AppID (wx…)"
            ),
            secret=self.secret("WECHAT_SECRET", "the mini-program's AppSecret"),
            endpoint=self.origin("WECHAT_ENDPOINT", "https://api.weixin.qq.com"),
        )

    def secret(self, name: str, what: str) -> str:
        value = self.value(name)
        if not value:
            self.problem(f"{name} is missing; it must be {what}")
        return value

    def jwt(self, token_secrets: tuple[str, ...]) -> BusinessJwt:
        algorithm = self.choice("JWT_ALGORITHM", JWT_ALGORITHMS)
        # Many consoles keep one line only, so a PEM arrives with \n written out.
        key = self.secret("JWT_KEY", "the HS256 secret or the public key in PEM").replace("\\n", "\n")
        if key and algorithm in JWT_ALGORITHMS:
            self.check_jwt_key(key, algorithm, token_secrets)
        return BusinessJwt(
            key, algorithm, self.value("JWT_ISSUER") or None, self.value("JWT_AUDIENCE") or None
        )

    def check_jwt_key(self, key: str, algorithm: str, token_secrets: tuple[str, ...]) -> None:
        if algorithm != "HS256":
            if problem := _public_key_problem(key, algorithm):
                self.problem(f"JWT_KEY must be the public key in PEM for {algorithm}: {problem}")
        elif "-----BEGIN" in key:
            self.problem(
                "JWT_KEY is a PEM key, but JWT_ALGORITHM = 'HS256' takes a secret; one of them is wrong"
            )
        elif len(key.encode()) < MIN_SECRET_BYTES:
            self.problem(f"JWT_KEY must have at least {MIN_SECRET_BYTES} bytes for HS256")
        elif key in token_secrets:
            self.problem(
                "JWT_KEY must not be a TOKEN_SECRET: our receipts would pass as the business's login tokens"
            )

    def callback_url(self, profiles: Mapping[str, Profile]) -> str | None:
        value = self.value("CALLBACK_URL")
        if not value:
            for profile in profiles.values():
                if profile.callback:
                    self.problem(f"profiles.toml [{profile.name}]: callback = true needs CALLBACK_URL")
            return None
        match = URL.fullmatch(value)
        # A percent sign would be decoded once by the gateway and once for OSS's signature.
        is_good = match and not match["query"] and "%" not in value and match["path"].endswith("/callback")
        if not is_good or not self.is_safe(value):
            self.problem(
                f"CALLBACK_URL = {value!r} must be the public https address of this function's /callback,"
                " without a query"
            )
        return value

    def webhook_url(self) -> str | None:
        value = self.value("UPLOAD_WEBHOOK_URL")
        if value and not (URL.fullmatch(value) and self.is_safe(value)):
            self.problem("UPLOAD_WEBHOOK_URL must be an https address with a path")
        return value or None


def _public_key_problem(key: str, algorithm: str) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if "PRIVATE KEY" in key:
        return "it is a private key, which must stay with the business"
    kinds: dict[str, Any] = {
        "RS256": rsa.RSAPublicKey,
        "ES256": ec.EllipticCurvePublicKey,
        "EdDSA": ed25519.Ed25519PublicKey,
    }
    try:
        loaded = load_pem_public_key(key.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "it does not load (it should start with -----BEGIN PUBLIC KEY-----)"
    if not isinstance(loaded, kinds[algorithm]):
        return f"it is a key of another kind ({type(loaded).__name__.lstrip('_')})"
    if isinstance(loaded, rsa.RSAPublicKey) and loaded.key_size < 2048:
        return f"it has {loaded.key_size} bits; at least 2048 are needed"
    if isinstance(loaded, ec.EllipticCurvePublicKey) and not isinstance(loaded.curve, ec.SECP256R1):
        return f"its curve is {loaded.curve.name}; ES256 means secp256r1 (P-256)"
    return ""
