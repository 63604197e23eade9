"""
The step "check": submit an upload to WeChat, and carry out its verdict.

Only a verdict that passes publishes, and only an object that was not stored again since its submission. After
silence, errors and doubts a human decides.
"""

from contextlib import suppress

from function.auth.signed_tokens import keyed_hash
from function.config.green import WECHAT
from function.config.setting_table import CallerEntry
from function.config.settings import Settings
from function.context import RequestContext
from function.errors import AlreadyExists, Forbidden, OssUnavailable, UploadError
from function.holding import records
from function.holding import transitions as states
from function.holding.accepted_record import Progress, get_progress
from function.holding.current_state import HeldState, next_step
from function.holding.decide import decide, settle
from function.holding.decision_records import leave_to_a_human, note_check, notify
from function.holding.held_upload import Case, read_recorded
from function.holding.leases import accept, begin, note
from function.holding.records import Check
from function.holding.wechat_submission import refusal, submit_to_wechat
from function.moderation.finding import CHANGED, LABEL, RULES, UNREACHABLE, Finding, Outcome
from function.moderation.wechat import CANNOT_OPEN
from function.moderation.wechat_verdict import Verdict
from function.oss.client import oss_clients, require_client
from function.uploads.receipt import invalid_receipt

# What a submission needs at least; with less it is left to the next request or tick.
SUBMIT_SECONDS = 2.0


def submit(case: Case, current: HeldState) -> HeldState:
    """
    Make the submission to WeChat that is due, unless another request does.

    Raises:
        UploadError: OSS refuses, or does not respond; it is retried after a minute.
    """
    context = case.context
    # From now on a tick continues it; one record stands for all attempts.
    if current.state in (states.ACCEPTED, states.ANSWERED) and not case.due:
        case = note_check(case)
    # A request that has waited for WeChat in vain does not wait again for its caller's other uploads.
    if case.upload.content.app in context.wechat_failed:
        if current.progress is None:
            accept(case, current)
        return current
    is_again = current.state == states.SUBMITTING
    number = (current.progress.number if current.progress else 0) + (not is_again)
    number = 1 if current.state == states.ACCEPTED else number
    progress = begin(case, current, "submit", number=number, trace="")
    if progress is None:
        # Another request was faster: it has submitted by now, or failed, or is about to submit.
        return settle(case)
    try:
        result = submit_to_wechat(context, case.oss, case.upload, is_unreachable=progress.is_unreachable)
    except UploadError as error:
        return _note_failure(case, current, progress, error)
    if isinstance(result, Finding):
        return _act_on_refusal(case, current, progress, result)
    return _note_submission(case, current, progress, result)


def _note_failure(case: Case, current: HeldState, progress: Progress, error: UploadError) -> HeldState:
    """Record a failed submission; it counts if this object itself is the cause."""
    context = case.context
    context.line.reason = f"check: {error.code}, {error.reason}"
    if not error.is_own:
        context.wechat_failed |= {case.upload.content.app}
    # If this fails as well, the lease ends by itself.
    with suppress(UploadError):
        progress = note(case, progress, "not submitted", failures=progress.failures + error.is_own)
    return next_step(case.oss, case.upload, current._replace(progress=progress), case.now)


def _act_on_refusal(case: Case, current: HeldState, progress: Progress, refused: Finding) -> HeldState:
    # If one request was slow, another submitted after it, and WeChat may refuse that one as a duplicate.
    latest = get_progress(case.oss, case.upload.upload_id)
    if latest is not None and latest.state == states.SUBMITTED and latest.turn > progress.turn:
        return HeldState(latest.state)
    if refused.reason == UNREACHABLE and progress.number == 1 and case.context.settings.own_address:
        return _submit_itself(case, current, progress)
    return leave_to_a_human(case, HeldState(progress.state), refused)


def _submit_itself(case: Case, current: HeldState, progress: Progress) -> HeldState:
    """Record that WeChat cannot open the URL of the first submission, and make the second one."""
    case = case if case.due else note_check(case)
    progress = note(case, progress, "unreachable", is_unreachable=True, trace="")
    current = next_step(case.oss, case.upload, current._replace(progress=progress), case.now)
    return submit(case, current) if case.context.seconds_left() > SUBMIT_SECONDS else current


def _note_submission(case: Case, current: HeldState, progress: Progress, trace_id: str) -> HeldState:
    upload, case.context.line.trace_id = case.upload, trace_id
    # Write the record, then look for a verdict; the request with the verdict does it the other way round, so
    # one of the two sees the other.
    checked = Check(upload.receipt, current.stored_at, progress.number, upload.shown.number)
    name = record_name(trace_id, upload.content.app, case.context.settings)
    records.put(case.oss, records.check_key(name), checked.fields, case.now)
    early = records.get(case.oss, records.verdict_key(name))
    progress = note(case, progress, "submitted", trace=trace_id)
    if early is not None:
        return _apply_verdict(case, records.verdict_in(trace_id, early), checked)
    return HeldState(progress.state)


def record_name(trace_id: str, app: str | None, settings: Settings) -> str:
    """
    Return the name of the records of a submission: each AppID has trace ids of its own.

    Whoever has the push of another caller, and pushes what they like, cannot name them.
    """
    if settings.unnamed and app == settings.unnamed.app:
        return trace_id
    return keyed_hash(settings.owner_secret, f"check\n{app}\n{trace_id}".encode()).hex()


def apply_verdict(context: RequestContext, verdict: Verdict, entry: CallerEntry) -> bool:
    """
    Carry out a verdict of WeChat about an upload of this caller.

    Returns:
        whether it is about an upload of this function; otherwise it is stored, as its record may follow.

    Raises:
        UploadError: it could be neither carried out nor stored, so WeChat must repeat it.
    """
    context.line.trace_id = verdict.trace_id
    name = record_name(verdict.trace_id, entry.app, context.settings)
    locations = [profile.location for profile in context.settings.profiles.values() if profile.is_checked]
    buckets = oss_clients(context, locations)
    found = records.checks_of(buckets.values(), name)
    if not found:
        fields = {"outcome": verdict.outcome.name, "label": verdict.label, "errcode": verdict.errcode}
        for oss in map(require_client, buckets.values()):
            records.put(oss, records.verdict_key(name), fields, context.now)
        found = records.checks_of(buckets.values(), name)
    failed: UploadError | None = None
    for (bucket, checked), oss in found.items():
        try:
            upload = read_recorded(checked.receipt, bucket, context.settings, context.now)
            if upload.content.app != entry.app:
                raise invalid_receipt("of another caller than the verdict")
            line = context.line
            line.profile, line.owner = upload.profile.name, upload.owner
            line.key, line.upload_id = upload.key, upload.upload_id
            # With the upload's own role: another role for this bucket reaches the records only.
            own = require_client(buckets.get(upload.profile.location, oss))
            line.state = _apply_verdict(Case(context, own, upload), verdict, checked).shown
        # It is decided, but another object has the name; or the receipt is not valid any more.
        except (AlreadyExists, Forbidden) as error:
            context.line.reason = error.reason
        except UploadError as error:
            failed = error
    if failed is not None:
        raise failed
    return bool(found)


def _apply_verdict(case: Case, verdict: Verdict, checked: Check) -> HeldState:
    finding = Finding(LABEL, WECHAT, verdict.label)
    if verdict.outcome is Outcome.ERROR:
        finding = refusal(verdict.errcode)
    current = settle(case)
    if verdict.outcome is Outcome.RISKY:
        if current.state in states.OPEN or current.shown == states.GONE:
            # What is gone and undecided may be stored again.
            before = current if current.state in states.OPEN else HeldState(states.HELD)
            current = decide(case, before, states.REJECT, states.BY_CHECK, finding)
        # The business must act on a risky verdict about a published object.
        if current.shown == states.PUBLISHED:
            notify(case, states.REVIEW, finding, state=states.PUBLISHED)
        return current
    case = case.of_copy(current.copy)
    # A copy that was made anew is checked anew.
    if (
        current.state not in states.OPEN
        or current.state == states.REVIEW
        or checked.copy != case.upload.shown.number
    ):
        return current
    is_first = verdict.errcode == CANNOT_OPEN and checked.number == 1
    if is_first and current.state != states.HELD and case.context.settings.own_address:
        return _act_on_unreachable(case, current, verdict)
    if verdict.outcome is not Outcome.PASS:
        return leave_to_a_human(case, current, finding)
    # Not an upload that was not committed yet.
    if current.state == states.HELD:
        return current
    if current.has_other_rules:
        return leave_to_a_human(case, current, Finding(RULES))
    # What was stored later, even as the same bytes, may have been something else while WeChat looked.
    if checked.stored_at is None or current.stored_at != checked.stored_at:
        return leave_to_a_human(case, current, Finding(CHANGED, WECHAT))
    if case.upload.profile.is_checked_by_aliyun:
        from function.holding.aliyun_check import doubt_of_aliyun

        if doubt := doubt_of_aliyun(current):
            return leave_to_a_human(case, current, doubt)
    return decide(case, current, states.PUBLISH, states.BY_CHECK, finding)


def _act_on_unreachable(case: Case, current: HeldState, verdict: Verdict) -> HeldState:
    progress = current.progress
    if current.state == states.SUBMITTED and progress and progress.trace == verdict.trace_id:
        return _submit_itself(case, current, progress)
    is_first = current.state == states.SUBMITTING and progress is not None and progress.number == 1
    if is_first or current.state in (states.ACCEPTED, states.ANSWERED):
        # The request that submitted it is about to write this record, and would overwrite it.
        raise OssUnavailable(reason="the submission of this verdict is not recorded yet")
    return current
