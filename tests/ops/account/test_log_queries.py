"""The dashboard's queries and the alarms over an hour of real log lines, and each fault among them."""

import logging
import random
import re
import time
from bisect import bisect_left
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache

import pytest
import requests

from function.app import Function
from function.context import Dependencies
from function.http.client import HttpResponse
from function.request_log import LogLine, to_standard_output
from handler import serve
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from ops.account.log_queries import ALARMS, CHARTS
from tests.docs.markdown import both, page, table_of
from tests.ops.account.logstore import Line, ask, called_in
from tests.ops.words import in_english
from tests.support.stage import ask_event, make_event

BEGIN = int(datetime(2026, 11, 24, 14, tzinfo=UTC).timestamp())
HOUR = 3600
EVERY_SECONDS = 300
NOBODY = "http://127.0.0.1:9"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(60)
# What a day brings beside what is asked well: each a share of all requests.
SLIPS = {"bad_request": 0.02, "unauthorized": 0.03, "not_uploaded": 0.02, "unsupported_type": 0.01}

FAILURES = ("sts_unavailable", "too_many_requests")
# A line that this matches begins an entry (logBeginRule: DefaultRegex); others are appended to the last one.
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/configure-the-logging-feature
DEFAULT_REGEX = r"^.{0,2}\d{4}-\d{2}-\d{2}"


class Log(logging.Handler):
    """Keeps what the function logs as the runtime writes it, at the moment that the test says it is."""

    def __init__(self):
        super().__init__()
        self.lines, self.moment = [], BEGIN

    def emit(self, record):
        text = record.getMessage()
        at = datetime.fromtimestamp(self.moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        found = re.search(r'"requestId":"([^"]+)"', text)
        request_id = found[1] if found else "1-none"
        self.lines.append(Line(self.moment, f"{at}.000Z {request_id} [{record.levelname}] {text}\n"))


@contextmanager
def logged():
    log, logger = Log(), logging.getLogger("oss_direct_upload")
    level, propagate = logger.level, logger.propagate
    logger.addHandler(log)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    try:
        yield log
    finally:
        logger.removeHandler(log)
        logger.propagate = propagate
        logger.setLevel(level)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The local cloud, and the settings of a function in it; whoever asks says which instance answers."""
    settings, current = {}, []
    with ExitStack() as stack:
        gateway = FcGateway(lambda event, context: serve(current[-1], event, context))
        stack.callback(gateway.stop)
        cloud = stack.enter_context(LocalCloud(gateway, tmp_path_factory.mktemp("objects"), "wechat"))
        rates = {"CALLER_RATE": "100000/min", "LOGIN_RATE": "100000/min", "READ_RATE": "100000/min"}
        settings.update(cloud.environment(), **rates)
        gateway.start()
        place = Place(settings, current)
        place.cloud = cloud
        place.token = log_in(place.instance(), "anybody")
        yield place


@pytest.fixture(autouse=True)
def nothing_is_left(place):
    yield
    place.cloud.reset()


class Place:
    def __init__(self, settings, current):
        self.settings, self.current, self.token = settings, current, ""

    def instance(self, around=None, **changes):
        environ = {**self.settings, **changes}
        self.current.append(Function(Dependencies(environ, sleep=lambda _seconds: None, **(around or {}))))
        return self.current[-1]


def post(function, route, body, token=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return ask_event(function, make_event(body, path=f"/{route}", headers=headers))


def form(function, token):
    return post(function, "upload-params", {"profile": "avatar", "filename": "a.png"}, token)


def log_in(function, who):
    return post(function, "login", {"code": f"local-{who}-{time.perf_counter_ns()}"}).json["token"]


def upload(function, token):
    """A form, its file, the callback that OSS makes, a confirmation."""
    signed = form(function, token).json
    fields = [(name, (None, value)) for name, value in signed["formData"].items()]
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(signed["url"], files=[*fields, ("file", ("a.png", PICTURE))], timeout=60)
    assert answer.status_code == 200, answer.text
    return post(function, "confirm", {"ticket": signed["ticket"]})


def slip(function, kind, token):
    """Something that is asked wrongly, as it happens every day."""
    if kind == "bad_request":
        return post(function, "upload-params", "[", token)
    if kind == "unauthorized":
        return post(function, "upload-params", {"filename": "a.png"}, "over.and.done")
    if kind == "unsupported_type":
        return post(function, "upload-params", {"filename": "a.exe"}, token)
    return post(function, "confirm", {"ticket": form(function, token).json["ticket"]})


@pytest.fixture(scope="module")
def hour(place):
    """An hour of a deployment that some hundred people use: a dozen instances, slips, two lone failures."""
    dice = random.Random(20261124)
    with logged() as log:
        instances = []
        for second in range(0, HOUR, 10):
            log.moment = BEGIN + second
            if second % 300 == 0:
                instances.append((place.instance(), []))
            function, tokens = dice.choice(instances)
            place.current.append(function)
            if not tokens or dice.random() < 0.2:
                tokens.append(log_in(function, second))
            drawn = dice.random()
            for kind, share in SLIPS.items():
                drawn -= share
                if drawn < 0:
                    assert slip(function, kind, tokens[-1]).code == kind
                    break
            else:
                assert upload(function, tokens[-1]).status == 200
        log.moment = BEGIN + 1000
        assert form(place.instance(STS_ENDPOINT=NOBODY), place.token).code == "sts_unavailable"
        log.moment = BEGIN + 2000
        hasty = place.instance(CALLER_RATE="1/min")
        assert [form(hasty, place.token).status for _ in range(3)] == [200, 429, 429]
    return sorted(log.lines)


@cache
def planted(place, plant):
    """The lines of a fault, 50 minutes into the hour."""
    with logged() as log:
        log.moment = BEGIN + 3000
        plant(place)
    return log.lines


@cache
def found_by(query, lines):
    """The one row that an alarm asks for; before its fault the hour is the same for every fault."""
    (row,) = ask(query, lines)
    return row


def firing(lines):
    """Each alarm that fires at one of its looks."""
    found = set()
    lines = tuple(lines)
    moments = [line.moment for line in lines]
    for alarm in ALARMS:
        for until in range(BEGIN + EVERY_SECONDS, BEGIN + HOUR + EVERY_SECONDS, EVERY_SECONDS):
            since = bisect_left(moments, until - 60 * alarm.minutes)
            seen = lines[since : bisect_left(moments, until)]
            name, sign, least = alarm.condition.split()
            assert (name, sign) == ("found", ">=")
            if found_by(alarm.query, seen)[name] >= int(least):
                found.add(alarm.name)
    return found


def test_an_hour_of_a_normal_log_fires_nothing(hour):
    assert len(hour) > 900
    codes = {code for line in hour for code in re.findall(r'"code":"(\w+)"', line.message)}
    assert {*SLIPS, *FAILURES} == codes
    assert firing(hour) == set()


def times(count, act):
    for number in range(count):
        act(number)


def misconfigured(place):
    post(place.instance(OSS_BUCKET=""), "upload-params", {})


def unforeseen(place):
    post(place.instance({"now": lambda: None}), "upload-params", {})


def refused_by_sts(place):
    function = place.instance(ALIBABA_CLOUD_ACCESS_KEY_SECRET="another")
    assert form(function, place.token).code == "sts_rejected"


def answering(status, body=b"{}"):
    return {"send": lambda *_address, **_bounds: HttpResponse(status, body, {})}


def refused_by_oss(place):
    ticket = form(place.instance(), place.token).json["ticket"]
    refusing = place.instance(answering(403, b"<Error><Code>AccessDenied</Code></Error>"))
    assert post(refusing, "confirm", {"ticket": ticket}).code == "oss_rejected"


def refused_by_wechat(place):
    function = place.instance(answering(200, b'{"errcode": 99999}'))
    times(3, lambda n: post(function, "login", {"code": f"local-{n}"}))


def upstream_down(place):
    function = place.instance(STS_ENDPOINT=NOBODY)
    times(5, lambda _: form(function, place.token))


def quota_down(_place):
    # What a request says of a store that was away, as function/quota has it written.
    line = LogLine("1-quota")
    line.route, line.quota = "upload-params", "allowed: no answer"
    times(3, lambda _: line.write(200, 4.5))


def callbacks_refused(place):
    function = place.instance()
    times(10, lambda n: post(function, "callback", f"object=a&n={n}"))


def business_deaf(place):
    function = place.instance(UPLOAD_WEBHOOK_URL=f"{NOBODY}/hook")
    token = log_in(function, "deaf")
    # Each is told by its callback and by its confirmation.
    times(3, lambda _: upload(function, token))


def slow(place):
    function, seconds = place.instance(), iter(range(0, 10_000, 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.perf_counter", lambda: next(seconds))
        times(200, lambda _: form(function, place.token))


def always_cold(place):
    times(500, lambda _: post(place.instance(), "health-nobody", {}))


def flood(place):
    function = place.instance(CALLER_RATE="1/min")
    times(301, lambda _: form(function, place.token))


def nobody_logs_in(place):
    function = place.instance(TOKEN_SECRET="another-secret-0123456789abcdefghij")
    times(400, lambda _: post(function, "upload-params", {"filename": "a.png"}, "signed.by.another"))


FAULTS = {
    fault.__name__.replace("_", "-"): fault
    for fault in (
        *(misconfigured, unforeseen, refused_by_sts, refused_by_oss, refused_by_wechat, upstream_down),
        *(quota_down, callbacks_refused, business_deaf, slow, always_cold, flood, nobody_logs_in),
    )
}


def test_every_alarm_has_its_fault():
    assert set(FAULTS) == {alarm.name for alarm in ALARMS}


@pytest.mark.parametrize("name", FAULTS)
def test_only_the_alarm_of_a_fault_fires(place, hour, name):
    lines = planted(place, FAULTS[name])
    assert lines
    assert firing(sorted([*hour, *lines])) == {name}, lines[-1]


@pytest.mark.parametrize("name", ["upstream-down", "quota-down", "business-deaf", "callbacks-refused"])
def test_one_line_less_than_it_takes_fires_nothing(place, hour, name):
    (alarm,) = [alarm for alarm in ALARMS if alarm.name == name]
    lines = [line for line in planted(place, FAULTS[name]) if ask(alarm.query, [line])[0]["found"]]
    # The one failure of the hour itself is long past by then.
    assert firing(sorted([*hour, *lines[: alarm.at_least - 1]])) == set()


def test_each_line_on_standard_output_is_an_entry_that_the_queries_read(capsys, caplog):
    caplog.set_level("INFO", logger="oss_direct_upload")
    for status, code in ((200, None), (500, "misconfigured"), (200, None)):
        line = LogLine("1-65f0-abc")
        line.code, line.key = code, "uploads/public/2026-11-24/a.png"
        line.write(status, 1.5, to_standard_output)
    printed = capsys.readouterr().out
    entries = re.split(rf"(?m)(?={DEFAULT_REGEX})", printed)
    assert len(entries) - 1 == printed.count("\n") == 3 and entries[0] == ""
    (errors,) = [chart for chart in CHARTS if chart.name == "errors"]
    (row,) = ask(errors.query, [Line(BEGIN, entry) for entry in entries[1:]])
    assert (row["status"], row["code"], row["answers"]) == (500, "misconfigured", 1)


def metrics(number, cold):
    """A line of Function Compute about one request, as its page shows it: fields, and no message."""
    fields = {"functionName": "oss-direct-upload", "isColdStart": str(cold).lower(), "durationMs": "1.56"}
    if cold:
        latencies = {"coldStartLatencyMs": 400 + number, "prepareCodeLatencyMs": 0.18}
        fields |= {name: f"{ms:.2f}" for name, ms in latencies.items()}
        fields["runtimeInitializationMs"] = f"{390 + number:.2f}"
    return Line(BEGIN + number, "", tuple(fields.items()))


@pytest.fixture(scope="module")
def charts(hour):
    lines = [*hour, *(metrics(number, number <= 20) for number in range(1, 41))]
    return {chart.name: ask(chart.query, lines) for chart in CHARTS}


def test_every_chart_has_its_columns(charts):
    for chart in CHARTS:
        assert charts[chart.name]
        for row in charts[chart.name]:
            assert {*chart.x, *chart.y} <= set(row)


def counted(hour, pattern):
    return len([line for line in hour if re.search(pattern, line.message)])


def test_the_charts_count_the_log_lines(charts, hour):
    assert sum(row["requests"] for row in charts["requests"]) == len(hour)
    assert {row["five"] % 300 for row in charts["requests"]} == {0}
    assert {row["code"]: row["answers"] for row in charts["errors"]} == {
        code: counted(hour, f'"code":"{code}"') for code in {*SLIPS, *FAILURES}
    }
    example = next(row["example"] for row in charts["errors"] if row["code"] == "sts_unavailable")
    assert "AssumeRole" in example
    assert [row["colds"] for row in charts["cold"]] == [counted(hour, '"cold":true')]
    (starts,) = charts["cold-ms"]
    expected = {"colds": 20, "p50": 410, "p95": 419, "longest": 420, "code": 0.18, "runtime": 400.5}
    assert starts == {"functionName": "oss-direct-upload", **expected}
    (uploads,) = charts["uploads"]
    assert uploads == {"profile": "avatar", "uploads": counted(hour, '"callback","status":200')}
    routes = {row["route"]: row for row in charts["times"]}
    assert (
        0
        < routes["upload-params"]["p50"]
        <= routes["upload-params"]["p95"]
        <= routes["upload-params"]["longest"]
    )


def test_the_rate_limit_chart_names_the_owners(place):
    (chart,) = [chart for chart in CHARTS if chart.name == "owners"]
    (row,) = ask(chart.query, planted(place, flood))
    assert row == {"owner": row["owner"], "refused": 300} and len(row["owner"]) == 26


def test_lines_of_others_in_the_same_logstore_are_no_answers():
    foreign = [
        Line(BEGIN, "FC Invoke Start RequestId: 1-a"),
        Line(BEGIN, '2026-11-24T14:00:00.000Z 1-a [INFO] {"status": 500, "code": "internal_error"}'),
        Line(BEGIN, "initialize: ready (version 0.1.0)"),
    ]
    assert firing(foreign) == set()


def test_called_functions_are_found_in_a_query():
    assert called_in("SELECT count_if(a) FROM (SELECT 1) WHERE b IN (1)") == {"count_if"}


@pytest.mark.parametrize(
    ("name", "language"), list(zip(both("docs/operations.md"), ("en", "zh"), strict=True))
)
def test_the_page_lists_each_alarm_with_its_advice(name, language):
    shown = table_of(page(name), "`misconfigured`")
    assert shown == [
        [f"`{alarm.name}`", alarm.title.say(language), alarm.advice.say(language)] for alarm in ALARMS
    ]


def test_every_sentence_is_whole_in_both_languages():
    texts = [text for row in (*ALARMS, *CHARTS) for text in row if hasattr(text, "zh")]
    assert in_english(texts)
