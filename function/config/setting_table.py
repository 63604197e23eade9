"""Settings: every one as one row."""

import re
from collections.abc import Callable, Container, Iterable, Mapping

from function.annotations import Any, NamedTuple, TypeGuard
from function.config import types
from function.config.option_table import SIGNATURE_VERSIONS
from function.config.profile import Profile
from function.config.types import Type
from function.errors import Problem
from function.messages import Message

# Events of WeChat by which a user withdraws an authorisation, or closes the account.
REVOCATIONS = ("user_authorization_revoke", "user_authorization_cancellation")
HEADER_NAME = types.matching(r"[A-Za-z0-9-]{1,64}", Message("the name of a header, such as Ali-Cdn-Real-Ip"))
# Digits and capitals; TC260-PG-20252A.
PROVIDER_CODE = types.matching(r"[0-9A-Z]{27}", Message("the code of a provider, 27 digits and capitals"))
QUOTA_STORE = types.matching(
    r"memory:|redis(?P<tls>s)?://([^\s/@?#:]*:[^\s/@?#]+@)?([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(/\d{1,3})?"
    r"(?(tls)(\?ssl_ca_certs=[^\s?#&]+)?)",
    Message("memory:, redis://[user:password@]host[:port][/database], or the same with rediss: for TLS"),
)


def _quota_store(text: str) -> str:
    url: str = QUOTA_STORE.read(text)
    if url != "memory:" and not types.names_a_host(url):
        raise ValueError
    return url


class Setting(NamedTuple):
    """
    Variable of the environment.

    Args:
        default: its text if it is not set; ``{NAME}`` stands for another variable.
        is_secret: True if its value must not be shown.
        needs: names of further settings that it does not work without.
        key: its name in ``callers.toml``, if that is not its own without the name of its kind.
    """

    name: str
    type: Type
    default: str = ""
    is_needed: bool = False
    is_secret: bool = False
    needs: tuple[str, ...] = ()
    key: str = ""


class CallerKind(NamedTuple):
    """
    A way to identify callers: ``KIND`` of the module ``function.auth.<CALLER_AUTH>``.

    Args:
        identify: takes headers, the ``CallerEntry`` (``None`` for several), settings and the time; returns
            the ``Caller``.
        prepare: imports what the first caller needs.
        log_in: takes a login code, the ``CallerEntry``, settings, ``send`` and the time; returns the
            ``Caller``. ``None`` without a login.
        settings: rows that are read for this kind only.
        read: makes ``CallerEntry.settings`` of the values of all rows.
        problems: takes the values that are valid by themselves, profiles and the names of settings that have
            a problem already; for rules that the rows do not say.
        app_setting: the setting with the id of the app; a token is good for one app.
        id_setting: the setting that tells entries of this kind apart; ``app_setting`` by default.
        needs_tokens: True if ``TOKEN_SECRET`` is required.
        identifies_callers: True if each caller has an owner of their own; otherwise limits count client IPs.
        entries: reads the entries of several callers; ``None`` for every other kind.
    """

    identify: Callable[..., Any]
    prepare: Callable[..., None] = lambda: None
    log_in: Callable[..., Any] | None = None
    settings: tuple[Setting, ...] = ()
    read: Callable[[Mapping[str, Any]], Any] = lambda _values: None
    problems: Callable[[Mapping[str, Any], Iterable[Profile], Container[str]], Iterable[Problem]] = (
        lambda _values, _profiles, _refused: ()
    )
    app_setting: str = ""
    id_setting: str = ""
    needs_tokens: bool = True
    identifies_callers: bool = True
    entries: Callable[..., Any] | None = None


class CallerEntry(NamedTuple):
    """
    One way in: one mini-program, one issuer of JWTs, or anyone; a value that is passed, never a state.

    Args:
        id: kind and the platform's id, such as ``wechat:wx…``; it is compared byte for byte.
        name: section of ``callers.toml``; empty with one caller.
        settings: what ``kind.read`` made.
        app: claim of its tokens: the id; where ``is_unnamed`` the bare id of the app, or none.
        owner_id: the id that its owners are made with; empty where ``is_unnamed``.
    """

    id: str
    name: str
    kind_name: str
    kind: CallerKind
    settings: Any
    app: str | None
    owner_id: str

    @property
    def is_unnamed(self) -> bool:
        """True if its owners and tokens are those of a function with one caller."""
        return not self.owner_id

    def placed(self, reason: str) -> str:
        """Return a reason for the log that says which of several callers it is about."""
        return f"callers.toml [{self.name}]: {reason}" if self.name else reason


def is_caller_id(value: object) -> TypeGuard[str]:
    """Return whether this can be the id of a caller, which may have been removed."""
    return isinstance(value, str) and re.fullmatch(r"[a-z]{1,16}:[!-~]{0,200}", value) is not None


def reaches(entry: CallerEntry, profile: Profile) -> bool:
    """Return whether one of several callers may use a profile: anyone does only where it names them."""
    return entry.name in profile.callers if profile.callers else entry.kind.identifies_callers


def new_entry(
    kind_name: str, kind: CallerKind, values: Mapping[str, Any], name: str = "", *, is_unnamed: bool = True
) -> CallerEntry:
    """Return the entry of a caller whose settings have these values."""
    id = f"{kind_name}:{values.get(kind.id_setting or kind.app_setting) or ''}"
    app = values.get(kind.app_setting) if is_unnamed else id
    return CallerEntry(id, name, kind_name, kind, kind.read(values), app, "" if is_unnamed else id)


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
    Setting("CALLER_AUTH", types.Type(Message("the name of a caller kind"), str), is_needed=True),
    Setting("TOKEN_SECRET", types.SECRETS, is_secret=True),
    Setting("RECEIPT_SECRET", types.SECRETS, is_secret=True),
    Setting("OWNER_SECRET", types.SECRET, is_secret=True),
    Setting("TOKEN_SECONDS", types.seconds(60, 2592000), "7200"),
    Setting("CALLBACK_URL", types.CALLBACK_ADDRESS, needs=("TOKEN_SECRET",)),
    Setting("PUBLIC_URL", types.OWN_ADDRESS),
    Setting("CALLBACK_KEY_ORIGIN", types.ORIGIN, "https://gosspublic.alicdn.com"),
    # Addresses of the business often carry a token.
    Setting("UPLOAD_WEBHOOK_URL", types.ADDRESS, is_secret=True),
    Setting("GREEN_ENDPOINT", types.ORIGIN),
    Setting("CALLER_RATE", types.RATE, "60/min"),
    Setting("LOGIN_RATE", types.RATE, "30/min"),
    Setting("READ_RATE", types.RATE, "600/min"),
    # It holds the password of the store.
    Setting("QUOTA_URL", QUOTA_STORE._replace(read=_quota_store), is_secret=True),
    Setting("QUOTA_WHEN_DOWN", types.one_of("deny", "allow")),
    Setting("QUOTA_UTC_OFFSET", types.HOURS, "8"),
    # Request headers have lower-case names here.
    Setting("CLIENT_ADDRESS_HEADER", HEADER_NAME._replace(read=lambda text: HEADER_NAME.read(text).lower())),
    Setting("PROFILES_FILE", types.Type(Message("the path of a TOML file"), str), "profiles.toml"),
    Setting("ALLOWED_ORIGINS", types.ORIGINS),
    Setting("ERASE", types.FLAG, "false"),
    Setting("ERASE_ON", types.some_of(*REVOCATIONS)),
    Setting("AI_LABEL_CODE", PROVIDER_CODE),
    Setting("LOG_LEVEL", types.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
)
