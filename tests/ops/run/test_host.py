"""``--host``: which address a phone gets, and the sentence where there is none."""

import subprocess
from pathlib import Path

import pytest

from local.common.reach import HERE_ONLY, Reach
from ops.run.host import FAR_AWAY, Network, lan_addresses, wanted_reach
from ops.run.hosting import HostingError
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ROOT = Path(__file__).parents[3]
WIFI, TUNNEL = "192.168.1.5", "10.8.0.2"


def a_network(*sources, names=None, is_wsl=False):
    """A machine that speaks from these addresses, towards the internet from the first."""
    towards = dict(zip(FAR_AWAY, sources, strict=False))
    own = {*sources, "127.0.0.1", "127.0.1.1", "0.0.0.0"}
    known = names or {}
    return Network(
        lambda far: towards.get(far, ""), own.__contains__, lambda name: known.get(name, []), is_wsl
    )


@pytest.mark.parametrize("host", ["", "  ", "localhost", "127.0.0.1", "LOCALHOST"])
def test_without_a_host_this_machine_alone_is_served(host):
    assert wanted_reach(host, a_network(WIFI)) == HERE_ONLY


@pytest.mark.parametrize(
    ("host", "sources", "found"),
    [
        *((lan, (WIFI, TUNNEL), WIFI) for lan in ("lan", "LAN", " lan ")),
        ("lan", ("", WIFI), WIFI),
        (TUNNEL, (WIFI, TUNNEL), TUNNEL),
        ("my-laptop.local", (WIFI,), WIFI),
    ],
)
def test_a_host_becomes_an_address_of_this_machine(host, sources, found):
    network = a_network(*sources, names={"my-laptop.local": ["127.0.1.1", WIFI]})
    assert wanted_reach(host, network) == Reach(found, found)


@cases("host")
def test_an_unreachable_host_is_an_error_with_possible_values(host):
    names = {"elsewhere.example": ["203.0.113.9"], "only-loopback": ["127.0.1.1"]}
    with pytest.raises(HostingError) as caught:
        wanted_reach(host, a_network(WIFI, TUNNEL, names=names))
    assert all(name in str(caught.value) for name in ("HOST", repr(host), WIFI, TUNNEL))


@pytest.mark.parametrize("host", ["lan", "192.168.1.5"])
def test_a_host_without_a_network_is_an_error(host):
    with pytest.raises(HostingError, match="network"):
        wanted_reach(host, a_network())


def test_loopback_and_link_local_addresses_are_not_networks():
    assert lan_addresses(a_network("127.0.0.1", "169.254.7.7", WIFI, WIFI)) == [WIFI]


def test_in_wsl_the_windows_address_may_be_chosen():
    inside = "172.20.3.4"
    assert wanted_reach(WIFI, a_network(inside, is_wsl=True)) == Reach(WIFI, inside)
    for host, is_wsl in ((WIFI, False), ("8.8.8.8", True)):
        with pytest.raises(HostingError):
            wanted_reach(host, a_network(inside, is_wsl=is_wsl))


def made(*arguments, **environ):
    command, path = ["make", "--no-print-directory", "-n", *arguments], {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=path | environ, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("target", ["run", "demo"])
def test_make_passes_on_the_host(target):
    assert made(target, "HOST=lan").endswith("--host 'lan'")
    assert made(target, HOST="lan").endswith("--host 'lan'")
    assert "--host" not in made(target)


def test_make_does_not_take_the_name_that_a_shell_has_for_its_machine():
    assert "--host" not in made("run", HOST="x86_64-conda-linux-gnu")
