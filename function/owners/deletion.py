"""Deletions by key, for an owner or a backend."""

from collections.abc import Collection, Mapping

from function.annotations import Any, NamedTuple
from function.config.profile import Profile
from function.context import RequestContext
from function.errors import BadRequest, Forbidden
from function.oss.client import OssClient
from function.oss.objects import delete_object
from function.reading import matches_of, read_key
from function.sts.session_policy import DELETIONS, OBJECTS

MAX_KEYS = 20


class DeletionGrant(NamedTuple):
    """A key that the caller may delete, and the profile that may have made it."""

    key: str
    profile: Profile

    @property
    def purpose(self) -> str:
        """Return the purpose of the session that deletes."""
        return OBJECTS if self.profile.is_held else DELETIONS


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
    # Profiles with and without a hold share no folder.
    return DeletionGrant(key, matching[0].profile)


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


def delete(context: RequestContext, grant: DeletionGrant, oss: OssClient, *, is_backend: bool) -> None:
    """
    Delete the objects of a key, held or published, whether there are any or not.

    Args:
        oss: of the session of the grant's purpose.

    Raises:
        UploadError: OSS refuses, or does not respond; it may be there or not.
    """
    if not grant.profile.is_held:
        delete_object(oss, grant.key)
        return
    from function.holding.delete_by_key import delete_by_key
    from function.holding.transitions import BY_BACKEND, BY_OWNER

    delete_by_key(context, oss, grant.profile, grant.key, BY_BACKEND if is_backend else BY_OWNER)
