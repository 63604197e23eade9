"""
Settings that the function itself would take, and that cannot work, or had better not, once deployed.
"""

import re
from collections.abc import Iterator, Mapping

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


def unusable_settings(variables: Mapping[str, str], region: str) -> Iterator[tuple[str, str]]:
    """
    Name and sentence of each setting that no phone could use.

    Args:
        region: where the function runs; the bucket is there too unless ``OSS_REGION`` says otherwise.
    """
    bucket, region = variables.get("OSS_BUCKET", ""), variables.get("OSS_REGION") or region
    for name in ORIGINS_OF_THE_BUCKET:
        origin = variables.get(name, "")
        if sentence := _host_problem(name, origin, bucket, region):
            yield name, f"= {origin}: {sentence}"
    if variables.get("WECHAT_APPID") == TRIAL_APPID:
        yield (
            "WECHAT_APPID",
            f"= {TRIAL_APPID}: is no AppID, DevTools writes it where there is none; copy yours from"
            " the mini-program console",
        )


def doubtful_settings(variables: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each setting that works and is rarely meant."""
    for origin in variables.get("ALLOWED_ORIGINS", "").split(","):
        if origin.strip().startswith("http://"):
            yield (
                f"ALLOWED_ORIGINS has {origin.strip()}: who is on the way of an http page can change it and"
                " upload as its user; keep it only if it is in use"
            )


def _host_problem(name: str, host: str, bucket: str, region: str) -> str:
    is_for_phones = name != "OSS_ENDPOINT"
    if LOOPBACK.fullmatch(host):
        who = "a phone goes there" if is_for_phones else "OSS is elsewhere"
        return f"is this machine; {who}, so leave it empty or name a domain bound to the bucket"
    match = OSS_HOST.fullmatch(host)
    if match is None:
        return ""
    if is_for_phones and (match["internal"] or "vpc100-" in host):
        return "is an internal address, which no phone reaches; leave it empty (OSS_ENDPOINT may be internal)"
    if not match["bucket"]:
        return "lacks the bucket in front; leave it empty, and the function puts it together"
    if match["bucket"] != bucket:
        return f"is the address of bucket {match['bucket']}, and OSS_BUCKET is {bucket}; leave it empty"
    if match["region"] != region and not ACCELERATED.fullmatch(match["region"]):
        return f"is in {match['region']}, and OSS_REGION is {region}; leave it empty, or correct OSS_REGION"
    return ""
