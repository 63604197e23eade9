"""Each predicate of the reference model, and what it does not let happen."""

import pytest

from quality.explore.model import (
    ALWAYS,
    AT_REST,
    Event,
    Life,
    Model,
    Place,
    Sight,
    broken,
)

GOOD, BAD = "GOOD", "BAD"
HELD_FOR_BOTH = frozenset({"commit", "wechat"})
RECEIPTS = frozenset({("token", f"{GOOD} id")})
TOLD = frozenset({"uploaded"})


def life(**known):
    return Life(**{"receipts": RECEIPTS, "told": TOLD, **known})


def sight(one, place, **known):
    return Sight(Model().with_life("id", one), {"id": place} if place else {}, **known)


WRONG = {
    "nothing_is_visible_before_its_time": sight(
        life(hold=HELD_FOR_BOTH, begun=frozenset({"commit"})), Place(visible=GOOD)
    ),
    "only_the_bytes_of_the_receipt_are_visible": sight(life(), Place(visible=BAD)),
    "there_is_the_whole_file_or_none": sight(life(), Place(visible=GOOD, is_whole=False)),
    "what_is_visible_is_clean": sight(life(), Place(visible=GOOD, is_clean=False)),
    "rejected_never_returns": sight(
        life(finals=frozenset({"rejected"}), begun=frozenset({"reject"})), Place(visible=GOOD)
    ),
    "gone_is_final": sight(
        life(finals=frozenset({"discarded"}), begun=frozenset({"discard"})), Place(visible=GOOD)
    ),
    "erased_never_returns": Sight(Model(is_erased=True).with_life("id", life()), {"id": Place(visible=GOOD)}),
    "a_form_has_one_receipt": sight(
        life(receipts=RECEIPTS | {("another", f"{GOOD} id")}), Place(visible=GOOD)
    ),
    "a_form_is_counted": Sight(Model(forms=1), {}),
    "a_check_is_paid_once": sight(life(), Place(held=GOOD), submitted=2),
    "the_old_stays_until_the_new_is_there": sight(life(replaces="old"), Place(held=GOOD)),
    "what_has_a_receipt_is_kept": sight(life(), None),
    "nothing_is_both_held_and_visible": sight(life(), Place(held=GOOD, visible=GOOD)),
    "what_is_said_is_so": sight(life(), Place(visible=GOOD), says={"id": ("gone", "gone")}),
    "a_form_is_counted_once": Sight(Model(), {}, counted=1),
    "the_business_was_told": sight(
        life(hold=frozenset({"commit"}), begun=frozenset({"commit"})),
        Place(visible=GOOD),
        says={"id": ("published", "published")},
    ),
    "nothing_is_left_due": Sight(Model(), {}, due=("202611241401/decision-id",)),
    "ticks_need_no_call": sight(
        life(), Place(visible=GOOD), ticked={"id": Place(held=GOOD)}, decided=frozenset({"id"})
    ),
    "the_old_is_gone_once_the_new_is_there": Sight(
        Model().with_life("id", life(replaces="old")), {"id": Place(visible=GOOD), "old": Place(visible=BAD)}
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_predicate_alone_does_not_hold(name):
    assert broken(WRONG[name], AT_REST) == [name]


def test_each_predicate_has_its_example():
    assert {*WRONG} == {each.__name__ for each in AT_REST}
    assert {*ALWAYS} <= {*AT_REST}


def test_an_upload_may_be_visible_after_every_step_of_its_hold():
    one = life(hold=HELD_FOR_BOTH)
    for event in (Event("begun", "id", "commit"), Event("passed", "id", GOOD, "wechat")):
        assert not one.may_be_visible(GOOD)
        one = one.after(event)
    assert one.may_be_visible(GOOD)
    assert not one.may_be_visible(BAD)
    assert life(hold=HELD_FOR_BOTH, begun=frozenset({"publish"})).may_be_visible(GOOD)


@pytest.mark.parametrize(
    ("first", "then", "contradicts"),
    [
        ("rejected", "published", True),
        ("rejected", "rejected", False),
        ("discarded", "held", True),
        ("discarded", "gone", False),
        ("gone", "held", True),
        ("gone", "gone", False),
        ("published", "held", True),
        ("published", "gone", False),
        ("review", "checking", True),
        ("held", "published", False),
    ],
)
def test_an_answer_contradicts_what_was_final_when_its_request_began(first, then, contradicts):
    model = Model().after(Event("answered", "id", first, "a.1")).after(Event("begun", "id", "status", "b.1"))
    assert model.contradicted_by(Event("answered", "id", then, "b.1")) is contradicts


def test_an_upload_that_was_called_gone_stays_so():
    told = life(finals=frozenset({"gone"}))
    assert broken(sight(told, Place(visible=GOOD)), AT_REST) == ["gone_is_final"]
    assert "gone_is_final" not in broken(sight(told, Place(visible=BAD)), AT_REST)


def test_a_request_that_began_before_may_say_what_was_so_then():
    model = (
        Model()
        .after(Event("begun", "id", "status", "b.1"))
        .after(Event("answered", "id", "discarded", "a.1"))
    )
    assert not model.contradicted_by(Event("answered", "id", "held", "b.1"))
