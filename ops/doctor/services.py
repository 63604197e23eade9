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
from ops.client.form_upload import no_answer, open_session
from ops.doctor.findings import (
    Finding,
    Refused,
    check,
    logged,
    pasted_in,
    refusal,
    unreachable,
)
from ops.explain.pasted import PastedError
from ops.terminal.language import Text
from ops.terminal.messages import in_both

TIMEOUT_SECONDS = 10
# STS and OSS themselves allow 15 minutes; forms of a minute need a better clock.
TOLERATED_SKEW = timedelta(seconds=30)

# Codes that say that nothing can be stored there.
REFUSALS = ("NoSuchBucket", "UserDisable", "InvalidBucketName", "PublicEndpointForbidden")
PLATFORMS = {
    "wechat": Text("WeChat", "微信"),
    "alipay": Text("Alipay", "支付宝"),
    "douyin": Text("Douyin", "抖音"),
}
SET_THE_CLOCK = Text(
    "Set the clock of this machine (NTP). Function Compute keeps its own.",
    "请校准本机时钟（NTP）。函数计算的时钟由其自身维护。",
)
SET_THE_REGION = Text("Set OSS_REGION={region} and deploy again.", "设置 OSS_REGION={region} 后重新部署。")
BIND_A_DOMAIN = Text(
    "Leave OSS_HOST empty, or set it to a domain bound to the bucket.",
    "OSS_HOST 留空，或设为绑定到该桶的域名。",
)
COPY_BOTH = Text(
    "Copy both from the mini-program console (“开发管理 > 开发设置”).",
    "请从小程序后台“开发管理 > 开发设置”复制。",
)
BUSY = Text("The platform is busy: run doctor again in a minute.", "平台繁忙：请过一分钟再运行 doctor。")
REACH = Text(
    "This machine must reach {endpoint} ({setting}): check the network and the proxy (HTTPS_PROXY).",
    "本机要能访问 {endpoint}（{setting}）：请检查网络与代理变量（HTTPS_PROXY）。",
)
LOOK_IT_UP = Text(
    "Ask manage.py explain about the code; where there is none, {setting} leads elsewhere.",
    "错误码用 manage.py explain 查；没有错误码时，{setting} 指向了别处。",
)


@check(Text("Clock", "时钟"))
def check_clock(settings: Settings, now: datetime) -> Text:
    """Compare this machine's clock with the Date that OSS answers with."""
    try:
        with open_session(settings.host) as session:
            answer = session.head(settings.host, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError) as error:
        kind = type(error).__name__
        said = Text(f"{settings.host} gave no Date ({kind})", f"{settings.host} 没有返回 Date（{kind}）")
        raise Refused(said, unreachable("OSS_HOST", "OSS_REGION")) from None
    skew = now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    seconds = round(abs(skew.total_seconds()))
    if abs(skew) <= TOLERATED_SKEW:
        return Text(f"{seconds} s from OSS's", f"与 OSS 相差 {seconds} 秒")
    en, zh = ("ahead of", "快") if skew > timedelta(0) else ("behind", "慢")
    raise Refused(Text(f"{seconds} s {en} OSS's", f"比 OSS {zh} {seconds} 秒"), SET_THE_CLOCK)


@check(Text("Bucket", "桶"))
def check_bucket(settings: Settings) -> Text:
    """Ask the bucket's address without keys: whether it is there shows in the way it refuses."""
    host = settings.host
    try:
        with open_session(host) as session:
            answer = session.get(f"{host}/", timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise Refused(no_answer(host, error), unreachable("OSS_BUCKET", "OSS_REGION", "OSS_HOST")) from None
    refused = pasted_in(answer.text)
    refused = refused if isinstance(refused, PastedError) else None
    if endpoint := refused and refused.endpoint:
        region = endpoint.partition(".")[0].removeprefix("oss-")
        said = Text(f"{settings.bucket} is at {endpoint}", f"{settings.bucket} 位于 {endpoint}")
        raise Refused(said, SET_THE_REGION.filled(region=region))
    if refused and refused.code in REFUSALS:
        raise Refused(*refusal(answer.status_code, answer.text))
    if answer.headers.get("Server", "") != "AliyunOSS" and "x-oss-request-id" not in answer.headers:
        raise Refused(Text(f"{host} is not OSS", f"{host} 不是 OSS"), BIND_A_DOMAIN)
    return Text(f"{settings.bucket} answers at {host}", f"{settings.bucket} 在 {host} 响应")


def check_login(entry: CallerEntry, settings: Settings, now: datetime) -> Finding:
    """
    Show the platform a code that nobody got: it says that the code is bad only after app and secret passed.
    """
    platform, name = PLATFORMS[entry.kind_name], f" [{entry.name}]" if entry.name else ""
    told = {"endpoint": entry.settings.endpoint, "setting": f"{entry.kind_name.upper()}_ENDPOINT"}

    @check(Text(f"{platform.en} login{name}", f"{platform.zh}登录{name}"))
    def tries() -> Text:
        assert entry.kind.log_in is not None
        try:
            entry.kind.log_in("bad-doctor-looks-whether-the-secret-fits", entry, settings, send, now)
        except Misconfigured as error:
            raise Refused(in_both(error.problems[0].sentence), COPY_BOTH) from None
        except LoginUnavailable as error:
            raise Refused(logged(error), BUSY if error.upstream else REACH.filled(**told)) from None
        except LoginRejected as error:
            raise Refused(logged(error), LOOK_IT_UP.filled(**told)) from None
        except UploadError:
            pass
        return Text("AppID and secret are accepted", "AppID 与密钥有效")

    return tries()
