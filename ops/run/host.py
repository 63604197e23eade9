"""
``--host lan``: the address at which a phone in the same network reaches this machine.
"""

import argparse
import ipaddress
import os
import platform
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from local.common.reach import HERE_ONLY, OWN_NAMES, Reach
from ops.run.hosting import HostingError
from ops.terminal.language import Text

LAN = "lan"
HELP = Text(
    "let phones in the same network in: lan, or an IPv4 address of this machine"
    " (default: this machine alone)",
    "让同一网络里的手机访问：lan，或本机的一个 IPv4 地址（默认：只限本机）",
)
NO_NETWORK = Text(
    "No network was found for HOST=lan: join the Wi-Fi of the phone and try again, or leave HOST out to serve"
    " this machine alone.",
    "HOST=lan 没有找到网络：请连上手机所在的 Wi-Fi 再试，或去掉 HOST，只在本机使用。",
)
NEITHER = Text(". No network was found either.", "。另外也没有找到网络。")
# Addresses far away, first one of the internet (RFC 5737: nobody has it): towards each of them the system
# names the interface it would use. Nothing is sent.
FAR_AWAY = ("198.51.100.1", "192.168.255.254", "10.255.255.254", "172.31.255.254")


class Network(NamedTuple):
    """
    Network functions of this machine.

    Args:
        source_towards: the address from which this machine would speak to another; empty where it cannot.
        has: whether an address is one of this machine's.
        resolve: the IPv4 addresses of a name; none for one that nobody knows.
        is_wsl: whether Windows stands between this machine and the network.
    """

    source_towards: Callable[[str], str]
    has: Callable[[str], bool]
    resolve: Callable[[str], list[str]]
    is_wsl: bool


def add_host_argument(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument(
        "--host",
        default="",
        metavar="lan|ADDRESS",
        help=HELP.say(language),
    )


def wanted_reach(host: str, network: Network | None = None) -> Reach:
    """
    From where the local cloud is reached, for ``lan``, an IPv4 address or a name of this machine.

    Raises:
        HostingError: it leads to no address of this machine that another could call.
    """
    host = host.strip().lower()
    if not host or host in OWN_NAMES:
        return HERE_ONLY
    network = network or this_network()
    own = lan_addresses(network)
    if host == LAN:
        if not own:
            raise HostingError(NO_NETWORK)
        return Reach(own[0], own[0])
    if network.is_wsl and own and _is_private(host) and not network.has(host):
        # Windows has this address and forwards the ports.
        return Reach(host, own[0])
    return _reach_of(host, own, network)


def _reach_of(host: str, own: list[str], network: Network) -> Reach:
    for address in [host] if _is_ipv4(host) else network.resolve(host):
        if _can_be_called(address) and network.has(address):
            return Reach(address, address)
    listed = ", ".join(own)
    others = Text(f" or to one of {listed}.", f" 或其中之一：{listed}。") if own else NEITHER
    raise HostingError(
        Text(
            f"HOST is {host!r}, which leads to no address of this machine that a phone could call;"
            f" set it to lan{others.en}",
            f"HOST 是 {host!r}，不是手机能访问的本机地址；请设为 lan{others.zh}",
        )
    )


def lan_addresses(network: Network) -> list[str]:
    """This machine's addresses in its networks, the one on the way into the internet first."""
    found = [network.source_towards(far) for far in FAR_AWAY]
    return [address for address in dict.fromkeys(found) if address and _can_be_called(address)]


def this_network() -> Network:
    is_wsl = "microsoft" in platform.release().lower() or "WSL_DISTRO_NAME" in os.environ
    return Network(_source_towards, _has, _resolve, is_wsl)


def _is_ipv4(text: str) -> bool:
    with suppress(ValueError):
        ipaddress.IPv4Address(text)
        return True
    return False


def _is_private(text: str) -> bool:
    return _is_ipv4(text) and ipaddress.IPv4Address(text).is_private and _can_be_called(text)


def _can_be_called(text: str) -> bool:
    address = ipaddress.IPv4Address(text)
    return not (
        address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local
    )


def _source_towards(far: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((far, 9))
        return str(probe.getsockname()[0])
    return ""


def _has(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.bind((address, 0))
        return True
    return False


def _resolve(name: str) -> list[str]:
    with suppress(OSError, UnicodeError):
        return [str(answer[4][0]) for answer in socket.getaddrinfo(name, None, socket.AF_INET)]
    return []
