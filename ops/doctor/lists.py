"""
The checks of ``doctor`` on sessions that list and delete: below the prefixes of their policies, nowhere else.
"""

import json
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import requests

from function.config.key_template import DUE, REVIEWS
from function.config.settings import Settings
from function.errors import UploadError
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import DELETE, DELETIONS, LIST, OBJECTS
from ops.doctor.behind_forms import signed_request
from ops.doctor.findings import Finding, State, joined, logged, refusal, same, unreachable
from ops.doctor.identity import assume, sts_remedy
from ops.terminal.language import Text

CHECKS = {
    OBJECTS: Text("List of what is due", "列举到期记录"),
    DELETIONS: Text("Deletion session", "删除会话"),
}
QUERIES = {
    LIST: {"list-type": "2", "max-keys": "1"},
    "oss:ListObjectVersions": {"versions": "", "max-keys": "1"},
    "oss:ListMultipartUploads": {"uploads": "", "max-uploads": "1"},
    # Of objects that are not there.
    DELETE: {},
    "oss:DeleteObjectVersion": {"versionId": "null"},
    "oss:AbortMultipartUpload": {"uploadId": "0"},
}


class Attempt(NamedTuple):
    """One call that needs a right; for a list the place is a prefix, else the folder of a key."""

    action: str
    place: str
    is_allowed: bool


def check_lists(settings: Settings, keys: AccessKeys, now: datetime) -> Iterator[Finding]:
    """Check both sessions, as far as their policies list or delete."""
    for purpose, check in CHECKS.items():
        policy = settings.session_policies.get(settings.home.session(purpose), "")
        attempts = [*_attempts(purpose, policy)]
        if attempts:
            yield _check(settings, purpose, check, attempts, keys, now)


def _attempts(purpose: str, policy: str) -> Iterator[Attempt]:
    """Return what the policy allows in its first place, and what it allows in no other."""
    elsewhere = f"doctor-{secrets.token_hex(8)}/"
    for statement in json.loads(policy)["Statement"] if policy else ():
        prefixes = statement.get("Condition", {}).get("StringLike", {}).get("oss:Prefix")
        for action in statement["Action"]:
            is_bucket_wide = action.startswith("oss:List") and not prefixes
            if purpose == OBJECTS and action != LIST:
                # Whatever ends what is due, or decides what waits for a human, removes its record.
                for folder in (DUE, REVIEWS) if action == DELETE else ():
                    if any(place.endswith(f"/{folder}*") for place in statement["Resource"]):
                        yield Attempt(DELETE, folder, True)
                continue
            if action not in QUERIES:
                continue
            _, _, path = statement["Resource"][0].partition("/")
            # Of what belongs to owners the first folder stands for all.
            for place in prefixes if purpose == OBJECTS and prefixes else (prefixes or [path])[:1]:
                yield Attempt(action, elsewhere if is_bucket_wide else place.rstrip("*"), True)
            if not is_bucket_wide:
                yield Attempt(action, elsewhere, False)
            if prefixes:
                yield Attempt(action, "", False)


def _check(
    settings: Settings, purpose: str, check: Text, attempts: list[Attempt], keys: AccessKeys, now: datetime
) -> Finding:
    try:
        credentials = assume(settings, purpose, keys, now)
        answers = [(attempt, _answer(settings, credentials, attempt, now)) for attempt in attempts]
    except UploadError as error:
        return Finding(check, State.BAD, logged(error), sts_remedy(error))
    except requests.RequestException as error:
        said = same(f"{settings.host}: {type(error).__name__}")
        return Finding(check, State.BAD, said, unreachable("OSS_HOST"))
    for attempt, answer in answers:
        if not _is_expected(attempt, answer.status_code):
            return _unexpected(check, purpose, attempt, answer)
    inside = ", ".join(dict.fromkeys(attempt.place for attempt, _ in answers if attempt.is_allowed))
    return Finding(check, State.GOOD, Text(f"below {inside}, nowhere else", f"只在 {inside} 之下有效"))


def _is_expected(attempt: Attempt, status: int) -> bool:
    if not attempt.is_allowed:
        return status == 403
    return status in (200, 204) or (status in (400, 404) and not attempt.action.startswith("oss:List"))


def _unexpected(check: Text, purpose: str, attempt: Attempt, answer: requests.Response) -> Finding:
    status, tried = answer.status_code, f"{attempt.action} {attempt.place}".rstrip()
    if status == 403:
        # Without it what is due waits for the next call.
        state = State.UNSURE if purpose == OBJECTS and attempt.action == LIST else State.BAD
        return Finding(check, state, same(f"{tried}: HTTP 403"), _SET_UP_AGAIN)
    if status < 300:
        return Finding(check, State.BAD, same(f"{tried}: HTTP {status}"), _OPEN)
    said, remedy = refusal(status, answer.text, answer.headers.get("x-oss-ec", ""))
    return Finding(check, State.BAD, joined(same(f"{tried}: "), said), remedy)


def _answer(
    settings: Settings, credentials: StsCredentials, attempt: Attempt, now: datetime
) -> requests.Response:
    query = dict(QUERIES[attempt.action])
    method, key = "DELETE", f"{attempt.place}doctor-{secrets.token_hex(8)}"
    if attempt.action.startswith("oss:List"):
        method, key = "GET", ""
        query |= {"prefix": attempt.place} if attempt.place else {}
    return signed_request(settings, credentials, now, method, key, query)


_SET_UP_AGAIN = Text(
    "The role does not allow this yet: run manage.py setup again (with Terraform: with --dry-run --json,"
    " then apply).",
    "角色还没有这个权限：请再运行一次 manage.py setup"
    "（用 Terraform 的，加 --dry-run --json 写出文件后再 apply）。",
)
_OPEN = Text(
    "This must be refused. Look for a bucket policy that lets others list or delete, and see that OSS_HOST is"
    " OSS.",
    "这里必须拒绝。请检查是否有放行列举或删除的桶策略，以及 OSS_HOST 是不是 OSS。",
)
