"""The alias ``live``: where it goes, and how it remembers what it had."""

import pytest

from ops.deploy.live import MAX_DESCRIPTION, Live, advanced, newest_of, read_live, rolled_back
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def live(fields):
    return fields and Live(fields[0], fields[1], tuple(fields[2]))


@cases("before", "version", "after")
def test_everything_goes_to_a_version_and_the_history_grows(before, version, after):
    assert advanced(live(before), version) == live(after)


@cases("before", "versions", "wanted", "after")
def test_a_rollback_goes_to(before, versions, wanted, after):
    assert rolled_back(live(before), list(versions), wanted) == live(after)


@cases("description", "before")
def test_a_description_is_read_back(description, before):
    alias = read_live(
        {"versionId": "4", "description": description, "additionalVersionWeight": {"5": 0, "6": 0.2}}
    )
    assert alias == Live("4", {"6": 0.2}, tuple(before))
    assert alias.description == (description if before else "")


@pytest.mark.parametrize(("latest", "remembered"), [(1200, 49), (900, 62)])
def test_a_long_history_loses_its_oldest_versions(latest, remembered):
    history = tuple(str(number) for number in range(latest, latest - 100, -1))
    description = Live(str(latest + 1), {}, history).description
    assert len(description) <= MAX_DESCRIPTION
    kept = read_live({"versionId": str(latest + 1), "description": description}).before
    assert kept == history[:remembered]


def test_the_newest_version_is_the_highest_number():
    assert newest_of(["9", "10", "2"]) == "10" and newest_of([]) == ""
