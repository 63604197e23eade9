"""
AssumeRole: its parameters are checked and a session with its own access key comes out.

Source: https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

import base64
import hashlib
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.common.accounts import AccessKey
from local.common.ram_policy import fits, is_allowed
from local.rpc.errors import NO_PERMISSION, Refusal, RpcError, invalid, missing
from local.sts.session_policy import read_policy

NO_SUCH_ROLE = Refusal(404, "EntityNotExist.Role", "The specified Role not exists.")
ROLE_ARN = re.compile(r"acs:ram::(?P<account>\d{1,20}):role/(?P<name>[A-Za-z0-9.-]{1,64})", re.ASCII)
SESSION_NAME = re.compile(r"[A-Za-z0-9.@_-]{2,64}")
SHORTEST_SECONDS = 900
DEFAULT_SECONDS = 3600
LONGEST_SECONDS = 43200
LETTERS_AND_DIGITS = string.ascii_letters + string.digits
# Real tokens vary; about 900 characters is what has been seen, with "+", "/" and "=" among them.
TOKEN_BYTES = 671


@dataclass(frozen=True)
class Role:
    """
    A role that can be assumed.

    Args:
        policy: what the role itself may do, a RAM document; ``None`` sets no limit.
    """

    arn: str
    policy: dict[str, Any] | None
    max_session_seconds: int

    def __post_init__(self) -> None:
        if ROLE_ARN.fullmatch(self.arn) is None:
            raise ValueError(f"a role ARN reads acs:ram::<account>:role/<name>, not {self.arn!r}")
        if self.max_session_seconds < SHORTEST_SECONDS:
            raise ValueError(f"max_session_seconds must be at least {SHORTEST_SECONDS}")

    @property
    def account(self) -> str:
        return self.arn.split(":")[3]

    @property
    def id(self) -> str:
        """A stable id of the documented look: 18 digits."""
        digest = hashlib.sha256(self.arn.encode()).digest()
        return f"3{int.from_bytes(digest[:8], 'big') % 10**17:017}"


@dataclass(frozen=True)
class Session:
    """
    An assumed role.

    Args:
        arn: ``acs:ram::<account>:role/<role>/<session>`` (older pages print ``acs:sts::…:assumed-role/…``).
    """

    key: AccessKey
    arn: str
    id: str

    def to_json(self) -> dict[str, Any]:
        """
        The documented answer without its RequestId.

        The one place that knows this shape: stubs of tests and benchmarks take theirs from here.
        """
        if self.key.expires_at is None:
            raise ValueError("a session's key has an end")
        return {
            "AssumedRoleUser": {"Arn": self.arn, "AssumedRoleId": self.id},
            "Credentials": {
                "AccessKeyId": self.key.access_key_id,
                "AccessKeySecret": self.key.access_key_secret,
                "SecurityToken": self.key.security_token,
                "Expiration": f"{self.key.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            },
        }


@dataclass(frozen=True)
class AssumeRole:
    """Checked parameters of one call."""

    role_arn: str
    session_name: str
    lifetime: timedelta
    policy: dict[str, Any] | None = field(default=None)


def read_assume_role(parameters: Mapping[str, str], roles: Mapping[str, Role]) -> AssumeRole:
    """
    Check each parameter on its own, in the order of the documentation.

    Args:
        roles: those that there are, by ARN; how long a session may be is the role's.
    """
    for name in ("RoleArn", "RoleSessionName"):
        if not parameters.get(name):
            raise missing(name)
    if ROLE_ARN.fullmatch(parameters["RoleArn"]) is None:
        raise invalid("RoleArn")
    if SESSION_NAME.fullmatch(parameters["RoleSessionName"]) is None:
        raise invalid("RoleSessionName")
    role = roles.get(parameters["RoleArn"])
    longest = role.max_session_seconds if role else LONGEST_SECONDS
    default = str(min(DEFAULT_SECONDS, longest))
    seconds = parameters.get("DurationSeconds", default)
    if not re.fullmatch(r"[0-9]{1,9}", seconds):
        raise invalid("DurationSeconds")
    if not SHORTEST_SECONDS <= int(seconds) <= longest:
        limits = f"The Min/Max value of DurationSeconds is {SHORTEST_SECONDS}s/{longest}s."
        raise invalid("DurationSeconds", limits)
    # An empty Policy must not pass for none: that would give the session everything the role may do.
    policy = read_policy(parameters["Policy"]) if "Policy" in parameters else None
    return AssumeRole(
        parameters["RoleArn"], parameters["RoleSessionName"], timedelta(seconds=int(seconds)), policy
    )


def open_session(
    asked: AssumeRole,
    caller: AccessKey,
    roles: Mapping[str, Role],
    now: datetime,
    expires_at: datetime | None = None,
) -> Session:
    """
    Give the caller a session of the role it asked for.

    The permission comes before the role's existence, so that who may not assume it learns nothing.

    Args:
        roles: those that there are, by ARN.

        expires_at: ends the session at another instant than the one asked for; for faults.

    Raises:
        RpcError: ``NoPermission``, ``EntityNotExist.Role``.
    """
    if not is_allowed(caller.policies, "sts:AssumeRole", lambda pattern: fits(pattern, asked.role_arn)):
        raise RpcError(*NO_PERMISSION)
    role = roles.get(asked.role_arn)
    if role is None:
        raise RpcError(*NO_SUCH_ROLE)
    key = AccessKey(
        access_key_id="STS.N" + _random_text(24),
        access_key_secret=_random_text(44),
        security_token="CAIS" + base64.b64encode(secrets.token_bytes(TOKEN_BYTES)).decode(),
        expires_at=expires_at or (now + asked.lifetime).replace(microsecond=0),
        policies=tuple(policy for policy in (role.policy, asked.policy) if policy is not None),
    )
    return Session(key, f"{role.arn}/{asked.session_name}", f"{role.id}:{asked.session_name}")


def _random_text(characters: int) -> str:
    return "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(characters))
