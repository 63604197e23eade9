"""``manage.py measure`` against the local gateway, behind which instances start cold when a test says so."""

import argparse
import http.client
import re
import threading
import time
from contextlib import ExitStack

import pytest
import responses

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from ops.account.log_queries import CHARTS
from ops.client import cold_log, latency, measure
from ops.client.latency import Asked, Line, at_once, in_turn, percentile
from tests.docs.markdown import page
from tests.ops.client.conftest import start_cloud
from tests.ops.words import in_english
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

COLD_SECONDS = 0.05
REFUSED = "http://127.0.0.1:9"
(CHART,) = [chart for chart in CHARTS if chart.name == "cold-ms"]
ROW = re.compile(r"^  (\S.*?)   +(\d+) +([\d.-]+) +([\d.-]+) +([\d.-]+)$", re.M)


class Fleet:
    """As on Function Compute: an instance serves one request at a time, and starting one takes a while."""

    def __init__(self, environ):
        self.environ = environ
        self.idle = []
        self.started = 0
        self.lock = threading.Lock()

    def __call__(self, event, context):
        with self.lock:
            instance = self.idle.pop() if self.idle else None
            self.started += instance is None
        if instance is None:
            time.sleep(COLD_SECONDS)
            instance = Function(Dependencies(self.environ))
        try:
            return serve(instance, event, context)
        finally:
            with self.lock:
                self.idle.append(instance)


@pytest.fixture
def fleet(tmp_path):
    environ = {}
    with ExitStack() as stack:
        fleet = Fleet(environ)
        gateway = FcGateway(fleet)
        stack.callback(gateway.stop)
        cloud = stack.enter_context(LocalCloud(gateway, tmp_path, "anonymous"))
        environ.update(cloud.environment())
        fleet.url = gateway.start().origin
        yield fleet


@pytest.fixture
def run(capsys):
    def go(*arguments):
        parser = argparse.ArgumentParser()
        measure.add_arguments(parser)
        code = measure.run(parser.parse_args([*arguments, "--lang", "en"]))
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return go


def rows(shown):
    return {name: (int(count), *figures) for name, count, *figures in ROW.findall(shown)}


def test_cold_and_warm_responses_are_timed_separately(fleet, run):
    code, shown, said = run("--url", fleet.url, "--at-once", "4", "--requests", "20")
    assert (code, said) == (0, "")
    found = rows(shown)
    # In one moment not all need to meet, as on Function Compute: but each that started says so.
    cold, warm = found["cold: the first of an instance"], found["warm"]
    assert cold[0] == fleet.started > 1
    assert cold[0] + warm[0] == 24
    assert min(map(float, cold[1:])) >= COLD_SECONDS * 1000 > float(warm[1])
    assert found["opening a connection"][0] >= 5


def test_with_warm_instances_the_cold_row_is_empty(fleet, run):
    run("--url", fleet.url, "--at-once", "0", "--requests", "1")
    code, shown, _ = run("--url", f"{fleet.url}/", "--at-once", "0", "--requests", "3")
    assert code == 0
    assert rows(shown)["warm"][0] == 3
    assert rows(shown)["cold: the first of an instance"] == (0, "-", "-", "-")


def test_a_profile_makes_measure_request_forms(fleet, run):
    address = f"{fleet.url}/prefix"
    code, shown, _ = run("--url", address, "--profile", "avatar", "--at-once", "1", "--requests", "2")
    assert code == 0
    assert f"POST {fleet.url}/prefix/upload-params: " in shown


def test_refused_and_failed_requests_are_reported_not_counted(fleet, run):
    code, shown, said = run("--url", fleet.url, "--profile", "nobody-s", "--at-once", "0", "--requests", "2")
    assert (code, rows(shown)) == (1, {})
    assert "2 × HTTP 400" in said
    code, _, said = run("--url", REFUSED, "--at-once", "2", "--requests", "1")
    assert (code, "3 × " in said) == (1, True)


def test_the_figures_of_the_speed_page_are_printed_beside_the_result(fleet, run):
    _, shown, _ = run("--url", fleet.url, "--at-once", "0", "--requests", "1")
    cold = re.search(r"cold (\d+) ms, warm (0\.\d\d) ms", shown)[1]
    assert f"| this function, `wechat`: `initialize`, `/login`, the first form | {cold} |" in page(
        "docs/speed.md"
    )


@cases("arguments", "sentence")
def test_invalid_arguments_are_refused_before_any_request(run, arguments, sentence):
    code, shown, said = run(*arguments)
    assert (code, shown) == (2, "")
    assert sentence in said


def test_a_token_is_sent_and_never_shown(fleet, run):
    _, shown, said = run("--url", fleet.url, "--token", "session-canary", "--at-once", "0", "--requests", "1")
    assert "session-canary" not in shown + said
    args = argparse.Namespace(url=fleet.url, form=False, token="session-canary", profile=None)
    assert measure.asked_of(args).headers["Authorization"] == "Bearer session-canary"


def test_a_code_logs_in_before_forms_are_timed(tmp_path, run):
    with ExitStack() as stack:
        cloud = start_cloud(stack, tmp_path, "wechat")
        check_code(cloud, run)


def check_code(cloud, run):
    arguments = (
        "--url",
        cloud.gateway.origin,
        "--code",
        "local-measures",
        "--at-once",
        "0",
        "--requests",
        "1",
    )
    code, shown, said = run(*arguments)
    assert (code, said, "/upload-params: " in shown) == (0, "", True)
    # A code is good once.
    assert run(*arguments)[0] == 1
    assert run("--url", REFUSED, *arguments[2:])[0] == 1


SLS = "https://my-logs.cn-hangzhou.log.aliyuncs.com/logstores/fc"
ROW_OF_SLS = {"functionName": "f", "colds": "3", "p50": "487.65", "p95": "500", "longest": "501.25"}


@pytest.fixture
def operator(tmp_path):
    """A settings file with the operator's keys and region."""
    lines = ("ALIBABA_CLOUD_ACCESS_KEY_ID=LTAItest", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=key-canary")
    (tmp_path / ".env").write_text("\n".join([*lines, "OSS_REGION=cn-hangzhou"]))
    return str(tmp_path / ".env")


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (
            {"json": [{**ROW_OF_SLS, "code": "null", "runtime": "487.37"}]},
            0,
            "f  3  487.6  500  501.2  -  487.4",
        ),
        ({"json": []}, 0, "enableRequestMetrics"),
        ({"status": 401, "json": {"errorCode": "Unauthorized"}}, 1, "GetLogs failed: Unauthorized"),
    ],
    ids=["some", "none", "no right"],
)
def test_the_cold_starts_of_the_log_are_shown_below(fleet, run, operator, answer, code, said):
    with responses.RequestsMock() as network:
        asked = network.get(SLS, **answer)
        arguments = ("--at-once", "0", "--requests", "1", "--logs", "my-logs/fc", "--env-file", operator)
        found, shown, complained = run("--url", fleet.url, *arguments)
    params = asked.calls[0].request.params
    assert found == code and said in re.sub("   +", "  ", shown + complained)
    assert (params["query"], int(params["to"]) - int(params["from"])) == (CHART.query, 3600)
    assert "key-canary" not in shown + complained


def test_a_log_that_cannot_be_read_is_refused_before_any_request(run, operator):
    assert run("--url", REFUSED, "--logs", "my-logs", "--env-file", operator)[0] == 2
    code, shown, said = run("--url", REFUSED, "--logs", "my-logs/fc", "--env-file", f"{operator}.none")
    assert (code, shown, "OSS_REGION" in said) == (2, "", True)


def test_every_sentence_is_whole_in_both_languages():
    texts = [*measure.WORDS.values(), *measure.HELP.values()][3:]
    assert in_english([*texts, *cold_log.WORDS.values()])


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([5.0], 0.5, 5), ([1, 2], 0.5, 1), ([3, 1, 2], 0.5, 2), (range(1, 21), 0.95, 19), ([7, 8], 0.95, 8)],
)
def test_a_percentile_is_a_value_that_was_measured(values, share, expected):
    assert percentile(list(values), share) == expected


def asked(fleet):
    return Asked(fleet.url, "/health", None, {})


def test_timing_excludes_opening_the_connection(fleet):
    """What opening it takes is another figure."""
    instants = iter([10.0, 10.5, 20.0, 20.25, 30.0, 30.125])
    line = Line(asked(fleet), now=lambda: next(instants))
    first, second = line.ask(), line.ask()
    line.close()
    assert (first.connecting, first.milliseconds) == (500.0, 250.0)
    assert (second.connecting, second.milliseconds) == (0.0, 125.0)


def test_a_connection_that_broke_is_opened_again(fleet, monkeypatch):
    broken = iter([True])

    def getresponse(connection, real=http.client.HTTPConnection.getresponse):
        if next(broken, False):
            raise http.client.RemoteDisconnected
        return real(connection)

    monkeypatch.setattr(latency.http.client.HTTPConnection, "getresponse", getresponse)
    assert [timed.status for timed in in_turn(asked(fleet), 3)] == [0, 200, 200]


def test_failed_connections_do_not_block_the_start():
    started = time.monotonic()
    assert [timed.status for timed in at_once(Asked(REFUSED, "/", None, {}), 3)] == [0, 0, 0]
    assert time.monotonic() - started < 10
