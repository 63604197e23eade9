"""
``--host lan``: the address at which a phone in the same network reaches this machine, and what it is told.
"""

import argparse
import io
import ipaddress
import os
import platform
import socket
from contextlib import suppress

from local.cloud import LocalCloud
from local.common.reach import HERE_ONLY, OWN_NAMES, Reach
from ops.run.hosting import HostingError
from ops.terminal.language import Text
from ops.terminal.screen import WHITE_ON_BLACK, Screen

LAN = "lan"
HELP = Text(
    "let phones in the same network in: lan, or an IPv4 address of this machine"
    " (default: this machine alone)",
    "让同一网络里的手机访问：lan，或本机的一个 IPv4 地址（默认：只限本机）",
)
NO_NETWORK = Text(
    "No network was found for HOST={host}: join the Wi-Fi of the phone and try again, or leave HOST out to"
    " serve this machine alone.",
    "HOST={host} 没有找到网络：请连上手机所在的 Wi-Fi 再试，或去掉 HOST，只在本机使用。",
)
NO_ADDRESS = Text(
    "HOST is {host!r}, which leads to no address of this machine that a phone could call; set it to lan or to"
    " one of {own}.",
    "HOST 是 {host!r}，不是手机能访问的本机地址；请设为 lan 或其中之一：{own}。",
)
# Addresses far away, first one of the internet (RFC 5737: nobody has it): towards each of them the system
# names the interface it would use. Nothing is sent.
FAR_AWAY = ("198.51.100.1", "192.168.255.254", "10.255.255.254", "172.31.255.254")

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


def add_host_argument(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--host", default="", metavar="lan|ADDRESS", help=HELP.say(language))


def wanted_reach(host: str) -> Reach:
    """The reach for ``lan`` or an address of this machine; raise ``HostingError`` if nobody could call it."""
    host = host.strip().lower()
    if not host or host in OWN_NAMES:
        return HERE_ONLY
    own, address = lan_addresses(), _called(host)
    if address and is_here(host):
        return Reach(host, host)
    if not own:
        raise HostingError(NO_NETWORK.filled(host=host))
    if host == LAN:
        return Reach(own[0], own[0])
    # Windows has this address and forwards the ports.
    if address and address.is_private and is_wsl():
        return Reach(host, own[0])
    raise HostingError(NO_ADDRESS.filled(host=host, own=", ".join(own)))


def lan_addresses() -> list[str]:
    """This machine's addresses in its networks, the one on the way into the internet first."""
    found = [source_towards(far) for far in FAR_AWAY]
    return [address for address in dict.fromkeys(found) if _called(address)]


def is_wsl() -> bool:
    """Return whether Windows stands between this machine and the network."""
    return "microsoft" in platform.release().lower() or "WSL_DISTRO_NAME" in os.environ


def _called(text: str) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address of a text, where another machine could call it."""
    with suppress(ValueError):
        address = ipaddress.IPv4Address(text)
        if not (
            address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local
        ):
            return address
    return None


def source_towards(far: str) -> str:
    """Return the address from which this machine would speak to another; empty where it cannot."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((far, 9))
        return str(probe.getsockname()[0])
    return ""


def is_here(address: str) -> bool:
    """Return whether an address is one of this machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.bind((address, 0))
        return True
    return False


def show_phone(cloud: LocalCloud, screen: Screen, language: str = "en") -> None:
    """Print how a phone gets to the playground, and to the function from a mini-program."""
    import segno  # not needed by any other command

    page = f"{cloud.playground.outer_origin}/"
    screen.title(WORDS["title"].say(language))
    screen.line("    " + WORDS["scan"].say(language, page=page))
    screen.line()
    drawn = io.StringIO()
    # Two rows of the code in each line.
    segno.make(page, error="m", micro=False).terminal(drawn, compact=True)
    for line in drawn.getvalue().splitlines():
        screen.line(screen.colour(line, WHITE_ON_BLACK))
    screen.line()
    screen.line("    " + WORDS["preview"].say(language))
    reach = cloud.gateway.reach
    if others := [each for each in lan_addresses() if each != reach.address]:
        names = ", ".join(f"HOST={each}" for each in others)
        screen.line("    " + WORDS["others"].say(language, names=names))
    if is_wsl() and (reach.name != reach.address or ipaddress.ip_address(reach.address) in WSL_NETWORK):
        called = (cloud.gateway, cloud.oss, cloud.playground, cloud.business, cloud.archive)
        ports = ", ".join(service.origin.rpartition(":")[2] for service in called)
        screen.warn(WORDS["wsl"].say(language, ports=ports))
    screen.line()
