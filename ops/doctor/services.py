"""
The checks of ``doctor`` that ask others: OSS about its clock and the bucket, the platform of each login about
the secret.
"""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from function.config.setting_table import CallerEntry
from function.config.settings import Settings
from function.errors import LoginRejected, LoginUnavailable, Misconfigured, UploadError
from function.http.client import send
from ops.client.form_upload import open_session
from ops.doctor.findings import Finding, State, logged, pasted_in, refusal, unreachable
from ops.explain.pasted import PastedError
from ops.terminal.language import Text
from ops.terminal.messages import in_both

TIMEOUT_SECONDS = 10
# STS and OSS themselves allow 15 minutes; forms of a minute need a better clock.
TOLERATED_SKEW = timedelta(seconds=30)

CLOCK = Text("Clock", "时钟")
BUCKET = Text("Bucket", "桶")
# Codes that say that nothing can be stored there.
REFUSALS = ("NoSuchBucket", "UserDisable", "InvalidBucketName", "PublicEndpointForbidden")
PLATFORMS = {
    "wechat": Text("WeChat", "微信"),
    "alipay": Text("Alipay", "支付宝"),
    "douyin": Text("Douyin", "抖音"),
}
BUSY = Text("The platform is busy: run doctor again in a minute.", "平台繁忙：请过一分钟再运行 doctor。")
REACH = Text(
    "This machine must reach {endpoint} ({setting}): check the network and the proxy (HTTPS_PROXY).",
    "本机要能访问 {endpoint}（{setting}）：请检查网络与代理变量（HTTPS_PROXY）。",
)
LOOK_IT_UP = Text(
    "Ask manage.py explain about the code; where there is none, {setting} leads elsewhere.",
    "错误码用 manage.py explain 查；没有错误码时，{setting} 指向了别处。",
)


def check_clock(settings: Settings, now: datetime) -> Finding:
    """Compare this machine's clock with the Date that OSS answers with."""
    try:
        with open_session(settings.host) as session:
            answer = session.head(settings.host, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError) as error:
        said = Text(
            f"{settings.host} gave no Date ({type(error).__name__})",
            f"{settings.host} 没有返回 Date（{type(error).__name__}）",
        )
        return Finding(CLOCK, State.BAD, said, unreachable("OSS_HOST", "OSS_REGION"))
    skew = now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    seconds = round(abs(skew.total_seconds()))
    if abs(skew) <= TOLERATED_SKEW:
        return Finding(CLOCK, State.GOOD, Text(f"{seconds} s from OSS's", f"与 OSS 相差 {seconds} 秒"))
    ahead = skew > timedelta(0)
    said = Text(
        f"{seconds} s {'ahead of' if ahead else 'behind'} OSS's",
        f"比 OSS {'快' if ahead else '慢'} {seconds} 秒",
    )
    remedy = Text(
        "Set the clock of this machine (NTP). Function Compute keeps its own.",
        "请校准本机时钟（NTP）。函数计算的时钟由其自身维护。",
    )
    return Finding(CLOCK, State.BAD, said, remedy)


def check_bucket(settings: Settings) -> Finding:
    """Ask the bucket's address without keys: whether it is there shows in the way it refuses."""
    try:
        with open_session(settings.host) as session:
            answer = session.get(f"{settings.host}/", timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        said = Text(
            f"{settings.host} does not answer ({type(error).__name__})",
            f"{settings.host} 没有响应（{type(error).__name__}）",
        )
        return Finding(BUCKET, State.BAD, said, unreachable("OSS_BUCKET", "OSS_REGION", "OSS_HOST"))
    refused = pasted_in(answer.text)
    refused = refused if isinstance(refused, PastedError) else None
    if endpoint := refused and refused.endpoint:
        region = endpoint.partition(".")[0].removeprefix("oss-")
        said = Text(f"{settings.bucket} is at {endpoint}", f"{settings.bucket} 位于 {endpoint}")
        remedy = Text(f"Set OSS_REGION={region} and deploy again.", f"设置 OSS_REGION={region} 后重新部署。")
        return Finding(BUCKET, State.BAD, said, remedy)
    if refused and refused.code in REFUSALS:
        return Finding(BUCKET, State.BAD, *refusal(answer.status_code, answer.text))
    if answer.headers.get("Server", "") != "AliyunOSS" and "x-oss-request-id" not in answer.headers:
        said = Text(f"{settings.host} is not OSS", f"{settings.host} 不是 OSS")
        remedy = Text(
            "Leave OSS_HOST empty, or set it to a domain bound to the bucket.",
            "OSS_HOST 留空，或设为绑定到该桶的域名。",
        )
        return Finding(BUCKET, State.BAD, said, remedy)
    said = Text(f"{settings.bucket} answers at {settings.host}", f"{settings.bucket} 在 {settings.host} 响应")
    return Finding(BUCKET, State.GOOD, said)


def check_login(entry: CallerEntry, settings: Settings, now: datetime) -> Finding:
    """
    Show the platform a code that nobody got: it says that the code is bad only after app and secret passed.
    """
    assert entry.kind.log_in is not None
    platform, name = PLATFORMS[entry.kind_name], f" [{entry.name}]" if entry.name else ""
    check = Text(f"{platform.en} login{name}", f"{platform.zh}登录{name}")
    told = {"endpoint": entry.settings.endpoint, "setting": f"{entry.kind_name.upper()}_ENDPOINT"}
    try:
        entry.kind.log_in("bad-doctor-looks-whether-the-secret-fits", entry, settings, send, now)
    except Misconfigured as error:
        remedy = Text(
            "Copy both from the mini-program console (“开发管理 > 开发设置”).",
            "请从小程序后台“开发管理 > 开发设置”复制。",
        )
        return Finding(check, State.BAD, in_both(error.problems[0].sentence), remedy)
    except LoginUnavailable as error:
        return Finding(check, State.BAD, logged(error), BUSY if error.upstream else REACH.filled(**told))
    except LoginRejected as error:
        return Finding(check, State.BAD, logged(error), LOOK_IT_UP.filled(**told))
    except UploadError:
        pass
    return Finding(check, State.GOOD, Text("AppID and secret are accepted", "AppID 与密钥有效"))
