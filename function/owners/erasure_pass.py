"""
A pass of an erasure over its steps: of each bucket and prefix first the unfinished uploads, which could still
become objects, then all versions and delete markers.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from hashlib import sha256

from function.annotations import NamedTuple
from function.config.key_template import CLEAN, held_name
from function.config.profile import BucketLocation, Profile
from function.context import RequestContext
from function.oss.client import OssClient, oss_client
from function.oss.multipart import abort
from function.oss.versions import (
    NULL,
    UPLOADS,
    VERSIONS,
    EntryList,
    Markers,
    delete_many,
    delete_version,
    list_entries,
)
from function.owners.erasure_records import Erasure
from function.sts.session_policy import DELETIONS

# No page begins, and none that must be deleted one by one goes on, when no more than this is left.
LEAST_SECONDS = 3.0
# Objects under retention are tried again after this.
RETENTION_REST = timedelta(hours=1)
# A copy of a held object that was sent before the object was deleted has ended after this.
COPY_REST = timedelta(minutes=2)


class Step(NamedTuple):
    """One list of one bucket and prefix."""

    location: BucketLocation
    listed: EntryList
    prefix: str

    def __str__(self) -> str:
        return f"{self.location.bucket} {self.listed.noun}s {self.prefix}"


def steps_for(covered: Iterable[Profile], owner: str) -> list[Step]:
    """Return the steps of a pass."""
    steps: dict[str, Step] = {}
    for profile in covered:
        prefix = profile.key.prefix_of(owner)
        # In this order: an object that is published meanwhile is found under one of both names.
        prefixes = (held_name(prefix), prefix) if profile.is_held else (prefix,)
        for each in (*prefixes, f"{CLEAN}{owner}/") if profile.strip else prefixes:
            for listed in (UPLOADS, VERSIONS):
                step = Step(profile.location, listed, each)
                steps.setdefault(str(step), step)
    return [*steps.values()]


def has_data(context: RequestContext, steps: Iterable[Step]) -> bool:
    """Return whether any step would find something."""
    return any(
        list_entries(oss_client(context, location, purpose=DELETIONS), listed, prefix, Markers())[0]
        for location, listed, prefix in steps
    )


def next_page(
    context: RequestContext, state: Erasure, steps: list[Step], seconds_left: Callable[[], float]
) -> Erasure:
    """Return the state after one more page that was not empty, or at the end of the pass."""
    plan = sha256("\n".join(map(str, steps)).encode()).hexdigest()
    # A deployment that changed the profiles begins the pass again.
    if state.pass_began is None or state.plan != plan:
        state = state._replace(pass_began=context.now, plan=plan, step=0, after=Markers(), found=0, blocked=0)
    while state.step < len(steps):
        location, listed, prefix = steps[state.step]
        oss = oss_client(context, location, seconds_left, purpose=DELETIONS)
        page = _abort_page if listed == UPLOADS else _delete_page
        before = state.found
        state, following = page(oss, state, prefix, seconds_left)
        if following is not None:
            return state._replace(after=following)
        state = state._replace(step=state.step + 1, after=Markers())
        # A page of nothing needs no record.
        if state.found > before or seconds_left() <= LEAST_SECONDS:
            return state
    return _end_of_pass(context, state)


def _end_of_pass(context: RequestContext, state: Erasure) -> Erasure:
    began = state.pass_began or context.now
    state = state._replace(pass_began=None)
    if began < state.due:
        return state._replace(rests_until=state.due)
    if state.found:
        return state._replace(rests_until=context.now + (RETENTION_REST if state.blocked else COPY_REST))
    return state._replace(done=context.now)


def _abort_page(
    oss: OssClient, state: Erasure, prefix: str, seconds_left: Callable[[], float]
) -> tuple[Erasure, Markers | None]:
    uploads, following = list_entries(oss, UPLOADS, prefix, state.after)
    for upload in uploads:
        if seconds_left() <= LEAST_SECONDS:
            return state, state.after
        aborted = abort(oss, upload.key, upload.id)
        state = state._replace(found=state.found + 1, aborted=state.aborted + aborted)
    return state, following


def _delete_page(
    oss: OssClient, state: Erasure, prefix: str, seconds_left: Callable[[], float]
) -> tuple[Erasure, Markers | None]:
    versions, following = list_entries(oss, VERSIONS, prefix, state.after)
    state, blocked = state._replace(found=state.found + len(versions)), 0
    left, reached = versions, state.after
    confirmed = delete_many(oss, left)
    while True:
        state = state.with_deleted(version for version in left if (version.key, version.id) in confirmed)
        left = [version for version in left if (version.key, version.id) not in confirmed]
        if not left:
            return state._replace(blocked=state.blocked + blocked), following
        if seconds_left() <= LEAST_SECONDS:
            # The rest of the page comes again; what is under retention would come for ever.
            return state, reached
        first, *left = left
        deleted_id, confirmed = delete_version(oss, first), set()
        blocked += deleted_id is None
        state = state.with_deleted([] if deleted_id is None else [first])
        if left and left[0].key != first.key:
            state, blocked, reached = state._replace(blocked=state.blocked + blocked), 0, Markers(first.key)
        if deleted_id not in (None, first.id):
            left = [version._replace(id="") if version.id == NULL else version for version in left]
            confirmed = delete_many(oss, left)
