"""
Open points of STS, and of the way from the function to OSS.
"""

import json
from datetime import timedelta

import requests

from function.auth import Caller
from function.credentials import StsCredentials
from function.oss.post_form import UploadRule, prepare
from function.uploads.request import UploadRequest
from function.uploads.tickets import FormTicket
from ops.client.function_client import FunctionAtUrl, FunctionSilent
from ops.doctor.evidence import NotTried, accepted, evidence, role_policy
from ops.doctor.findings import same
from ops.doctor.point import NO, Seen, points, told
from ops.doctor.sandbox import FOLDER, FORM_LIFE, Sandbox
from ops.terminal.language import Text

CHAINED = timedelta(hours=2)
AN_HOUR = timedelta(hours=1)
INTERNAL = "-internal."


def chained_session_over_an_hour(sandbox: Sandbox) -> Seen:
    """The keys of a role take another role, for longer than an hour."""
    if not sandbox.own_keys.security_token:
        why = Text(
            "these keys are long-lived: run it with a role's temporary ones",
            "这是长期密钥：请用某个角色的临时访问凭证来运行",
        )
        raise NotTried(why)
    resource = f"acs:oss:*:*:{sandbox.settings.bucket}/{FOLDER}*"
    policy = role_policy(["oss:GetObject"], resource)
    sandbox.assume(policy, timedelta(minutes=15))
    try:
        session = sandbox.assume(policy, CHAINED)
    except NotTried as refused:
        return Seen(False, NO, refused.why.en)
    # Of a session that is shorter than asked for, nobody is told otherwise.
    seconds = int((session.expires_at - sandbox.now).total_seconds())
    return told(seconds > AN_HOUR.total_seconds(), f"{seconds} s")


def internal_host_answers(sandbox: Sandbox) -> Seen:
    """Asked of the deployed function, which is asked about an object that is not there: by a ticket alone."""
    settings = sandbox.settings
    profile = next((one for one in settings.profiles.values() if one.confirm and one.key), None)
    if not (INTERNAL in settings.oss_endpoint and sandbox.function_url and profile):
        why = Text(
            "needs OSS_ENDPOINT with an internal host, a profile with confirm, and --url",
            "需要 OSS_ENDPOINT 为内网域名、有用途开着 confirm，以及 --url",
        )
        raise NotTried(why)
    rule = UploadRule(
        bucket=settings.bucket,
        region=settings.region,
        signature_version="v4",
        key=f"{profile.key.literal_folder}prove/nothing-has-this-name",
        min_size_bytes=1,
        max_size_bytes=1,
        expires_at=sandbox.now + FORM_LIFE,
        form=prepare({"x-oss-content-type": "image/png"}),
    )
    ticket = FormTicket.issue(
        settings, profile, rule, "prove", Caller("doctor", "doctor"), UploadRequest(), sandbox.now
    )
    sandbox.calls += 1
    try:
        answer = FunctionAtUrl(sandbox.function_url).ask("confirm", {"ticket": ticket}, "")
    except FunctionSilent as error:
        raise NotTried(error.said) from None
    code = str(answer.json.get("error", {}).get("code", ""))
    if code not in ("not_uploaded", "oss_unavailable"):
        raise NotTried(same(f"HTTP {answer.status} {code}"))
    return told(code == "not_uploaded", f"HTTP {answer.status} {code}")


def prefix_binds_every_list(sandbox: Sandbox) -> Seen:
    """Unfinished uploads are listed below one folder, by a session that may do so there, and elsewhere."""
    bucket, life = f"acs:oss:*:*:{sandbox.settings.bucket}", sandbox.settings.session_life
    statement = {"Effect": "Allow", "Action": ["oss:ListMultipartUploads"], "Resource": [bucket]}
    condition = {"Condition": {"StringLike": {"oss:Prefix": [f"{FOLDER}*"]}}}

    def listed(prefix: str, session: StsCredentials) -> requests.Response:
        query = {"uploads": "", "max-uploads": "1", "prefix": prefix}
        return sandbox.call("GET", "", query=query, by=session)

    anywhere, inside = (
        sandbox.assume(json.dumps({"Version": "1", "Statement": [one]}), life)
        for one in (statement, {**statement, **condition})
    )
    accepted(listed(FOLDER, anywhere))
    answer, other = listed(FOLDER, inside), listed(f"{FOLDER[:-1]}n/", inside)
    if answer.status_code == other.status_code == 200:
        return Seen(None, Text("the condition is ignored", "条件被忽略"), evidence(other))
    return told(answer.status_code == 200, evidence(answer))


POINTS = points(
    prefix_binds_every_list,
    chained_session_over_an_hour,
    internal_host_answers,
)
