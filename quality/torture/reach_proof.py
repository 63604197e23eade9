"""
Random profiles and random requests of the function's sessions, lists and deletions: what the options promise,
and what the local OSS does with the documents of the session and of its role.
"""

import json
import random
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from function.config.profile import NOWHERE, Profile
from function.config.profiles import read_profiles
from function.sts.session_policy import DELETIONS, OBJECTS, UPLOADS, role_policies, session_policies
from local.common.accounts import AccessKey, Accounts
from local.oss.access import permits
from local.oss.bucket import Bucket
from local.oss.objects import Objects
from local.oss.rules import OssRules
from quality.torture.report import Result, compare

REQUESTS = 120_000
REQUESTS_PER_SET = 60
BUCKET, REGION = "photos", "cn-hangzhou"
HOME = NOWHERE._replace(bucket=BUCKET, region=REGION, role_arn="acs:ram::1:role/upload")
# One is the start of another, but for its slash.
FOLDERS = ("u/", "u/4/", "u/42/", "u/420/", "用户/", "a-b/", "a/b/", "heldx/")
OPTIONS = ("", "confirm = true", "list = true", 'delete = "owner"', 'list = true\ndelete = "owner"')
HOLD = 'confirm = true\nhold = ["commit"]'
DUE, ERASURES = "held/.due/", "held/.erasures/"
LIST, DELETE = "oss:ListObjects", "oss:DeleteObject"
LISTS = ("oss:ListObjectVersions", "oss:ListMultipartUploads")
DELETE_VERSION, ABORT = "oss:DeleteObjectVersion", "oss:AbortMultipartUpload"
OTHERS = (*LISTS, DELETE_VERSION, ABORT)

Policies = Callable[..., Mapping[tuple[str, str, str], str]]


class Request(NamedTuple):
    """
    A list or a deletion.

    Args:
        action: such as ``oss:ListObjects``.

        place: the prefix of a list, ``None`` for a list without one; the key of a deletion.
    """

    action: str
    place: str | None

    @property
    def is_list(self) -> bool:
        return self.action.startswith("oss:List")


class Case(NamedTuple):
    """A set of profiles with the documents of one of its sessions: perhaps the role's, and its own."""

    profiles: Collection[Profile]
    purpose: str
    documents: tuple[str, ...]
    erases: bool


def promised(case: Case, request: Request) -> bool | None:
    """What the options say; ``None`` for deletions of the objects session, which receipts decide."""
    profiles, purpose, place, action = case.profiles, case.purpose, request.place, request.action
    if purpose == DELETIONS and action in LISTS:
        return case.erases
    if place is None:
        return False
    if purpose == OBJECTS:
        is_due = case.erases or any(profile.gives_receipts for profile in profiles)
        lists = [*([DUE] if is_due else []), *([ERASURES] if case.erases else [])]
        return {LIST: place.startswith(tuple(lists)), DELETE: None, ABORT: None}.get(action, False)
    if purpose == DELETIONS:
        lists = [one.key.literal_folder for one in profiles if one.list]
        is_any = any(one.delete for one in profiles)
        deletes = [one.key.literal_folder for one in profiles if one.is_deletable and is_any]
        erased = [name for one in profiles for name in (one.key.literal_folder, one.stored_folder)]
        erased = erased if case.erases else []
        below = {LIST: lists, DELETE: deletes + erased, DELETE_VERSION: erased, ABORT: erased}
        return place.startswith(tuple(below[action]))
    return False


def local_oss_allows(case: Case, request: Request, bucket: Bucket) -> bool:
    key = AccessKey("STS.k", "s", "t", None, tuple(json.loads(document) for document in case.documents))
    if request.is_list:
        return permits(key, request.action, bucket, "", prefix=request.place)
    return permits(key, request.action, bucket, request.place or "")


class Chance:
    """Everything that is drawn."""

    def __init__(self, seed: int, policies: Policies) -> None:
        self.random, self.policies = random.Random(seed), policies

    def case(self) -> Case:
        draw = self.random
        text = ""
        for number, folder in enumerate(draw.sample(FOLDERS, draw.randint(1, 4))):
            # What is held has a folder of its own.
            options = draw.choice((*OPTIONS, *([HOLD] if folder == "heldx/" else [])))
            text += f'[p{number}]\nkey = "{folder}{{owner}}/{{id}}"\nmax_size = 1\ncontent_types = ["*/*"]\n'
            text += f"{options}\n"
        found, problems = read_profiles(text, default_signature="v4", home=HOME)
        assert not problems, problems
        profiles = found.values()
        erases = draw.random() < 0.3
        (role,) = role_policies(profiles, erases=erases).values()
        sessions = self.policies(profiles, erases=erases)
        purpose = draw.choice([purpose for purpose, *_ in sessions] + [DELETIONS])
        policy = sessions.get((purpose, BUCKET, HOME.role_arn))
        # A session that is never assumed may do nothing; whatever the role allows, its own document holds.
        session = policy or sessions[UPLOADS, BUCKET, HOME.role_arn]
        return Case(profiles, purpose, draw.choice(((session,), (role, session))), erases)

    def request(self, case: Case) -> Request:
        draw = self.random
        near = [DUE, ERASURES, *(profile.key.literal_folder for profile in case.profiles)]
        place = draw.choice(draw.choice((near, (*FOLDERS, "held/", "held/.", "held/.decided/", "held/u/"))))
        ways = (place, place[:-1], place.upper(), f"{place}x", f"{place}*", f"/{place}", place[:2], "", "*")
        chosen = draw.choice((place, place, *ways, None))
        action = draw.choice((LIST, LIST, DELETE, *OTHERS))
        return Request(action, chosen if action.startswith("oss:List") else chosen or "x")


def run(
    requests: int = REQUESTS, seed: int | None = None, session_policies: Policies = session_policies
) -> Result:
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    chance = Chance(seed, session_policies)
    with TemporaryDirectory() as folder:
        bucket = Bucket(
            BUCKET, REGION, Accounts(), Objects(Path(folder)), lambda: datetime(2026, 2, 28, tzinfo=UTC)
        )
        case = chance.case()

        def judge(number: int) -> tuple[bool | None, bool, object]:
            nonlocal case
            if number % REQUESTS_PER_SET == 0:
                case = chance.case()
                bucket.rules = OssRules(prefix_binds_every_list=chance.random.random() < 0.5)
            request = chance.request(case)
            return promised(case, request), local_oss_allows(case, request, bucket), (seed, request, case)

        return compare("lists and deletions", requests, judge)
