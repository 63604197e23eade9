"""
Rules of uploads, as predicates: the specification.

Those of ``ALWAYS`` hold after each call; those of ``AT_ONCE``, where no call failed, once nobody has anything
left to do; those of ``AT_REST`` once nothing is under way and ticks have run; those of ``IN_THE_END``, where
no call failed, once ticks have done all that becomes due: liveness.
"""

from collections.abc import Callable

from quality.explore.model import (
    AGAIN,
    COMMIT,
    DELETED,
    DISCARD,
    ENDINGS,
    EXISTS,
    GONE,
    NOWHERE,
    OPEN,
    PUBLISH,
    PUBLISHED,
    REJECTED,
    REVIEW,
    SILENCE,
    SWAP,
    UPLOADED,
    Life,
    Sight,
)


def nothing_is_visible_before_its_time(sight: Sight) -> bool:
    return all(not at.visible or life.may_be_visible(at.visible) for life, at in sight.uploads)


def only_the_bytes_of_the_receipt_are_visible(sight: Sight) -> bool:
    return all(not at.visible or not life.receipts or at.visible in life.etags for life, at in sight.uploads)


def there_is_the_whole_file_or_none(sight: Sight) -> bool:
    return all(at.is_whole for _, at in sight.uploads)


def what_is_visible_is_clean(sight: Sight) -> bool:
    return all(at.is_clean for _, at in sight.uploads)


def rejected_never_returns(sight: Sight) -> bool:
    return all(REJECTED not in life.finals or not at.visible for life, at in sight.uploads)


def gone_is_final(sight: Sight) -> bool:
    """
    In each response, but other bytes may get the name.

    An upload is gone while others are stored over its own, and comes back with these.
    """
    for life, at in sight.uploads:
        if life.finals & {"discarded", "aborted"} and (at.visible or at.parts):
            return False
        if GONE in life.finals and at.visible in life.etags and SWAP not in life.begun:
            return False
    return True


def erased_never_returns(sight: Sight) -> bool:
    return not sight.model.is_erased or all(at == NOWHERE for _, at in sight.uploads)


def a_form_has_one_receipt(sight: Sight) -> bool:
    """
    However often it is confirmed, and one of its callback; the same bytes by another form have another one.
    """
    forms = [[about for _, about in life.receipts] for life, _ in sight.uploads]
    return all(len(each) == len({*each}) for each in forms)


def a_form_is_counted(sight: Sight) -> bool:
    return sight.model.forms <= sight.counted


def a_check_is_paid_once(sight: Sight) -> bool:
    """And once more for each failure, and after a silence."""
    silences = sum(SILENCE in life.begun for life, _ in sight.uploads)
    return sight.submitted <= 1 + silences + sight.failures


def the_old_stays_until_the_new_is_there(sight: Sight) -> bool:
    for life, _ in sight.uploads:
        old = sight.places.get(life.replaces, NOWHERE)
        before = sight.model.life(life.replaces)
        is_ended = before.begun & ENDINGS or life.appeared
        if life.replaces and not old.visible and not is_ended:
            return False
    return True


def deleted_never_returns(sight: Sight) -> bool:
    """What a hold published; the same form may be sent again."""
    return all(not (life.hold and DELETED in life.finals and at.visible) for life, at in sight.uploads)


def what_has_a_receipt_is_kept(sight: Sight) -> bool:
    """
    Until somebody asks for its end.

    OSS deletes a name, whatever has it by then: where the name is a digest, a request about an earlier upload
    that is still under way may delete the object of a later one. No more is lost than that object.
    """
    for id, life in sight.model.lives:
        at = sight.places.get(id, NOWHERE)
        is_ended = life.begun & ENDINGS or sight.model.is_replaced(id) or life.is_shared
        if life.receipts and not is_ended and not (at.held or at.visible):
            return False
    return True


# --- what holds once nobody has anything left to do, where no call failed ---


def what_a_backend_discarded_is_not_visible(sight: Sight) -> bool:
    """Whoever publishes it meanwhile sees that, so no tick is needed."""
    return all(DISCARD not in life.begun or not at.visible for life, at in sight.uploads)


# --- what holds once everything has come to rest ---


def nothing_is_both_held_and_visible(sight: Sight) -> bool:
    """Unless the form was sent again, of which nobody told."""
    return all(not (at.held and at.visible) or AGAIN in life.begun for life, at in sight.uploads)


def what_is_said_is_so(sight: Sight) -> bool:
    """Bytes that somebody stored over those of the receipt are none of the upload's."""
    for id, (first, second) in sight.says.items():
        at, life = sight.places.get(id, NOWHERE), sight.model.life(id)
        expected = {PUBLISHED: (False, True), REJECTED: (False, False), GONE: (False, False)}
        where = expected.get(first, (True, False) if first in OPEN else None)
        is_held = at.held in life.etags and (first in OPEN or AGAIN not in life.begun)
        if first != second or where != (is_held, at.visible in life.etags):
            return False
    return True


def no_answer_contradicts_a_final_one(sight: Sight) -> bool:
    """Nor what a status says in the end; of other answers see ``Model.contradicted_by``."""
    return not any(
        sight.model.contradicts(id, life.finals, sight.says[id][0])
        for id, life in sight.model.lives
        if id in sight.says
    )


def a_form_is_counted_once(sight: Sight) -> bool:
    """Only a request that was not heard to its end may have counted one that nobody has."""
    return sight.counted <= sight.model.forms + sight.model.unheard


def the_business_was_told(sight: Sight) -> bool:
    """At least once of each receipt and of each end, or the log names the loss."""
    for id, life in sight.model.lives:
        said = sight.says.get(id, ("", ""))[0]
        ended = said in (PUBLISHED, REJECTED, REVIEW) or (said == GONE and "discarded" in life.finals)
        is_new = any(not about.endswith(EXISTS) for _, about in life.receipts)
        if (life.hold and ended and said not in life.told) or (is_new and UPLOADED not in life.told):
            return False
    return True


def nothing_is_left_due(sight: Sight) -> bool:
    return not sight.due


def the_old_is_gone_once_the_new_is_there(sight: Sight) -> bool:
    """Its form may be sent again, which publishes nothing of a hold."""
    for life, at in sight.uploads:
        before, old = sight.model.life(life.replaces), sight.places.get(life.replaces)
        is_left = old and (AGAIN not in before.begun or (before.hold and old.visible))
        if life.replaces and life.receipts and at.visible and is_left:
            return False
    return True


def what_was_stored_again_stays(sight: Sight) -> bool:
    """Under the name of an object that was replaced; what is held needs its steps again."""
    for id, life in sight.model.lives:
        is_stored = AGAIN in life.begun and not life.hold and not life.begun & ENDINGS
        if is_stored and not sight.places.get(id, NOWHERE).visible:
            return False
    return True


def no_clean_copy_outlives_its_upload(sight: Sight) -> bool:
    is_open = any(said in OPEN for said, _ in sight.says.values())
    return is_open or not any(at.copy for at in sight.places.values())


# --- what holds in the end, where no call failed ---


def what_passed_every_step_is_visible(sight: Sight) -> bool:
    """Unless somebody ended it: a step that follows, or a tick, publishes."""
    for id, life in sight.model.lives:
        is_through = life.hold and any(life.may_be_visible(etag) for etag in life.etags)
        if is_through and not sight.model.is_ended(id) and not sight.places.get(id, NOWHERE).visible:
            return False
    return True


def what_was_accepted_has_an_outcome(sight: Sight) -> bool:
    """It is published, rejected or with a human, or somebody ended it."""
    for id, life in sight.model.lives:
        said = sight.says.get(id, ("", ""))[0]
        has_outcome = said in (PUBLISHED, REJECTED, REVIEW) or sight.model.is_ended(id)
        if _is_accepted(life) and not has_outcome:
            return False
    return True


def the_outcome_was_told(sight: Sight) -> bool:
    """What ticks alone bring about as well."""
    for id, life in sight.model.lives:
        said = sight.says.get(id, ("", ""))[0]
        if _is_accepted(life) and said in (PUBLISHED, REJECTED, REVIEW) and said not in life.told:
            return False
    return True


def nothing_becomes_due_any_more(sight: Sight) -> bool:
    return not sight.due


def nothing_is_held_past_its_end(sight: Sight) -> bool:
    return all(said in (PUBLISHED, REJECTED, GONE) for said in sight.later.values())


def an_end_by_time_is_told(sight: Sight) -> bool:
    """Of what was accepted and is undecided when its hold is over."""
    for id, life in sight.model.lives:
        is_over = sight.later.get(id) == GONE and not sight.model.is_ended(id)
        if _is_accepted(life) and is_over and "expired" not in life.told:
            return False
    return True


def _is_accepted(life: Life) -> bool:
    """Whether its business relies on it: it was committed, or needs no commit."""
    is_committed = COMMIT not in life.hold or life.begun & {COMMIT, PUBLISH}
    return bool(life.hold and life.receipts and is_committed)


Predicate = Callable[[Sight], bool]
ALWAYS: tuple[Predicate, ...] = (
    nothing_is_visible_before_its_time,
    only_the_bytes_of_the_receipt_are_visible,
    there_is_the_whole_file_or_none,
    what_is_visible_is_clean,
    rejected_never_returns,
    gone_is_final,
    erased_never_returns,
    a_form_has_one_receipt,
    a_form_is_counted,
    a_check_is_paid_once,
    the_old_stays_until_the_new_is_there,
    deleted_never_returns,
    what_has_a_receipt_is_kept,
)
AT_REST: tuple[Predicate, ...] = (
    *ALWAYS,
    nothing_is_both_held_and_visible,
    what_is_said_is_so,
    no_answer_contradicts_a_final_one,
    a_form_is_counted_once,
    the_business_was_told,
    nothing_is_left_due,
    the_old_is_gone_once_the_new_is_there,
    what_was_stored_again_stays,
    no_clean_copy_outlives_its_upload,
)
AT_ONCE: tuple[Predicate, ...] = (what_a_backend_discarded_is_not_visible,)
IN_THE_END: tuple[Predicate, ...] = (
    what_passed_every_step_is_visible,
    what_was_accepted_has_an_outcome,
    the_outcome_was_told,
    nothing_becomes_due_any_more,
    nothing_is_held_past_its_end,
    an_end_by_time_is_told,
)


def broken(sight: Sight, predicates: tuple[Predicate, ...]) -> list[str]:
    """Names of the predicates that do not hold."""
    return [each.__name__ for each in predicates if not each(sight)]
