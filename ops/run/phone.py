"""
Notes for using a phone: who else may connect, the address, and a QR code.
"""

import ipaddress

from local.cloud import LocalCloud
from local.common.reach import Reach
from ops.run.host import Network, lan_addresses
from ops.terminal.language import Text
from ops.terminal.qr import show_qr
from ops.terminal.screen import Screen

WARNING = Text(
    "Anybody in this network may use this cloud; it is not for the internet.",
    "同一网络里的任何人都能使用这个本地云，不要让它连到公网。",
)
WORDS = {
    "title": Text("On a phone, in the same network", "同一网络里的手机上"),
    "scan": Text("scan to open the playground: {page}", "扫码打开演练场：{page}"),
    "preview": Text(
        "A preview of the mini-program on the phone: switch “开发调试” on in its menu; then the phone, too,"
        " checks no domains",
        "小程序真机预览：右上角菜单 → 开发调试 → 打开调试，这样手机也不校验域名",
    ),
    "others": Text("Not reached? This machine is also {names}", "打不开？本机还有别的地址：{names}"),
    "wsl": Text(
        "WSL is behind Windows, which must forward the ports {ports} (docs/local-cloud.md, Windows and WSL).",
        "WSL 在 Windows 后面，要由 Windows 转发端口 {ports}（docs/local-cloud.zh-CN.md，Windows 和 WSL）。",
    ),
}
# What WSL gives itself behind Windows, unless it mirrors the network of Windows.
WSL_NETWORK = ipaddress.ip_network("172.16.0.0/12")


def show_phone(cloud: LocalCloud, screen: Screen, network: Network, language: str = "en") -> None:
    """Print how a phone gets to the playground, and to the function from a mini-program."""
    page = f"{cloud.playground.outer_origin}/"
    screen.title(WORDS["title"].say(language))
    screen.line("    " + WORDS["scan"].say(language, page=page))
    screen.line()
    show_qr(screen, page)
    screen.line()
    screen.line("    " + WORDS["preview"].say(language))
    reach = cloud.gateway.reach
    if others := [each for each in lan_addresses(network) if each != reach.address]:
        names = ", ".join(f"HOST={each}" for each in others)
        screen.line("    " + WORDS["others"].say(language, names=names))
    if _is_behind_windows(reach, network):
        called = (cloud.gateway, cloud.oss, cloud.playground, cloud.business, cloud.archive)
        ports = ", ".join(service.origin.rpartition(":")[2] for service in called)
        screen.warn(WORDS["wsl"].say(language, ports=ports))
    screen.line()


def _is_behind_windows(reach: Reach, network: Network) -> bool:
    is_forwarded = reach.name != reach.address
    return network.is_wsl and (is_forwarded or ipaddress.ip_address(reach.address) in WSL_NETWORK)
