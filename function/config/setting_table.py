"""Every setting as one row: type, default, and what it needs."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple

from function.config import types
from function.config.messages import Message
from function.config.profile import Profile
from function.config.profile_options import SIGNATURE_VERSIONS
from function.config.types import Kind
from function.errors import Problem


class Setting(NamedTuple):
    """
    One variable of the environment.

    Args:
        default: its text when it is not set; ``{NAME}`` stands for another variable.

        is_secret: its value is shown nowhere.
    """

    name: str
    kind: Kind
    default: str = ""
    is_needed: bool = False
    is_secret: bool = False


class CallerKind(NamedTuple):
    """
    A way to identify callers: ``KIND`` of the module ``function.auth.<CALLER_AUTH>``.

    Args:
        identify: takes headers, settings and the time; returns the ``Caller``.

        prepare: takes settings; imports what the first caller needs.

        log_in: takes a login code, settings and ``send``; returns the ``Caller``. ``None`` without a login.

        settings: rows that are read for this kind only.

        read: makes ``Settings.caller_settings`` of the values of all rows.

        problems: takes values, profiles and the names of settings that have a problem already.

        app_setting: the setting with the id of the app; a token is good for one app.

        needs_tokens: True if ``TOKEN_SECRET`` is required.

        tells_apart: True if each caller has an owner of their own; otherwise limits count client IPs.
    """

    identify: Callable[..., Any]
    prepare: Callable[..., None] = lambda _settings: None
    log_in: Callable[..., Any] | None = None
    settings: tuple[Setting, ...] = ()
    read: Callable[[Mapping[str, Any]], Any] = lambda _values: None
    problems: Callable[[Mapping[str, Any], Mapping[str, Profile], Container[str]], Iterable[Problem]] = (
        lambda _values, _profiles, _judged: ()
    )
    app_setting: str = ""
    needs_tokens: bool = True
    tells_apart: bool = True


SETTINGS = (
    Setting("OSS_BUCKET", types.BUCKET, is_needed=True),
    Setting("OSS_REGION", types.REGION, "{FC_REGION}", is_needed=True),
    Setting("OSS_HOST", types.ORIGIN, "https://{OSS_BUCKET}.oss-{OSS_REGION}.aliyuncs.com"),
    Setting("OSS_ENDPOINT", types.ORIGIN, "{OSS_HOST}"),
    Setting("READ_ORIGIN", types.ORIGIN, "{OSS_HOST}"),
    Setting("SIGN_PART_LENGTH", types.FLAG, "true"),
    Setting("OSS_SIGNATURE_VERSION", types.one_of(*SIGNATURE_VERSIONS), "v4"),
    Setting("STS_ROLE_ARN", types.ROLE_ARN, is_needed=True),
    Setting("STS_ENDPOINT", types.ORIGIN, "https://sts.{OSS_REGION}.aliyuncs.com"),
    Setting("STS_SESSION_SECONDS", types.seconds(900, 43200), "3600"),
    Setting("CALLER_AUTH", types.any_text(Message("the name of a caller kind")), is_needed=True),
    Setting("TOKEN_SECRET", types.SECRETS, is_secret=True),
    Setting("RECEIPT_SECRET", types.SECRETS, is_secret=True),
    Setting(
        "OWNER_SECRET",
        types.any_text(Message("at least {least} bytes", least=types.MIN_SECRET_BYTES)),
        is_secret=True,
    ),
    Setting("TOKEN_SECONDS", types.seconds(60, 2592000), "7200"),
    Setting("CALLBACK_URL", types.CALLBACK_ADDRESS),
    Setting("CALLBACK_KEY_ORIGIN", types.ORIGIN, "https://gosspublic.alicdn.com"),
    # Addresses of the business often carry a token.
    Setting("UPLOAD_WEBHOOK_URL", types.ADDRESS, is_secret=True),
    Setting("CALLER_RATE", types.RATE, "60/min"),
    Setting("LOGIN_RATE", types.RATE, "30/min"),
    Setting("READ_RATE", types.RATE, "600/min"),
    # It holds the password of the store.
    Setting("QUOTA_URL", types.QUOTA_ADDRESS, is_secret=True),
    Setting("QUOTA_WHEN_DOWN", types.one_of("deny", "allow")),
    Setting("QUOTA_UTC_OFFSET", types.HOURS, "8"),
    Setting("CLIENT_ADDRESS_HEADER", types.HEADER_NAME),
    Setting("PROFILES_FILE", types.any_text(Message("the path of a TOML file")), "profiles.toml"),
    Setting("ALLOWED_ORIGINS", types.ORIGINS),
    Setting("LOG_LEVEL", types.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
)
