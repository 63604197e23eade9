"""What is printed for a developer who lets a phone in."""

import io
from types import SimpleNamespace

import pytest

from local.common.reach import Reach
from ops.run.phone import show_phone
from ops.terminal.screen import Screen

WIFI, INSIDE_WSL = "192.168.1.5", "172.20.3.4"


def shown(reach, *addresses, is_wsl=False):
    def service(port):
        return SimpleNamespace(
            origin=f"http://127.0.0.1:{port}", outer_origin=f"http://{reach.name}:{port}", reach=reach
        )

    ports = {"gateway": 9000, "oss": 9001, "playground": 9004, "business": 9005, "archive": 9006}
    cloud = SimpleNamespace(**{name: service(port) for name, port in ports.items()})
    sources = iter([*addresses, "", "", "", ""])
    network = SimpleNamespace(source_towards=lambda far: next(sources), is_wsl=is_wsl)
    stream = io.StringIO()
    show_phone(cloud, Screen(stream, {}), network)
    return stream.getvalue()


def test_the_address_of_the_playground_is_printed_with_a_code_to_scan():
    text = shown(Reach(WIFI, WIFI), WIFI)
    assert f"http://{WIFI}:9004/" in text
    assert "▄▄▄▄▄" in text
    assert "开发调试" in text


def test_a_machine_in_two_networks_names_the_other():
    assert "HOST=10.8.0.2" in shown(Reach(WIFI, WIFI), WIFI, "10.8.0.2")
    assert "HOST=" not in shown(Reach(WIFI, WIFI), WIFI)


@pytest.mark.parametrize("reach", [Reach(INSIDE_WSL, INSIDE_WSL), Reach(WIFI, INSIDE_WSL)])
def test_wsl_behind_windows_lists_the_ports_to_forward(reach):
    text = shown(reach, INSIDE_WSL, is_wsl=True)
    ports = "9000, 9001, 9004, 9005, 9006"
    assert ports in text
    assert ports not in shown(Reach(WIFI, WIFI), WIFI, is_wsl=True)
    assert ports not in shown(Reach(INSIDE_WSL, INSIDE_WSL), INSIDE_WSL)
