"""The alias ``live``: where it goes, and how it remembers what it had."""

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


def test_a_long_history_loses_its_oldest_versions():
    history = tuple(str(number) for number in range(1200, 1100, -1))
    description = Live("1201", {}, history).description
    assert len(description) <= MAX_DESCRIPTION
    kept = read_live({"versionId": "1201", "description": description}).before
    assert kept == history[: len(kept)] and len(kept) == 49


def test_the_newest_version_is_the_highest_number():
    assert newest_of(["9", "10", "2"]) == "10" and newest_of([]) == ""
