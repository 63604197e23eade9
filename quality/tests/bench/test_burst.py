"""burst: what is measured of an instance becomes a deployment, and what is promised of it can be broken."""

import json
import random
import sys

import pytest

from quality.bench import burst, report
from quality.bench.fleet import FRESH
from quality.bench.instances import Measured, measure_one_request
from quality.bench.targets import outcomes

# Answers as bench/peers/one_request.py does, and takes half a second of processor time for each request.
PROGRAM = """
import json, sys
cpu = 0.25
print(json.dumps({"seconds": 0, "cpu": cpu}), flush=True)
for line in sys.stdin:
    cpu += 1.0 if line == "initialize\\n" else 0.5
    seconds = {"initialize\\n": 3, "login\\n": 2, "form\\n": 1}[line]
    print(json.dumps({"seconds": seconds, "cpu": cpu}), flush=True)
"""


def test_a_single_request_instance_is_measured_by_its_output():
    measured = Measured()
    for _ in range(2):
        measure_one_request([sys.executable, "-c", PROGRAM], {}, burst.STEPS, measured)
    assert measured.assumes == [3, 3]
    assert measured.requests == [{FRESH: [2, 2], 1: [2] * 8}, {FRESH: [1, 1], 1: [1] * 8}]
    one = measured.deployment(1)
    assert (one.start_cpu, one.request_cpu) == (1.25, [0.5, 0.5])
    assert len(one.starts) == 2 and min(one.starts) > 0


def test_a_stack_without_initialize_asks_for_its_session_in_each_request():
    measured = Measured()
    measure_one_request([sys.executable, "-c", PROGRAM], {}, ["form"], measured)
    one = measured.deployment(1, keeps_session=False)
    assert (one.assumes, one.start_cpu, one.request_cpu) == ([0.0], 0.25, [0.5])


def measured_as(seconds):
    one = Measured([seconds], [0.05], [], [0.1], [[0.002, 0.001]])
    for step in range(2):
        for under_way in (1, 5, 10, 20):
            one.add(step, under_way, 0.04)
    return one


@pytest.fixture
def figures():
    many, one = measured_as(0.2), measured_as(0.2)
    deployments = {burst.MANY: many.deployment(20), burst.ONE: one.deployment(1)}
    deployments[burst.SAMPLE] = one.deployment(1, attempts=1, keeps_session=False)
    real = {"instances": 3, "assume_roles": 3, "cpu_seconds": 1.0, "p50_ms": 1, "p95_ms": 2, "worst_ms": 3}
    return {
        "phones": burst.PHONES,
        "real_phones": 60,
        "measured": {name: burst._shown(one) for name in burst.FLEETS},
        "replayed": burst.replay(deployments, 2),
        "real": {burst.MANY: real, burst.ONE: {**real, "p95_ms": 10}},
    }


def test_the_phones_of_a_round_come_alike_to_every_deployment_and_each_time(figures):
    again = burst.replay({burst.MANY: measured_as(0.2).deployment(20)}, 2)
    for case, found in figures["replayed"].items():
        assert found[burst.MANY] == again[case][burst.MANY]
    random.seed(1)
    assert figures["replayed"][burst.AT_ONCE][burst.ONE]["instances"] == [90, 90]


@pytest.mark.parametrize(
    ("case", "figure", "value", "name"),
    [
        (burst.AT_ONCE, "instances", 11, "instances for 200 phones"),
        (burst.AT_ONCE, "assume_roles", 11, "AssumeRole calls of these"),
        (burst.AT_ONCE, "cpu_seconds", 99.0, "processor time of these"),
        (burst.KEPT_WARM, "p95_ms", 9999.0, "one instance kept warm"),
    ],
)
def test_each_promise_about_a_burst_can_be_broken(figures, case, figure, value, name):
    def broken():
        return [outcome.name for outcome in outcomes({"burst": figures}) if not outcome.is_met]

    before = broken()
    figures["replayed"][case][burst.MANY][figure] = [value, value]
    assert any(name in one for one in set(broken()) - set(before))


def test_phones_without_an_instance_at_one_instant_get_one_by_repeating(figures):
    assert figures["replayed"][burst.AT_ONCE][burst.ONE]["lost"] == [0, 0]


def test_burst_figures_are_written_as_tables(figures):
    text = report._tables_of_burst(json.loads(json.dumps(figures)))
    assert f"| {burst.AT_ONCE} | {burst.MANY} | 10 | 10 | 0 |" in text
    assert f"| {burst.ONE} | 3 | 3 |  | 1.0 |  | 1 | 10 | 3 |" in text
