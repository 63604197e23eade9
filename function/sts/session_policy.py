"""Session policies: the RAM documents that narrow the assumed role."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from function.annotations import Any, NamedTuple
from function.config.key_template import CLEAN, DUE, ERASURES, RECORDS, REVIEWS
from function.config.profile import Profile, SessionKey

UPLOADS, OBJECTS, DELETIONS = "uploads", "objects", "deletions"
READ, DELETE, LIST = "oss:GetObject", "oss:DeleteObject", "oss:ListObjects"
# Rights that no condition binds to a prefix for certain, and those below the folders.
ERASE_LISTS = ("oss:ListMultipartUploads", "oss:ListObjectVersions")
ERASE = ("oss:AbortMultipartUpload", DELETE, "oss:DeleteObjectVersion")
# An upload in parts, a copy and a record each name an ACL.
WRITE = ("oss:PutObject", "oss:PutObjectAcl")
PUBLIC_ACLS = ("public-read", "public-read-write")


class Grant(NamedTuple):
    """
    Actions on every object whose key begins with a prefix: folders, with their ``/``, and our records.

    Forms that leave the ACL to the page have ``refused_acls``, which are denied even with these actions.
    ``LIST`` stands alone: it is a right of the bucket, for requests that name such a prefix. Without folders
    the actions are about the bucket itself.
    """

    actions: tuple[str, ...]
    folders: tuple[str, ...]
    refused_acls: tuple[str, ...] = ()


def grants_for_uploads(profiles: Iterable[Profile]) -> list[Grant]:
    """
    Return the grants of the session behind signed forms.

    ``oss:PutObjectAcl`` is included because OSS's pages disagree whether an ACL in a form needs it. Folders
    whose forms pin no ACL do not get it and are denied the public ACLs, so that both readings are safe. No
    form writes where held objects are published.
    """
    pinned: set[str] = set()
    open_names: set[str] = set()
    for profile in profiles:
        (open_names if profile.takes_filename else pinned).add(profile.stored_folder)
    grants = [
        Grant(WRITE, tuple(sorted(pinned))),
        Grant(("oss:PutObject",), tuple(sorted(open_names)), PUBLIC_ACLS),
    ]
    return [grant for grant in grants if grant.folders]


def grants_for_objects(
    profiles: Collection[Profile],
    *,
    is_held_elsewhere: bool = False,
    has_webhook: bool = False,
    has_erasures: bool = False,
) -> list[Grant]:
    """
    Return the grants of the session behind the function's own calls to OSS and the URLs of ``/read``.

    Args:
        is_held_elsewhere: True if a profile that is not among these holds objects, perhaps in another bucket.
        has_webhook: True if events are delivered, which may be due for hours.
        has_erasures: True if the state of erasures may be in this bucket.
    """
    actions: defaultdict[str, set[str]] = defaultdict(set)
    is_held = _is_any_held(profiles)
    for profile in profiles:
        stored, published = actions[profile.stored_folder], actions[profile.key.literal_folder]
        replaces = bool(profile.delete) and profile.gives_receipts
        # HeadObject needs the right to read: confirm calls it, and so does a replacement, about both objects.
        stored.update({READ} if profile.confirm or profile.parts else ())
        published.update({READ} if replaces or profile.is_read_signed else ())
        # Begin, list, complete and abort; the parts themselves are signed by the upload session.
        stored.update((*WRITE, "oss:ListParts", "oss:AbortMultipartUpload") if profile.parts else ())
        # With a receipt the status of its object can be read, and a backend can discard it.
        if profile.gives_receipts and (is_held or is_held_elsewhere):
            published.update((READ, DELETE))
        if profile.is_held:
            stored.update((READ, DELETE))
            published.update(WRITE)
        if profile.strip:
            stored.add("oss:PostProcessTask")
            actions[CLEAN].add(DELETE)
        if is_held:
            actions[RECORDS].update((READ, *WRITE))
            actions[DUE].add(DELETE)
            actions[REVIEWS].update((DELETE,) if profile.is_reviewed else ())
        elif has_webhook or replaces:
            actions[DUE].update((READ, *WRITE, DELETE))
    own_records = (DUE, ERASURES) if has_erasures else ()
    actions |= dict.fromkeys(own_records, {READ, *WRITE, DELETE})
    # A tick lists what is due, a backend what waits for a human.
    lists: tuple[str, ...] = own_records or (
        (DUE,) if any(profile.gives_receipts for profile in profiles) else ()
    )
    lists += (REVIEWS,) if any(profile.is_reviewed for profile in profiles) else ()
    return [*_grouped(actions), *([Grant((LIST,), lists)] if lists else [])]


def _grouped(actions: Mapping[str, Collection[str]]) -> list[Grant]:
    """Return a grant for all folders with the same actions."""
    folders: dict[tuple[str, ...], list[str]] = {}
    for folder in sorted(actions):
        folders.setdefault(tuple(sorted(actions[folder])), []).append(folder)
    return [Grant(allowed, tuple(folders[allowed])) for allowed in sorted(folders) if allowed]


def grants_for_deletions(
    profiles: Collection[Profile], *, is_any_deleted: bool, erases: bool = False
) -> list[Grant]:
    """
    Return the grants of the session that lists and deletes objects for their owners.

    Args:
        is_any_deleted: True if a profile, perhaps in another bucket, has ``delete``: then a backend may
            delete below every folder of an owner, and what a receipt is about.
        erases: True if everything of an owner can be erased.
    """
    actions: defaultdict[str, set[str]] = defaultdict(set)
    listed = sorted({profile.key.literal_folder for profile in profiles if profile.list})
    for profile in profiles:
        if is_any_deleted and profile.is_deletable:
            actions[profile.key.literal_folder].add(DELETE)
        if erases and profile.key.begins_with_owner:
            copies = (CLEAN,) if profile.strip else ()
            for folder in (profile.key.literal_folder, profile.stored_folder, *copies):
                actions[folder].update(ERASE)
    lists = [Grant((LIST,), tuple(listed))] if listed else []
    erased = any(ERASE[0] in each for each in actions.values())
    return [*lists, *_grouped(actions), *([Grant(ERASE_LISTS, ())] if erased else [])]


def _is_any_held(profiles: Iterable[Profile]) -> bool:
    return any(profile.is_held for profile in profiles)


def session_policies(
    profiles: Collection[Profile], *, has_webhook: bool = False, erases: bool = False
) -> Mapping[SessionKey, str]:
    """
    Return the policy, as JSON text, of each session of these profiles; it reaches one bucket only.

    Args:
        has_webhook: whether ``UPLOAD_WEBHOOK_URL`` is set.
        erases: whether ``ERASE`` is.
    """
    return {
        (purpose, bucket, role_arn): policy_of(bucket, needed)
        for (bucket, role_arn), theirs in _by_location(profiles).items()
        for purpose, needed in _grants(theirs, profiles, has_webhook, erases).items()
        if needed
    }


def role_policies(
    profiles: Collection[Profile], *, has_webhook: bool = False, erases: bool = False
) -> Mapping[str, str]:
    """Return the JSON policy that each role, by its ARN, must have for all its sessions."""
    statements: dict[str, list[dict[str, Any]]] = {}
    for (bucket, role_arn), theirs in _by_location(profiles).items():
        for needed in _grants(theirs, profiles, has_webhook, erases).values():
            statements.setdefault(role_arn, []).extend(_statements(bucket, needed))
    return {role_arn: _document(allowed) for role_arn, allowed in statements.items()}


def _by_location(profiles: Collection[Profile]) -> Mapping[tuple[str, str], list[Profile]]:
    locations: defaultdict[tuple[str, str], list[Profile]] = defaultdict(list)
    for profile in profiles:
        locations[profile.location.bucket, profile.location.role_arn].append(profile)
    return locations


def _grants(
    profiles: Collection[Profile], everywhere: Collection[Profile], has_webhook: bool, erases: bool
) -> Mapping[str, list[Grant]]:
    return {
        UPLOADS: grants_for_uploads(profiles),
        OBJECTS: grants_for_objects(
            profiles,
            is_held_elsewhere=_is_any_held(everywhere),
            has_webhook=has_webhook,
            # One that began before the profiles changed ends where it began.
            has_erasures=erases,
        ),
        DELETIONS: grants_for_deletions(
            profiles, is_any_deleted=any(profile.delete for profile in everywhere), erases=erases
        ),
    }


def policy_of(bucket: str, grants: Iterable[Grant]) -> str:
    """
    Return grants in one bucket as a RAM document, JSON text.

    Source: https://help.aliyun.com/zh/oss/user-guide/authorization-syntax-and-elements
    """
    return _document(_statements(bucket, grants))


def _document(statements: Iterable[dict[str, Any]]) -> str:
    document = {"Version": "1", "Statement": [*statements]}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _statements(bucket: str, grants: Iterable[Grant]) -> Iterator[dict[str, Any]]:
    for actions, folders, refused_acls in grants:
        if LIST in actions:
            condition = {"StringLike": {"oss:Prefix": [f"{folder}*" for folder in folders]}}
            resource = {"Resource": [f"acs:oss:*:*:{bucket}"], "Condition": condition}
            yield {"Effect": "Allow", "Action": [LIST], **resource}
            continue
        resources = [f"acs:oss:*:*:{bucket}/{folder}*" for folder in folders] or [f"acs:oss:*:*:{bucket}"]
        target = {"Action": list(actions), "Resource": resources}
        yield {"Effect": "Allow", **target}
        if refused_acls:
            condition = {"StringEquals": {"oss:x-oss-object-acl": list(refused_acls)}}
            yield {"Effect": "Deny", **target, "Condition": condition}
