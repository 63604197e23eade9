"""What each session may do, and nothing more: the RAM documents that narrow the assumed role."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from function.key_template import RECORDS
from function.profiles import Profile

UPLOADS, OBJECTS = "uploads", "objects"
MAX_POLICY_CHARACTERS = 2048
READ, DELETE = "oss:GetObject", "oss:DeleteObject"
# An upload in parts, a copy and a record each name an ACL.
WRITE = ("oss:PutObject", "oss:PutObjectAcl")
PUBLIC_ACLS = ("public-read", "public-read-write")


class Grant(NamedTuple):
    """
    These actions on every object whose key begins so: below folders that end in ``/``, and our own records.

    Args:
        refused_acls: not even with these actions; for forms that leave the ACL to the page.
    """

    actions: tuple[str, ...]
    folders: tuple[str, ...]
    refused_acls: tuple[str, ...] = ()


def grants_for_uploads(profiles: Iterable[Profile]) -> list[Grant]:
    """
    What signed forms need of the session behind them.

    ``oss:PutObjectAcl`` is there because the pages disagree whether an ACL in a form needs it. Folders whose
    forms pin no ACL do not get it, and are denied the public ones, so that neither reading opens them. Where
    what was held back is published no form writes.
    """
    pinned: set[str] = set()
    open_names: set[str] = set()
    for profile in profiles:
        (open_names if profile.takes_filename else pinned).add(profile.stored_folder)
    grants = [
        Grant(("oss:PutObject", "oss:PutObjectAcl"), tuple(sorted(pinned))),
        Grant(("oss:PutObject",), tuple(sorted(open_names)), PUBLIC_ACLS),
    ]
    return [grant for grant in grants if grant.folders]


def grants_for_objects(profiles: Iterable[Profile]) -> list[Grant]:
    """What the function's own calls to OSS and the URLs of ``/read`` need, where an option asks for them."""
    profiles = [*profiles]
    actions: dict[str, set[str]] = {}
    for profile in profiles:
        actions.setdefault(profile.stored_folder, set()).update(_actions_on_stored(profile))
        actions.setdefault(profile.key.literal_folder, set()).update({READ} if profile.is_read_signed else ())
    if any(profile.is_held for profile in profiles):
        _add_what_holding_needs(profiles, actions)
    folders: dict[tuple[str, ...], list[str]] = {}
    for folder in sorted(actions):
        folders.setdefault(tuple(sorted(actions[folder])), []).append(folder)
    return [Grant(wanted, tuple(folders[wanted])) for wanted in sorted(folders) if wanted]


def _actions_on_stored(profile: Profile) -> Iterator[str]:
    # HeadObject, which confirming asks, needs what reading needs.
    if profile.confirm or profile.parts:
        yield READ
    # Begin, look, complete and drop; the parts themselves are sent with the upload session.
    if profile.parts:
        yield from (*WRITE, "oss:ListParts", "oss:AbortMultipartUpload")


def _add_what_holding_needs(profiles: Iterable[Profile], actions: dict[str, set[str]]) -> None:
    actions[RECORDS] = {READ, *WRITE}
    for profile in profiles:
        # Whoever has a receipt may ask about its object, and the business discard it.
        if profile.gives_receipts:
            actions[profile.key.literal_folder] |= {READ, DELETE}
        if profile.is_held:
            actions[profile.stored_folder] |= {READ, DELETE}
            actions[profile.key.literal_folder] |= {*WRITE}


def session_policies(bucket: str, profiles: Iterable[Profile]) -> Mapping[str, str]:
    """The session policy of each purpose that these profiles have, as JSON text."""
    grants = {UPLOADS: grants_for_uploads(profiles), OBJECTS: grants_for_objects(profiles)}
    return {purpose: policy_of(bucket, needed) for purpose, needed in grants.items() if needed}


def role_policy(bucket: str, profiles: Iterable[Profile]) -> str:
    """What the role must allow so that every session gets what it asks for, as JSON text."""
    return policy_of(bucket, [*grants_for_uploads(profiles), *grants_for_objects(profiles)])


def policy_of(bucket: str, grants: Iterable[Grant]) -> str:
    """
    Grants as a RAM document, JSON text.

    Source: https://help.aliyun.com/zh/oss/user-guide/authorization-syntax-and-elements
    """
    statements = [statement for grant in grants for statement in _statements(bucket, grant)]
    return json.dumps({"Version": "1", "Statement": statements}, separators=(",", ":"), ensure_ascii=False)


def _statements(bucket: str, grant: Grant) -> Iterator[dict[str, Any]]:
    what = {
        "Action": list(grant.actions),
        "Resource": [f"acs:oss:*:*:{bucket}/{folder}*" for folder in grant.folders],
    }
    yield {"Effect": "Allow", **what}
    if grant.refused_acls:
        condition = {"StringEquals": {"oss:x-oss-object-acl": list(grant.refused_acls)}}
        yield {"Effect": "Deny", **what, "Condition": condition}
