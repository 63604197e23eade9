"""From where the services of the local cloud are reached, and by which names they answer."""

import re
import socket
from typing import NamedTuple

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = "0.0.0.0"
# A page whose own name was made to lead to this machine still sends that name: no other is answered.
OWN_NAMES = frozenset({LOOPBACK, "localhost", "[::1]"})


class Reach(NamedTuple):
    """
    One address beside this machine's own loopback at which a service is reached.

    Args:
        name: what others put into their URLs; the one more name that is answered.

        address: of this machine, at which their connections arrive. It differs from the name where a port is
            forwarded.
    """

    name: str
    address: str

    @property
    def listens_at(self) -> str:
        return LOOPBACK if self == HERE_ONLY else EVERY_ADDRESS

    @property
    def names(self) -> frozenset[str]:
        return OWN_NAMES | {self.name}

    def admits(self, arrived_at: str) -> bool:
        """Return whether a connection may come in that arrived at an address of this machine."""
        return arrived_at in (LOOPBACK, self.address)


HERE_ONLY = Reach(LOOPBACK, LOOPBACK)


def name_in(host: str) -> str:
    """The name in a Host header or an authority, without its port."""
    return re.sub(r":[0-9]*$", "", host.strip().lower())


def is_taken(port: int) -> bool:
    """Return whether a server of this machine answers there."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((LOOPBACK, port)) == 0
