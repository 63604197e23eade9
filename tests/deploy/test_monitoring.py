"""deploy/monitoring: its queries over an hour of log lines with each fault, and its templates."""

import json
import random
import re
from bisect import bisect_left
from datetime import UTC, datetime
from functools import cache

import pytest

from function.request_log import LogLine, to_standard_output
from tests.deploy.logstore import METRIC_FIELDS, Line, ask
from tests.deploy.monitoring_templates import FOLDER, templates, written
from tests.docs.markdown import ROOT, both, names_in, page, table_of

INDEX, LOG, METRICS = (
    json.loads((ROOT / f"deploy/monitoring/{name}.json").read_text("utf-8"))
    for name in ("index", "log", "metrics")
)
CHARTS = {chart["title"]: chart for chart in LOG["Resources"]["Dashboard"]["Properties"]["Charts"]}
ALARMS = {
    one["Properties"]["Detail"]["DisplayName"].partition(": ")[2]: one["Properties"]["Detail"]
    for one in LOG["Resources"].values()
    if one["Type"] == "ALIYUN::SLS::Alert"
}
BEGIN = int(datetime(2026, 11, 24, 14, tzinfo=UTC).timestamp())
HOUR, EVERY_SECONDS = 3600, 300
# Lines that a day brings beside what is asked well: each a share of all requests.
SLIPS = {
    ("upload-params", 400, "bad_request"): 0.02,
    ("upload-params", 401, "unauthorized"): 0.03,
    ("confirm", 409, "not_uploaded"): 0.02,
    ("upload-params", 415, "unsupported_type"): 0.01,
}
FORM, LOGIN, CALLBACK = "upload-params", "login", "callback"
# Lines of a fault: how many it takes, route, status, code, and what else is other than in a plain line.
FAULTS = {
    "misconfigured": (1, FORM, 500, "misconfigured", {}),
    "unforeseen": (1, FORM, 500, "internal_error", {}),
    "refused-by-sts": (1, FORM, 502, "sts_rejected", {}),
    "refused-by-oss": (1, "confirm", 502, "oss_rejected", {}),
    "refused-by-wechat": (3, LOGIN, 502, "login_rejected", {}),
    "upstream-down": (5, FORM, 503, "sts_unavailable", {}),
    "quota-down": (3, FORM, 200, None, {"quota": "allowed: no answer"}),
    "callbacks-refused": (10, CALLBACK, 403, "forbidden", {}),
    "business-deaf": (5, "confirm", 200, None, {"webhook": "HTTP 500"}),
    "slow": (200, FORM, 200, None, {"ms": 4000}),
    "always-cold": (900, FORM, 200, None, {"is_cold": True}),
    "flood": (300, FORM, 429, "too_many_requests", {"owner": "busy"}),
    "many-checks": (500, "commit", 200, None, {"verdict": {"by": "aliyun", "label": "nonLabel"}}),
    "nobody-logs-in": (400, FORM, 401, "unauthorized", {}),
}
# A line that this matches begins an entry (logBeginRule: DefaultRegex); others are appended to the last one.
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/configure-the-logging-feature
DEFAULT_REGEX = r"^.{0,2}\d{4}-\d{2}-\d{2}"


def logged(moment, route, status, code=None, *, ms=20, **changes):
    """A line as the runtime writes it."""
    line, texts = LogLine("1-65f0-abc"), []
    for name, value in {"route": route, "code": code, "sts_refreshed": False, **changes}.items():
        setattr(line, name, value)
    line.write(status, ms, lambda _level, _id, text: texts.append(text))
    at = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return Line(moment, f"{at}.000Z 1-65f0-abc [INFO] {texts[0]}\n")


@pytest.fixture(autouse=True)
def everything_is_logged(caplog):
    caplog.set_level("INFO", logger="oss_direct_upload")


@cache
def hour():
    """An hour of a deployment that some hundred people use: new instances, slips, two lone failures."""
    dice, lines = random.Random(20261124), []
    for second in range(0, HOUR, 4):
        moment, drawn = BEGIN + second, dice.random()
        for asked, share in SLIPS.items():
            drawn -= share
            if drawn < 0:
                lines.append(logged(moment, *asked, is_cold=second % 300 == 0))
                break
        else:
            upload = {"profile": "avatar", "upload_id": f"ul_{second}", "webhook": "ok"}
            form = {"ms": dice.randint(5, 900), "is_cold": second % 300 == 0}
            lines.append(logged(moment, FORM, 200, **form, **{**upload, "webhook": None}))
            lines += [logged(moment, route, 200, **upload) for route in (CALLBACK, "confirm")]
    lines.append(logged(BEGIN + 1000, FORM, 503, "sts_unavailable", reason="AssumeRole: no answer"))
    lines += [logged(BEGIN + 2000, FORM, 429, "too_many_requests")] * 2
    return sorted(lines)


def planted(name, less=0):
    """The lines of a fault, 50 minutes into the hour."""
    count, route, status, code, changes = FAULTS[name]
    return [logged(BEGIN + 3000, route, status, code, **changes)] * (count - less)


def look(name):
    """Query, minutes and least number of an alarm."""
    configuration = ALARMS[name]["Configuration"]
    ((asked,), (level,)) = configuration["QueryList"], configuration["SeverityConfigurations"]
    least = re.fullmatch(r"found >= (\d+)", level["EvalCondition"]["Condition"])[1]
    return asked["Query"], int(re.fullmatch(r"-(\d+)m", asked["Start"])[1]), int(least)


@cache
def found_by(query, lines):
    """The one row that an alarm asks for; before its fault the hour is the same for every fault."""
    (row,) = ask(query, lines)
    return row["found"]


def firing(lines):
    """Each alarm that fires at one of its looks."""
    lines, found = tuple(sorted(lines)), set()
    moments = [line.moment for line in lines]
    for name in ALARMS:
        query, minutes, least = look(name)
        for until in range(BEGIN + EVERY_SECONDS, BEGIN + HOUR + EVERY_SECONDS, EVERY_SECONDS):
            since = bisect_left(moments, until - 60 * minutes)
            if found_by(query, lines[since : bisect_left(moments, until)]) >= least:
                found.add(name)
    return found


def test_an_hour_of_a_normal_log_fires_nothing_nor_do_lines_of_others():
    foreign = [
        Line(BEGIN, "FC Invoke Start RequestId: 1-a"),
        Line(BEGIN, '2026-11-24T14:00:00.000Z 1-a [INFO] {"status": 500, "code": "internal_error"}'),
        Line(BEGIN, "initialize: ready (version 0.1.0)"),
    ]
    assert len(hour()) > 900
    assert firing([*hour(), *foreign]) == set()


@pytest.mark.parametrize("name", sorted({*FAULTS, *ALARMS}))
def test_only_the_alarm_of_a_fault_fires(name):
    assert firing([*hour(), *planted(name)]) == {name}


@pytest.mark.parametrize(
    "name", [name for name in FAULTS if FAULTS[name][0] <= 10] + ["flood", "many-checks"]
)
def test_one_line_less_than_it_takes_fires_nothing(name):
    assert firing([*hour(), *planted(name, less=1)]) == set()


def test_each_line_on_standard_output_is_an_entry_that_the_queries_read(capsys):
    for status, code in ((200, None), (500, "misconfigured"), (200, None)):
        line = LogLine("1-65f0-abc")
        line.code, line.key = code, "uploads/public/2026-11-24/a.png"
        line.write(status, 1.5, to_standard_output)
    printed = capsys.readouterr().out
    entries = re.split(rf"(?m)(?={DEFAULT_REGEX})", printed)
    assert len(entries) - 1 == printed.count("\n") == 3 and entries[0] == ""
    (row,) = ask(CHARTS["errors"]["search"]["query"], [Line(BEGIN, entry) for entry in entries[1:]])
    assert (row["status"], row["code"], row["answers"]) == (500, "misconfigured", 1)


def metrics(number, cold):
    """A line of Function Compute about one request, as its page shows it: fields, and no message."""
    fields = {"functionName": "oss-direct-upload", "isColdStart": str(cold).lower(), "durationMs": "1.56"}
    if cold:
        fields |= {"coldStartLatencyMs": f"{400 + number:.2f}", "prepareCodeLatencyMs": "0.18"}
        fields["runtimeInitializationMs"] = f"{390 + number:.2f}"
    return Line(BEGIN + number, "", tuple(fields.items()))


def counted(pattern):
    return len([line for line in hour() if re.search(pattern, line.message)])


def test_the_charts_count_the_log_lines():
    lines = [*hour(), *planted("flood"), *(metrics(number, number <= 20) for number in range(1, 41))]
    lines += planted("many-checks")
    rows = {name: ask(chart["search"]["query"], lines) for name, chart in CHARTS.items()}
    for name, chart in CHARTS.items():
        assert {*chart["display"]["xAxis"], *chart["display"]["yAxis"]} <= set(rows[name][0])
    assert sum(row["requests"] for row in rows["requests"]) == len(hour()) + 800
    assert {row["five"] % 300 for row in rows["requests"]} == {0}
    errors = {row["code"]: row for row in rows["errors"]}
    assert errors["bad_request"]["answers"] == counted('"code":"bad_request"')
    assert "AssumeRole" in errors["sts_unavailable"]["example"]
    assert [row["colds"] for row in rows["cold"]] == [counted('"cold":true')]
    expected = {"colds": 20, "p50": 410, "p95": 419, "longest": 420, "code": 0.18, "runtime": 400.5}
    assert rows["cold-ms"] == [{"functionName": "oss-direct-upload", **expected}]
    assert rows["uploads"] == [{"profile": "avatar", "uploads": counted('"route":"callback"')}]
    times = {row["route"]: row for row in rows["times"]}[FORM]
    assert 0 < times["p50"] <= times["p95"] <= times["longest"]
    assert rows["owners"] == [{"owner": "busy", "refused": 300}]


def test_the_charts_show_a_users_failures_and_forms_without_a_confirmation():
    of_form = {"owner": "mine", "profile": "post", "key": "a", "upload_id": "lost"}
    lines = [
        *hour(),
        logged(BEGIN + 1, FORM, 200, **of_form),
        logged(BEGIN + 2, "confirm", 404, "not_uploaded", **of_form),
        logged(BEGIN + 3, FORM, 200, **{**of_form, "upload_id": "done"}),
        logged(BEGIN + 4, CALLBACK, 200, **{**of_form, "upload_id": "done"}),
    ]
    unconfirmed, failed = (ask(CHARTS[name]["search"]["query"], lines) for name in ("unconfirmed", "failed"))
    assert {"profile": "post", "forms": 2, "lost": 1} in unconfirmed
    found = [(row["owner"], row["route"], row["code"], row["failures"]) for row in failed]
    assert found == [("mine", "confirm", "not_uploaded", 1)]


def test_the_chart_of_checks_counts_each_upload_that_aliyun_judged():
    judged = {"verdict": {"by": "aliyun", "labels": ["nonLabel"]}}
    lines = [
        *hour(),
        logged(BEGIN + 1, "commit", 200, upload_id=["a", "b", "c"], **judged),
        logged(BEGIN + 2, "confirm", 200, upload_id="d", **judged),
        logged(BEGIN + 3, "tick", 200, **judged),
        logged(BEGIN + 4, "wechat-events", 200, upload_id="e", verdict={"by": "wechat", "label": 100}),
    ]
    assert ask(CHARTS["checks"]["search"]["query"], lines) == [{"hour": BEGIN, "checks": 5}]


def test_the_index_has_each_field_that_a_query_reads_and_whole_lines():
    assert {name for name, field in INDEX["keys"].items() if field["doc_value"]} == {
        "message",
        *METRIC_FIELDS,
    }
    # A line about twenty files; SLS reads 2,048 characters unless told otherwise.
    assert INDEX["max_text_len"] == 16384


@pytest.mark.parametrize("name", ["log", "metrics"])
def test_a_template_is_what_its_table_makes(name):
    assert (FOLDER / f"{name}.json").read_text("utf-8") == written(templates()[name])


@pytest.mark.parametrize("template", [LOG, METRICS], ids=["log", "metrics"])
def test_a_template_uses_each_parameter_and_no_other_and_names_nothing_twice(template):
    text = json.dumps(template["Resources"])
    referred = {*re.findall(r'"Ref": "(\w+)"', text), *re.findall(r"\$\{(\w+)\}", text)}
    assert referred == set(template["Parameters"])
    names = re.findall(r'"(?:Name|DisplayName|Fn::Sub)": "([^"]+)"', text)
    assert names and len(names) == len(set(names))


@pytest.mark.parametrize("name", both("docs/operations.md"))
def test_the_page_lists_each_alarm(name):
    (listed,) = [
        line for line in page(name).splitlines() if "`misconfigured`, `unf" in line.replace("、", ", ")
    ]
    assert names_in(listed) == [*ALARMS]
    rules = [one["Properties"] for one in METRICS["Resources"].values()]
    assert [row[:2] for row in table_of(page(name), "`refused-429`")] == [
        [f"`{rule['RuleName']['Fn::Sub'].partition(': ')[2]}`", f"`{rule['MetricName']}`"] for rule in rules
    ]
