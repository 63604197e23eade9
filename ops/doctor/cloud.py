"""
The checks of ``doctor`` that look and ask: settings, clock, keys, STS, bucket, WeChat, callback, function.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import requests

from callers import log_in
from errors import Misconfigured, StsRejected, UploadError
from ops.account.setup_options import operator_keys
from ops.client.form_upload import open_session
from ops.client.function_client import FunctionAtUrl, FunctionSilent, is_default_domain
from ops.deploy.env_file import read_env_file
from ops.deploy.operator_env import unknown_names
from ops.doctor.findings import Finding, State, joined, refusal, same
from ops.explain.advice import find_advice
from ops.explain.pasted import PastedError, Unreadable, read_pasted
from ops.terminal.language import Text
from outgoing_http import exchange
from settings import Settings, read_settings
from sts_credentials import AccessKeys, StsClient, StsCredentials

TIMEOUT_SECONDS = 10
# STS and OSS themselves allow 15 minutes; forms of a minute need a better clock.
STS_ATTEMPTS = 2
TOLERATED_SKEW = timedelta(seconds=30)
SURE_FORM_LIFE = timedelta(minutes=15)
REASON = re.compile(r"HTTP \S+ ([A-Za-z0-9._-]+), STS request")

SETTINGS = Text("Settings", "配置")
CORRECT_THE_LINE = Text("Correct that line, or take it out.", "请更正或删去这一行。")
CLOCK = Text("Clock", "时钟")
KEYS = Text("Caller's keys", "调用方密钥")
STS = Text("AssumeRole", "AssumeRole")
BUCKET = Text("Bucket", "Bucket")
WECHAT = Text("WeChat login", "微信登录")
CALLBACK = Text("Callback", "回调")
FUNCTION = Text("Deployed function", "已部署的函数")


def check_env_file(path: Path) -> Iterator[Finding]:
    """Its lines that are read otherwise than they look, and its names that nothing reads."""
    env_file = read_env_file(path)
    for problem in env_file.problems:
        yield Finding(SETTINGS, State.BAD, same(problem), CORRECT_THE_LINE)
    for doubt in unknown_names(env_file):
        yield Finding(SETTINGS, State.UNSURE, same(doubt), CORRECT_THE_LINE)


def check_settings(environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    try:
        settings = read_settings(environ)
    except Misconfigured as error:
        return None, [
            Finding(SETTINGS, State.BAD, same(problem), _remedy_of_setting(problem))
            for problem in error.problems
        ]
    names = ", ".join(settings.profiles)
    said = Text(
        f"complete; CALLER_AUTH={settings.caller_auth}, profiles {names}",
        f"完整；CALLER_AUTH={settings.caller_auth},profile:{names}",
    )
    return settings, [Finding(SETTINGS, State.GOOD, said), *_doubts(settings)]


def _remedy_of_setting(sentence: str) -> Text:
    if sentence.endswith("needs CALLBACK_URL"):
        return Text(
            "Set CALLBACK_URL in .env, or take callback = true out of that file.",
            "请在 .env 中设置 CALLBACK_URL，或从该文件中去掉 callback = true。",
        )
    if sentence.startswith("profiles.toml"):
        return Text("Correct it in that file.", "请在该文件中更正。")
    return Text("Correct it in .env (see .env.example).", "请在 .env 中更正（参见 .env.example）。")


def _doubts(settings: Settings) -> list[Finding]:
    found = []
    if settings.caller_auth == "anonymous":
        said = Text("CALLER_AUTH=anonymous: anyone may upload", "CALLER_AUTH=anonymous：任何人都能上传")
        remedy = Text("Use wechat or jwt outside of trials.", "正式使用请改为 wechat 或 jwt。")
        found.append(Finding(SETTINGS, State.UNSURE, said, remedy))
    for profile in settings.profiles.values():
        if profile.expires_in > SURE_FORM_LIFE:
            said = Text(
                f"[{profile.name}] forms live {profile.expires_in.seconds} s",
                f"[{profile.name}] 表单有效 {profile.expires_in.seconds} 秒",
            )
            remedy = Text(
                "OSS's page is of two minds beyond 15 minutes; 900 or less is certain.",
                "超过 15 分钟时 OSS 文档说法不一；900 秒以内最稳妥。",
            )
            found.append(Finding(SETTINGS, State.UNSURE, said, remedy))
        if profile.signature_version == "v1":
            said = Text(f"[{profile.name}] is signed with V1", f"[{profile.name}] 使用 V1 签名")
            remedy = Text("Buckets of 2025 and later may refuse it.", "2025 年及以后新建的 Bucket 可能拒绝。")
            found.append(Finding(SETTINGS, State.UNSURE, said, remedy))
    return found


def check_clock(settings: Settings, now: datetime) -> Finding:
    """Compare this machine's clock with the Date that OSS answers with."""
    try:
        with open_session(settings.host) as session:
            answer = session.head(settings.host, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError) as error:
        said = Text(
            f"{settings.host} gave no Date ({type(error).__name__})",
            f"{settings.host} 没有返回 Date({type(error).__name__})",
        )
        return Finding(CLOCK, State.BAD, said, _unreachable("OSS_HOST", "OSS_REGION"))
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
        "请校准本机时钟(NTP)。函数计算的时钟由其自身维护。",
    )
    return Finding(CLOCK, State.BAD, said, remedy)


def check_keys(environ: Mapping[str, str]) -> tuple[AccessKeys | None, Finding]:
    try:
        keys = operator_keys(environ)
    except Misconfigured:
        said = Text("there are none in the environment", "环境变量中没有密钥")
        remedy = Text(
            "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET to the key of a RAM user"
            " that may assume the upload role (manage.py setup --also-trust). Deployed, the function has"
            " its role.",
            "设置 ALIBABA_CLOUD_ACCESS_KEY_ID 与 ALIBABA_CLOUD_ACCESS_KEY_SECRET，用可扮演上传角色的 RAM 用户"
            "(manage.py setup --also-trust)。部署后函数使用其角色。",
        )
        return None, Finding(KEYS, State.BAD, said, remedy)
    temporary = keys.access_key_id.startswith("STS.")
    if temporary and keys.security_token is None:
        said = Text("temporary keys without their token", "临时密钥缺少令牌")
        remedy = Text("Set ALIBABA_CLOUD_SECURITY_TOKEN too.", "还需设置 ALIBABA_CLOUD_SECURITY_TOKEN。")
        return None, Finding(KEYS, State.BAD, said, remedy)
    kind = Text("temporary", "临时") if keys.security_token else Text("long-lived", "长期")
    return keys, Finding(
        KEYS, State.GOOD, joined(same(keys.access_key_id), Text("is there,", " 已设置，"), kind)
    )


def check_sts(settings: Settings, keys: AccessKeys, now: datetime) -> tuple[StsCredentials | None, Finding]:
    """Assume the role as the function does, narrowed by the same session policy."""
    client = StsClient(
        endpoint=settings.sts_endpoint,
        region=settings.region,
        role_arn=settings.role_arn,
        session_policy=settings.session_policy,
        session_life=settings.session_life,
        sleep=sleep,
    )
    try:
        credentials = client.assume_role(keys, now, attempts=STS_ATTEMPTS)
    except UploadError as error:
        return None, Finding(STS, State.BAD, same(error.reason), _sts_remedy(error))
    minutes = int((credentials.expires_at - now).total_seconds() // 60)
    said = Text(
        f"{settings.role_arn}, keys for {minutes} min", f"{settings.role_arn}，密钥有效 {minutes} 分钟"
    )
    return credentials, Finding(STS, State.GOOD, said)


def _sts_remedy(error: UploadError) -> Text:
    match = REASON.search(error.reason)
    code = match[1] if match else ""
    # The SDK gives a refused signature a code of its own, or stumbles over the error.
    if code in ("SignatureDoesNotMatch", "InvalidAccessKeySecret") or "IndexError" in error.reason:
        return Text(
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET does not belong to ALIBABA_CLOUD_ACCESS_KEY_ID.",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET 与 ALIBABA_CLOUD_ACCESS_KEY_ID 不匹配。",
        )
    advice = find_advice(code)
    if advice is None:
        return _unreachable("STS_ENDPOINT", "OSS_REGION")
    if isinstance(error, StsRejected) and code == "NoPermission":
        return joined(advice.meaning, advice.remedy, _ALSO_TRUST)
    return joined(advice.meaning, advice.remedy)


_ALSO_TRUST = Text(
    "To sign from this machine with a key of your own, run manage.py setup --also-trust ARN-OF-YOUR-USER.",
    "若要在本机用自己的密钥签名，运行 manage.py setup --also-trust 你的用户ARN。",
)


def check_bucket(settings: Settings) -> Finding:
    """Ask the bucket's address without keys: whether it is there shows in the way it refuses."""
    try:
        with open_session(settings.host) as session:
            answer = session.get(f"{settings.host}/", timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        said = Text(
            f"{settings.host} does not answer ({type(error).__name__})",
            f"{settings.host} 没有应答({type(error).__name__})",
        )
        return Finding(BUCKET, State.BAD, said, _unreachable("OSS_BUCKET", "OSS_REGION", "OSS_HOST"))
    error_ = _oss_error(answer.text)
    if error_ and error_.endpoint:
        region = error_.endpoint.partition(".")[0].removeprefix("oss-")
        said = Text(f"{settings.bucket} is at {error_.endpoint}", f"{settings.bucket} 位于 {error_.endpoint}")
        remedy = Text(f"Set OSS_REGION={region} and deploy again.", f"设置 OSS_REGION={region} 后重新部署。")
        return Finding(BUCKET, State.BAD, said, remedy)
    if error_ and error_.code in ("NoSuchBucket", "UserDisable", "InvalidBucketName"):
        return Finding(BUCKET, State.BAD, *refusal(answer.status_code, answer.text))
    if answer.headers.get("Server", "") != "AliyunOSS" and "x-oss-request-id" not in answer.headers:
        said = Text(f"{settings.host} is not OSS", f"{settings.host} 不是 OSS")
        remedy = Text(
            "Leave OSS_HOST empty, or set it to a domain bound to the bucket.",
            "OSS_HOST 留空，或设为绑定到该 Bucket 的域名。",
        )
        return Finding(BUCKET, State.BAD, said, remedy)
    said = Text(f"{settings.bucket} answers at {settings.host}", f"{settings.bucket} 在 {settings.host} 应答")
    return Finding(BUCKET, State.GOOD, said)


def check_wechat(settings: Settings, now: datetime) -> Finding:
    """
    Show WeChat a code that nobody got: it says that the code is bad only after AppID and secret passed.
    """
    try:
        log_in("doctor-looks-whether-the-secret-fits", settings, now, exchange)
    except Misconfigured as error:
        remedy = Text(
            "Copy both from the mini-program console (开发管理 > 开发设置).",
            "请从小程序后台「开发管理 > 开发设置」复制。",
        )
        return Finding(WECHAT, State.BAD, same("; ".join(error.problems)), remedy)
    except UploadError as error:
        if error.status not in (401, 403, 429):
            advice = find_advice(error.code)
            said = same(error.reason or error.message)
            return Finding(WECHAT, State.BAD, said, advice.remedy if advice else None)
    return Finding(WECHAT, State.GOOD, Text("AppID and secret are accepted", "AppID 与 AppSecret 有效"))


def check_callback(settings: Settings) -> Finding:
    """Call back as a stranger: our function refuses with its own JSON, anything else is not our function."""
    url = settings.callback_url
    if url is None:
        said = Text(
            "CALLBACK_URL is not set; no profile needs it", "未设置 CALLBACK_URL；没有 profile 需要它"
        )
        return Finding(CALLBACK, State.SKIPPED, said)
    base = url.removesuffix("/callback")
    try:
        answer = FunctionAtUrl(base).ask("callback", "{}", "")
    except FunctionSilent as error:
        return Finding(CALLBACK, State.BAD, same(str(error)), _unreachable("CALLBACK_URL"))
    code = _function_code(answer.json)
    if answer.status in (400, 403) and code:
        said = Text(f"{url} answers, and refuses strangers", f"{url} 有应答，并拒绝非 OSS 的请求")
        return Finding(CALLBACK, State.GOOD, said)
    if code:
        return Finding(CALLBACK, State.BAD, *refusal(answer.status, answer.text))
    return Finding(CALLBACK, State.BAD, _not_ours(url, answer.status), _CHECK_ADDRESS)


def check_function(url: str) -> list[Finding]:
    """The deployed function's health, and whether its own settings are complete."""
    if not url:
        said = Text("no --url given, nor CALLBACK_URL", "未给出 --url，也没有 CALLBACK_URL")
        return [Finding(FUNCTION, State.SKIPPED, said)]
    client = FunctionAtUrl(url)
    try:
        health = client.ask("health", None, "")
        # A body that is no JSON needs the settings, and is refused before anything is signed or counted.
        form = client.ask("upload-params", "[", "")
    except FunctionSilent as error:
        return [Finding(FUNCTION, State.BAD, same(str(error)), _CHECK_ADDRESS)]
    if health.status != 200 or health.json.get("status") != "ok":
        return [Finding(FUNCTION, State.BAD, _not_ours(f"{url}/health", health.status), _CHECK_ADDRESS)]
    if form.status >= 500 or not _function_code(form.json):
        return [Finding(FUNCTION, State.BAD, *refusal(form.status, form.text))]
    found = [Finding(FUNCTION, State.GOOD, Text(f"{url} is healthy", f"{url} 运行正常"))]
    if is_default_domain(url):
        said = Text("this is a testing address of Function Compute", "这是函数计算的测试域名")
        remedy = Text(
            "Bind a domain of your own (s.yaml: customDomain); in the mainland it needs an ICP filing.",
            "请绑定自己的域名(s.yaml:customDomain)；中国内地需要 ICP 备案。",
        )
        found.append(Finding(FUNCTION, State.UNSURE, said, remedy))
    return found


def domains(settings: Settings, url: str) -> list[tuple[str, Text]]:
    """The rows of the mini-program console's domain lists, and what belongs into each."""
    return [
        (
            "request",
            _domain(url, "the https address of the function: give --url", "函数的 https 地址：请给出 --url"),
        ),
        ("uploadFile", _domain(settings.host, "", "")),
        ("downloadFile", _domain(settings.host, "", "")),
    ]


def _domain(url: str, en: str, zh: str) -> Text:
    if not url:
        return Text(en, zh)
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme != "https":
        return Text(
            f"{origin} (WeChat takes https domains only; fine in the developer tools with the check off)",
            f"{origin}（微信只接受 https 域名；在开发者工具中关闭校验后可用）",
        )
    return same(origin)


def _oss_error(text: str) -> PastedError | None:
    try:
        pasted = read_pasted(text)[0]
    except Unreadable:
        return None
    return pasted if isinstance(pasted, PastedError) else None


def _function_code(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _not_ours(url: str, status: int) -> Text:
    return Text(
        f"{url} answered {status}, but not as this function does", f"{url} 返回 {status}，但不是本函数的应答"
    )


_CHECK_ADDRESS = Text(
    "Check the address (--url, CALLBACK_URL) and its path, and that the function is deployed: make deploy.",
    "请检查地址（--url、CALLBACK_URL）与路径，并确认已部署：make deploy。",
)


def _unreachable(*names: str) -> Text:
    listed = ", ".join(names)
    return Text(
        f"Check {listed}, the network and the proxy variables (HTTPS_PROXY).",
        f"请检查 {listed}、网络与代理变量(HTTPS_PROXY)。",
    )
