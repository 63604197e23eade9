"""
The step "check": an upload is submitted to WeChat, and its verdict carried out.

Nothing but a verdict that says "pass" publishes. Silence, errors and doubts leave it to a human.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from function.context import RequestContext
from function.errors import AlreadyExists, Forbidden, OssUnavailable, UploadError
from function.holding import records
from function.holding.decision import BY_CHECK, PUBLISH, REJECT, decision_about
from function.holding.publishing import PUBLISHED, settle, tell_of
from function.holding.state import CHECKING, MAX_SUBMISSIONS, OPEN, REVIEW, HeldState, in_check, seen
from function.holding.upload import HeldUpload, read_kept, read_receipt
from function.oss.client import OssClient, opened, oss_client, oss_clients
from function.wechat.media_check import Refused, submit, was_unheard
from function.wechat.verdict import Outcome, Verdict


def begin_check_after(context: RequestContext, receipt: str) -> None:
    """
    Begin the check of what was just stored, where it is the first step; the answer never suffers from it.

    Args:
        receipt: of a profile whose ``hold`` begins with ``check``.
    """
    try:
        upload = read_receipt(receipt, context.settings, context.now)
        oss = oss_client(context, upload.profile.location)
        submit_next(context, oss, upload, seen(context, oss, upload))
    except UploadError as error:
        context.line.reason = f"check: {error.code}, {error.reason}"


def submit_next(
    context: RequestContext, oss: OssClient, upload: HeldUpload, standing: HeldState
) -> HeldState:
    """
    Submit what is due, if anything is, unless another call does; where WeChat cannot be asked, the next does.

    Raises:
        UploadError: OSS refuses, or does not answer; what was not submitted is, a minute later.
    """
    if standing.due > MAX_SUBMISSIONS:
        return _leave_to_a_human(context, oss, upload, {"silent": True})
    if was_unheard(context) or not standing.claim:
        return standing
    if not records.create(oss, standing.claim, {}, context.now):
        # Another call was faster: it has submitted it by now, or failed, or is about to.
        latest = in_check(oss, upload, context.now)
        return latest if latest.claim == standing.claim else submit_next(context, oss, upload, latest)
    try:
        answered = submit(context, oss, upload)
    except UploadError as error:
        context.line.reason = f"check: {error.code}, {error.reason}"
        _let_the_next_call_try(context, oss, upload, standing)
        return standing
    first = records.submitted(upload.upload_id, standing.due)
    if isinstance(answered, Refused):
        # Where one was slow, another one asks after it, and WeChat may refuse it because it took the first.
        if "trace" in (records.get(oss, first) or {}):
            return HeldState(CHECKING)
        return _leave_to_a_human(context, oss, upload, {"errcode": answered.errcode})
    trace_id = context.line.trace_id = answered.trace_id
    # Remembered first, then looked for a verdict; who brings one looks the other way round, so one of the two
    # sees the other.
    records.put(oss, records.check(trace_id), {"receipt": upload.receipt}, context.now)
    early = records.get(oss, records.verdict(trace_id))
    records.put(oss, first, {"trace": trace_id}, context.now)
    if early is not None:
        return _apply(context, oss, upload, _kept(trace_id, early))
    return HeldState(CHECKING)


def _let_the_next_call_try(
    context: RequestContext, oss: OssClient, upload: HeldUpload, standing: HeldState
) -> None:
    first = records.submitted(upload.upload_id, standing.due)
    # Where this is not heard either, the claim ends by itself.
    with suppress(UploadError):
        records.put(oss, first, {"failures": standing.failures + 1}, context.now)


def apply_verdict(context: RequestContext, verdict: Verdict) -> bool:
    """
    Carry out what WeChat says.

    Returns:
        whether it was about an upload of this function; else it is kept, for its record may come later.

    Raises:
        UploadError: it could be neither carried out nor kept, so WeChat must say it again.
    """
    context.line.trace_id = verdict.trace_id
    checked = [profile.location for profile in context.settings.profiles.values() if profile.is_checked]
    buckets = oss_clients(context, checked)
    found = _recorded(buckets.values(), verdict)
    if not found:
        said = {"outcome": verdict.outcome.name, "label": verdict.label, "errcode": verdict.errcode}
        for oss in map(opened, buckets.values()):
            records.put(oss, records.verdict(verdict.trace_id), said, context.now)
        found = _recorded(buckets.values(), verdict)
    failed: UploadError | None = None
    for (bucket, receipt), oss in found.items():
        try:
            upload = read_kept(receipt, bucket, context.settings, context.now)
            _note(context, upload)
            # With its own role: another one in the bucket sees the record, and nothing that it is about.
            own = opened(buckets.get(upload.profile.location, oss))
            context.line.state = _apply(context, own, upload, verdict).state
        # It is decided, but another object has the name; or nothing can be done about it any more.
        except (AlreadyExists, Forbidden) as error:
            context.line.reason = error.reason
        except UploadError as error:
            failed = error
    if failed is not None:
        raise failed
    return bool(found)


def _recorded(
    buckets: Iterable[OssClient | UploadError], verdict: Verdict
) -> dict[tuple[str, str], OssClient]:
    """
    What a verdict is about, and where that is remembered; a trace id does not tell the bucket.

    Every bucket is looked into: none keeps a verdict from another's upload by a record of its own making.

    Returns:
        by bucket and receipt, through what it was found.

    Raises:
        UploadError: it is not where one could look, and somewhere nobody could.
    """
    found: dict[tuple[str, str], OssClient] = {}
    failed: UploadError | None = None
    for bucket in buckets:
        try:
            oss = opened(bucket)
            record = records.get(oss, records.check(verdict.trace_id))
        except UploadError as error:
            failed = error
        else:
            if record is not None:
                found[oss.bucket, str(record.get("receipt"))] = oss
    if failed is not None and not found:
        raise failed
    return found


def _note(context: RequestContext, upload: HeldUpload) -> None:
    line = context.line
    line.profile, line.owner = upload.profile.name, upload.owner
    line.key, line.upload_id = upload.key, upload.upload_id


def _kept(trace_id: str, said: Mapping[str, Any]) -> Verdict:
    try:
        return Verdict(trace_id, Outcome[said["outcome"]], said["label"], said["errcode"])
    except KeyError:
        raise OssUnavailable(reason="the verdict's marker lacks a field") from None


def _apply(context: RequestContext, oss: OssClient, upload: HeldUpload, verdict: Verdict) -> HeldState:
    standing = seen(context, oss, upload)
    if verdict.outcome is Outcome.RISKY:
        return _reject(context, oss, upload, standing, verdict.label)
    if standing.state not in OPEN:
        return standing
    if verdict.outcome is not Outcome.PASS:
        said = {"label": verdict.label} if verdict.outcome is Outcome.REVIEW else {"errcode": verdict.errcode}
        return _leave_to_a_human(context, oss, upload, said)
    # Not what nobody has committed yet, or what a human has been asked about.
    if not standing.is_in_check:
        return standing
    return HeldState(*settle(context, oss, upload, decision_about(upload, PUBLISH, BY_CHECK, verdict.label)))


def _reject(
    context: RequestContext, oss: OssClient, upload: HeldUpload, standing: HeldState, label: int | None
) -> HeldState:
    # A verdict upon what has been published is for the business to act upon.
    if standing.state != PUBLISHED:
        standing = HeldState(*settle(context, oss, upload, decision_about(upload, REJECT, BY_CHECK, label)))
    if standing.state == PUBLISHED:
        tell_of(context, upload, REVIEW, label)
    return standing


def _leave_to_a_human(
    context: RequestContext, oss: OssClient, upload: HeldUpload, why: Mapping[str, Any]
) -> HeldState:
    if records.create(oss, records.review(upload.upload_id), why, context.now):
        tell_of(context, upload, REVIEW, why.get("label"))
    return HeldState(REVIEW)
