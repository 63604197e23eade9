"""
Decisions about held uploads, reviews, and the due records and events that announce them.

A due record is written before each and removed after the business was notified: a tick continues what was cut
off, without another request. Creating a decision finds an earlier one, which counts. Only a decision to
publish is replaced, by a discard: a backend's, one by ``/delete`` or ``replaces``, or because another upload
has the name, a digest.
"""

from datetime import datetime, timedelta

from function.annotations import Any
from function.errors import OssRejected, OssUnavailable, UploadError
from function.holding import records
from function.holding.current_state import HeldState, label_of
from function.holding.held_upload import Case
from function.holding.records import Decision, get_decision
from function.holding.transitions import DISCARD, EVENTS, OPEN, REVIEW, next_state
from function.moderation.finding import Finding
from function.oss import due
from function.oss.client import silent
from function.oss.objects import head_object
from function.uploads.ai_labels import told_label
from function.webhook import notify_business

# Kind of due records. A minute later the request that wrote one is over, whether it has decided or not.
DECISION, DUE_AFTER = "decision", timedelta(seconds=60)
# Kind of the due records of what is accepted and undecided: until a checker has answered, then at the end.
CHECK = "check"


def make_decision(case: Case, current: HeldState | None, decision: Decision) -> tuple[Decision, bool]:
    """
    Make a decision unless there is one.

    Args:
        current: state that it ends; ``None`` if any open state may.

    Returns:
        the decision that counts, and whether it was made here.

    Raises:
        UploadError: OSS refuses, or does not respond; it may have been made or not.
    """
    next_state(EVENTS[decision.action, decision.by], *((current.state,) if current else OPEN))
    if case.due:
        decision = decision._replace(due=CHECK)
    ours = case.due or note_due(case, decision.action, decision.at)
    upload_id = case.upload.upload_id
    if records.create(case.oss, records.decision_key(upload_id), decision.fields, decision.at):
        return decision, True
    earlier = get_decision(case.oss, upload_id)
    if earlier is None:
        raise OssUnavailable(reason="the decision disappeared while it was made")
    # The earlier one has a record of its own.
    if not case.due and ours != due_name(case, earlier.action, earlier.at):
        forget_due(case, ours)
    return earlier, False


def overrule(case: Case, publication: Decision, discarding: Decision) -> Decision:
    """Replace the decision to publish by one to discard, and return that."""
    next_state(EVENTS[discarding.action, discarding.by], publication.action)
    oss, upload = case.oss, case.upload
    name, copy = records.decision_key(upload.upload_id), records.copy_key(upload.upload_id)
    note_due(case, DISCARD, discarding.at)
    # The publication deletes the held object after the response to its copy.
    sent = publication.at if upload.is_ours(head_object(oss, upload.held_key)) else None
    again = records.written_at(oss, copy)
    discarding = discarding._replace(copied=max(filter(None, (sent, again)), default=None))
    records.put(oss, name, discarding.fields, discarding.at)
    # Whoever copies once more records that, then looks at the decision: what was recorded meanwhile may run.
    late = records.written_at(oss, copy)
    if late != again:
        discarding = discarding._replace(copied=max(filter(None, (sent, late)), default=None))
        records.put(oss, name, discarding.fields, discarding.at)
    return discarding


def leave_to_a_human(case: Case, current: HeldState, finding: Finding) -> HeldState:
    """Record that a person must decide about an upload, unless that is recorded already."""
    from function.holding.review_list import list_for_review

    next_state("doubt", current.state)
    oss, upload = case.oss, case.upload
    name = note_due(case, REVIEW, case.now)
    # Nobody may decide in time.
    note_check(case, upload.held_until)
    fields = {**finding.fields, "receipt": upload.receipt}
    is_new = records.create(oss, records.review_key(upload.upload_id), fields, case.now)
    if is_new:
        list_for_review(oss, upload, fields, case.now)
    if is_new and notify(case, REVIEW, finding):
        forget_due(case, name)
    return HeldState(REVIEW)


def note_due(case: Case, what: str, at: datetime) -> str:
    """
    Write the due record of something that is about to be decided, and return its name.

    Args:
        what: an action, or ``REVIEW``.
        at: time of the decision.
    """
    upload = case.upload
    # A discard may overrule a publication that is under way in the same minute.
    id, fields = f"{upload.upload_id}-{what}", {"receipt": upload.receipt, "what": what}
    try:
        # What is deleted by its key without a receipt is told to nobody, and its caller repeats it.
        if upload.receipt:
            due.write(case.oss, DECISION, upload.owner, id, at + DUE_AFTER, fields, case.now)
    except OssRejected as error:
        # The role may be older than due records; the next request continues then.
        case.context.line.reason = error.reason
    return due_name(case, what, at)


def due_name(case: Case, what: str, at: datetime) -> str:
    upload = case.upload
    return due.name_of(DECISION, upload.owner, f"{upload.upload_id}-{what}", at + DUE_AFTER)


def note_check(case: Case, at: datetime | None = None) -> Case:
    """
    Write the due record by which a tick continues a check or ends the upload; return the case that has it.

    Args:
        at: the next tick by default.
    """
    upload, fields = case.upload, {"receipt": case.upload.receipt}
    at = at or case.now + timedelta(seconds=1)
    return case._replace(due=due.write(case.oss, CHECK, upload.owner, upload.upload_id, at, fields, case.now))


def forget_due(case: Case, name: str) -> None:
    """Remove a due record, if any; a failure changes no response: a tick finds nothing left to do."""
    try:
        if name:
            due.remove(case.oss, name)
    except UploadError as error:
        case.context.line.reason = error.reason


def notify_due(
    case: Case, event: str, finding: Finding | None = None, at: datetime | None = None, **more: Any
) -> bool:
    """
    Deliver an event as ``notify`` does, before its due record is removed.

    Raises:
        OssUnavailable: it is lost; the record must stay.
    """
    if not notify(case, event, finding, at, **more):
        raise silent(f"{event}: neither delivered nor written down")
    return True


def notify(
    case: Case, event: str, finding: Finding | None = None, at: datetime | None = None, **more: Any
) -> bool:
    """
    Deliver an event to the webhook, with what a checker found and the label; False if it is lost.

    Args:
        at: when it was decided; now by default.
        more: further fields.

    Raises:
        UploadError: OSS does not say the label; the record must stay.
    """
    context, upload = case.context, case.upload
    found = {} if finding is None else finding.event
    context.line.verdict = found or context.line.verdict
    location, owner = upload.profile.location, upload.owner
    caller = context.settings.caller_field(upload.content.app)
    said = {**found, **more, **told_label(label_of(case)), **caller}
    return notify_business(context, location, upload.receipt, upload.upload_id, owner, event, at, **said)
