"""
The check by Aliyun: ask about an upload, and act on the answer in the same request.

One request asks, which holds the lease. An answer counts only for an object that was not stored again while
Aliyun looked, and only a pass publishes. Where WeChat checks as well, a pass or doubt waits for its verdict.
"""

from contextlib import suppress
from datetime import timedelta

from function.config.green import ALIYUN
from function.config.profile import CREDENTIALS_MARGIN
from function.errors import OssUnavailable, UploadError
from function.holding.accepted_record import Progress
from function.holding.current_state import HeldState, next_step
from function.holding.decide import decide, settle
from function.holding.decision_records import forget_due, leave_to_a_human, note_check
from function.holding.held_upload import Case, held_url, obstacle_in
from function.holding.leases import accept, begin, note
from function.holding.transitions import ACCEPTED, ANSWERED, BY_CHECK, OPEN, PUBLISH, REJECT, REVIEW
from function.moderation.aliyun import ACTIONS, check_picture, fetch_result, seconds_for_a_call, submit_media
from function.moderation.aliyun_verdict import AUDIO, RUNNING, Verdict, not_checked
from function.moderation.finding import CHANGED, NOT_CHECKED, UNSUPPORTED, Finding, Outcome
from function.moderation.wechat import may_be_sound
from function.oss.objects import head_object

PICTURE = "image"
# A picture is fetched at once, a video in its turn.
PICTURE_URL_LIFE, MEDIA_URL_LIFE = timedelta(minutes=5), timedelta(minutes=30)
# A call is not begun with less time.
LEAST_SECONDS = 0.5


def continue_with_aliyun(case: Case, current: HeldState) -> tuple[Case, HeldState]:
    """
    Do what is due of the check by Aliyun, unless another request does.

    Args:
        current: with ``due`` as ``ASK``, or with the answer that another request has kept.

    Returns:
        the case, and the state; ``due`` of WeChat if that is next.

    Raises:
        UploadError: OSS refuses, or does not respond; it is continued after a minute.
    """
    context, is_first = case.context, current.state == ACCEPTED and not case.due
    if is_first:
        # From now on a tick continues it; one record stands for all attempts.
        case = note_check(case)
    # A request that has waited for Aliyun in vain does not wait again for its other uploads.
    if context.aliyun_has_failed or seconds_for_a_call(context) < LEAST_SECONDS:
        if current.progress is None:
            accept(case, current)
        return case, current
    progress = current.progress
    if current.state == ANSWERED and progress and progress.answer:
        return case, _act_on(case, current, progress, progress.answer)
    # Asking for the result of a task costs nothing.
    if progress is None or not progress.task:
        progress = begin(case, current, "ask", stored_at=current.stored_at)
    if progress is None:
        # Another request was faster: it has asked by now, or is about to ask.
        latest = settle(case)
        return continue_with_aliyun(case, latest) if latest.state == ANSWERED else (case, latest)
    latest = _look(case, current, progress)
    # A tick removes the record that it continues by itself.
    if is_first and latest.state == REVIEW:
        forget_due(case, case.due)
    return case, latest


def _look(case: Case, current: HeldState, progress: Progress) -> HeldState:
    context = case.context
    try:
        found = _ask(case, progress)
    except UploadError as error:
        context.line.reason = f"check: {error.code}, {error.reason}"
        context.aliyun_has_failed |= not error.is_own
        found = not_checked()
    if isinstance(found, Finding):
        return leave_to_a_human(case, HeldState(progress.state), found)
    if isinstance(found, Verdict) and found.outcome is not Outcome.ERROR:
        try:
            return _act_on(case, current, progress, found)
        except OssUnavailable:
            with suppress(UploadError):
                _kept(case, progress, found)
            raise
    changes, event = {"failures": 0}, "no answer"
    if isinstance(found, str):
        progress, event = progress._replace(task=found), "task"
    elif progress.task and found.finding.errcode == RUNNING:
        progress, event = progress._replace(asked=progress.asked + 1), "still running"
    elif context.aliyun_has_failed and progress.task:
        # Nothing was said about this one, and asking again costs nothing.
        return current
    else:
        changes = {"failures": progress.failures + (not context.aliyun_has_failed)}
    # If this fails, the lease ends by itself.
    with suppress(UploadError):
        progress = note(case, progress, event, **changes)
    ends = current.held_until or case.upload.held_until
    return HeldState(progress.state, next_at=progress.next_at(ends))


def _ask(case: Case, progress: Progress) -> Verdict | str | Finding:
    """Return the verdict, the id of a new task, or why no checker may look."""
    context, upload = case.context, case.upload
    profile, main_type = upload.profile, upload.shown.content_type.partition("/")[0]
    if progress.task:
        return fetch_result(context, profile, main_type, progress.task)
    obstacle, beginning = obstacle_in(case.oss, upload)
    is_other = main_type not in (PICTURE, *ACTIONS) or (main_type == AUDIO and not may_be_sound(beginning))
    if obstacle or is_other:
        return Finding(obstacle or UNSUPPORTED)
    is_picture = main_type == PICTURE
    life = PICTURE_URL_LIFE if is_picture else MEDIA_URL_LIFE
    life = min(life, context.settings.session_life - 2 * CREDENTIALS_MARGIN)
    url = held_url(context, case.oss, upload, life, is_until_session_ends=not is_picture)
    if is_picture:
        return check_picture(context, profile, url, upload.upload_id)
    return submit_media(context, profile, main_type, url, upload.upload_id)


def _act_on(case: Case, current: HeldState, progress: Progress, answer: Verdict) -> HeldState:
    """Act on an answer: deciding finds what was decided meanwhile, so only the object is looked at again."""
    upload, asked = case.upload, HeldState(progress.state)
    facts = head_object(case.oss, upload.held_key)
    if not upload.is_waiting(facts, case.now):
        # The same bytes may be stored again.
        _kept(case, progress, answer)
        return settle(case)
    # What was stored meanwhile, even as the same bytes, may have been something else while Aliyun looked.
    is_same = upload.copy is not None or facts.last_modified == progress.stored_at
    if is_same and answer.outcome is Outcome.RISKY:
        return decide(case, asked, REJECT, BY_CHECK, answer.finding)
    if is_same and upload.profile.is_checked_by_wechat:
        progress = _kept(case, progress, answer)
        return next_step(case.oss, upload, current._replace(progress=progress), case.now)
    if is_same and answer.outcome is Outcome.PASS:
        return decide(case, asked, PUBLISH, BY_CHECK, answer.finding)
    # A human is asked about nothing that is decided.
    latest = settle(case)
    if latest.state not in OPEN:
        return latest
    return leave_to_a_human(case, latest, answer.finding if is_same else Finding(CHANGED, ALIYUN))


def _kept(case: Case, progress: Progress, answer: Verdict) -> Progress:
    """Record an answer unless it is on record, and return the progress: asking again costs again."""
    if progress.state == ANSWERED:
        return progress
    return note(case, progress, "answered", answer=answer, task="")


def doubt_of_aliyun(current: HeldState) -> Finding | None:
    """Return why a pass of WeChat alone does not publish; ``None`` if Aliyun passed the same object."""
    progress = current.progress
    if progress is None or progress.answer is None:
        return Finding(NOT_CHECKED, ALIYUN)
    if progress.stored_at != current.stored_at:
        return Finding(CHANGED, ALIYUN)
    return None if progress.answer.outcome is Outcome.PASS else progress.answer.finding
