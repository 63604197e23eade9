"""
Erasures: jobs that delete everything of one owner, continued by any call and any tick.

After its first pass an erasure waits until every form has expired; it is done after a pass that began later
and found nothing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from function.annotations import Any
from function.auth.signed_tokens import issue_token
from function.config.profile import Profile
from function.context import RequestContext
from function.oss import due
from function.oss.client import OssClient
from function.oss.due import Due, Unreadable
from function.oss.instants import iso
from function.owners.erasure_pass import LEAST_SECONDS, Step, has_data, next_page, steps_for
from function.owners.erasure_records import OWNER, Erasure, finish, latest, mark, records_client, save, unmark
from function.reading import profiles_with_keys
from function.request_log import encode, log

# Kind of the due records.
ERASE = "erase"
ERASED = "oss-direct-upload/erased"
CALL_SECONDS = 20.0
WAIT_BEYOND_FORMS = timedelta(hours=1)


def coverage(context: RequestContext) -> tuple[list[Profile], list[Profile]]:
    """Return the profiles whose objects an erasure finds by their prefix, and the others."""
    profiles = profiles_with_keys(context)
    covered = [
        each
        for each in profiles
        # Hooks may put folders before the owner.
        if each.key.begins_with_owner and (each.key.has_owned_folders or not each.key.has_inner_folders)
    ]
    return covered, [each for each in profiles if each not in covered]


def _names(profiles: Iterable[Profile]) -> tuple[str, ...]:
    return tuple(profile.name for profile in profiles)


def begin(context: RequestContext, owner: str, erasure: str = "") -> Erasure:
    """
    Make sure that an erasure of this owner runs, unless nothing was stored since the last one.

    Args:
        erasure: id of the request that asks for it; an erasure of this id never runs again.

    Raises:
        UploadError: OSS refuses, or does not respond; the request may be repeated.
    """
    oss = records_client(context)
    last = latest(oss, owner)
    if last and (
        not last.done
        or last.erasure == erasure
        or not has_data(context, steps_for(coverage(context)[0], owner))
    ):
        return last
    return _begin(context, oss, owner, erasure, last)


def _begin(
    context: RequestContext, oss: OssClient, owner: str, erasure: str, last: Erasure | None
) -> Erasure:
    covered, _ = coverage(context)
    longest = max((profile.expires_in for profile in covered), default=timedelta(0))
    number = last.number if last else 0
    # The same id again if the response is lost and the request repeated.
    erasure = erasure or f"{owner}-{number + 1}"
    state = Erasure(
        owner=owner,
        erasure=erasure,
        number=number,
        base=number + 1,
        began=context.now,
        due=context.now + longest + WAIT_BEYOND_FORMS,
        rests_until=context.now,
    )
    # In this order: a request that is cut off here is continued by a tick.
    name = due.write(oss, ERASE, owner, erasure, context.now, {"owner": owner}, context.now)
    mark(oss, owner, erasure)
    state = save(oss, state) or latest(oss, owner) or state
    if state.erasure != erasure:
        # Another request began one at the same time.
        unmark(oss, owner, erasure)
        due.remove(oss, name)
    return state


def advance(
    context: RequestContext, state: Erasure, seconds_left: Callable[[], float], bucket: str = ""
) -> Erasure:
    """
    Continue an erasure until it is done, rests, or no time is left, unless another worker does.

    Args:
        bucket: of its records; by default where erasures begin.

    Returns:
        the last state, perhaps of another worker.

    Raises:
        UploadError: OSS refuses, or does not respond; the next call continues.
    """
    records = records_client(context, seconds_left, bucket)
    covered, others = coverage(context)
    steps = steps_for(covered, state.owner)
    state = state if state.done else state._replace(profiles=_names(covered), not_covered=_names(others))
    if _goes_on(context, state, seconds_left):
        if state.is_leased(context.now):
            return state
        state = _work(context, records, state, steps, seconds_left)
    if state.done:
        finish(records, state)
    return state


def _work(
    context: RequestContext,
    records: OssClient,
    state: Erasure,
    steps: list[Step],
    seconds_left: Callable[[], float],
) -> Erasure:
    """Take the lease, continue page by page, and give it back; return the state of whoever was faster."""
    ours = save(records, state._replace(leased=context.now))
    goes_on = True
    while ours and goes_on:
        state = ours._replace(leased=None)
        try:
            state = next_page(context, ours, steps, seconds_left)
            goes_on = _goes_on(context, state, seconds_left)
        finally:
            # Also after a failure, so that the next call need not wait for the lease to end.
            ours = save(records, state if goes_on else state._replace(leased=None))
    return ours or latest(records, state.owner) or state


def _goes_on(context: RequestContext, state: Erasure, seconds_left: Callable[[], float]) -> bool:
    return not state.done and state.rests_until <= context.now and seconds_left() > LEAST_SECONDS


def continue_erasure(context: RequestContext, oss: OssClient, record: Due) -> bool:
    """
    Continue the erasure of a due record, and make its next part due.

    Returns:
        False while ``ERASE`` is off, or without time for a page.

    Raises:
        Unreadable: the record names no owner.
        UploadError: OSS refuses, or does not respond; the next tick continues.
    """
    if not context.settings.erase:
        # Nothing is granted for it now; it goes on when the setting is there again.
        context.line.reason = f"{record.name}: waits for ERASE=true"
        return False
    if context.seconds_left() <= LEAST_SECONDS:
        return False
    return due.complete(oss, record, lambda fields: _continue(context, oss, record.id, fields))


def _continue(context: RequestContext, oss: OssClient, erasure: str, fields: Mapping[str, Any]) -> None:
    owner, requested = due.text_of(fields, "owner"), due.instant_of(fields, "at")
    # It becomes a part of prefixes.
    if not re.fullmatch(OWNER, owner):
        raise Unreadable(owner)
    state = latest(oss, owner)
    if state is None or (state.done and state.began < requested):
        # The request for it was cut off.
        state = _begin(context, oss, owner, erasure, state)
    if state.erasure != erasure:
        unmark(oss, owner, erasure)
        return
    # The share of one bucket may be less than a page needs.
    state = advance(context, state, context.seconds_left, oss.bucket)
    if not state.done:
        if state.blocked and state.pass_began is None:
            # It is tried again in an hour.
            reason = f"{state.blocked} objects are under retention"
            log.error(encode({"due": "stuck", "name": erasure, "reason": reason}))
        at = max(state.rests_until, context.now + timedelta(minutes=1))
        due.write(oss, ERASE, owner, erasure, at, {"owner": owner}, requested)


def describe(context: RequestContext, state: Erasure) -> dict[str, Any]:
    """Return the response of ``/erase``, with the signed record once it is done."""
    about = {
        "erasure": state.erasure,
        "deleted": state.deleted,
        "aborted": state.aborted,
        "profiles": [*state.profiles],
        "notCovered": [*state.not_covered],
    }
    if state.done is None:
        return {**about, "state": "running", **({"blocked": state.blocked} if state.blocked else {})}
    claims = {
        **about,
        "owner": state.owner,
        "first": state.first and iso(state.first),
        "last": state.last and iso(state.last),
        "began": iso(state.began),
        "done": iso(state.done),
    }
    secrets = context.settings.receipt_secrets
    record = issue_token(claims, audience=ERASED, secrets=secrets, now=state.done, life=None)
    return {**about, "state": "done", "record": record}
