"""The checks of ``doctor`` on who signs: the keys of this machine, and the role that they assume."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from time import sleep

from function.config.settings import Settings
from function.errors import StsRejected, UploadError
from function.sts.assume_role import StsClient
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import UPLOADS
from ops.account.oss_client import operator_keys
from ops.doctor.findings import Finding, Refused, State, check, joined, logged, same, unreachable
from ops.explain.advice import find_advice
from ops.terminal.language import Failure, Text

STS_ATTEMPTS = 2

KEYS = Text("Caller's keys", "调用者的密钥")


def check_keys(environ: Mapping[str, str]) -> tuple[AccessKeys | None, Finding]:
    try:
        keys = operator_keys(environ)
    except Failure:
        said = Text("there are none in the environment", "环境变量中没有密钥")
        remedy = Text(
            "Export AccessKeyID and AccessKeySecret, as for make deploy, of a RAM user that may assume the"
            " upload role (manage.py setup --also-trust). Deployed, the function has its role.",
            "请像 make deploy 那样导出 AccessKeyID 与 AccessKeySecret，用可扮演上传角色的 RAM 用户"
            "（manage.py setup --also-trust）。部署后函数使用其角色。",
        )
        return None, Finding(KEYS, State.BAD, said, remedy)
    temporary = keys.access_key_id.startswith("STS.")
    if temporary and keys.security_token is None:
        said = Text("temporary keys without their token", "临时访问凭证缺少令牌")
        remedy = Text("Set ALIBABA_CLOUD_SECURITY_TOKEN too.", "还需设置 ALIBABA_CLOUD_SECURITY_TOKEN。")
        return None, Finding(KEYS, State.BAD, said, remedy)
    kind = Text("temporary", "临时") if keys.security_token else Text("long-lived", "长期")
    return keys, Finding(
        KEYS, State.GOOD, joined(same(keys.access_key_id), Text("is there,", " 已设置，"), kind)
    )


def assume(settings: Settings, purpose: str, keys: AccessKeys, now: datetime) -> StsCredentials:
    """
    The role as the function assumes it for one purpose, narrowed by the same session policy.

    Raises:
        UploadError: STS refuses, or does not answer.
    """
    policy = settings.session_policies[settings.home.session(purpose)]
    return sts_client(settings).assume_role(policy, keys, now, attempts=STS_ATTEMPTS)


def sts_client(settings: Settings, life: timedelta | None = None, role_arn: str = "") -> StsClient:
    """Return a client as the function has it, perhaps for another life or role."""
    place = settings.sts_endpoint, settings.region, role_arn or settings.role_arn
    return StsClient(*place, session_life=life or settings.session_life, sleep=sleep)


@check(Text("AssumeRole", "AssumeRole"))
def check_sts(settings: Settings, keys: AccessKeys, now: datetime) -> Text:
    """Assume the role as the function does for its forms."""
    try:
        credentials = assume(settings, UPLOADS, keys, now)
    except UploadError as error:
        raise Refused(logged(error), sts_remedy(error)) from None
    minutes = int((credentials.expires_at - now).total_seconds() // 60)
    role = settings.role_arn
    return Text(f"{role}, keys for {minutes} min", f"{role}，密钥有效 {minutes} 分钟")


def sts_remedy(error: UploadError) -> Text:
    """Return the remedy for a failed AssumeRole."""
    code = error.upstream
    if code == "SignatureDoesNotMatch":
        return WRONG_SECRET
    advice = find_advice(code)
    if advice is None:
        return unreachable("STS_ENDPOINT", "OSS_REGION")
    if isinstance(error, StsRejected) and code == "NoPermission":
        return joined(advice.meaning, advice.remedy, _ALSO_TRUST)
    return joined(advice.meaning, advice.remedy)


WRONG_SECRET = Text(
    "AccessKeySecret (or ALIBABA_CLOUD_ACCESS_KEY_SECRET) does not belong to the key's id.",
    "AccessKeySecret（或 ALIBABA_CLOUD_ACCESS_KEY_SECRET）与密钥的 id 不匹配。",
)
_ALSO_TRUST = Text(
    "To try the role with a key of this machine, run manage.py setup --also-trust ARN-OF-YOUR-USER.",
    "若要在本机用自己的密钥检查角色，运行 manage.py setup --also-trust 你的用户ARN。",
)
