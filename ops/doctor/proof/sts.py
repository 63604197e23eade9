"""Questions to STS."""

import json
from datetime import timedelta
from typing import Any

import requests

from function.errors import StsRejected, StsUnavailable, UploadError
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import READ, Grant, policy_of
from ops.doctor.evidence import NotTried, accepted, evidence, reason_of
from ops.doctor.identity import sts_client
from ops.doctor.places import FOLDER
from ops.doctor.proof.point import Seen, told
from ops.doctor.proof.sandbox import DOT, Sandbox

CHAINED = timedelta(hours=2)
AN_HOUR = timedelta(hours=1)
SHORTEST = timedelta(minutes=15)
# A run may have begun this long ago.
TOLERATED = timedelta(minutes=5)
LONGEST_POLICY = 2048
NO_TOKEN = ("MissingSecurityToken", "InvalidAccessKeyId.NotFound")
DENIED, TAKEN = "NoPermission", "HTTP 200"
# The second where the keys may take no role but the one.
NO_ROLE = ("EntityNotExist.Role", DENIED)


def chained_session_over_an_hour(sandbox: Sandbox) -> Seen:
    """The keys of a role take another role, for longer than an hour."""
    if not sandbox.own_keys.security_token:
        raise NotTried("these keys are long-lived: run it with a role's temporary ones")
    sandbox.session(READ, life=SHORTEST)
    try:
        session = sandbox.session(READ, life=CHAINED)
    except NotTried as refused:
        return told(False, refused.why)
    # Of a session that is shorter than asked for, nobody is told otherwise.
    seconds = int((session.expires_at - sandbox.now).total_seconds())
    return told(seconds > AN_HOUR.total_seconds(), f"{seconds} s")


def prefix_binds_every_list(sandbox: Sandbox) -> Seen:
    """Unfinished uploads are listed below one folder, by a session that may do so there, and elsewhere."""
    bucket = f"acs:oss:*:*:{sandbox.settings.bucket}"
    statement = {"Effect": "Allow", "Action": ["oss:ListMultipartUploads"], "Resource": [bucket]}
    condition = {"Condition": {"StringLike": {"oss:Prefix": [f"{sandbox.folder}*"]}}}

    def listed(prefix: str, session: StsCredentials) -> requests.Response:
        query = {"uploads": "", "max-uploads": "1", "prefix": prefix}
        return sandbox.call("GET", "", query=query, by=session)

    anywhere, inside = (
        sandbox.assume(json.dumps({"Version": "1", "Statement": [one]}))
        for one in (statement, {**statement, **condition})
    )
    accepted(listed(sandbox.folder, anywhere))
    answer, other = listed(sandbox.folder, inside), listed(f"{sandbox.folder[:-1]}n/", inside)
    if answer.status_code == other.status_code == 200:
        return Seen(None, "the condition is ignored", evidence(other))
    return told(answer.status_code == 200, evidence(answer))


def sts_session_is_narrowed(sandbox: Sandbox) -> Seen:
    """A session that may write one object, which exists, neither reads it nor writes another."""
    inside, outside = sandbox.put(), sandbox.new_key()
    session = sandbox.session("oss:PutObject", folder=inside)
    accepted(sandbox.call("PUT", inside, body=DOT, by=session))
    refused = [sandbox.call(method, key, by=session) for method, key in (("PUT", outside), ("GET", inside))]
    return told({each.status_code for each in refused} == {403}, "; ".join(map(evidence, refused)))


def sts_takes_900_seconds(sandbox: Sandbox) -> Seen:
    """Without the cap of the function's client, which trusts no clock but its own."""
    client, later = sts_client(sandbox.settings, SHORTEST), sandbox.now + AN_HOUR
    try:
        session = client.assume_role(_any(sandbox), sandbox.own_keys, later, attempts=1)
    except StsUnavailable as error:
        if error.upstream or "HTTP 200" not in error.reason:
            raise NotTried(reason_of(error)) from None
        return told(False, error.reason)
    except UploadError as error:
        if error.upstream in NO_ROLE:
            raise NotTried(reason_of(error)) from None
        return told(False, error.upstream)
    seconds = (session.expires_at - sandbox.now).total_seconds()
    return told(abs(seconds - SHORTEST.total_seconds()) < TOLERATED.total_seconds(), f"{seconds:.0f} s")


def sts_takes_2048_characters(sandbox: Sandbox) -> Seen:
    longest, longer = (
        _code(sandbox, policy=_any(sandbox, LONGEST_POLICY + more)) or TAKEN for more in (0, 1)
    )
    return told((longest, longer) == (TAKEN, "InvalidParameter.PolicySize"), f"{longest}; {longer}")


def sts_needs_the_token(sandbox: Sandbox) -> Seen:
    """Neither STS nor OSS knows the keys of a session without its token."""
    key = sandbox.put()
    session = sandbox.session(READ)
    accepted(sandbox.call("HEAD", key, by=session))
    bare = session._replace(security_token="")
    by_oss = sandbox.call("GET", key, by=bare)
    by_sts = _refusal(sandbox, *NO_TOKEN, own=AccessKeys(*bare[:2], None))
    return told(by_oss.status_code == 403 and bool(by_sts.answer), f"{evidence(by_oss)}; {by_sts.evidence}")


def sts_refuses_a_wrong_secret(sandbox: Sandbox) -> Seen:
    own = sandbox.own_keys._replace(access_key_secret="prove-this-is-no-secret-of-anybody")
    return _refusal(sandbox, "SignatureDoesNotMatch", own=own)


def sts_refuses_a_wrong_role(sandbox: Sandbox) -> Seen:
    account = sandbox.settings.role_arn.partition(":role/")[0]
    return _refusal(sandbox, *NO_ROLE, role_arn=f"{account}:role/oss-direct-upload-prove-nobody")


def _refusal(sandbox: Sandbox, *codes: str, **asked: Any) -> Seen:
    """Yes where STS refuses for good, with one of these codes."""
    code = _code(sandbox, **asked)
    return told(code in codes, code or TAKEN)


def _code(sandbox: Sandbox, *, policy: str = "", role_arn: str = "", own: AccessKeys | None = None) -> str:
    """
    Return the code with which STS refuses for good; empty where it does not.

    Raises:
        NotTried: STS is silent, or these keys may not take the role at all.
    """
    client = sts_client(sandbox.settings, SHORTEST, role_arn)
    try:
        client.assume_role(policy or _any(sandbox), own or sandbox.own_keys, sandbox.now, attempts=1)
    except UploadError as error:
        is_theirs = error.upstream in NO_ROLE and own is None and not role_arn
        if is_theirs or not isinstance(error, StsRejected):
            raise NotTried(reason_of(error)) from None
        return error.upstream
    return ""


def _any(sandbox: Sandbox, characters: int = 0) -> str:
    """A policy of at least so many characters."""

    def policy(name: str) -> str:
        names = ("a" * 900, name) if characters else (name,)
        folders = tuple(f"{FOLDER}{each}" for each in names)
        return policy_of(sandbox.settings.bucket, [Grant((READ,), folders)])

    return policy("b" * (characters - len(policy(""))))
