"""Deletions by key, for an owner or a backend."""

from collections.abc import Collection, Mapping

from function.config.key_template import held_name
from function.config.profile import BucketLocation, Profile
from function.config.typing import Any, NamedTuple
from function.errors import BadRequest, Forbidden, UploadError
from function.oss.client import OssClient, require_client
from function.oss.objects import delete_object, head_object
from function.reading import matches_of, read_key

MAX_KEYS = 20

Clients = Mapping[BucketLocation, OssClient | UploadError]


class DeletionGrant(NamedTuple):
    """A key that the caller may delete, where it is, and whether it may be held there."""

    key: str
    location: BucketLocation
    may_be_held: bool


def read_keys(fields: Mapping[str, Any]) -> list[str]:
    """Read the body of ``POST /delete``; a refusal names the field."""
    keys = fields.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise BadRequest(f"keys must be a list of 1 to {MAX_KEYS} strings.")
    return [read_key(key, f"keys[{index}]") for index, key in enumerate(keys)]


def deletable(key: str, owner: str | None, profiles: Collection[Profile]) -> DeletionGrant:
    """
    Check that a caller may delete the object of a key.

    Args:
        owner: ``None`` for a backend.

    Raises:
        Forbidden: each profile that may have made the key must permit it, and all be of one bucket.
    """
    matching = matches_of(key, profiles)
    if not matching:
        raise _forbidden("no profile matches the key")
    for match in matching:
        profile = match.profile
        may = profile.is_deletable if owner is None else profile.delete == "owner" and match.is_of(owner)
        if not may:
            raise _forbidden(f"[{profile.name}] does not permit it")
    if len({match.profile.location.bucket for match in matching}) > 1:
        raise _forbidden("a key of two buckets")
    is_held = any(match.profile.is_held for match in matching)
    return DeletionGrant(key, matching[0].profile.location, is_held)


def check_replaced(key: str, owner: str, profile: Profile, profiles: Collection[Profile]) -> None:
    """
    Check that a new upload may replace an object of the same owner and profile.

    Args:
        profiles: all, with templates that read back the folders of hooks.

    Raises:
        BadRequest: the profile permits no replacement.
        Forbidden: the key is none of this owner's and profile's, or another profile forbids it.
    """
    if not profile.delete:
        raise BadRequest("replaces needs a profile with delete.")
    deletable(key, owner, profiles)
    if not any(match.profile.name == profile.name for match in matches_of(key, profiles)):
        raise _forbidden("a key of another profile")


def _forbidden(reason: str) -> Forbidden:
    """Return the one refusal, which tells neither if there is such an object nor whose it is."""
    return Forbidden("This caller may not delete this key.", reason=reason)


def delete(grant: DeletionGrant, objects: Clients, deletions: Clients) -> None:
    """
    Delete an object, whether it is there or not.

    Args:
        objects: clients that may look at held objects.
        deletions: clients that may delete.

    Raises:
        Forbidden: it is held.
        UploadError: OSS refuses, or does not respond; it may be there or not.
    """
    if grant.may_be_held and head_object(require_client(objects[grant.location]), held_name(grant.key)):
        raise Forbidden("This object is held; discard it instead.", reason="held")
    delete_object(require_client(deletions[grant.location]), grant.key)
