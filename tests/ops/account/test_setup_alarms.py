"""``manage.py setup --contacts``: alarms of CloudMonitor on what Function Compute refuses."""

import json

import pytest

from ops.account.metric_alarms import ALARMS, DesiredAlarms, alarm_steps, limit_in, rule, threshold
from tests.docs.markdown import both, page, table_of
from tests.ops.account.stubs import ACCOUNT, METRICS, SECRET, run
from tests.ops.words import in_english

CONTACTS = ("--yes", "--contacts", "ops")
DESIRED = DesiredAlarms(ACCOUNT, "cn-hangzhou", "upload", "ops")


def instances(cloud, function="oss-direct-upload"):
    return cloud.metrics.rules[f"{function}-cn-hangzhou-instances"]["Escalations"]["Warn"]["Threshold"]


def test_each_alarm_is_made_once_and_a_second_run_changes_nothing(cloud):
    assert run(cloud, *CONTACTS) == 0
    assert len(cloud.metrics.rules) == len(ALARMS) == len(cloud.metrics.changes())
    assert {one["MetricName"] for one in cloud.metrics.rules.values()} < METRICS
    assert run(cloud, *CONTACTS) == 0
    assert len(cloud.metrics.changes()) == len(ALARMS)


def test_a_function_alarm_names_the_function_and_a_region_alarm_the_region(cloud, monkeypatch):
    monkeypatch.setenv("FUNCTION_NAME", "photos")
    assert run(cloud, *CONTACTS, "--burst") == 0
    found = {one["MetricName"]: json.loads(one["Resources"]) for one in cloud.metrics.rules.values()}
    place = {"userId": ACCOUNT, "region": "cn-hangzhou"}
    assert found["RegionConcurrentCount"] == [place]
    assert found["FunctionConcurrencyThrottles"] == [
        {**place, "serviceName": "", "functionName": "photos-burst"}
    ]


@pytest.mark.parametrize(
    ("limit", "options", "expected"),
    [(300, (), "240"), (None, (), "80"), (300, ("--instances", "50"), "40")],
    ids=["as CloudMonitor says", "unknown", "as given"],
)
def test_the_alarm_on_instances_is_at_four_fifths_of_the_limit(cloud, limit, options, expected):
    cloud.metrics.limit = limit
    assert run(cloud, *CONTACTS, *options) == 0
    assert instances(cloud) == expected


def test_a_limit_that_cannot_be_read_stops_nothing(cloud):
    cloud.metrics.refuse["DescribeMetricLast"] = (403, {"Code": "Forbidden.RAM", "Message": SECRET})
    assert run(cloud, *CONTACTS) == 0
    assert instances(cloud) == "80"


def test_a_changed_alarm_is_set_right(cloud):
    run(cloud, *CONTACTS)
    before = json.dumps(cloud.metrics.rules, sort_keys=True)
    first, second, third = list(cloud.metrics.rules.values())[:3]
    first["Escalations"]["Warn"]["Threshold"] = "500"
    second["Escalations"] = {"Critical": second["Escalations"]["Warn"]}
    third["ContactGroups"] = "others"
    assert run(cloud, *CONTACTS) == 0
    assert len(cloud.metrics.changes()) == len(ALARMS) + 3
    assert json.dumps(cloud.metrics.rules, sort_keys=True) == before


def test_numbers_written_otherwise_are_no_difference():
    (found,) = [rule(DESIRED, ALARMS[0])]
    levels = {
        name.rpartition(".")[2]: found.pop(name) for name in list(found) if name.startswith("Escalations")
    }
    listed = {
        **found,
        "SilenceTime": 3600,
        "Escalations": {"Warn": {**levels, "Times": 1, "Threshold": "0.0"}},
    }
    assert len(alarm_steps(DESIRED, [listed])) == len(ALARMS) - 1


@pytest.mark.parametrize("refusal", [(400, {"Code": "ContactGroupNotExist", "Message": SECRET})])
def test_a_refused_alarm_is_named_without_the_service_s_text(cloud, capsys, refusal):
    cloud.metrics.refuse["PutResourceMetricRule"] = refusal
    assert run(cloud, *CONTACTS) == 1
    said = capsys.readouterr().err
    assert "PutResourceMetricRule failed: ContactGroupNotExist" in said and SECRET not in said


def test_a_refusal_with_http_200_is_one(cloud, capsys):
    assert run(cloud, "--yes", "--contacts", "nobody") == 1
    assert "PutResourceMetricRule failed: ParameterInvalid" in capsys.readouterr().err


def test_without_a_contact_group_there_is_no_call_and_dashboards_name_the_option(cloud, capsys):
    assert run(cloud, "--yes", "--logs", "my-logs/fc", "--dashboards") == 0
    assert "--contacts GROUP" in capsys.readouterr().out
    assert cloud.metrics.calls == []


def test_a_dry_run_prints_each_alarm_and_sends_nothing(cloud, capsys):
    assert run(cloud, "--dry-run", *CONTACTS[1:], "--lang", "zh") == 0
    shown = capsys.readouterr().out
    assert all(alarm.metric in shown and alarm.title.zh in shown for alarm in ALARMS)
    assert cloud.metrics.calls == []


@pytest.mark.parametrize(
    "options",
    [("--contacts", "a,b"), ("--contacts", "a b"), ("--instances", "300"), (*CONTACTS, "--instances", "-1")],
)
def test_odd_options_are_refused_before_any_call(cloud, capsys, options):
    assert run(cloud, "--yes", *options) == 2
    assert options[-2] in capsys.readouterr().err
    assert (cloud.metrics.calls, cloud.ram.calls) == ([], [])


@pytest.mark.parametrize(
    ("datapoints", "expected"),
    [
        ('[{"timestamp": 1, "Value": 100}, {"timestamp": 2, "Value": "300"}]', 300),
        ([{"timestamp": 1, "Maximum": 120.0}], 120),
        *(
            ("[]", 0),
            ("{", 0),
            (None, 0),
            ("[1]", 0),
            ('[{"Value": 3}]', 0),
            ('[{"timestamp": 1, "Value": "x"}]', 0),
        ),
    ],
)
def test_the_limit_is_the_newest_value(datapoints, expected):
    assert limit_in(datapoints) == expected


def test_the_share_of_the_limit_is_a_whole_number():
    (alarm,) = [one for one in ALARMS if one.above is None]
    assert [threshold(DESIRED._replace(limit=limit), alarm) for limit in (0, 1, 99, 300)] == [80, 0, 79, 240]


@pytest.mark.parametrize(
    ("name", "language"), list(zip(both("docs/operations.md"), ("en", "zh"), strict=True))
)
def test_the_page_lists_each_alarm_with_its_advice(name, language):
    assert table_of(page(name), "`refused-429`") == [
        [f"`{alarm.name}`", f"`{alarm.metric}`", alarm.title.say(language), alarm.advice.say(language)]
        for alarm in ALARMS
    ]


def test_every_sentence_is_whole_in_both_languages():
    assert in_english([text for alarm in ALARMS for text in (alarm.title, alarm.advice)])
