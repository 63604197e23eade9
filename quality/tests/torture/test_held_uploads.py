"""
Long lives of held objects in short, and that they would notice missing lines of these modules.

Lines that calls at once, a late copy or the end of an instance need, the explorer misses.
"""

from types import SimpleNamespace

import pytest

from function.holding import aliyun_check, check, decision, publication, records, state
from function.holding.held_upload import HeldUpload
from quality.torture import held_uploads
from quality.torture.held_uploads import HeldUploads, WithoutTicks

pytestmark = pytest.mark.usefixtures("quiet")
LIVES = 100


@pytest.mark.parametrize("machine", [HeldUploads, WithoutTicks])
def test_a_few_lives_end_as_documented(machine):
    result = held_uploads.run(150, machine, lives=6, steps=30, shrinks=False)
    assert result.problems == []
    assert result.totals["steps in lives of held objects"] >= 150


def test_a_run_ends_at_its_step_count_or_time_limit():
    result = held_uploads.run(150, lives=2, steps=10, shrinks=False)
    assert result.totals["steps in lives of held objects"] >= 150
    assert held_uploads.run(10**9, lives=2, steps=10, shrinks=False, seconds=0.1).seconds < 30


UNKNOWN = SimpleNamespace(
    **{**vars(records), "review_key": lambda upload_id: records.verdict_key(f"{upload_id}-nowhere")}
)
FORGETFUL = SimpleNamespace(**{**vars(records), "put": lambda *_: None})
COMMITS = ("commit", "discard", "status")
# What is wrong, and what happens where it would show soonest.
WRONG = {
    "no entity tag of what is decided about": (
        [(HeldUpload, "is_waiting", lambda upload, facts, _now: upload.is_ours(facts))],
        (COMMITS, ("replaced",)),
    ),
    "no look for a review": ([(state, "records", UNKNOWN)], (("review", "pass", "status"), ("check",))),
    "nothing deleted that was held": (
        [(publication, "delete_object", lambda *_, **__: None)],
        (COMMITS, ("commit",)),
    ),
    "a rejection that publishes": (
        [(decision, "REJECT", "publish"), (check, "REJECT", "publish")],
        (("status", "risky"), ("check",)),
    ),
    "another's object taken for ours": (
        [(HeldUpload, "is_ours", lambda _upload, facts: facts is not None)],
        (("discard", "reject", "status"), ("same",)),
    ),
    "a doubt of Aliyun's that is no matter": (
        [(aliyun_check, "doubt_of_aliyun", lambda *_: None)],
        (("pass",), ("twice",)),
    ),
    "an answer of Aliyun's that is not kept": (
        [(aliyun_check, "records", FORGETFUL)],
        (("status", "tick"), ("twice",)),
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_broken_holding_room_is_detected(wrong, monkeypatch):
    patches, (acts, profiles) = WRONG[wrong]
    for patch in patches:
        monkeypatch.setattr(*patch)
    machine = type("Machine", (HeldUploads,), {"acts": acts, "profiles": profiles})
    # What the dice throw depends on the constants of whatever is imported beside, so one seed may miss it.
    assert any(
        held_uploads.run(1, machine, lives=LIVES, steps=20, shrinks=False, seed=seed).problems
        for seed in range(12)
    )
