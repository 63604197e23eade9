"""Settings that the function itself would take, and that cannot work, or had better not, once deployed."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from function.config.settings import Settings
from function.config.types import names_a_host
from ops.deploy.profile_lines import after
from ops.deploy.regions import REGIONS, nearest
from ops.deploy.s_yaml import mapping
from ops.terminal.language import Text

# Source: https://help.aliyun.com/zh/oss/user-guide/regions-and-endpoints
OSS_HOST = re.compile(
    r"https?://(?:(?P<bucket>[a-z0-9-]+)\.)?(?:vpc100-)?oss-(?P<region>[a-z0-9-]+?)(?P<internal>-internal)?"
    r"\.aliyuncs\.com/?"
)
# The last is asked by the function alone, which may be inside.
ORIGINS_OF_THE_BUCKET = ("OSS_HOST", "READ_ORIGIN", "OSS_ENDPOINT")
ACCELERATED = re.compile(r"accelerate(-overseas)?")
LOOPBACK = re.compile(r"https?://(localhost|127\.[0-9.]+|\[::1\])(:\d+)?/?")
TRIAL_APPID = "touristappid"
CALLED_BY_THE_CLOUD = (
    *("UPLOAD_WEBHOOK_URL", "CALLBACK_URL", "PUBLIC_URL"),
    *("WECHAT_PUSH_FORWARD_URL", "GREEN_ENDPOINT"),
)
GREEN_HOST = re.compile(r"https://green-cip(?:-vpc)?\.(?P<region>[a-z0-9-]+)\.aliyuncs\.com/?")
REGION_SHAPE = r"(?!oss-)[a-z]{2,3}(-[a-z0-9]+)+"
APPID, APPSECRET = re.compile(r"wx[0-9a-f]{16}"), re.compile(r"[0-9a-fA-F]{32}")
NO_REGION = Text("OSS has no such region; near it: {names}", "OSS 没有这个地域；相近的有：{names}")
NOT_REACHED = Text("is this machine, which the cloud does not reach", "是本机，云上访问不到")
TRIAL = Text(
    "is no AppID, DevTools writes it where there is none; copy yours from the mini-program console",
    "不是 AppID，是开发者工具在没有 AppID 时写的；请从小程序后台复制你的",
)
SWAPPED = Text(
    "and WECHAT_SECRET are swapped; the AppID begins with wx", "与 WECHAT_SECRET 写反了；AppID 以 wx 开头"
)
ORIGINAL_ID = Text(
    "is the original id; the AppID begins with wx, in the console's development settings",
    "这是原始 ID；AppID 以 wx 开头，在后台“开发管理 > 开发设置”里",
)
NO_APPSECRET = Text(
    "has {count} characters; an AppSecret is 32 hexadecimal digits, copy it again from the"
    " mini-program console",
    "有 {count} 个字符；AppSecret 是 32 位十六进制数，请从小程序后台重新复制",
)
PHONES = Text("a phone goes there", "手机要访问它")
OSS_ITSELF = Text("OSS is elsewhere", "OSS 不在这里")
# Every private address of Tair and of ApsaraDB for Redis.
REDIS_INSIDE = ".redis.rds.aliyuncs.com"
REDIS_IS_HERE = Text(
    "is this machine; the function runs elsewhere: name the address that the Redis has in the VPC",
    "是本机，而函数在别处运行：请填 Redis 在 VPC 里的地址",
)
REDIS_NEEDS_THE_VPC = Text(
    f"is at {REDIS_INSIDE[1:]}, which only its VPC reaches: set VPC_ID and what vpcConfig needs",
    f"在 {REDIS_INSIDE[1:]}，只有它的 VPC 访问得到：请设置 VPC_ID 等 vpcConfig 要的值",
)
REDIS_IN_THE_CLEAR = Text(
    "is in the clear on the internet, a password too: set VPC_ID and what vpcConfig needs, or write rediss://",
    "在公网上是明文，密码也一样：请设置 VPC_ID 等 vpcConfig 要的值，或写 rediss://",
)
EACH_FOR_ITSELF = Text(
    "QUOTA_URL = memory: counts within each instance, so with several of them an owner gets the quota"
    " several times; a Redis counts for all",
    "QUOTA_URL = memory: 在每个实例内各自计数，实例多了，一个 owner 会得到好几份配额；用 Redis 才能一起计数",
)
ANY_LENGTH = Text(
    "SIGN_PART_LENGTH = false: the address of a part takes any length, which is found out at the end;"
    " keep it only if something between the phones and OSS sends no Content-Length",
    "SIGN_PART_LENGTH = false：一片的地址接受任何长度，到最后才会发现；"
    "只在手机与 OSS 之间确实有东西不发 Content-Length 时保留",
)


def unusable_settings(variables: Mapping[str, str], region: str) -> Iterator[tuple[str, Text]]:
    """
    Name and sentence of each setting that no phone could use.

    Args:
        region: where the function runs; the bucket is there too unless ``OSS_REGION`` says otherwise.
    """
    bucket, region = variables.get("OSS_BUCKET", ""), variables.get("OSS_REGION") or region
    if re.fullmatch(REGION_SHAPE, region) and region not in REGIONS:
        yield "OSS_REGION", after(f"= {region}", NO_REGION.filled(names=", ".join(nearest(region))))
    for name in ORIGINS_OF_THE_BUCKET:
        origin = variables.get(name, "")
        if sentence := _host_problem(origin, bucket, region, _NAMES, by_phones=name != "OSS_ENDPOINT"):
            yield name, after(f"= {origin}", sentence)
    for name in CALLED_BY_THE_CLOUD:
        if re.match(r"https?://(localhost|127\.|\[::1\])", address := variables.get(name, "")):
            yield name, after(f"= {address}", NOT_REACHED)


def quota_problems(
    props: Mapping[str, Any], variables: Mapping[str, str], root: Path
) -> Iterator[tuple[str, Text]]:
    """Name and sentence of what keeps this function from the Redis of its quotas; ``root`` is packaged."""
    text = variables.get("QUOTA_URL", "")
    # The function itself refuses one without a host.
    if not (text.startswith(("redis:", "rediss:")) and names_a_host(text)):
        return
    url, is_inside = urlsplit(text), bool(mapping(props.get("vpcConfig")))
    if url.hostname in ("127.0.0.1", "localhost", "::1"):
        yield "QUOTA_URL", REDIS_IS_HERE
    elif (url.hostname or "").endswith(REDIS_INSIDE) and not is_inside:
        yield "QUOTA_URL", REDIS_NEEDS_THE_VPC
    elif url.scheme == "redis" and not is_inside:
        yield "QUOTA_URL", REDIS_IN_THE_CLEAR
    for name in parse_qs(url.query).get("ssl_ca_certs", []):
        file = root / name
        if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
            yield (
                "QUOTA_URL",
                Text(
                    f"names {name}, which is no file beside s.yaml; only such a file is packaged",
                    f"写了 {name}，而它不是 s.yaml 旁的文件；只有那里的文件会被打包",
                ),
            )


def unlike_wechat(variables: Mapping[str, str]) -> Iterator[tuple[str, Text]]:
    """An AppID and an AppSecret that do not look like these, first of all each in the place of the other."""
    appid, secret = variables.get("WECHAT_APPID", ""), variables.get("WECHAT_SECRET", "")
    if appid == TRIAL_APPID:
        yield "WECHAT_APPID", after(f"= {appid}", TRIAL)
    if APPSECRET.fullmatch(appid) and APPID.fullmatch(secret):
        yield "WECHAT_APPID", SWAPPED
    elif appid.startswith("gh_"):
        yield "WECHAT_APPID", after(f"= {appid}", ORIGINAL_ID)
    elif secret and not APPSECRET.fullmatch(secret):
        yield "WECHAT_SECRET", NO_APPSECRET.filled(count=len(secret))


def doubtful_settings(variables: Mapping[str, str]) -> Iterator[Text]:
    """A sentence for each setting that works and is rarely meant."""
    for origin in variables.get("ALLOWED_ORIGINS", "").split(","):
        if origin.strip().startswith("http://"):
            yield Text(
                f"ALLOWED_ORIGINS has {origin.strip()}: who is on the way of an http page can change it and"
                " upload as its user; keep it only if it is in use",
                f"ALLOWED_ORIGINS 里有 {origin.strip()}：http 页面会被路上的人篡改，并以它的用户上传；"
                "只在确实用到时保留",
            )
    green = GREEN_HOST.fullmatch(variables.get("GREEN_ENDPOINT", ""))
    if green and green["region"] != (region := variables.get("OSS_REGION", "")):
        yield Text(
            f"GREEN_ENDPOINT is in {green['region']}, the bucket in {region}: pictures leave their region"
            " to be checked",
            f"GREEN_ENDPOINT 在 {green['region']}，而桶在 {region}：图片会离开所在地域去审核",
        )
    host = OSS_HOST.fullmatch(variables.get("OSS_HOST", ""))
    # Its address names no region.
    if host and ACCELERATED.fullmatch(host["region"]) and not variables.get("OSS_ENDPOINT"):
        yield Text(
            "OSS_HOST is an acceleration address and OSS_ENDPOINT is not set: the function's own calls are"
            " accelerated and paid for, too; set OSS_ENDPOINT to the bucket's internal address",
            "OSS_HOST 是传输加速地址，而没有设 OSS_ENDPOINT：函数自己的请求也会加速并计费；"
            "请把 OSS_ENDPOINT 设为桶的内网地址",
        )
    if variables.get("QUOTA_URL") == "memory:":
        yield EACH_FOR_ITSELF
    if variables.get("SIGN_PART_LENGTH") == "false":
        yield ANY_LENGTH


def unusable_hosts(settings: Settings) -> Iterator[Text]:
    """A sentence for each profile whose own host no phone could use."""
    for profile in settings.profiles.values():
        place = profile.location
        # Said of OSS_HOST.
        if (place.bucket, place.host) == (settings.bucket, settings.host):
            continue
        if sentence := _host_problem(place.host, place.bucket, place.region, _OPTIONS):
            yield after(f"[{profile.name}] host = {place.host}", sentence)


# Of a setting, and of an option of a profile, of whose bucket the function itself knows no other address.
_NAMES, _OPTIONS = ("OSS_BUCKET", "OSS_REGION"), ("bucket", "region")
_LEAVE = Text("leave it out", "请不要写")


def _host_problem(
    host: str, bucket: str, region: str, names: tuple[str, str], *, by_phones: bool = True
) -> Text | None:
    """
    Return why this is no address of the bucket; one that is not of OSS may be a domain of the operator's.

    Args:
        names: what the bucket and its region are called where the address stands.
    """
    if LOOPBACK.fullmatch(host):
        who = PHONES if by_phones else OSS_ITSELF
        return Text(
            f"is this machine; {who.en}, so {_LEAVE.en} or name a domain bound to the bucket",
            f"是本机，而{who.zh}；{_LEAVE.zh}，或填绑定到桶的域名",
        )
    match = OSS_HOST.fullmatch(host)
    if match is None:
        return None
    theirs, there = match["bucket"], match["region"]
    if by_phones and (match["internal"] or "vpc100-" in host):
        return Text(
            f"is an internal address, which no phone reaches; {_LEAVE.en} (OSS_ENDPOINT may be internal)",
            f"是内网地址，手机访问不到；{_LEAVE.zh}（OSS_ENDPOINT 可以是内网地址）",
        )
    if not theirs:
        return Text(
            f"lacks the bucket in front; {_LEAVE.en}, and the function puts it together",
            f"前面缺少桶名；{_LEAVE.zh}，函数会自己拼出来",
        )
    if theirs != bucket:
        return Text(
            f"is the address of bucket {theirs}, and {names[0]} is {bucket}; {_LEAVE.en}",
            f"是桶 {theirs} 的地址，而 {names[0]} 是 {bucket}；{_LEAVE.zh}",
        )
    if there != region and not ACCELERATED.fullmatch(there):
        return Text(
            f"is in {there}, and {names[1]} is {region}; {_LEAVE.en}, or correct {names[1]}",
            f"在 {there}，而 {names[1]} 是 {region}；{_LEAVE.zh}，或更正 {names[1]}",
        )
    return None
