"""What each session may do, and nothing more: the RAM documents that narrow the assumed role."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from function.profiles import Profile

UPLOADS = "uploads"
MAX_POLICY_CHARACTERS = 2048
PUBLIC_ACLS = ("public-read", "public-read-write")


class Grant(NamedTuple):
    """
    These actions on every object below these folders, each of which ends in ``/``.

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
    forms pin no ACL do not get it, and are denied the public ones, so that neither reading opens them.
    """
    pinned: set[str] = set()
    open_names: set[str] = set()
    for profile in profiles:
        (open_names if profile.takes_filename else pinned).add(profile.key.literal_folder)
    grants = [
        Grant(("oss:PutObject", "oss:PutObjectAcl"), tuple(sorted(pinned))),
        Grant(("oss:PutObject",), tuple(sorted(open_names)), PUBLIC_ACLS),
    ]
    return [grant for grant in grants if grant.folders]


def session_policies(bucket: str, profiles: Iterable[Profile]) -> Mapping[str, str]:
    """The session policy of each purpose, as JSON text."""
    return {UPLOADS: policy_of(bucket, grants_for_uploads(profiles))}


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
