"""Settings: the environment and ``profiles.toml``, read and validated."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from function.annotations import Any, NamedTuple
from function.config import settings_validation as validation
from function.config.green import endpoint_of
from function.config.profile import BucketLocation, Profile, SessionKey
from function.config.profiles import PROFILES_TOML, read_profiles
from function.config.setting_table import SETTINGS, CallerEntry, CallerKind, Setting, new_entry, reaches
from function.config.types import Rate, one_of
from function.errors import Misconfigured, Problem
from function.messages import Message

# In the order of the fields of ``BucketLocation``.
PLACE_SETTINGS = ("OSS_BUCKET", "OSS_REGION", "OSS_HOST", "OSS_ENDPOINT", "READ_ORIGIN", "STS_ROLE_ARN")
DEFAULT_PROFILES_FILE = Path(__file__).parents[2] / PROFILES_TOML


class Settings(NamedTuple):
    """
    All settings, validated.

    Args:
        bucket: for profiles that name none, like ``region``, ``host``, ``oss_endpoint``, ``read_origin`` and
            ``role_arn``; see ``BucketLocation``.
        sign_part_length: True if the URL of a part admits exactly its length.
        session_policies: RAM document for AssumeRole, as JSON text.
        caller_kind: of ``caller_auth``.
        only: the one caller; ``None`` with ``CALLER_AUTH=several``.
        token_secrets: the first signs, all verify; of ``receipt_secrets`` as well.
        quota_url: holds a password; ``quota_when_down`` is ``deny`` or ``allow`` wherever it names Redis, and
            ``quota_utc_offset`` says when a quota's day begins.
        green_endpoint: of Content Moderation; ``None`` abroad where the region has none.
        erase_on: names of events of WeChat.
        ai_label_code: the operator's, as the spreading service of labels of AI-made content.
        client_address_header: in lower case; written by the one trusted proxy.
    """

    bucket: str
    region: str
    host: str
    oss_endpoint: str
    read_origin: str
    sign_part_length: bool
    profiles: Mapping[str, Profile]
    role_arn: str
    sts_endpoint: str
    session_life: timedelta
    session_policies: Mapping[SessionKey, str]
    caller_auth: str
    caller_kind: CallerKind
    callers: tuple[CallerEntry, ...]
    only: CallerEntry | None
    token_secrets: tuple[str, ...]
    receipt_secrets: tuple[str, ...]
    owner_secret: str
    token_life: timedelta
    callback_url: str | None
    public_url: str | None
    callback_key_origin: str
    upload_webhook_url: str | None
    green_endpoint: str | None
    caller_rate: Rate
    login_rate: Rate
    read_rate: Rate
    quota_url: str | None
    quota_when_down: str | None
    quota_utc_offset: timedelta
    client_address_header: str | None
    ai_label_code: str | None
    erase: bool
    erase_on: frozenset[str]
    allowed_origins: frozenset[str]
    log_level: str

    @property
    def home(self) -> BucketLocation:
        """Location of profiles that name none."""
        return BucketLocation(*(getattr(self, name) for name in BucketLocation._fields))

    @property
    def own_address(self) -> str:
        """Address of this function as others reach it, without a trailing slash; empty if it is not known."""
        return (self.public_url or (self.callback_url or "").rpartition("/")[0]).rstrip("/")

    def at(self, location: BucketLocation) -> "Settings":
        """Return these settings with another home and only its profiles."""
        profiles = {name: profile for name, profile in self.profiles.items() if profile.location == location}
        return self._replace(profiles=MappingProxyType(profiles), **location._asdict())

    @property
    def unnamed(self) -> CallerEntry | None:
        """Return the caller whose owners and tokens are those of a function with one caller."""
        return next((each for each in self.callers if each.is_unnamed), None)

    def caller_of(self, app: object) -> CallerEntry | None:
        """Return the caller whose tokens have this claim ``app``; ``None`` if there is none (any more)."""
        return next((each for each in self.callers if each.app == app), None)

    def caller_field(self, app: str | None) -> dict[str, str | None]:
        """Return ``{"caller": id}`` for responses and events, of a removed one as well; empty with one."""
        if self.only:
            return {}
        entry = self.caller_of(app)
        return {"caller": entry.id if entry else app}

    def may_use(self, entry: CallerEntry | None, profile: Profile) -> bool:
        """Return whether a caller may use a profile; ``None`` stands for one that was removed."""
        if entry is None or self.only:
            return entry is not None
        return reaches(entry, profile)

    def __repr__(self) -> str:
        return f"Settings({self.bucket})"


def read_settings(
    environ: Mapping[str, str],
    caller_kinds: Mapping[str, CallerKind],
    session_policies: Callable[..., Mapping[SessionKey, str]],
    read_text: Callable[[Path], str],
) -> Settings:
    """
    Read and validate all settings.

    Args:
        caller_kinds: by name; only a refusal, and several callers, iterate over them.
        session_policies: makes the session policies of all profiles; ``has_webhook`` if a webhook is set,
            ``erases`` if erasing is open.

    Raises:
        Misconfigured: with a problem for every missing, malformed or contradictory value.
    """
    name = environ.get("CALLER_AUTH", "").strip()
    kind = caller_kinds.get(name)
    caller_auth = one_of(*([name] if kind else sorted(caller_kinds, reverse=True)))
    rows = [row._replace(type=caller_auth) if row.name == "CALLER_AUTH" else row for row in SETTINGS]
    rows += kind.settings if kind else ()
    values, problems = read_rows(environ, rows)
    path = DEFAULT_PROFILES_FILE.parent / values.get("PROFILES_FILE", PROFILES_TOML)
    by_name, found = _read_profiles_file(path, values, read_text)
    problems += found
    profiles = by_name.values()
    policies = session_policies(
        profiles, has_webhook="UPLOAD_WEBHOOK_URL" in values, erases=values.get("ERASE")
    )
    problems += validation.sdk_variables(environ)
    problems += validation.policies_too_long(policies)
    callers: tuple[CallerEntry, ...] | None = None
    if kind and kind.entries:
        callers, found = kind.entries(environ, values, profiles, path.parent, read_text, caller_kinds)
        problems += found
    problems += validation.profiles_and_settings(values, kind, profiles, callers)
    problems += kind.problems(values, profiles, settings_of(problems)) if kind else ()
    problems += validation.missing_settings(rows, values, kind, profiles, settings_of(problems))
    problems += validation.related_settings(values, settings_of(problems))
    if problems or kind is None:
        raise Misconfigured(problems)
    only = new_entry(name, kind, values) if callers is None else None
    return _settings(values, kind, callers or (only,), only, by_name, policies)


def read_rows(environ: Mapping[str, str], rows: Iterable[Setting]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of the settings that are set or have a default, and a problem for each wrong one."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    unmade: set[str] = set()
    texts = {"FC_REGION": environ.get("FC_REGION", "").strip()}
    for row in rows:
        given = environ.get(row.name, "").strip()
        # A default that contains a wrong value is not reported as well.
        if not given and any(f"{{{name}}}" in row.default for name in unmade):
            unmade.add(row.name)
            continue
        text = texts[row.name] = given or row.default.format_map(texts)
        sentence = None
        if not text:
            sentence = row.type.missing(row.name) if row.is_needed else None
        elif not text.isascii():
            sentence = Message("{name} must be plain ASCII", name=row.name)
        else:
            try:
                values[row.name] = row.type.read(row.type.from_text(text))
            except ValueError as error:
                sentence = row.type.refusal(row.name, text, error, is_secret=row.is_secret)
        if sentence is not None:
            problems.append(Problem(row.name, sentence))
            unmade.add(row.name)
    return values, problems


def settings_of(problems: Iterable[Problem]) -> frozenset[str]:
    """Return the settings that have a problem, or are missing for another one."""
    return frozenset(name for problem in problems for name in (problem.setting, problem.needs))


def _read_profiles_file(
    path: Path, values: Mapping[str, Any], read_text: Callable[[Path], str]
) -> tuple[dict[str, Profile], list[Problem]]:
    try:
        text = read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or Message("it is not UTF-8")
        sentence = Message("PROFILES_FILE = {path!r} cannot be read: {why}", path=str(path), why=why)
        return {}, [Problem("PROFILES_FILE", sentence)]
    signature = values.get("OSS_SIGNATURE_VERSION", "v4")
    return read_profiles(text, default_signature=signature, home=_home(values))


def _home(values: Mapping[str, Any]) -> BucketLocation:
    """Return the location as far as its settings are valid."""
    return BucketLocation(*(values.get(name, "") for name in PLACE_SETTINGS))


def _settings(
    values: Mapping[str, Any],
    kind: CallerKind,
    callers: tuple[CallerEntry | None, ...],
    only: CallerEntry | None,
    profiles: dict[str, Profile],
    policies: Mapping[SessionKey, str],
) -> Settings:
    secrets = values.get("TOKEN_SECRET", ())
    # A field that bears a row's name in lower case holds its value as it is; the others are named here.
    fields: dict[str, Any] = {row.name.lower(): values.get(row.name) for row in SETTINGS}
    fields |= {
        **_home(values)._asdict(),
        "profiles": MappingProxyType(profiles),
        "session_life": values["STS_SESSION_SECONDS"],
        "session_policies": policies,
        "caller_kind": kind,
        "callers": callers,
        "only": only,
        "token_secrets": secrets,
        "receipt_secrets": values.get("RECEIPT_SECRET", secrets),
        "owner_secret": values.get("OWNER_SECRET") or (secrets[-1] if secrets else ""),
        "token_life": values["TOKEN_SECONDS"],
        "green_endpoint": values.get("GREEN_ENDPOINT") or endpoint_of(values["OSS_REGION"]),
        "erase_on": values.get("ERASE_ON", frozenset()),
        "allowed_origins": values.get("ALLOWED_ORIGINS", frozenset()),
    }
    return Settings(**{name: fields[name] for name in Settings._fields})
