"""The alias ``live``: where it goes, and how it remembers what it had."""

import pytest

from ops.deploy.live import MAX_DESCRIPTION, Live, read_live, rolled_back


def live(fields):
    return fields and Live(fields[0], fields[1], tuple(fields[2]))


@pytest.mark.parametrize(("before", "versions", "wanted", "after"), [
    (["3", {"4": 0.1}, ["2", "1"]], "1234", "", ["3", {}, ["2", "1"]]),
    (["3", {}, ["2", "1"]], "13", "", ["1", {}, []]),
    (["3", {}, []], "123", "", ["2", {}, []]),
    (["3", {}, ["2"]], "13", "", ["1", {}, []]),
    (["4", {"5": 0.5}, ["3", "2", "1"]], "12345", "2", ["2", {}, ["1"]]),
    (["2", {}, ["1"]], "1234", "4", ["4", {}, ["2", "1"]]),
    (["1", {}, []], "1234", "7", None),
    (["2", {"3": 0.1}, ["1"]], "123", "2", ["2", {}, ["1"]]),
    (["11", {}, []], ["9", "10", "11"], "", ["10", {}, []]),
])  # fmt: skip
def test_a_rollback_goes_to(before, versions, wanted, after):
    assert rolled_back(live(before), list(versions), wanted) == live(after)


@pytest.mark.parametrize(("latest", "remembered"), [(1200, 49), (900, 62)])
def test_a_long_history_loses_its_oldest_versions(latest, remembered):
    history = tuple(str(number) for number in range(latest, latest - 100, -1))
    description = Live(str(latest + 1), {}, history).description
    assert len(description) <= MAX_DESCRIPTION
    kept = read_live({"versionId": str(latest + 1), "description": description}).before
    assert kept == history[:remembered]
