"""Read access: check which objects a caller may read, and sign URLs that stay the same for a while."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from function.annotations import Any, NamedTuple
from function.config.key_template import HELD_FOLDER, MAX_KEY_BYTES
from function.config.profile import Profile
from function.config.setting_table import CallerEntry
from function.context import RequestContext
from function.errors import BadRequest, Forbidden
from function.oss.post_form import Credentials, object_url
from function.oss.presign import NONE, PROCESS, OssRequest, encode, presign

MAX_ITEMS = 50


class UrlRequest(NamedTuple):
    """One object, and the name of its variant; ``None`` for the original."""

    key: str
    variant: str | None


def read_items(items: Any) -> list[UrlRequest]:
    """Read the list ``items`` of ``POST /read``; each refusal names its field."""
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise BadRequest(f"items must be a list of 1 to {MAX_ITEMS} objects.")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise BadRequest(f"items[{index}] must be an object.")
    return [read_item(item, f"items[{index}].") for index, item in enumerate(items)]


def read_item(fields: Mapping[str, Any], where: str = "") -> UrlRequest:
    """Read the fields of one URL; each refusal names its field after ``where``, such as ``items[2].``."""
    return UrlRequest(read_key(fields.get("key"), f"{where}key"), read_variant(fields, where))


def read_key(key: Any, name: str) -> str:
    """Return the key in a field of this name."""
    # A lone surrogate counts as three bytes here, and fits no template.
    if not isinstance(key, str) or not 0 < len(key.encode(errors="surrogatepass")) <= MAX_KEY_BYTES:
        raise BadRequest(f"{name} must be a string of 1 to {MAX_KEY_BYTES} bytes.")
    return key


def read_variant(fields: Mapping[str, Any], where: str = "") -> str | None:
    """Return the name of a variant, if any."""
    variant = fields.get("variant")
    if variant is not None and not isinstance(variant, str):
        raise BadRequest(f"{where}variant must be a string.")
    return variant


class KeyMatch(NamedTuple):
    """A profile whose template matches a key, and the values of the placeholders."""

    profile: Profile
    parts: Mapping[str, str]

    def is_of(self, owner: str) -> bool:
        """Return whether it is a key of this owner."""
        return self.parts.get("owner") == owner


class ReadGrant(NamedTuple):
    """A permitted request, and the profile that says how to read."""

    request: UrlRequest
    profile: Profile


def readable(requests: Sequence[UrlRequest], owner: str, profiles: Collection[Profile]) -> list[ReadGrant]:
    """
    Check that a caller may read all these objects.

    Raises:
        BadRequest: a profile has no such variant; checked before any permission.
        Forbidden: the caller may not read one of them.
    """
    matches = [(one, matches_of(one.key, profiles)) for one in requests]
    for one, matching in matches:
        # Even if the key matches no profile, the variant must be one of some profile.
        if not _with_variant(one, [match.profile for match in matching if match.profile.read] or profiles):
            raise BadRequest("variant is unknown to the profile of this key.")
    return [ReadGrant(one, _permitting(one, owner, matching)) for one, matching in matches]


def profiles_with_keys(context: RequestContext, entry: CallerEntry | None = None) -> list[Profile]:
    """
    Return the profiles, with templates that read back the folders of hooks if there are any.

    Args:
        entry: caller to whom the others give no access.
    """
    profiles = list(context.settings.profiles.values())
    if entry is not None and not context.settings.only:
        context.line.caller = entry.id
        profiles = [
            each if context.settings.may_use(entry, each) else each._replace(read="", delete="")
            for each in profiles
        ]
    if context.instance.hooks_file is None:
        return profiles
    return [each._replace(key=each.key._replace(has_inner_folders=True)) for each in profiles]


def matches_of(key: str, profiles: Iterable[Profile]) -> list[KeyMatch]:
    """Return the profiles that may have made a key; none may have made that of a held object."""
    if key.startswith(HELD_FOLDER):
        return []
    return [KeyMatch(profile, parts) for profile in profiles if (parts := profile.key.read(key)) is not None]


def _with_variant(request: UrlRequest, profiles: Collection[Profile]) -> list[Profile]:
    if request.variant is None:
        return list(profiles)
    return [profile for profile in profiles if request.variant in profile.variants]


def _permitting(request: UrlRequest, owner: str, matching: Collection[KeyMatch]) -> Profile:
    read_by = [match.profile for match in matching if match.profile.read]
    if not read_by:
        raise _forbidden("no profile with read access matches the key")
    # The object may be of any matching profile, so each of them must permit this caller; a profile without
    # read access permits the owner if another one has it.
    if not all(match.profile.read == "callers" or match.is_of(owner) for match in matching):
        raise _forbidden("another owner's key")
    return _with_variant(request, read_by)[0]


def _forbidden(reason: str) -> Forbidden:
    """Return the one refusal, which tells neither if there is such an object nor whose it is."""
    return Forbidden("This caller may not read this key.", reason=reason)


def window_start(now: datetime, read_for: timedelta) -> datetime:
    """Return the instant that all URLs of one window are dated from; ``now`` is UTC, in whole seconds."""
    return now - timedelta(seconds=int(now.timestamp()) % int(read_for.total_seconds()))


def url_end(profile: Profile, now: datetime) -> datetime:
    """Return when a URL that is signed now expires."""
    return window_start(now, profile.read_for) + profile.read_life


def signed_url(request: UrlRequest, profile: Profile, credentials: Credentials, now: datetime) -> str:
    """
    Return the presigned URL for GET of this key with this processing only.

    The credentials are valid until ``url_end``, else the URL expires with them.
    """
    query = {PROCESS: profile.variants[request.variant]} if request.variant is not None else NONE
    location = profile.location
    return presign(
        OssRequest("GET", location.bucket, location.region, request.key, query),
        credentials,
        window_start(now, profile.read_for),
        origin=location.read_origin,
        expires_in=profile.read_life,
    )


def plain_url(request: UrlRequest, profile: Profile) -> str:
    """Return the URL of a public object, with the same processing; it never expires."""
    url = object_url(profile.location.read_origin, request.key)
    if request.variant is None:
        return url
    return f"{url}?{PROCESS}={encode(profile.variants[request.variant])}"
