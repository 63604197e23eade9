"""The vocabulary of faults, and the plan of one emulator."""

import pytest

from local.common.faults import VOCABULARY, Faults
from local.green.faults import KINDS as GREEN_FAULTS
from local.oss.handler import FAULTS as OSS_FAULTS
from local.sts.faults import KINDS as STS_FAULTS
from local.wechat.faults import KINDS as WECHAT_FAULTS


@pytest.mark.parametrize("known", [OSS_FAULTS, STS_FAULTS, WECHAT_FAULTS, GREEN_FAULTS])
def test_every_emulator_speaks_the_vocabulary(known):
    assert set(known) <= set(VOCABULARY)


def test_a_kind_that_is_not_in_the_vocabulary_is_refused_by_name():
    with pytest.raises(ValueError, match="meteor"):
        Faults(["slow", "meteor"])


def test_a_fault_happens_as_often_as_planned():
    faults = Faults(["slow", "drop"])
    faults.plan("drop", times=2)
    faults.plan("slow")
    assert [fault and fault.kind for fault in (faults.take(), faults.take(), faults.take())] == [
        "drop",
        "drop",
        "slow",
    ]
    faults.clear()
    assert faults.take() is None


def test_a_fault_rate_is_met_and_reproducible():
    def struck(seed):
        faults = Faults(["drop"], seed)
        faults.plan("drop", rate=0.3)
        return [faults.take() is not None for _ in range(1000)]

    assert struck(1) == struck(1) != struck(2)
    assert 250 < sum(struck(1)) < 350


def test_a_fault_happens_on_its_planned_calls_only():
    faults = Faults(["slow", "drop"], calls=["Put", "Get"], bound={"drop": ("Put",)})
    faults.plan("slow", on=["Get"])
    faults.plan("drop")
    assert [fault.kind for fault in (faults.take("Get"), faults.take("Put"))] == ["slow", "drop"]
    assert faults.take() is faults.take("Head") is None


@pytest.mark.parametrize(("kind", "on"), [("slow", ["Post"]), ("drop", ["Get"])])
def test_a_fault_cannot_be_planned_on_an_unsupported_call(kind, on):
    faults = Faults(["slow", "drop"], calls=["Put", "Get"], bound={"drop": ("Put",)})
    with pytest.raises(ValueError, match="strikes"):
        faults.plan(kind, on=on)
    with pytest.raises(ValueError, match="every call alike"):
        Faults(["slow"]).plan("slow", on=["Put"])
