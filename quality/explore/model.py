"""
Reference model of uploads: what may happen to an object, and what must hold at every moment.

An object has a form or parts, then it is stored: at once visible, or held until each step of its ``hold`` is
done. It ends as published, rejected, gone, replaced or erased. The model knows nothing of records, copies and
retries: it is told what somebody asked for, what was answered, what a checker looked at and what the business
heard (``Model.after``), and sees where the bytes are (``Place``). What must hold of it stands in ``rules``.
"""

from collections.abc import Iterator
from typing import NamedTuple

COMMIT = "commit"
PUBLISH, REJECT, DISCARD, REPLACE, ERASE, DELETE, ABORT = (
    *("publish", "reject", "discard"),
    *("replace", "erase", "delete", "abort"),
)
# An owner discards only what is not published.
DISCARD_OWN = "discard own"
# Nobody asked for these: WeChat is silent, and other bytes are stored over those of the receipt.
SILENCE, SWAP = "silence", "swap"
# Asked about everything of an owner; the old form was sent again, and OSS took it.
FORM, AGAIN = "form", "again"
HELD, CHECKING, REVIEW = "held", "checking", "review"
PUBLISHED, REJECTED, GONE, STORED = "published", "rejected", "gone", "stored"
OPEN = frozenset({HELD, CHECKING, REVIEW})
# Refused, because nothing is there; deleted by its key.
MISSING, DELETED = "missing", "deleted"
# What anyone asked for that may end an object that was stored.
ENDINGS = frozenset({REJECT, DISCARD, DISCARD_OWN, ERASE, DELETE, ABORT, REPLACE})
UPLOADED, SHARED = "uploaded", "shared"
# Ends what a receipt of a callback is about, which says that OSS was not asked.
UNSEEN = " unseen"
# Ends what a receipt is about that a form was answered with: the phone has it, nobody else is told.
EXISTS = " exists"


class Event(NamedTuple):
    """
    Something that happened to one upload.

    Args:
        kind: ``begun``, ``answered``, ``receipt``, ``passed``, ``risky``, ``told``, ``hold``, ``form``,
            ``sent`` or ``unheard``.
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
        copy: whether a clean copy of it lies in ``held/.clean/``.
    """

    held: str = ""
    visible: str = ""
    parts: bool = False
    is_whole: bool = True
    is_clean: bool = True
    copy: bool = False


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
                begun = self.begun if what == FORM else self.begun | {what}
                return self._replace(begun=begun, asked=self.asked | {known})
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
            case "sent":
                return self._replace(begun=self.begun | {what})
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
    DELETED: {DELETED, GONE, "discarded", REJECTED, STORED, *OPEN},
    STORED: {STORED, PUBLISHED, GONE, "discarded", "already_complete", "aborted"},
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
            about_all = self._replace(is_erased=self.is_erased or event.what == "erased")
            for id, life in self.lives:
                about_all = about_all.with_life(id, life.after(event))
            return about_all
        return self.with_life(event.id, self.life(event.id).after(event))

    def seeing(self, places: Places) -> "Model":
        """The model that has seen where everything is."""
        seen = self
        for id, place in places.items():
            life = self.life(id)
            if place.visible and place.visible not in life.appeared:
                seen = seen.with_life(id, life._replace(appeared=life.appeared | {place.visible}))
        return seen

    def is_replaced(self, id: str) -> bool:
        """Whether the object that takes its place was there."""
        return any(other.replaces == id and other.appeared for _, other in self.lives)

    def is_ended(self, id: str) -> bool:
        """Whether anybody asked for its end, or its bytes or its name may be another's."""
        life = self.life(id)
        return bool(life.begun & {*ENDINGS, SWAP}) or life.is_shared or self.is_replaced(id)

    def contradicted_by(self, event: Event) -> bool:
        """Whether an answer says something else than one that was known when its request began."""
        if event.kind != "answered":
            return False
        known = dict(self.life(event.id).asked).get(event.request, frozenset())
        return self.contradicts(event.id, known, event.what)

    def contradicts(self, id: str, known: frozenset[str], said: str) -> bool:
        """Whether somebody who knows these final answers is told something else."""
        known &= {*FOLLOWS}
        if SWAP in self.life(id).begun:
            # It is gone while other bytes lie over its own.
            known -= {GONE}
        if said in (GONE, MISSING):
            is_lost = known & {PUBLISHED, STORED, REVIEW} and not self.is_ended(id)
            return bool(is_lost) or REJECTED in known
        return any(said in SAYS_STATE and said not in FOLLOWS[final] for final in known)


SAYS_STATE = {HELD, CHECKING, REVIEW, PUBLISHED, REJECTED, "discarded", STORED, "aborted"}


class Sight(NamedTuple):
    """
    A moment.

    Args:
        counted: files that the quota has counted.
        submitted: how often a checker was asked, and ``failures`` how many calls failed.
        says: at rest, what each upload's status answers, twice.
        due: at rest, names of due records that are over; in the end, of all that are left.
        later: in the end, what each upload's status answers once every hold is over.
    """

    model: Model
    places: Places
    counted: int = 0
    submitted: int = 0
    failures: int = 0
    says: dict[str, tuple[str, str]] = {}  # noqa: RUF012 - never changed
    due: tuple[str, ...] = ()
    later: dict[str, str] = {}  # noqa: RUF012 - never changed

    @property
    def uploads(self) -> Iterator[tuple[Life, Place]]:
        for id in {*dict(self.model.lives), *self.places}:
            yield self.model.life(id), self.places.get(id, NOWHERE)
