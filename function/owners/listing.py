"""Lists of an owner's objects: one profile, page by page, in key order."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from function.annotations import Any
from function.auth.signed_tokens import KEY, invalid_token, issue_token, read_token, text_claim
from function.config.profile import Profile
from function.config.settings import Settings
from function.errors import BadRequest, Unauthorized, UnknownProfile
from function.oss.client import OssClient
from function.oss.listing import Listed, list_page
from function.reading import matches_of, read_variant

CURSOR = "oss-direct-upload/cursor"
CURSOR_LIFE = timedelta(hours=1)
MAX_LISTED = 100
# Of one request: an owner's folder may hold many objects that are not the profile's.
MAX_PAGES = 10


def read_list_request(
    fields: Mapping[str, Any], profiles: Mapping[str, Profile]
) -> tuple[Profile, int, str, str | None]:
    """
    Read the body of ``POST /list``; each refusal names its field.

    Returns:
        the profile, the limit, the cursor of the page before (empty for the first), and the variant of the
        URLs (``None`` for the originals).
    """
    name = fields.get("profile")
    if not isinstance(name, str) or not name:
        raise BadRequest("profile must be a non-empty string.")
    limit, cursor = read_page(fields, MAX_LISTED)
    variant = read_variant(fields)
    profile = profiles.get(name)
    if profile is None:
        raise UnknownProfile("Unknown profile.")
    if not profile.list:
        raise BadRequest("profile cannot be listed.")
    if variant is not None and variant not in profile.variants:
        raise BadRequest("variant is unknown to this profile.")
    return profile, limit, cursor, variant


def read_page(fields: Mapping[str, Any], usual: int) -> tuple[int, str]:
    """Return ``limit`` and ``cursor`` of a body: the usual limit without one, an empty cursor at first."""
    limit, cursor = fields.get("limit"), fields.get("cursor")
    if limit is not None and (type(limit) is not int or not 1 <= limit <= MAX_LISTED):
        raise BadRequest(f"limit must be a whole number from 1 to {MAX_LISTED}.")
    if cursor is not None and (not isinstance(cursor, str) or not cursor):
        raise BadRequest("cursor must be a non-empty string, as the page before has it.")
    return usual if limit is None else limit, cursor or ""


def issue_cursor(of: list[str], after: str, settings: Settings, now: datetime) -> str:
    """
    Return a token for what a list has after a key.

    Args:
        of: tells the list from others: ``list_of`` an owner, for example.
    """
    return issue_token(
        {"list": of, "after": after},
        audience=CURSOR,
        secrets=settings.token_secrets,
        now=now,
        life=CURSOR_LIFE,
    )


def read_cursor(text: str, of: list[str], settings: Settings, now: datetime) -> str:
    """Return the key after which a list goes on; raise ``BadRequest`` for another list's cursor, or none."""
    try:
        claims = read_token(text, audience=CURSOR, secrets=settings.token_secrets, now=now)
        if claims.get("list") != of:
            raise invalid_token("of another list")
        return text_claim(claims, "after", KEY)
    except Unauthorized as error:
        raise BadRequest("cursor is invalid or has expired.", reason=f"cursor: {error.reason}") from None


def list_of(profile: Profile, owner: str) -> list[str]:
    """Return what tells the list of an owner and profile from others."""
    return [owner, profile.name, profile.location.bucket]


def list_own(
    oss: OssClient, profile: Profile, owner: str, profiles: Collection[Profile], limit: int, after: str = ""
) -> tuple[list[Listed], str]:
    """
    Return an owner's objects of a profile, and the key after which there may be more; empty at the end.

    Args:
        profile: as in ``profiles``, whose templates read back the folders of hooks.
        after: only keys after this one.

    Raises:
        UploadError: OSS refuses, or does not respond.
    """
    # A key does not tell its bucket, but this list does.
    there = [each for each in profiles if each.location.bucket == profile.location.bucket]
    found: list[Listed] = []
    prefix, token = profile.key.prefix_of(owner), ""
    for _ in range(MAX_PAGES):
        page = list_page(oss, prefix, start_after="" if token else after, token=token, limit=limit)
        token = page.token
        for each in page.objects:
            if len(found) == limit:
                return found, after
            after = each.key
            if _is_listed(each.key, profile, owner, there):
                found.append(each)
        if not token:
            return found, ""
        if len(found) == limit:
            break
    return found, after


def _is_listed(key: str, profile: Profile, owner: str, profiles: Collection[Profile]) -> bool:
    """Return whether this profile may have made a key of this owner, and no other that has no lists."""
    matching = matches_of(key, profiles)
    is_ours = any(match.profile.name == profile.name for match in matching)
    return is_ours and all(match.profile.list and match.is_of(owner) for match in matching)
