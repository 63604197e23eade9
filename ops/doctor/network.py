"""
The check of ``doctor`` that spares all others: whether anything answers from here.
"""

from collections.abc import Iterable, Iterator

import requests

from function.config.settings import Settings
from function.wechat import WechatApp
from ops.client.form_upload import open_session
from ops.doctor.findings import Finding, State
from ops.terminal.language import Text

TIMEOUT_SECONDS = 5

NETWORK = Text("Network", "网络")
NOTHING_ANSWERS = Text(
    "there is none: neither OSS nor anything else answers from here", "没有网络：OSS 和其他地址都没有响应"
)
WAY_OUT = Text(
    "Connect this machine, or set HTTPS_PROXY where a proxy is the way out; the other checks need it.",
    "请让本机连上网络；需要代理时设置 HTTPS_PROXY。其余的检查都要用到网络。",
)


def check_network(settings: Settings, hosts: Iterable[str], url: str) -> Finding | None:
    """
    A finding where no address that the deployment needs answers; one that does is enough for none.

    Args:
        hosts: of the buckets.

        url: of the deployed function; empty when it is not known.
    """
    if any(map(_answers, _addresses(settings, hosts, url))):
        return None
    return Finding(NETWORK, State.BAD, NOTHING_ANSWERS, WAY_OUT)


def _addresses(settings: Settings, hosts: Iterable[str], url: str) -> Iterator[str]:
    yield from hosts
    yield settings.sts_endpoint
    if isinstance(settings.caller_settings, WechatApp):
        yield settings.caller_settings.endpoint
    if url:
        yield url


def _answers(address: str) -> bool:
    try:
        with open_session(address) as session:
            session.head(address, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.exceptions.SSLError:
        return True
    except requests.RequestException:
        return False
    return True
