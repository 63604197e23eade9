"""
What a developer reads who lets a phone in: who else may come, the address, and a code to scan.
"""

import ipaddress

from local.cloud import LocalCloud
from local.ground.reach import Reach
from ops.run.host import Network, lan_addresses
from ops.terminal.qr import show_qr
from ops.terminal.screen import Screen

WARNING = (
    "同一网络里的任何人都能使用这个本地云，不要让它连到公网。"
    " Anybody in this network may use this cloud; it is not for the internet."
)
# What WSL gives itself behind Windows, unless it mirrors the network of Windows.
WSL_NETWORK = ipaddress.ip_network("172.16.0.0/12")


def show_phone(cloud: LocalCloud, screen: Screen, network: Network) -> None:
    """Print how a phone gets to the playground, and to the function from a mini-program."""
    page = f"{cloud.playground.outer_origin}/"
    screen.title("手机上 On a phone, in the same network")
    screen.line(f"    扫码打开演练场 scan to open the playground: {page}")
    screen.line()
    show_qr(screen, page)
    screen.line()
    screen.line("    小程序真机预览 A preview on the phone: 右上角菜单 → 开发调试 → 打开调试")
    screen.line("    switch on 开发调试 in its menu: then the phone, too, checks no domains")
    reach = cloud.gateway.reach
    if others := [each for each in lan_addresses(network) if each != reach.address]:
        screen.line(f"    打不开？试试 Not reached? This machine is also HOST={' or HOST='.join(others)}")
    if _is_behind_windows(reach, network):
        called = (cloud.gateway.origin, cloud.oss.origin, cloud.playground.origin)
        ports = ", ".join(origin.rpartition(":")[2] for origin in called)
        screen.warn(
            f"WSL 在 Windows 后面 WSL is behind Windows, which must forward the ports {ports}"
            " (docs/local-cloud.md, Windows and WSL)."
        )
    screen.line()


def _is_behind_windows(reach: Reach, network: Network) -> bool:
    is_forwarded = reach.name != reach.address
    return network.is_wsl and (is_forwarded or ipaddress.ip_address(reach.address) in WSL_NETWORK)
