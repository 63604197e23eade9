"""Port and time zone of the function."""

import json
import logging
import os
import subprocess
import sys

import pytest

from ops.run.hosting import HostingError, is_worth_a_line, wanted_port


@pytest.mark.parametrize(
    ("environ", "port"), [({}, 9000), ({"PORT": ""}, 9000), ({"PORT": " 8123 "}, 8123), ({"PORT": "0"}, 0)]
)
def test_the_port_comes_from_the_environment(environ, port):
    assert wanted_port(environ, 9000) == port


@pytest.mark.parametrize("text", ["x", "-1", "65536", "1e3", "٣", "99999999"])
def test_a_port_that_is_none_is_refused_with_a_sentence(text):
    with pytest.raises(HostingError, match="PORT"):
        wanted_port({"PORT": text}, 9000)


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


@pytest.mark.parametrize(
    ("changes", "is_shown"),
    [({}, False), ({"due": 1}, True), ({"code": "oss_rejected"}, True), ({"route": "login"}, True)],
)
def test_only_ticks_with_nothing_due_are_not_shown(changes, is_shown):
    line = {"route": "tick", "status": 200, "code": None, "due": 0, "left": 0, **changes}
    record = logging.LogRecord("n", logging.INFO, "", 0, json.dumps(line, separators=(",", ":")), None, None)
    assert is_worth_a_line(record) is is_shown
