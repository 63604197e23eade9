"""
What a deployment needs for the Redis of its quotas: a way to it, and what the package takes along.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from function.config.types import names_a_host
from ops.deploy.s_yaml import Place, Problem
from ops.terminal.language import Text

# Every private address of Tair and of ApsaraDB for Redis.
INSIDE = ".redis.rds.aliyuncs.com"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
IS_HERE = Text(
    "is this machine; the function runs elsewhere: name the address that the Redis has in the VPC",
    "是本机，而函数在别处运行：请填 Redis 在 VPC 里的地址",
)
NEEDS_THE_VPC = Text(
    f"is at {INSIDE[1:]}, which only its VPC reaches: set VPC_ID and what vpcConfig needs",
    f"在 {INSIDE[1:]}，只有它的 VPC 访问得到：请设置 VPC_ID 等 vpcConfig 要的值",
)
IN_THE_CLEAR = Text(
    "is in the clear on the internet, a password too: set VPC_ID and what vpcConfig needs, or write rediss://",
    "在公网上是明文，密码也一样：请设置 VPC_ID 等 vpcConfig 要的值，或写 rediss://",
)
EACH_FOR_ITSELF = Text(
    "QUOTA_URL = memory: counts within each instance, so with several of them an owner gets the quota"
    " several times; a Redis counts for all",
    "QUOTA_URL = memory: 在每个实例内各自计数，实例多了，一个 owner 会得到好几份配额；用 Redis 才能一起计数",
)


def quota_problems(
    props: Mapping[str, Any], variables: Mapping[str, str], place: Place, root: Path
) -> Iterator[Problem]:
    """
    What keeps this function from its Redis.

    Args:
        root: what is packaged lies there.
    """
    url = _url(variables)
    if url is None:
        return
    here: Place = (*place, "environmentVariables", "QUOTA_URL")
    is_inside = isinstance(props.get("vpcConfig"), dict)
    if url.hostname in LOOPBACK:
        yield Problem(here, IS_HERE)
    elif (url.hostname or "").endswith(INSIDE) and not is_inside:
        yield Problem(here, NEEDS_THE_VPC)
    elif url.scheme == "redis" and not is_inside:
        yield Problem(here, IN_THE_CLEAR)
    for name in parse_qs(url.query).get("ssl_ca_certs", []):
        file = root / name
        if not file.is_file() or not file.resolve().is_relative_to(root.resolve()):
            sentence = Text(
                f"names {name}, which is no file beside s.yaml; only such a file is packaged",
                f"写了 {name}，而它不是 s.yaml 旁的文件；只有那里的文件会被打包",
            )
            yield Problem(here, sentence)


def quota_hints(variables: Mapping[str, str]) -> Iterator[Text]:
    if variables.get("QUOTA_URL") == "memory:":
        yield EACH_FOR_ITSELF


def _url(variables: Mapping[str, str]) -> SplitResult | None:
    """That of a Redis; ``None`` where there is none, or what the function itself refuses."""
    text = variables.get("QUOTA_URL", "")
    return urlsplit(text) if text.startswith(("redis:", "rediss:")) and names_a_host(text) else None
