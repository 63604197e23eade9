"""
What OSS does with a posted form, written from its documentation alone: neither the signer nor the local OSS.

Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

ACLS = {"default", "private", "public-read", "public-read-write"}
CLASSES = {"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"}
# The page allows 15 minutes and 7 days in different sentences; a form of ours fits into both.
DATE_LIFE = timedelta(days=7)
DATE_AHEAD = timedelta(minutes=15)


@dataclass(frozen=True)
class Key:
    """A temporary key as OSS knows it; ``folders`` maps what its session may write to whether ACLs, too."""

    secret: str
    token: str
    ends: datetime
    folders: Mapping[str, bool]


@dataclass(frozen=True)
class Post:
    """
    One request: the fields before the file in order, and the file's size.

    Args:
        arrived: when the last byte did.
    """

    bucket: str
    pairs: tuple[tuple[str, str], ...]
    size: int
    arrived: datetime


def admits(post: Post, keys: Mapping[str, Key], region: str, *, acl_needs_right: bool) -> bool:
    """
    Whether the object is stored (an object of that name not being there yet).

    Args:
        acl_needs_right: how to read what the pages leave open: whether an ACL in a form needs
            oss:PutObjectAcl as well.
    """
    fields: dict[str, str] = {}
    for name, value in post.pairs:
        # Field names match in any case; a field that says two things has no documented meaning.
        if fields.setdefault(name.lower(), value) != value:
            return False
    if not fields.get("key") or not fields.get("policy"):
        return False
    found = _signer(fields, keys, region, post.arrived)
    if found is None:
        return False
    key, must_be_bound = found
    try:
        policy = json.loads(base64.b64decode(fields["policy"], validate=True))
    except ValueError:
        return False
    if post.arrived >= datetime.fromisoformat(policy["expiration"]) or post.arrived >= key.ends:
        return False
    bound = set()
    for condition in policy["conditions"]:
        name, holds = _judge(condition, {**fields, "bucket": post.bucket}, post.size)
        if not holds:
            return False
        bound.add(name)
    return must_be_bound <= bound and _may_write(fields, key, acl_needs_right) and _values_are_known(fields)


def _signer(
    fields: Mapping[str, str], keys: Mapping[str, Key], region: str, now: datetime
) -> tuple[Key, set[str]] | None:
    """The key whose signature stands, and the fields its policy must bind; ``None`` for any defect."""
    policy = fields["policy"].encode()
    if any(name.startswith("x-oss-") and name in _V4 for name in fields):
        if fields.get("x-oss-signature-version") != "OSS4-HMAC-SHA256":
            return None
        scope = fields.get("x-oss-credential", "").split("/")
        date = fields.get("x-oss-date", "")
        if len(scope) != 5 or scope[2:] != [region, "oss", "aliyun_v4_request"] or date[:8] != scope[1]:
            return None
        try:
            signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return None
        if not now - DATE_LIFE <= signed_at <= now + DATE_AHEAD:
            return None
        key = keys.get(scope[0])
        step = f"aliyun_v4{key.secret}".encode() if key else b""
        for part in scope[1:]:
            step = hmac.new(step, part.encode(), hashlib.sha256).digest()
        right = hmac.new(step, policy, hashlib.sha256).hexdigest()
        given, bound = fields.get("x-oss-signature"), {*_V4} - {"x-oss-signature"} | {"x-oss-security-token"}
    else:
        key = keys.get(fields.get("ossaccesskeyid", ""))
        right = base64.b64encode(
            hmac.new(key.secret.encode() if key else b"", policy, hashlib.sha1).digest()
        ).decode()
        given, bound = fields.get("signature"), set()
    if key is None or given != right or fields.get("x-oss-security-token") != key.token:
        return None
    return key, bound


_V4 = {"x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature"}


def _judge(condition: Any, fields: Mapping[str, str], size: int) -> tuple[str, bool]:
    """The field that a condition binds and whether it holds."""
    if isinstance(condition, dict):
        ((name, value),) = condition.items()
        return name.lower(), fields.get(name.lower()) == value
    mode, name, value = condition
    if mode == "content-length-range":
        return "", name <= size <= value
    field = name.removeprefix("$").lower()
    if mode == "starts-with":
        return field, field in fields and fields[field].startswith(value)
    return field, mode == "eq" and fields.get(field) == value


def _may_write(fields: Mapping[str, str], key: Key, acl_needs_right: bool) -> bool:
    acl = fields.get("x-oss-object-acl")
    for folder, may_set_acl in key.folders.items():
        if fields["key"].startswith(folder):
            # Of the others the session has no right to an ACL, and is denied the public ones outright.
            return may_set_acl or acl is None or (not acl_needs_right and acl in ("default", "private"))
    return False


def _values_are_known(fields: Mapping[str, str]) -> bool:
    return (
        fields.get("x-oss-object-acl", "default") in ACLS
        and fields.get("x-oss-storage-class", "IA") in CLASSES
        and len(fields["key"].encode()) <= 1023
        and fields["key"][0] not in "/\\"
    )


# --- requests that are no forms, by the pages on RAM policies ---


@dataclass(frozen=True)
class Request:
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


def reaches(request: Request, documents: Iterable[Any], bucket: str, *, prefix_binds: bool) -> bool:
    """
    Whether each of the documents, the role's and the session's, allows a request.

    Args:
        prefix_binds: whether the condition ``oss:Prefix`` knows the prefix of this request; one page says so
            of ListObjects alone.

    Source: https://help.aliyun.com/zh/oss/user-guide/authorization-syntax-and-elements
    """
    resource = f"{bucket}" if request.is_list else f"{bucket}/{request.place}"
    known = request.place if request.is_list and prefix_binds else None
    for document in documents:
        effects = {
            statement["Effect"]
            for statement in document["Statement"]
            if request.action in statement["Action"]
            and any(_matches(name.split(":", 4)[4], resource) for name in statement["Resource"])
            and _meets(statement.get("Condition"), known)
        }
        if effects != {"Allow"}:
            return False
    return True


def _meets(condition: Any, prefix: str | None) -> bool:
    if condition is None:
        return True
    # No request here names an ACL; nothing else is in a condition.
    wanted = condition.get("StringLike", {}).get("oss:Prefix", [])
    return prefix is not None and any(_matches(pattern, prefix) for pattern in wanted)


def _matches(pattern: str, text: str) -> bool:
    """A star, which ends every pattern of ours that has one, stands for anything."""
    stem, star, rest = pattern.partition("*")
    assert not rest
    return text.startswith(stem) if star else text == stem
