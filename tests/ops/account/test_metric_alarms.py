"""metric_alarms: ``setup --contacts`` makes the rules of deploy/monitoring/metrics.json."""

import json

import pytest

from tests.docs.markdown import ROOT
from tests.ops.account.stubs import PLACES, run

CONTACTS = ("--yes", "--contacts", "ops")
ALARMS = json.loads((ROOT / "deploy/monitoring/metrics.json").read_text("utf-8"))["Resources"]


def threshold(cloud, rule):
    return cloud.metrics.rules[rule]["Escalations.Warn.Threshold"]


def test_each_alarm_is_made_and_a_second_run_sets_it_right(cloud):
    assert run(cloud, *CONTACTS) == 0
    assert len(cloud.metrics.rules) == len(ALARMS) == len(cloud.metrics.changes())
    assert run(cloud, *CONTACTS, "--egress-alarm", "2") == 0
    assert len(cloud.metrics.rules) == len(ALARMS)
    assert threshold(cloud, "my-bucket-egress") == "2000000000"


def test_every_bucket_has_an_alarm_on_its_traffic_in_its_own_region(cloud):
    cloud.profiles.write_text(PLACES)
    assert run(cloud, *CONTACTS) == 0
    egress = {name: one["region"] for name, one in cloud.metrics.rules.items() if name.endswith("-egress")}
    assert egress == {"my-bucket-egress": "cn-hangzhou", "my-contracts-egress": "cn-shanghai"}
    assert len(cloud.metrics.rules) == len(ALARMS) + 1


@pytest.mark.parametrize(
    ("limit", "options", "gigabytes", "instances"),
    [(300, (), "1000000000", "240"), (None, ("--egress-alarm", "2.5"), "2500000000", "80")],
)
def test_alarms_are_at_the_given_traffic_and_four_fifths_of_the_limit_of_instances(
    cloud, limit, options, gigabytes, instances
):
    cloud.metrics.limit = limit
    assert run(cloud, *CONTACTS, *options) == 0
    rules = ("my-bucket-egress", "oss-direct-upload-cn-hangzhou-instances")
    assert [threshold(cloud, rule) for rule in rules] == [gigabytes, instances]


def test_the_thresholds_are_printed_and_traffic_in_money(cloud, capsys):
    assert run(cloud, "--dry-run", "--contacts", "ops", "--egress-alarm", "5", "--lang", "en") == 0
    (egress,) = [line for line in capsys.readouterr().out.splitlines() if "InternetSend over" in line]
    # 300 GB an hour at 0.50 CNY.
    assert all(figure in egress for figure in ("5,000,000,000", "5 GB", "150.00 CNY", "2026-11"))
    assert run(cloud, "--dry-run", "--contacts", "ops", "--lang", "zh") == 0
    assert "30.00 元" in capsys.readouterr().out
    assert cloud.metrics.calls == []
