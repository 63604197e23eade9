"""``manage.py setup --dashboards``: the log answers questions, and a second run changes nothing."""

import pytest

from ops.account.log_queries import ALARMS, CHARTS
from tests.ops.account.stubs import SECRET, run

LOGS = ("--logs", "my-logs/fc", "--dashboards")


def test_an_empty_logstore_is_made_to_answer_and_a_second_run_changes_nothing(cloud):
    assert run(cloud, "--yes", *LOGS, "--notify", "sls.my.policy") == 0
    created = ["/logstores/fc/index", "/dashboards", *["/alerts"] * len(ALARMS)]
    assert cloud.logs.changes() == created
    assert run(cloud, "--yes", *LOGS, "--notify", "sls.my.policy") == 0
    assert cloud.logs.changes() == created
    assert run(cloud, "--yes", *LOGS) == 0
    assert len(cloud.logs.changes()) == len(created) + len(ALARMS)


def test_without_the_option_the_log_is_not_queried(cloud):
    assert run(cloud, "--yes", "--logs", "my-logs/fc") == 0
    assert cloud.logs.calls == []


def test_a_dry_run_prints_every_query_and_sends_nothing(cloud, capsys):
    assert run(cloud, "--dry-run", *LOGS) == 0
    shown = capsys.readouterr().out
    assert (cloud.logs.calls, cloud.ram.calls, cloud.oss.calls) == ([], [], [])
    for row in (*CHARTS, *ALARMS):
        assert row.query.replace("\\", "\\\\") in shown


def test_the_titles_are_in_the_language_of_the_run(cloud):
    assert run(cloud, "--yes", *LOGS, "--lang", "zh") == 0
    said = cloud.logs.documents[f"/alerts/oss-direct-upload-{ALARMS[0].name}"]["displayName"]
    assert ALARMS[0].title.zh in said


def test_a_missing_log_permission_is_named_before_any_change(cloud, capsys):
    cloud.logs.refuse["/logstores/fc/index"] = (401, "Unauthorized")
    assert run(cloud, "--yes", *LOGS) == 1
    said = capsys.readouterr().err
    assert "GetIndex failed: Unauthorized (HTTP 401" in said and "AliyunLogFullAccess" in said
    assert SECRET not in said
    # It is asked before anything changes.
    assert (cloud.ram.changes(), cloud.oss.changes()) == ([], [])


def test_a_run_that_broke_off_continues_where_it_was(cloud):
    cloud.logs.refuse["/dashboards"] = (500, "InternalServerError")
    assert run(cloud, "--yes", *LOGS) == 1
    cloud.logs.refuse.clear()
    assert run(cloud, "--yes", *LOGS) == 0
    assert cloud.logs.changes().count("/logstores/fc/index") == 1


@pytest.mark.parametrize(
    "options", [("--dashboards",), ("--notify", "p"), ("--logs", "my-logs/fc", "--notify", "p")]
)
def test_log_options_require_dashboards(cloud, capsys, options):
    assert run(cloud, "--yes", *options) == 2
    assert "--dashboards" in capsys.readouterr().err
    assert cloud.ram.calls == []
