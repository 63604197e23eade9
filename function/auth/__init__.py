"""Callers: the module of this folder that ``CALLER_AUTH`` names identifies them."""

from base64 import b32encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType

from function.annotations import Any, NamedTuple, TypeGuard, cast
from function.auth.signed_tokens import MAX_TOKEN_CHARACTERS, invalid_token, keyed_hash
from function.config.profile import Profile
from function.config.setting_table import SETTINGS, CallerEntry, CallerKind, Setting
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import Forbidden, Unauthorized

# OpenID Connect's bound; it also keeps the ticket inside the 5 KB that OSS takes as a callback field.
MAX_SUBJECT_BYTES = 255


class Caller(NamedTuple):
    """
    Identified caller.

    Args:
        subject: the business's name for them (openid, or the token's ``sub``), ``public`` for anyone; never
            in a key, a URL or a log line.
        owner: stable, not reversible, safe in a path.
        entry: the way in that they took.
        claims: verified claims of the business's token, for hooks alone; other caller kinds have none.
    """

    subject: str
    owner: str
    entry: CallerEntry
    claims: Mapping[str, Any] = MappingProxyType({})


class CallerKinds(Mapping[str, CallerKind]):
    """The caller kinds by name; finding one imports its module only, iterating imports all of this folder."""

    def __getitem__(self, name: str) -> CallerKind:
        module = f"{__name__}.{name}"
        try:
            kind = getattr(import_module(module), "KIND", None) if name.isidentifier() else None
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            kind = None
        if kind is None:
            raise KeyError(name)
        return cast(CallerKind, kind)

    def __iter__(self) -> Iterator[str]:
        from pkgutil import iter_modules

        return (name for _, name, _ in iter_modules(__path__) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def all_settings() -> tuple[Setting, ...]:
    """Return the rows of all settings, including those of each caller kind."""
    return (*SETTINGS, *(row for kind in CallerKinds().values() for row in kind.settings))


def identify(headers: Mapping[str, str], settings: Settings, now: datetime) -> Caller:
    """Return the caller of a request; raise ``Unauthorized`` if its kind needs a token that is valid."""
    caller: Caller = settings.caller_kind.identify(headers, settings.only, settings, now)
    return caller


def check_profile(context: RequestContext, app: str | None, profile: Profile) -> None:
    """
    Check that the caller with this claim ``app`` may use a profile.

    Raises:
        Forbidden: it may not, or it was removed.
    """
    settings = context.settings
    if not settings.may_use(settings.caller_of(app), profile):
        reason = f"[{profile.name}] is not for this caller"
        raise Forbidden("This caller may not use this profile.", reason=reason)


def app_in(claims: Mapping[str, Any], settings: Settings, bucket: str) -> str | None:
    """
    Return the claim ``app`` of a verified token of this bucket; its caller may have been removed since.

    Raises:
        Unauthorized: it is for another bucket; or, with one caller, for an app that is neither its own nor
            was one of several.
    """
    app: Any = claims.get("app")
    is_removed = isinstance(app, str) and ":" in app if settings.only else app is None or isinstance(app, str)
    if claims.get("bucket") != bucket or not (is_removed or settings.caller_of(app)):
        raise invalid_token("for another app or bucket")
    return cast(str | None, app)


def caller_from_subject(
    subject: object,
    entry: CallerEntry,
    settings: Settings,
    claims: Mapping[str, Any] = MappingProxyType({}),
) -> Caller:
    """Return the caller whom a valid token names; raise ``Unauthorized`` if the subject is none."""
    if not is_subject(subject):
        raise unauthorized(f"sub must be a string of 1 to {MAX_SUBJECT_BYTES} bytes")
    return Caller(subject, owner_of(subject, settings.owner_secret, entry.owner_id), entry, claims)


def is_subject(value: object) -> TypeGuard[str]:
    """Return whether this can be a subject."""
    return isinstance(value, str) and 0 < len(value.encode("utf-8", "surrogatepass")) <= MAX_SUBJECT_BYTES


# A user asks for one form after another.
@lru_cache(maxsize=256)
def owner_of(subject: str, owner_secret: str, id: str = "") -> str:
    """
    Return the folder name of a caller: the first 128 bits of a keyed hash, 26 of ``[a-z2-7]``.

    Args:
        id: ``CallerEntry.owner_id``, which has no newline.
    """
    text = f"owner 2\n{id}\n{subject}" if id else f"owner\n{subject}"
    digest = keyed_hash(owner_secret, text.encode("utf-8", "surrogatepass"))
    return b32encode(digest[:16]).decode().rstrip("=").lower()


def bearer_token(headers: Mapping[str, str]) -> str:
    """
    Return the token of ``X-Upload-Token``, else of ``Authorization: Bearer``; else raise ``Unauthorized``.

    The former is for triggers and clients that need ``Authorization`` for a signature of their own.
    """
    token = headers.get("x-upload-token", "").strip()
    if not token:
        scheme, _, token = headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized("no bearer token")
    token = token.strip()
    # Repeated headers arrive joined with a comma; two tokens are ambiguous.
    is_one = "," not in token and " " not in token and "\t" not in token
    if not token or len(token) > MAX_TOKEN_CHARACTERS or not token.isascii() or not is_one:
        raise unauthorized("bearer token malformed")
    return token


def unauthorized(reason: str) -> Unauthorized:
    """Return the refusal of a caller without a valid token; the reason is for the log."""
    return Unauthorized(
        "A valid token is required; log in and send it as Authorization: Bearer.", reason=reason
    )
