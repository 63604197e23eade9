"""
Reference model of uploads: what may happen to an object, and what must hold at every moment.

An object has a form or parts, then it is stored: at once visible, or held until each step of its ``hold`` is
done. It ends as published, rejected, gone, replaced or erased. The model knows nothing of records, copies and
retries: it is told what somebody asked for, what was answered, what a checker looked at and what the business
heard (``Model.after``), and sees where the bytes are (``Place``). The predicates below are the specification:
those of ``ALWAYS`` hold after each call, those of ``AT_REST`` once nothing is under way and ticks have run.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

COMMIT = "commit"
PUBLISH, REJECT, DISCARD, REPLACE, ERASE, DELETE, ABORT = (
    *("publish", "reject", "discard"),
    *("replace", "erase", "delete", "abort"),
)
# Nobody asked for these: WeChat is silent, and other bytes are stored over those of the receipt.
SILENCE, SWAP = "silence", "swap"
HELD, CHECKING, REVIEW = "held", "checking", "review"
PUBLISHED, REJECTED, GONE, STORED = "published", "rejected", "gone", "stored"
OPEN = frozenset({HELD, CHECKING, REVIEW})
# What anyone asked for that may end an object that was stored.
ENDINGS = frozenset({REJECT, DISCARD, ERASE, DELETE, ABORT, REPLACE})
UPLOADED, SHARED = "uploaded", "shared"
# Ends what a receipt of a callback is about, which says that OSS was not asked.
UNSEEN = " unseen"


class Event(NamedTuple):
    """
    Something that happened to one upload.

    Args:
        kind: ``begun``, ``answered``, ``receipt``, ``passed``, ``risky``, ``told``, ``hold``, ``form``
            or ``unheard``.
        id: of the upload; empty for what is about everything of an owner.
        what: the act, the state, the receipt's ETag and form, the checked ETag, the event's name.
        request: name of the request that was begun or answered, or the text of a receipt.
    """

    kind: str
    id: str
    what: str
    request: str = ""


class Place(NamedTuple):
    """
    Where the bytes of one upload are: their ETag, empty for none.

    Args:
        parts: whether unfinished parts are left.
        is_whole: whether each object has all parts that its phone announced.
        is_clean: whether what is visible has no metadata, where its profile says so.
    """

    held: str = ""
    visible: str = ""
    parts: bool = False
    is_whole: bool = True
    is_clean: bool = True


NOWHERE = Place()
Places = dict[str, Place]


class Life(NamedTuple):
    """
    What has happened to one upload so far; sets grow only.

    Args:
        hold: ``commit`` and the checkers that must have passed the bytes before they may be seen.
        is_shared: whether its name is a digest that other uploads may have, whose end may be its own.
        replaces: id of the upload whose object this one takes the place of.
        begun: acts that were asked for.
        passed: checker and ETag of what a checker looked at and found good.
        finals: answers that nothing may contradict later.
        asked: each request with the finals that were known when it began.
        receipts: text of each receipt, with its ETag and the form that it was given for.
        told: events that the business got, or whose loss the log names.
        appeared: ETags that were visible at some moment.
    """

    hold: frozenset[str] = frozenset()
    is_shared: bool = False
    replaces: str = ""
    begun: frozenset[str] = frozenset()
    passed: frozenset[tuple[str, str]] = frozenset()
    finals: frozenset[str] = frozenset()
    asked: frozenset[tuple[str, frozenset[str]]] = frozenset()
    receipts: frozenset[tuple[str, str]] = frozenset()
    told: frozenset[str] = frozenset()
    appeared: frozenset[str] = frozenset()

    @property
    def etags(self) -> set[str]:
        """ETags that its receipts are about."""
        return {about.partition(" ")[0] for _, about in self.receipts}

    def may_be_visible(self, etag: str) -> bool:
        """Whether every step is done, or a backend has asked to publish by hand."""
        checkers = self.hold - {COMMIT}
        is_checked = all((checker, etag) in self.passed for checker in checkers)
        is_committed = COMMIT not in self.hold or COMMIT in self.begun
        return PUBLISH in self.begun or (is_checked and is_committed)

    def after(self, event: Event) -> "Life":
        kind, _, what, request = event
        match kind:
            case "begun":
                known = (request, self.finals)
                return self._replace(begun=self.begun | {what}, asked=self.asked | {known})
            case "answered":
                finals = self.finals | ({what} if what in FOLLOWS else set())
                over = {each for each in self.asked if each[0] == request}
                return self._replace(finals=finals, asked=self.asked - over)
            case "receipt":
                return self._replace(receipts=self.receipts | {(request, what)})
            case "passed":
                return self._replace(passed=self.passed | {(request, what)})
            case "risky":
                return self._replace(begun=self.begun | {REJECT})
            case "told":
                return self._replace(told=self.told | {what})
            case "hold":
                return self._replace(hold=frozenset(what.split()), is_shared=request == SHARED)
        return self


# After each final answer, the only ones that may follow; a discard may follow a publication.
FOLLOWS = {
    REJECTED: {REJECTED},
    "discarded": {GONE, "discarded"},
    GONE: {GONE, "discarded"},
    PUBLISHED: {PUBLISHED, GONE, "discarded"},
    REVIEW: {REVIEW, PUBLISHED, REJECTED, GONE, "discarded"},
    "aborted": {"aborted", "already_complete"},
    STORED: {STORED, GONE, "discarded", "already_complete", "aborted"},
}


class Model(NamedTuple):
    """
    Every upload of one owner.

    Args:
        lives: by upload id.
        forms: how many forms were given out, and ``unheard`` how many requests for one ended unheard.
        is_erased: whether an erasure was answered with ``done``.
    """

    lives: tuple[tuple[str, Life], ...] = ()
    forms: int = 0
    unheard: int = 0
    is_erased: bool = False

    def life(self, id: str) -> Life:
        return dict(self.lives).get(id, Life())

    def with_life(self, id: str, life: Life) -> "Model":
        return self._replace(lives=tuple(sorted({**dict(self.lives), id: life}.items())))

    def after(self, event: Event) -> "Model":
        """The model once this has happened."""
        if event.kind == "form":
            return self._replace(forms=self.forms + 1)
        if event.kind == "unheard":
            return self._replace(unheard=self.unheard + 1)
        if not event.id:
            is_erased = self.is_erased or event.what == "erased"
            begun = self._replace(is_erased=is_erased)
            for id, life in self.lives:
                begun = begun.with_life(id, life._replace(begun=life.begun | {ERASE}))
            return begun
        return self.with_life(event.id, self.life(event.id).after(event))

    def seeing(self, places: Places) -> "Model":
        """The model that has seen where everything is."""
        seen = self
        for id, place in places.items():
            life = self.life(id)
            if place.visible and place.visible not in life.appeared:
                seen = seen.with_life(id, life._replace(appeared=life.appeared | {place.visible}))
        return seen

    def contradicted_by(self, event: Event) -> bool:
        """Whether an answer says something else than one that was known when its request began."""
        if event.kind != "answered":
            return False
        known = dict(self.life(event.id).asked).get(event.request, frozenset())
        return any(event.what in SAYS_STATE and event.what not in FOLLOWS[final] for final in known)


SAYS_STATE = {HELD, CHECKING, REVIEW, PUBLISHED, REJECTED, GONE, "discarded", STORED, "aborted"}


class Sight(NamedTuple):
    """
    A moment.

    Args:
        counted: files that the quota has counted.
        submitted: how often a checker was asked, and ``failures`` how many calls failed.
        says: at rest, what each upload's status answers, twice.
        due: at rest, names of due records that are over.
        ticked: at rest, where everything was after the ticks, before anybody asked.
        decided: at rest, ids of the uploads that were decided by then.
    """

    model: Model
    places: Places
    counted: int = 0
    submitted: int = 0
    failures: int = 0
    says: dict[str, tuple[str, str]] = {}  # noqa: RUF012 - never changed
    due: tuple[str, ...] = ()
    ticked: Places | None = None
    decided: frozenset[str] = frozenset()

    @property
    def uploads(self) -> Iterator[tuple[Life, Place]]:
        for id in {*dict(self.model.lives), *self.places}:
            yield self.model.life(id), self.places.get(id, NOWHERE)


# --- what holds at every moment ---


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


def what_has_a_receipt_is_kept(sight: Sight) -> bool:
    """
    Until somebody asks for its end.

    OSS deletes a name, whatever has it by then: where the name is a digest, a request about an earlier upload
    that is still under way may delete the object of a later one. No more is lost than that object.
    """
    for id, life in sight.model.lives:
        at = sight.places.get(id, NOWHERE)
        is_replaced = any(other.replaces == id and other.appeared for _, other in sight.model.lives)
        is_ended = life.begun & ENDINGS or is_replaced or life.is_shared
        if life.receipts and not is_ended and not (at.held or at.visible):
            return False
    return True


# --- what holds once everything has come to rest ---


def nothing_is_both_held_and_visible(sight: Sight) -> bool:
    return all(not (at.held and at.visible) for _, at in sight.uploads)


def what_is_said_is_so(sight: Sight) -> bool:
    """Bytes that somebody stored over those of the receipt are none of the upload's."""
    for id, (first, second) in sight.says.items():
        at, etags = sight.places.get(id, NOWHERE), sight.model.life(id).etags
        expected = {PUBLISHED: (False, True), REJECTED: (False, False), GONE: (False, False)}
        where = expected.get(first, (True, False) if first in OPEN else None)
        if first != second or where != (at.held in etags, at.visible in etags):
            return False
    return True


def a_form_is_counted_once(sight: Sight) -> bool:
    """Only a request that was not heard to its end may have counted one that nobody has."""
    return sight.counted <= sight.model.forms + sight.model.unheard


def the_business_was_told(sight: Sight) -> bool:
    """At least once of each receipt and of each end, or the log names the loss."""
    for id, life in sight.model.lives:
        said = sight.says.get(id, ("", ""))[0]
        ended = said in (PUBLISHED, REJECTED, REVIEW) or (said == GONE and "discarded" in life.finals)
        if (life.hold and ended and said not in life.told) or (life.receipts and UPLOADED not in life.told):
            return False
    return True


def nothing_is_left_due(sight: Sight) -> bool:
    return not sight.due


def ticks_need_no_call(sight: Sight) -> bool:
    """What was decided is done already when somebody asks, unless other bytes were there when a tick ran."""
    for id in sight.decided:
        life = sight.model.life(id)
        etags = set() if SWAP in life.begun else life.etags
        before, after = ((sight.ticked or {}).get(id, NOWHERE), sight.places.get(id, NOWHERE))
        if any((one in etags) != (other in etags) for one, other in zip(before[:2], after[:2], strict=True)):
            return False
    return True


def the_old_is_gone_once_the_new_is_there(sight: Sight) -> bool:
    return all(
        not (life.replaces and life.receipts and at.visible) or not sight.places.get(life.replaces)
        for life, at in sight.uploads
    )


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
    what_has_a_receipt_is_kept,
)
AT_REST: tuple[Predicate, ...] = (
    *ALWAYS,
    nothing_is_both_held_and_visible,
    what_is_said_is_so,
    a_form_is_counted_once,
    the_business_was_told,
    nothing_is_left_due,
    ticks_need_no_call,
    the_old_is_gone_once_the_new_is_there,
)


def broken(sight: Sight, predicates: tuple[Predicate, ...]) -> list[str]:
    """Names of the predicates that do not hold."""
    return [each.__name__ for each in predicates if not each(sight)]
