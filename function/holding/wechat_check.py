"""
The step "check": submit an upload to WeChat, and carry out its verdict.

Only a verdict that passes publishes, and only an object that was not stored again since its submission. After
silence, errors and doubts a human decides.
"""

from contextlib import suppress
from datetime import timedelta

from function.config.green import ALIYUN, WECHAT
from function.context import RequestContext
from function.errors import AlreadyExists, Forbidden, OssUnavailable, UploadError
from function.holding import records
from function.holding.decision import BY_CHECK, CHECK, decide, leave_to_a_human, settle
from function.holding.events import notify
from function.holding.held_upload import HeldUpload, read_receipt, read_recorded
from function.holding.records import PUBLISH, REJECT, Check
from function.holding.state import (
    BY_ALIYUN,
    BY_CLEANING,
    CHECKING,
    HELD,
    LEASE,
    MAX_SUBMISSIONS,
    PUBLISHED,
    REJECTED,
    REVIEW,
    UNCHECKED,
    HeldState,
    check_state,
    is_first_attempt,
)
from function.holding.wechat_submission import refusal, submit_to_wechat
from function.moderation.finding import (
    CHANGED,
    LABEL,
    NOT_CHECKED,
    RULES,
    SILENT,
    UNREACHABLE,
    Finding,
    Outcome,
)
from function.moderation.wechat import CANNOT_OPEN
from function.moderation.wechat_verdict import Verdict
from function.oss import due
from function.oss.client import OssClient, oss_client, oss_clients, require_client, with_time_limit
from function.oss.due import pause_after
from function.oss.instants import iso
from function.oss.objects import head_object
from function.webhook import RECORD_SECONDS

# What a submission needs at least; with less it is left to the next request or tick.
SUBMIT_SECONDS = 2.0


def begin_check_after(context: RequestContext, receipt: str) -> HeldState:
    """
    Begin the check of an object that was just stored, and return its state; a tick retries what fails.

    Args:
        receipt: of a profile whose ``hold`` begins with ``check``.

    Raises:
        UploadError: not even the due record for that tick could be written; the request must be repeated.
    """
    upload = read_receipt(receipt, context.settings, context.now)
    oss = oss_client(context, upload.profile.location)
    seconds = context.seconds_left() - RECORD_SECONDS
    in_time = with_time_limit(oss, seconds, context.instance.monotonic)
    try:
        current = settle(context, in_time, upload)
        # A ticket begins each step once: who repeats it starts no work that costs.
        if not is_first_attempt(upload, current):
            return current
        return submit_due(context, in_time, upload, current)
    except UploadError as error:
        # The request succeeds all the same, so nobody would repeat it; this client may have no time left.
        note_check(context, oss_client(context, upload.profile.location), upload)
        context.line.reason = f"check: {error.code}, {error.reason}"
        return HeldState(HELD)


def submit_due(context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState) -> HeldState:
    """
    Take the step of a check that is due, unless another request does; after a failure a later one retries.

    Raises:
        UploadError: OSS refuses, or does not respond; it is retried after a minute.
    """
    if current.has_other_rules and current.due and not _is_committed_now(oss, upload):
        return leave_to_a_human(context, oss, upload, Finding(RULES))
    if current.due == BY_CLEANING:
        from function.holding.cleaning import continue_with_cleaning

        current = continue_with_cleaning(context, oss, upload, current)
    # What is checked is what is shown.
    upload = upload._replace(copy=current.copy or upload.copy)
    if current.due == BY_ALIYUN:
        from function.holding.aliyun_check import continue_with_aliyun

        current = continue_with_aliyun(context, oss, upload, current)
    if current.due == UNCHECKED:
        finding = Finding(NOT_CHECKED, ALIYUN if current.aliyun else WECHAT)
        return leave_to_a_human(context, oss, upload, finding)
    return _submit(context, oss, upload, current) if current.due > 0 else current


def _is_committed_now(oss: OssClient, upload: HeldUpload) -> bool:
    """Return whether no checker looks at an upload, and a backend committed it under the present rules."""
    if upload.profile.is_checked:
        return False
    committed = records.get(oss, records.commit_key(upload.upload_id)) or {}
    return committed.get("rules") == upload.profile.rules


def _submit(context: RequestContext, oss: OssClient, upload: HeldUpload, current: HeldState) -> HeldState:
    """Make a submission to WeChat."""
    if current.due > MAX_SUBMISSIONS:
        return leave_to_a_human(context, oss, upload, Finding(SILENT, WECHAT))
    # From now on a tick continues it; one record stands for all attempts.
    if current.lease == records.submission_key(upload.check_id, 1):
        note_check(context, oss, upload)
    # A request that has waited for WeChat in vain does not wait again for its other uploads.
    if context.wechat_has_failed or not current.lease:
        return current
    if not records.create(oss, current.lease, {}, context.now):
        # Another request was faster: it has submitted by now, or failed, or is about to submit.
        latest = check_state(oss, upload, context.now, upload.held_until)
        return latest if latest.lease == current.lease else submit_due(context, oss, upload, latest)
    # By the clock of OSS, which dates the object as well.
    leased = head_object(oss, current.lease)
    if leased is None:
        raise OssUnavailable(reason=f"{current.lease}: the lease disappeared")
    record = records.submission_key(upload.check_id, current.due)
    try:
        result = submit_to_wechat(context, oss, upload, is_unreachable=current.is_unreachable)
    except UploadError as error:
        return _note_failure(context, oss, record, current, error)
    if isinstance(result, Finding):
        # If one request was slow, another submitted after it, and WeChat may refuse that one as a duplicate.
        submission = records.get_submission(oss, upload.check_id, current.due)
        if submission is not None and submission.is_accepted:
            return HeldState(CHECKING)
        if result.reason == UNREACHABLE and current.due == 1 and context.settings.own_address:
            return _submit_itself(context, oss, upload)
        return leave_to_a_human(context, oss, upload, result)
    trace_id = context.line.trace_id = result
    # Write the record, then look for a verdict; the request with the verdict does it the other way round, so
    # one of the two sees the other.
    checked = Check(upload.receipt, leased.last_modified, current.due, upload.shown.number)
    records.put(oss, records.check_key(trace_id), checked.fields, context.now)
    early = records.get(oss, records.verdict_key(trace_id))
    records.put(oss, record, {"trace": trace_id}, context.now)
    if early is not None:
        return _apply_verdict(context, oss, upload, records.verdict_in(trace_id, early), checked)
    return HeldState(CHECKING)


def _note_failure(
    context: RequestContext, oss: OssClient, record: str, current: HeldState, error: UploadError
) -> HeldState:
    """Record a failed submission; it counts if this object itself is the cause."""
    context.line.reason = f"check: {error.code}, {error.reason}"
    context.wechat_has_failed |= not error.is_own
    failures = current.failures + error.is_own
    fields = {"failures": failures, "since": iso(current.since or context.now)}
    # If this fails as well, the lease ends by itself.
    with suppress(UploadError):
        records.put(oss, record, fields, context.now)
    pause = pause_after(failures) if failures else LEASE
    return current._replace(lease="", failures=failures, silent_at=context.now + pause)


def _submit_itself(
    context: RequestContext, oss: OssClient, upload: HeldUpload, trace_id: str | None = None
) -> HeldState:
    """
    Record that WeChat cannot open the URL of the first submission, and make the second one.

    Args:
        trace_id: of the first one, if it was accepted.
    """
    note_check(context, oss, upload)
    first = {"trace": trace_id} if trace_id else {}
    record = records.submission_key(upload.check_id, 1)
    records.put(oss, record, {**first, "unreachable": upload.receipt}, context.now)
    current = check_state(oss, upload, context.now, upload.held_until)
    return submit_due(context, oss, upload, current) if context.seconds_left() > SUBMIT_SECONDS else current


def note_check(context: RequestContext, oss: OssClient, upload: HeldUpload) -> str:
    """Write the due record by which the next tick continues a check, and return its name."""
    at = context.now + timedelta(seconds=1)
    fields = {"receipt": upload.receipt}
    return due.write(oss, CHECK, upload.owner, upload.upload_id, at, fields, context.now)


def apply_verdict(context: RequestContext, verdict: Verdict) -> bool:
    """
    Carry out a verdict of WeChat.

    Returns:
        whether it is about an upload of this function; otherwise it is stored, as its record may follow.

    Raises:
        UploadError: it could be neither carried out nor stored, so WeChat must repeat it.
    """
    context.line.trace_id = verdict.trace_id
    locations = [profile.location for profile in context.settings.profiles.values() if profile.is_checked]
    buckets = oss_clients(context, locations)
    found = records.checks_of(buckets.values(), verdict.trace_id)
    if not found:
        fields = {"outcome": verdict.outcome.name, "label": verdict.label, "errcode": verdict.errcode}
        for oss in map(require_client, buckets.values()):
            records.put(oss, records.verdict_key(verdict.trace_id), fields, context.now)
        found = records.checks_of(buckets.values(), verdict.trace_id)
    failed: UploadError | None = None
    for (bucket, checked), oss in found.items():
        try:
            upload = read_recorded(checked.receipt, bucket, context.settings, context.now)
            line = context.line
            line.profile, line.owner = upload.profile.name, upload.owner
            line.key, line.upload_id = upload.key, upload.upload_id
            # With the upload's own role: another role for this bucket reaches the records only.
            own = require_client(buckets.get(upload.profile.location, oss))
            line.state = _apply_verdict(context, own, upload, verdict, checked).state
        # It is decided, but another object has the name; or the receipt is not valid any more.
        except (AlreadyExists, Forbidden) as error:
            context.line.reason = error.reason
        except UploadError as error:
            failed = error
    if failed is not None:
        raise failed
    return bool(found)


def _apply_verdict(
    context: RequestContext, oss: OssClient, upload: HeldUpload, verdict: Verdict, checked: Check
) -> HeldState:
    finding = Finding(LABEL, WECHAT, verdict.label)
    if verdict.outcome is Outcome.ERROR:
        finding = refusal(verdict.errcode)
    current = settle(context, oss, upload)
    if verdict.outcome is Outcome.RISKY:
        if current.state not in (PUBLISHED, REJECTED):
            current = decide(context, oss, upload, REJECT, BY_CHECK, finding)
        # The business must act on a risky verdict about a published object.
        if current.state == PUBLISHED:
            notify(context, upload, REVIEW, finding, state=PUBLISHED)
        return current
    upload = upload._replace(copy=current.copy)
    # A copy that was made anew is checked anew.
    if current.state not in (HELD, CHECKING) or checked.copy != upload.shown.number:
        return current
    is_first = verdict.errcode == CANNOT_OPEN and checked.number == 1
    if is_first and current.is_in_check and context.settings.own_address:
        first = records.get_submission(oss, upload.check_id, 1)
        if first is None or not first.is_accepted:
            # The request that submitted it is about to write this record, and would overwrite it.
            raise OssUnavailable(reason="the submission of this verdict is not recorded yet")
        return _submit_itself(context, oss, upload, verdict.trace_id)
    if verdict.outcome is not Outcome.PASS:
        return leave_to_a_human(context, oss, upload, finding)
    # Not an upload that was not committed yet, or that a human must decide about.
    if not current.is_in_check:
        return current
    if current.has_other_rules:
        return leave_to_a_human(context, oss, upload, Finding(RULES))
    # What was stored later, even as the same bytes, may have been something else while WeChat looked.
    if current.stored_at is None or checked.since is None or current.stored_at > checked.since:
        return leave_to_a_human(context, oss, upload, Finding(CHANGED, WECHAT))
    if upload.profile.is_checked_by_aliyun:
        from function.holding.aliyun_check import doubt_of_aliyun

        if doubt := doubt_of_aliyun(oss, upload, current):
            return leave_to_a_human(context, oss, upload, doubt)
    return decide(context, oss, upload, PUBLISH, BY_CHECK, finding)
