"""limits: thousands of phones at one instant, and the promises about them."""

import json
from dataclasses import replace

import pytest
import yaml

from ops.doctor import capacity
from quality.bench import limits
from quality.bench.fleet import Region
from quality.bench.targets import outcomes
from tests.docs.markdown import ROOT, page, tables

KINDS = limits.deployments()


def times(deployment, pace):
    """The same, with instances that take so many times as long."""
    longer = [{n: [pace * one for one in each] for n, each in step.items()} for step in deployment.requests]
    return replace(deployment, starts=[pace * one for one in deployment.starts], requests=longer)


@pytest.mark.parametrize("kind", [limits.BURST, limits.BURST_ALONE])
@pytest.mark.parametrize("pace", [1, 3])
def test_a_burst_deployment_with_100_instances_loses_none_of_3000_phones(kind, pace):
    found = limits.come(3000, times(KINDS[kind], pace), Region(100, 100), 1)
    assert (found.lost, len(found.seconds)) == (0, 3000)
    # The function counts one request for a form of each phone: what was refused never reached it.
    assert found.repeated > 0 and found.most_forms == 1


def test_the_previous_client_lost_some_phones():
    found = limits.come(3000, KINDS[limits.BURST], Region(100, 100), 1, limits.HASTY)
    assert found.lost > 0


def test_a_seed_gives_the_same_replay_and_another_one_another():
    one, again, other = (limits.come(400, KINDS[limits.PLAIN], Region(20), seed) for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize(
    ("kind", "said"), [(limits.PLAIN, capacity.PLAIN), (limits.BURST_ALONE, capacity.BURST)]
)
def test_the_phones_that_doctor_names_are_served(kind, said):
    """In small: phones go with instances."""
    instances = 18
    assert KINDS[kind].slots == said.slots
    assert not limits.come(instances * said.served, KINDS[kind], Region(20), 1).lost


def test_the_share_of_a_processor_is_that_of_s_yaml():
    (resource,) = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["resources"].values()
    assert resource["props"]["cpu"] == limits.SHARE


@pytest.fixture(scope="module")
def figures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "PHONES", 300)
        patch.setattr(limits, "ROUNDS", 2)
        return limits.measure()


@pytest.mark.parametrize(
    ("figure", "name"), [("lost", "lost of 300 phones"), ("most_forms", "requests for a form that count")]
)
def test_each_promise_about_the_limits_can_be_broken(figures, figure, name):
    def broken():
        return [outcome.name for outcome in outcomes({"limits": changed}) if not outcome.is_met]

    changed = json.loads(json.dumps(figures))
    assert broken() == []
    changed["replayed"]["100 instances"][limits.BURST][figure] = [0, 61]
    assert len(broken()) == 1 and broken()[0].startswith(name)


def test_the_stored_table_is_what_the_replay_gives():
    found = limits._figures(KINDS[limits.BURST], limits.REGIONS["100 instances"], 0)
    stored = tables(page("quality/bench/results/table.md"))[-1]
    assert len(stored) == len(limits.REGIONS) * len(KINDS)
    row = next(row for row in stored if row[:2] == ["100 instances", limits.BURST])
    assert row[2:7] == [str(found[name]) for name in ("instances", "429", "503", "repeated", "lost")]
