"""Who may read what: the profiles whose templates, read backwards, give exactly this key decide."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from function.config.key_template import HELD_FOLDER
from function.config.profile import Profile
from function.errors import BadRequest, Forbidden
from function.reading.wanted import WantedUrl


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
