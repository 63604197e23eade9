"""The vocabulary of faults, and the plan of one emulator."""

import pytest

from local.common.faults import Faults


def test_a_fault_happens_as_often_as_planned_and_is_of_the_vocabulary():
    with pytest.raises(ValueError, match="meteor"):
        Faults(["slow", "meteor"])
    faults = Faults(["slow", "drop"])
    faults.plan("drop", times=2)
    faults.plan("slow")
    assert [faults.take().kind for _ in range(3)] == ["drop", "drop", "slow"]
    faults.clear()
    assert faults.take() is None


def test_a_fault_rate_is_met_and_reproducible():
    def struck(seed):
        faults = Faults(["drop"], seed)
        faults.plan("drop", rate=0.3)
        return [faults.take() is not None for _ in range(1000)]

    assert struck(1) == struck(1) != struck(2)
    assert 250 < sum(struck(1)) < 350


def test_a_fault_happens_on_its_planned_calls_only_if_they_can_have_it():
    faults = Faults(["slow", "drop"], calls=["Put", "Get"], bound={"drop": ("Put",)})
    for kind, on in (("slow", ["Post"]), ("drop", ["Get"])):
        with pytest.raises(ValueError, match="strikes"):
            faults.plan(kind, on=on)
    with pytest.raises(ValueError, match="every call alike"):
        Faults(["slow"]).plan("slow", on=["Put"])
    faults.plan("slow", on=["Get"])
    faults.plan("drop")
    assert [fault.kind for fault in (faults.take("Get"), faults.take("Put"))] == ["slow", "drop"]
    assert faults.take() is faults.take("Head") is None
