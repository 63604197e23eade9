"""Read access: which objects a caller may read, and URLs that stay the same for a while."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from function.config.key_template import HELD_FOLDER, MAX_KEY_BYTES
from function.config.profile import Profile
from function.errors import BadRequest, Forbidden
from function.oss.post_form import Credentials, object_url
from function.oss.presign import NONE, PROCESS, OssRequest, encode, presign

MAX_ITEMS = 50


class WantedUrl(NamedTuple):
    """One object, and the name of the variant of it; ``None`` for the object as it is."""

    key: str
    variant: str | None


def read_items(items: Any) -> list[WantedUrl]:
    """The list ``items`` of ``POST /read``; each refusal names its field."""
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise BadRequest(f"items must be a list of 1 to {MAX_ITEMS} objects.")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise BadRequest(f"items[{index}] must be an object.")
    return [read_item(item, f"items[{index}].") for index, item in enumerate(items)]


def read_item(fields: Mapping[str, Any], where: str = "") -> WantedUrl:
    """
    The fields of one object's URL.

    Args:
        where: what stands before a field's name in a refusal, such as ``items[2].``.

    Raises:
        BadRequest: naming the field.
    """
    key, variant = fields.get("key"), fields.get("variant")
    # A half of a pair, which no text of UTF-8 has, is not counted wrong: it fits no template.
    if not isinstance(key, str) or not 0 < len(key.encode(errors="surrogatepass")) <= MAX_KEY_BYTES:
        raise BadRequest(f"{where}key must be a text of 1 to {MAX_KEY_BYTES} bytes.")
    if variant is not None and not isinstance(variant, str):
        raise BadRequest(f"{where}variant must be a text.")
    return WantedUrl(key, variant)


class Fit(NamedTuple):
    """A profile whose objects are named so, and what the placeholders of its template are in the key."""

    profile: Profile
    parts: Mapping[str, str]


class Readable(NamedTuple):
    """What may be read, and the profile that says how."""

    wanted: WantedUrl
    profile: Profile


def readable(wanted: Sequence[WantedUrl], owner: str, profiles: Collection[Profile]) -> list[Readable]:
    """
    Args:
        owner: the caller's.

    Raises:
        BadRequest: a variant is none of its profile's; told before anything is said of what is forbidden.

        Forbidden: one of them is not for this caller.
    """
    fits = [(one, _fits(one.key, profiles)) for one in wanted]
    for one, fitting in fits:
        # Of a key that fits no profile, a name that no profile has is malformed all the same.
        if not _with_variant(one, [fit.profile for fit in fitting if fit.profile.read] or profiles):
            raise BadRequest("variant is none of those that the key's profile has.")
    return [Readable(one, _permitting(one, owner, fitting)) for one, fitting in fits]


def _fits(key: str, profiles: Collection[Profile]) -> list[Fit]:
    if key.startswith(HELD_FOLDER):
        return []
    return [Fit(profile, parts) for profile in profiles if (parts := profile.key.read(key)) is not None]


def _with_variant(wanted: WantedUrl, profiles: Collection[Profile]) -> list[Profile]:
    if wanted.variant is None:
        return list(profiles)
    return [profile for profile in profiles if wanted.variant in profile.variants]


def _permitting(wanted: WantedUrl, owner: str, fitting: Collection[Fit]) -> Profile:
    read_by = [fit.profile for fit in fitting if fit.profile.read]
    if not read_by:
        raise _forbidden("a key of no profile that can be read")
    # The object may be of any profile that the key fits, so each of them must let this caller read it; one
    # that cannot be read lets its owner do so, by the other.
    if not all(fit.profile.read == "callers" or fit.parts.get("owner") == owner for fit in fitting):
        raise _forbidden("another owner's key")
    return _with_variant(wanted, read_by)[0]


def _forbidden(reason: str) -> Forbidden:
    """One sentence for all: whether there is such an object, or whose, is told to nobody."""
    return Forbidden("This key is not for this caller to read.", reason=reason)


def window_start(now: datetime, read_for: timedelta) -> datetime:
    """
    Args:
        now: timezone-aware UTC, whole seconds.

        read_for: whole seconds.
    """
    return now - timedelta(seconds=int(now.timestamp()) % int(read_for.total_seconds()))


def url_end(profile: Profile, now: datetime) -> datetime:
    """When a signed URL that is given now ends."""
    return window_start(now, profile.read_for) + profile.read_life


def signed_url(wanted: WantedUrl, profile: Profile, credentials: Credentials, now: datetime) -> str:
    """
    The URL that admits GET of this key with this processing, and nothing else.

    Args:
        credentials: they last until ``url_end``, or the URL does not.
    """
    query = {PROCESS: profile.variants[wanted.variant]} if wanted.variant is not None else NONE
    location = profile.location
    return presign(
        OssRequest("GET", location.bucket, location.region, wanted.key, query),
        credentials,
        window_start(now, profile.read_for),
        origin=location.read_origin,
        expires_in=profile.read_life,
    )


def plain_url(wanted: WantedUrl, profile: Profile) -> str:
    """The URL of what everybody may read, with the same processing; it never ends."""
    url = object_url(profile.location.read_origin, wanted.key)
    if wanted.variant is None:
        return url
    return f"{url}?{PROCESS}={encode(profile.variants[wanted.variant])}"
