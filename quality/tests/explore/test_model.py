"""Each predicate of the reference model, and what it does not let happen."""

import pytest

from quality.explore.model import Event, Life, Model, Place, Sight
from quality.explore.rules import ALWAYS, AT_REST, IN_THE_END, broken

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
    "deleted_never_returns": sight(
        life(hold=frozenset({"commit"}), begun=frozenset({"commit"}), finals=frozenset({"deleted"})),
        Place(visible=GOOD),
    ),
    "what_has_a_receipt_is_kept": sight(life(), None),
    "nothing_is_both_held_and_visible": sight(life(), Place(held=GOOD, visible=GOOD)),
    "what_is_said_is_so": sight(life(), Place(visible=GOOD), says={"id": ("gone", "gone")}),
    "no_answer_contradicts_a_final_one": sight(
        life(finals=frozenset({"review"})), Place(held=GOOD), says={"id": ("held", "held")}
    ),
    "a_form_is_counted_once": Sight(Model(), {}, counted=1),
    "the_business_was_told": sight(
        life(hold=frozenset({"commit"}), begun=frozenset({"commit"})),
        Place(visible=GOOD),
        says={"id": ("published", "published")},
    ),
    "nothing_is_left_due": Sight(Model(), {}, due=("202611241401/decision-id",)),
    "the_old_is_gone_once_the_new_is_there": Sight(
        Model().with_life("id", life(replaces="old")), {"id": Place(visible=GOOD), "old": Place(visible=BAD)}
    ),
    "what_was_stored_again_stays": sight(life(begun=frozenset({"again"})), Place(held=GOOD)),
    "no_clean_copy_outlives_its_upload": sight(life(), Place(visible=GOOD, copy=True)),
}
COMMITTED = {"hold": frozenset({"commit"}), "begun": frozenset({"commit"})}
IN_REVIEW = {**COMMITTED, "hold": HELD_FOR_BOTH}
SAYS_REVIEW = {"id": ("review", "review")}
TOLD_REVIEW = TOLD | {"review"}
STUCK = {
    "what_passed_every_step_is_visible": sight(
        life(**COMMITTED, told=TOLD_REVIEW), Place(held=GOOD), says=SAYS_REVIEW
    ),
    "what_was_accepted_has_an_outcome": sight(
        life(**IN_REVIEW), Place(held=GOOD), says={"id": ("checking", "checking")}
    ),
    "the_outcome_was_told": sight(life(**IN_REVIEW), Place(held=GOOD), says=SAYS_REVIEW),
    "nothing_becomes_due_any_more": Sight(Model(), {}, due=("202611241401/check-id",)),
    "nothing_is_held_past_its_end": sight(
        life(hold=frozenset({"commit"})), Place(held=GOOD), later={"id": "held"}
    ),
    "an_end_by_time_is_told": sight(
        life(**IN_REVIEW, told=TOLD_REVIEW), Place(held=GOOD), says=SAYS_REVIEW, later={"id": "gone"}
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_predicate_alone_does_not_hold(name):
    assert broken(WRONG[name], AT_REST) == [name]


@pytest.mark.parametrize("name", STUCK)
def test_one_predicate_of_the_end_alone_does_not_hold(name):
    assert broken(STUCK[name], IN_THE_END) == [name]


def test_each_predicate_has_its_example():
    assert {*WRONG} == {each.__name__ for each in AT_REST}
    assert {*STUCK} == {each.__name__ for each in IN_THE_END}
    assert {*ALWAYS} <= {*AT_REST}


def test_a_discarded_upload_need_not_be_visible():
    ended = life(hold=frozenset({"commit"}), begun=frozenset({"commit", "discard"}))
    assert broken(sight(ended, None, says={"id": ("gone", "gone")}), IN_THE_END) == []


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
        ("published", "gone", True),
        ("review", "checking", True),
        ("held", "published", False),
        ("published", "missing", True),
        ("stored", "gone", True),
    ],
)
def test_an_answer_contradicts_what_was_final_when_its_request_began(first, then, contradicts):
    model = Model().after(Event("answered", "id", first, "a.1")).after(Event("begun", "id", "status", "b.1"))
    assert model.contradicted_by(Event("answered", "id", then, "b.1")) is contradicts


def test_a_published_upload_may_be_gone_after_a_discard():
    model = Model().after(Event("answered", "id", "published", "a.1"))
    for what in ("discard", "status"):
        model = model.after(Event("begun", "id", what, f"{what}.1"))
    assert not model.contradicted_by(Event("answered", "id", "gone", "status.1"))


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
