"""log_plan: what a logstore still needs, and nothing twice."""

import json

import pytest

from ops.account.log_plan import (
    DesiredLogs,
    FoundLogs,
    alarm_rule,
    dashboard,
    is_index_enough,
    log_steps,
    merged_index,
)
from ops.account.log_queries import ALARMS, CHARTS

DESIRED = DesiredLogs("cn-hangzhou", "my-logs", "fc", "sls.my.policy")


def in_place(desired=DESIRED):
    return FoundLogs(
        merged_index({}),
        dashboard(desired),
        {(rule := alarm_rule(desired, alarm))["name"]: rule for alarm in ALARMS},
    )


def actions(steps):
    return [step.action for step in steps]


def test_an_empty_logstore_gets_an_index_first_then_the_dashboard_and_each_alarm():
    steps = log_steps(DESIRED, FoundLogs())
    assert actions(steps) == ["CreateIndex", "CreateDashboard", *["CreateAlert"] * len(ALARMS)]
    assert {step.parameters["project"] for step in steps} == {"my-logs"}
    assert [step.parameters["path"] for step in steps[:3]] == [
        "/logstores/fc/index",
        "/dashboards",
        "/alerts",
    ]


def test_matching_log_resources_need_no_step():
    assert log_steps(DESIRED, in_place()) == []


def test_fields_added_or_stringified_by_the_service_are_no_difference():
    found = in_place()
    told = {**found.dashboard, "createTime": 1, "charts": json.dumps(found.dashboard["charts"])}
    alarms = {
        name: {**rule, "status": "ENABLED", "configuration": {**rule["configuration"], "more": 1}}
        for name, rule in found.alarms.items()
    }
    assert log_steps(DESIRED, FoundLogs(found.index, told, alarms)) == []


def test_a_changed_alarm_is_updated():
    found = in_place()
    name, rule = next(iter(found.alarms.items()))
    query = {**rule["configuration"]["queryList"][0], "query": "*"}
    changed = {**rule, "configuration": {**rule["configuration"], "queryList": [query]}}
    (step,) = log_steps(DESIRED, FoundLogs(found.index, found.dashboard, {**found.alarms, name: changed}))
    assert (step.action, step.parameters["path"]) == ("UpdateAlert", f"/alerts/{name}")
    assert step.parameters["body"] == rule


def test_a_missing_chart_is_added():
    found = in_place()
    told = {**found.dashboard, "charts": found.dashboard["charts"][1:]}
    (step,) = log_steps(DESIRED, FoundLogs(found.index, told, found.alarms))
    assert (step.action, step.parameters["path"]) == ("UpdateDashboard", "/dashboards/oss-direct-upload")


OTHERS = {"type": "text", "token": ["-"], "doc_value": True}
MESSAGE = merged_index({})["keys"]["message"]


@pytest.mark.parametrize(
    "index",
    [
        {},
        {"keys": {"functionName": OTHERS}},
        {"keys": {"message": {**MESSAGE, "doc_value": False}}, "max_text_len": 16384},
        {"keys": {"message": {**MESSAGE, "token": ["-"]}}, "max_text_len": 16384},
        {"keys": {"message": MESSAGE}},
        {"keys": {"message": MESSAGE, "coldStartLatencyMs": OTHERS}, "max_text_len": 16384},
    ],
    ids=["empty", "another field", "not analysed", "cut otherwise", "cut short", "no cold starts"],
)
def test_an_index_without_message_is_extended_and_keeps_its_fields(index):
    found = in_place()
    (step,) = log_steps(DESIRED, FoundLogs(index, found.dashboard, found.alarms))
    assert (step.action, step.parameters["path"]) == ("UpdateIndex", "/logstores/fc/index")
    body = step.parameters["body"]
    assert is_index_enough(body)
    assert all(body["keys"][name] == key for name, key in index.get("keys", {}).items() if name != "message")


def test_an_index_with_more_than_ours_is_enough():
    index = merged_index({"keys": {"functionName": OTHERS}, "line": {"token": ["-"]}, "max_text_len": 20000})
    assert index["max_text_len"] == 20000 and index["line"] == {"token": ["-"]}
    assert is_index_enough(index)


def test_charts_do_not_overlap():
    shown = [chart["display"] for chart in dashboard(DESIRED)["charts"]]
    places = {
        (x, y)
        for at in shown
        for x in range(at["xPos"], at["xPos"] + at["width"])
        for y in range(at["yPos"], at["yPos"] + at["height"])
    }
    assert len(places) == sum(at["width"] * at["height"] for at in shown)
    assert len(shown) == len(CHARTS)


def test_an_alarm_has_its_query_schedule_and_recipients():
    (alarm,) = [alarm for alarm in ALARMS if alarm.name == "upstream-down"]
    rule = alarm_rule(DESIRED, alarm)
    configuration = rule["configuration"]
    (query,) = configuration["queryList"]
    assert (query["store"], query["project"], query["region"]) == ("fc", "my-logs", "cn-hangzhou")
    assert (query["start"], query["end"], query["query"]) == ("-15m", "now", alarm.query)
    assert configuration["severityConfigurations"][0]["evalCondition"]["condition"] == "found >= 5"
    assert configuration["policyConfiguration"]["actionPolicyId"] == "sls.my.policy"
    assert rule["schedule"] == {"type": "FixedRate", "interval": "5m"}


def test_titles_and_advice_are_in_the_chosen_language():
    chinese = DesiredLogs("cn-hangzhou", "my-logs", "fc", language="zh")
    rule, board = alarm_rule(chinese, ALARMS[0]), dashboard(chinese)
    assert ALARMS[0].title.zh in rule["displayName"] and rule["description"] == ALARMS[0].advice.zh
    assert [chart["display"]["displayName"] for chart in board["charts"]] == [one.title.zh for one in CHARTS]
    # The names by which a second run finds them are the same in every language.
    assert rule["name"] == alarm_rule(DESIRED, ALARMS[0])["name"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_are_as_long_as_sls_takes_them(language):
    """1 to 64 characters of a display name, 4 to 60 of an alert's name."""
    for alarm in ALARMS:
        rule = alarm_rule(DesiredLogs("r", "p", "l", language=language), alarm)
        assert len(rule["displayName"]) <= 64 and 4 <= len(rule["name"]) <= 60
