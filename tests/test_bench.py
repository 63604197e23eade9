"""The benchmarks measure what they say: same work, right arithmetic, honest verdicts."""

import http.server
import importlib
import json
import ssl
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import cold_start, growth, load, report
from bench.figures import bend, in_turn, line_through, ratio
from bench.fresh_process import ContestantFailed, FirstLine, time_first_line
from bench.load_generator import LoadFailed, drive_here
from bench.modes import ANONYMOUS, MODES, WECHAT, settings_of_modes
from bench.same_work import WrongWork, check_form
from bench.stand_ins import LOGIN_ANSWER, LOGIN_PATH, StandIns
from bench.targets import Outcome, outcomes
from function.credentials import StsCredentials
from function.oss.post_form import UploadRule, sign_object
from handler import serve

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "bench" / "peers"
PATH_ONLY = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def peers(monkeypatch):
    """Import what stands beside the contestants, found as they find it: by folder."""
    monkeypatch.syspath_prepend(str(PEERS))
    yield importlib.import_module
    for name in ("floor", "tuned_floor", "task", "requests_of_clients"):
        sys.modules.pop(name, None)


@pytest.fixture(params=["floor", "tuned_floor"])
def floor(request, peers):
    """A floor and its task."""
    return peers(request.param), peers("task")


def test_the_floor_signs_the_same_form_as_the_function(floor, clock):
    floor, task = floor
    now = clock()
    answer = floor.sign(task.WANTED, now, upload_id="same-id")
    form = answer["formData"]
    rule = UploadRule(
        bucket=task.BUCKET,
        region=task.REGION,
        signature_version="v4",
        key=answer["key"],
        min_size_bytes=task.SIZE_BYTES,
        max_size_bytes=task.SIZE_BYTES,
        expires_at=now + timedelta(seconds=task.EXPIRES_SECONDS),
        fields={
            "success_action_status": "200",
            "x-oss-content-type": task.CONTENT_TYPE,
            "x-oss-forbid-overwrite": "true",
            "x-oss-object-acl": "default",
        },
    )
    credentials = StsCredentials(
        task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, now + timedelta(hours=1)
    )
    assert form == sign_object(rule, credentials, now)


def test_the_floor_answers_and_logs_as_the_function_does(floor, tmp_path, instance, good_sts, log_lines):
    floor, task = floor
    import requests_of_clients

    function = instance(OSS_BUCKET=task.BUCKET).function
    with (tmp_path / "log").open("w+") as log:
        for files in (1, 9):
            event = requests_of_clients.event(files)
            ours, theirs = serve(function, event, None), floor.answer_event(event, log)
            assert shape(json.loads(ours["body"])) == shape(json.loads(theirs["body"]))
            assert {**ours, "body": ""} == {**theirs, "body": ""}
        log.seek(0)
        assert [set(line) for line in log_lines()] == [set(json.loads(line)) for line in log]


def test_the_stand_ins_answer_over_tls_for_both_clouds_and_for_wechat(tmp_path):
    with StandIns(tmp_path) as stand_ins:
        trusting = ssl.create_default_context(cafile=str(stand_ins.ca_file))
        answers = []
        for question in (
            "/?RoleArn=acs:ram::1:role/upload-512",
            "/?Version=2011-06-15",
            f"{LOGIN_PATH}?js_code=x",
        ):
            with urllib.request.urlopen(f"{stand_ins.origin}{question}", context=trusting) as answer:
                answers.append(answer.read().decode())
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(stand_ins.origin, context=ssl.create_default_context())
        assert len(stand_ins.calls) == 2
    assert len(json.loads(answers[0])["Credentials"]["SecurityToken"]) == 512
    assert answers[1].startswith("<AssumeRoleResponse")
    assert json.loads(answers[2]) == LOGIN_ANSWER


def test_contestants_read_as_many_authorities_as_a_deployment_does(tmp_path):
    with StandIns(tmp_path) as stand_ins:
        alone, among_all = (
            ssl.create_default_context(cafile=str(path)).cert_store_stats()["x509_ca"]
            for path in (stand_ins.ca_file, stand_ins.authorities_file)
        )
    assert (alone, among_all > 100) == (1, True)


@pytest.mark.parametrize("mode", MODES)
def test_the_callers_of_each_mode_get_their_form(mode, peers, instance, clock, good_sts, monkeypatch):
    def answer_as_wechat(method, url, **_):
        assert url.endswith(LOGIN_PATH)
        return SimpleNamespace(status=200, body=json.dumps(LOGIN_ANSWER).encode())

    clock.instant = datetime.now(UTC)  # as that of the tokens
    task, clients = peers("task"), peers("requests_of_clients")
    settings = settings_of_modes("https://localhost:1")[mode]
    for name in ("CALLER_AUTH", "BENCH_TOKEN"):
        monkeypatch.setenv(name, settings.get(name, ""))
    one = instance(answer_as_wechat, TOKEN_SECRET=task.TOKEN_SECRET, **settings)
    token = clients.token_of_caller(lambda asked: serve(one.function, asked, None))
    assert bool(token) is (mode != ANONYMOUS)
    assert one.ask(clients.event(token=token)).status == 200
    assert one.ask(clients.event(token=token[:-2])).status == (200 if mode == ANONYMOUS else 401)


def shape(value):
    """An answer without what differs from one to the next: the texts."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "" if isinstance(value, str) else value


def test_a_form_with_a_changed_policy_is_not_the_same_work(floor, clock):
    floor, task = floor
    answer = floor.sign(task.WANTED, clock())
    check_form("floor", answer)
    answer["formData"]["policy"] = answer["formData"]["policy"].replace("e", "f", 1)
    with pytest.raises(WrongWork, match="floor"):
        check_form("floor", answer)


@pytest.mark.parametrize("answer", [{"status": "ok"}, {}, None])
def test_something_else_than_a_form_is_not_the_same_work(answer):
    with pytest.raises(WrongWork, match="no V4 form"):
        check_form("somebody", answer)


def test_every_form_of_a_cold_start_is_checked_and_not_the_last_alone(floor, clock, monkeypatch):
    floor, task = floor
    contestants = len(cold_start.SCRIPT_OF)
    good = json.dumps(floor.sign(task.WANTED, clock()))
    # The first round does not count; then the function, which stands first, prints no form once.
    lines = iter([good] * contestants + ["{}"] + [good] * (3 * contestants - 1))
    monkeypatch.setattr(cold_start, "command_of", lambda bench, name: [name])
    monkeypatch.setattr(cold_start, "time_first_line", lambda *_: FirstLine(next(lines), 1.0, 1.0, 1.0))
    with pytest.raises(WrongWork, match=WECHAT):
        cold_start.measure(SimpleNamespace(environ_of=lambda _: {}), 3, lambda _: None)


def test_contestants_run_in_turn_and_the_first_round_does_not_count():
    order = []
    runs = {"a": lambda: order.append("a") or len(order), "b": lambda: order.append("b") or len(order)}
    assert in_turn(runs, 2, lambda _: None) == {"a": [3, 5], "b": [4, 6]}
    assert order == ["a", "b"] * 3


def test_a_ratio_is_of_the_medians_and_its_spread_is_of_the_rounds():
    found = ratio([10, 20, 90], [20, 40, 30])
    assert found == {"median": 20 / 30, "least": 0.5, "most": 3.0}


def test_a_straight_line_is_found_and_a_bend_is_seen():
    line = [(1, 12.0), (10, 30.0), (20, 50.0)]
    assert line_through(line) == pytest.approx((10.0, 2.0))
    assert bend(line) == pytest.approx(0.0, abs=1e-9)
    assert growth.verdict(line).startswith("linear: 10 us +2 us each")
    assert growth.verdict([(1, 100.0), (100, 101.0)]).startswith("flat")
    assert growth.verdict([(x, x * x) for x in (1.0, 10.0, 50.0, 100.0)]).startswith("not a line")


def test_a_slow_phase_of_the_machine_is_no_growth_but_a_rise_is():
    calm = [(number, 200.0 + number % 3) for number in range(1, 21)]
    assert growth.verdict_of_stretches([*calm[:8], (9, 400.0), *calm[9:]]).startswith("flat")
    assert growth.verdict_of_stretches([(x, y + 2 * x) for x, y in calm]).startswith("rising")


@pytest.mark.parametrize(
    ("outcome", "is_met"),
    [
        (Outcome("a ratio", 1.10, 1, 1.2, 1.10), True),
        (Outcome("a ratio", 1.11, 1, 1.2, 1.10), False),
        (Outcome("a rate", 0.84, 0.8, 0.9, 0.85, at_least=True), False),
        (Outcome("a rate", 0.85, 0.8, 0.9, 0.85, at_least=True), True),
    ],
)
def test_a_promise_is_met_or_plainly_not(outcome, is_met):
    assert outcome.is_met is is_met
    assert ("not met" in report.table_of_outcomes([outcome])) is not is_met


def test_a_mode_whose_first_request_imports_more_breaks_its_promise():
    def is_met(wechat_ms):
        of_each = {"wall_ms": [9.0], "cpu_ms": [100.0], "peak_mb": [9.0]}
        figures = dict.fromkeys(cold_start.SCRIPT_OF, of_each) | {WECHAT: {**of_each, "cpu_ms": [wechat_ms]}}
        found = outcomes({"cold_start": figures})
        return next(outcome.is_met for outcome in found if f"{WECHAT} / {ANONYMOUS}" in outcome.name)

    assert is_met(115.0)
    assert not is_met(116.0)


def test_a_refresh_too_many_breaks_the_promise_of_one_per_window():
    samples = [(second / 10, 0.001) for second in range(300)]
    windows = [(second, second + 0.05) for second in (0.0, 3.0, 6.0, 9.0, 12.0)]
    good = load.summarise_refreshes(samples, windows)
    assert all(outcome.is_met for outcome in outcomes({"refreshes": good}))
    doubled = load.summarise_refreshes(samples, sorted([*windows, (6.5, 6.55)]))
    missing = load.summarise_refreshes(samples, [call for call in windows if call[0] != 6.0])
    for wrong in (doubled, missing):
        assert not all(outcome.is_met for outcome in outcomes({"refreshes": wrong}))


def test_requests_under_way_during_a_refresh_are_told_apart():
    found = load.summarise_refreshes(
        [(0.0, 0.01), (0.99, 0.06), (1.5, 0.01), (2.0, 0.01)], [(1.0, 1.05), (4.0, 4.05), (7.0, 7.05)]
    )
    assert found["during_refresh"] == {"requests": 1, "p50_ms": 60.0, "p99_ms": 60.0}
    assert found["p50_ms"] == 10.0


def test_a_process_is_timed_until_its_line_and_then_ended():
    program = "print('{}', flush=True); import time; time.sleep(60)"
    found = time_first_line([sys.executable, "-I", "-S", "-c", program], PATH_ONLY)
    assert found.line == "{}\n"
    assert 0 < found.cpu_ms < 5000
    assert 0 < found.wall_ms < 30_000
    assert 1 < found.peak_mb < 100


def test_a_process_that_fails_is_reported_with_its_own_words():
    with pytest.raises(ContestantFailed, match="no-such-peer"):
        time_first_line([sys.executable, "-I", "-S", "-c", "raise SystemExit('no-such-peer')"], PATH_ONLY)


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers each POST with its own body; the path says with which status."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(int(self.path[1:]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo_port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_load_generator_counts_whole_answers_on_every_connection(echo_port):
    request = b"POST /200 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    samples = drive_here(echo_port, request, connections=3, seconds=0.1)
    assert len(samples) >= 3
    assert all(0 < latency < 10 for _, latency in samples)


def test_the_load_generator_does_not_count_an_error(echo_port):
    request = b"POST /503 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    with pytest.raises(LoadFailed, match="503"):
        drive_here(echo_port, request, connections=1, seconds=0.1)


def test_what_is_written_can_be_read_again(tmp_path):
    about = {
        "date": "2026-11-24",
        "command": "make bench",
        "machine": "a machine",
        "load_before": 0.1,
        "load_after": 0.2,
        "versions": {"Python": "3.12.1"},
        "rounds": 7,
        "remark": "",
    }
    line = [(1, 1.0), (2, 2.0)]
    series = dict.fromkeys((*report.OF_GROWTH, "memory"), line)
    table = report.write(tmp_path, about, {"growth": series})
    assert "| memory growth over 2 callers | 2.00 MB |" in table
    assert json.loads((tmp_path / "results.json").read_text("utf-8"))["about"] == about
    assert (tmp_path / "growth.svg").read_text("utf-8").count("<polyline") == 6
