"""Address, port and time zone of the local function, and the sentences where there are none."""

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.common.reach import HERE_ONLY, Reach
from ops.run import host
from ops.run.host import show_phone, wanted_reach
from ops.run.hosting import HostingError, is_worth_a_line, wanted_port
from ops.terminal.screen import Screen

ROOT = Path(__file__).parents[3]
WIFI, TUNNEL, INSIDE_WSL = "192.168.1.5", "10.8.0.2", "172.20.3.4"


@pytest.fixture
def network(monkeypatch):
    """A machine that speaks from these addresses, towards the internet from the first."""

    def network(*sources, is_wsl=False):
        towards = dict(zip(host.FAR_AWAY, sources, strict=False))
        own = {*sources, "127.0.0.1", "127.0.1.1", "0.0.0.0"}
        monkeypatch.setattr(host, "source_towards", lambda far: towards.get(far, ""))
        monkeypatch.setattr(host, "is_here", own.__contains__)
        monkeypatch.setattr(host, "is_wsl", lambda: is_wsl)

    return network


@pytest.mark.parametrize("wanted", ["", "  ", "localhost", "127.0.0.1", "LOCALHOST"])
def test_without_a_host_this_machine_alone_is_served(wanted, network):
    network(WIFI)
    assert wanted_reach(wanted) == HERE_ONLY


@pytest.mark.parametrize(("wanted", "sources", "found"), [
    *((lan, (WIFI, TUNNEL), WIFI) for lan in ("lan", "LAN", " lan ")),
    ("lan", ("", WIFI), WIFI),
    (TUNNEL, (WIFI, TUNNEL), TUNNEL),
])  # fmt: skip
def test_a_host_becomes_an_address_of_this_machine(wanted, sources, found, network):
    network(*sources)
    assert wanted_reach(wanted) == Reach(found, found)


@pytest.mark.parametrize("wanted", [
    *("192.168.1.6", "8.8.8.8", "0.0.0.0", "127.0.1.1", "224.0.0.1", "169.254.1.1", "192.168.1"),
    *("::", "fe80::1", "unknown.example", "192.168.1.5:9000", "http://192.168.1.5", "a b", "ü" * 64),
])  # fmt: skip
def test_an_unreachable_host_is_an_error_with_possible_values(wanted, network):
    network(WIFI, TUNNEL)
    with pytest.raises(HostingError) as caught:
        wanted_reach(wanted)
    assert all(name in str(caught.value) for name in ("HOST", repr(wanted), WIFI, TUNNEL))


@pytest.mark.parametrize("wanted", ["lan", "192.168.1.5"])
def test_a_host_without_a_network_is_an_error(wanted, network):
    network()
    with pytest.raises(HostingError, match="network"):
        wanted_reach(wanted)


def test_in_wsl_the_windows_address_may_be_chosen(network):
    network(INSIDE_WSL, is_wsl=True)
    assert wanted_reach(WIFI) == Reach(WIFI, INSIDE_WSL)
    for wanted, is_wsl in ((WIFI, False), ("8.8.8.8", True)):
        network(INSIDE_WSL, is_wsl=is_wsl)
        with pytest.raises(HostingError):
            wanted_reach(wanted)


def shown(reach):
    def service(port):
        return SimpleNamespace(
            origin=f"http://127.0.0.1:{port}", outer_origin=f"http://{reach.name}:{port}", reach=reach
        )

    ports = {"gateway": 9000, "oss": 9001, "playground": 9004, "business": 9005, "archive": 9006}
    cloud = SimpleNamespace(**{name: service(port) for name, port in ports.items()})
    stream = io.StringIO()
    show_phone(cloud, Screen(stream, {}))
    return stream.getvalue()


def test_the_address_of_the_playground_is_printed_with_a_code_to_scan(network):
    network(WIFI)
    text = shown(Reach(WIFI, WIFI))
    assert f"http://{WIFI}:9004/" in text
    assert "▄▄▄▄▄" in text
    assert "开发调试" in text and "HOST=" not in text
    # A machine in two networks names the other.
    network(WIFI, "10.8.0.2")
    assert "HOST=10.8.0.2" in shown(Reach(WIFI, WIFI))


@pytest.mark.parametrize(("reach", "is_wsl", "is_named"), [
    (Reach(INSIDE_WSL, INSIDE_WSL), True, True), (Reach(WIFI, INSIDE_WSL), True, True),
    (Reach(WIFI, WIFI), True, False), (Reach(INSIDE_WSL, INSIDE_WSL), False, False),
])  # fmt: skip
def test_wsl_behind_windows_lists_the_ports_to_forward(reach, is_wsl, is_named, network):
    network(INSIDE_WSL, is_wsl=is_wsl)
    assert ("9000, 9001, 9004, 9005, 9006" in shown(reach)) is is_named


def made(*arguments, **environ):
    command, path = ["make", "--no-print-directory", "-n", *arguments], {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=path | environ, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_make_passes_on_the_host():
    assert made("run", "HOST=lan").endswith("--host 'lan'")
    assert made("run", HOST="lan").endswith("--host 'lan'")
    # A shell may have this name for its machine.
    assert "--host" not in made("run", HOST="x86_64-conda-linux-gnu")


@pytest.mark.parametrize(("text", "port"), [
    *((" ", 9000), ("", 9000), (" 8123 ", 8123), ("0", 0)),
    *((each, None) for each in ("x", "-1", "65536", "1e3", "٣", "99999999")),
])  # fmt: skip
def test_the_port_comes_from_the_environment_and_one_that_is_none_is_refused(text, port):
    with pytest.raises(HostingError, match="PORT") if port is None else nullcontext():
        assert wanted_port({"PORT": text}, 9000) == port
    assert wanted_port({}, 9000) == 9000


def test_the_function_runs_in_utc_whatever_the_zone_of_the_machine():
    script = (
        "from datetime import datetime\n"
        "from ops.run.hosting import HostingError, Plan, running_cloud\n"
        "before = datetime.fromtimestamp(0).hour\n"
        "try:\n"
        "    with running_cloud(Plan(settings={'CALLER_RATE': 'x'})):\n        pass\n"
        "except HostingError:\n"
        "    print(before, datetime.fromtimestamp(0).hour)\n"
    )
    environ = {**os.environ, "TZ": "Asia/Shanghai"}
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True)
    assert done.stdout.split() == ["8", "0"], done.stderr


@pytest.mark.parametrize(("changes", "is_shown"), [
    ({}, False), ({"due": 1}, True), ({"code": "oss_rejected"}, True), ({"route": "login"}, True),
])  # fmt: skip
def test_only_ticks_with_nothing_due_are_not_shown(changes, is_shown):
    line = {"route": "tick", "status": 200, "code": None, "due": 0, "left": 0, **changes}
    record = logging.LogRecord("n", logging.INFO, "", 0, json.dumps(line, separators=(",", ":")), None, None)
    assert is_worth_a_line(record) is is_shown
