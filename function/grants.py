"""
What each session may do, and nothing more: the RAM documents that narrow the assumed role.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from function.profiles import Profile

UPLOADS = "uploads"
MAX_POLICY_CHARACTERS = 2048


class Grant(NamedTuple):
    """These actions on every object below these folders, each of which ends in ``/``."""

    actions: tuple[str, ...]
    folders: tuple[str, ...]


def grants_for_uploads(profiles: Iterable[Profile]) -> list[Grant]:
    """
    What signed forms need of the session behind them.

    ``oss:PutObjectAcl`` is there because no page says whether an ACL in a form needs it; folders
    whose forms pin no ACL do not get it, so that there the ACL stays out of the client's hands.
    """
    pinned: set[str] = set()
    open_names: set[str] = set()
    for profile in profiles:
        (open_names if profile.takes_filename else pinned).add(profile.key.literal_folder)
    grants = [
        Grant(("oss:PutObject", "oss:PutObjectAcl"), tuple(sorted(pinned))),
        Grant(("oss:PutObject",), tuple(sorted(open_names))),
    ]
    return [grant for grant in grants if grant.folders]


def session_policies(bucket: str, profiles: Iterable[Profile]) -> Mapping[str, str]:
    """The session policy of each purpose, as JSON text."""
    return {UPLOADS: policy_of(bucket, grants_for_uploads(profiles))}


def policy_of(bucket: str, grants: Iterable[Grant]) -> str:
    """
    Grants as a RAM document, JSON text.

    Source: https://help.aliyun.com/zh/ram/user-guide/policy-elements
    """
    statements = [
        {
            "Effect": "Allow",
            "Action": list(grant.actions),
            "Resource": [f"acs:oss:*:*:{bucket}/{folder}*" for folder in grant.folders],
        }
        for grant in grants
    ]
    return json.dumps({"Version": "1", "Statement": statements}, separators=(",", ":"), ensure_ascii=False)
