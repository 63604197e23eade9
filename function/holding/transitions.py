"""
The states of a held upload, and the events that change them: each write of a state asks here.

The records lie below ``held/.``. ``accepted`` is the commit (or the begin of a check that needs none) and how
far the check is; ``attempts`` are leases of its later attempts; ``cleaned`` is an attempt to make a clean
copy, and at first its lease. ``review`` asks a human. ``decided`` comes before all of them and is written
once; a decision that was cut off is applied by the next request. ``rejected`` is evidence for people.
``copied`` tells when a publication was copied once more, ``checks`` finds the receipt of a submission,
``verdicts`` holds a verdict that came before it, ``fetched`` tells when WeChat first fetched the object from
this function, ``labels`` keeps its label of AI-made content. Records ``due/MINUTE/<kind>-…`` make a tick
continue.

A state is read from the records and the object, so some changes are no event: other bytes, or a profile that
asks for another commit, make it ``held`` again; a clean copy that is made anew ``accepted``; and what ends or
disappears undecided is gone. ``tests/function/holding/test_transitions.py`` names who writes which record.
"""

from function.annotations import NamedTuple

# Stored and waiting for a commit; then accepted, and in its check; then with a human.
HELD, ACCEPTED, REVIEW = "held", "accepted", "review"
ASKING, TASK, ANSWERED = "asking", "task", "answered"
SUBMITTING, SUBMITTED, UNREACHABLE = "submitting", "submitted", "unreachable"
IN_CHECK = (ASKING, TASK, ANSWERED, SUBMITTING, SUBMITTED, UNREACHABLE)
OPEN = (HELD, ACCEPTED, *IN_CHECK, REVIEW)
PUBLISH, REJECT, DISCARD, EXPIRE = "publish", "reject", "discard", "expire"
BY_CHECK, BY_COMMIT, BY_BACKEND, BY_OWNER, BY_TIME = "check", "commit", "backend", "owner", "time"

# Names of states in responses and events.
CHECKING, PUBLISHED, REJECTED, GONE = "checking", "published", "rejected", "gone"
SHOWN = {
    **dict.fromkeys((HELD, ACCEPTED), HELD),
    **dict.fromkeys(IN_CHECK, CHECKING),
    REVIEW: REVIEW,
    PUBLISH: PUBLISHED,
    REJECT: REJECTED,
    DISCARD: GONE,
    EXPIRE: GONE,
}


class Row(NamedTuple):
    """An event, the states that it may find, and the one that it leaves; of a decision also who makes it."""

    event: str
    before: tuple[str, ...]
    after: str
    by: tuple[str, ...] = ()


TABLE = (
    Row("commit", (HELD, ACCEPTED), PUBLISH, (BY_COMMIT,)),
    Row("accept", (HELD, ACCEPTED), ACCEPTED),
    Row("ask", (ACCEPTED, ASKING), ASKING),
    Row("no answer", (ASKING,), ASKING),
    Row("no answer", (TASK,), TASK),
    Row("task", (ASKING,), TASK),
    Row("still running", (TASK,), TASK),
    Row("answered", (ASKING, TASK), ANSWERED),
    Row("submit", (ACCEPTED, ANSWERED, SUBMITTING, SUBMITTED, UNREACHABLE), SUBMITTING),
    Row("not submitted", (SUBMITTING,), SUBMITTING),
    Row("submitted", (SUBMITTING,), SUBMITTED),
    Row("unreachable", (SUBMITTING, SUBMITTED), UNREACHABLE),
    Row("doubt", OPEN, REVIEW),
    Row("pass", (ACCEPTED, *IN_CHECK), PUBLISH, (BY_CHECK,)),
    Row("risky", OPEN, REJECT, (BY_CHECK,)),
    Row("publish", OPEN, PUBLISH, (BY_BACKEND,)),
    Row("reject", OPEN, REJECT, (BY_BACKEND,)),
    Row("discard", OPEN, DISCARD, (BY_BACKEND, BY_OWNER)),
    Row("end of hold", OPEN[1:], EXPIRE, (BY_TIME,)),
    Row("discard", (PUBLISH,), DISCARD, (BY_BACKEND, BY_OWNER)),
    Row("name taken", (PUBLISH,), DISCARD, (BY_CHECK,)),
)
# By action and who decides.
EVENTS = {(row.after, by): row.event for row in TABLE for by in row.by}


class Impossible(Exception):
    """Raised for an event that the table does not allow in a state: a mistake of ours."""


def next_state(event: str, *states: str) -> str:
    """Return the state that an event leaves; raise ``Impossible`` unless each of ``states`` allows it."""
    left = [[row.after for row in TABLE if row.event == event and state in row.before] for state in states]
    if any(found != left[0] or not found for found in left):
        raise Impossible(f"{event} in {', '.join(states)}")
    return left[0][0]
