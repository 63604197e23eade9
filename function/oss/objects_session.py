"""The function's own calls to OSS: with the objects session, which is assumed when they are first needed."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from function.config.places import Place
from function.context import Call
from function.errors import UploadError
from function.oss.client import BUDGET_SECONDS, OssCalls, budget, share_of
from function.session_policy import OBJECTS


def oss_of(call: Call, place: Place, seconds_left: Callable[[], float] | None = None) -> OssCalls:
    """
    Whoever asks OSS on behalf of one request, in this bucket.

    Args:
        seconds_left: where other buckets are asked as well; else ten seconds for all that is asked.

    Raises:
        UploadError: there are no credentials.
    """
    until = call.now + timedelta(seconds=BUDGET_SECONDS)
    session = place.session(OBJECTS)
    obtained = call.instance.credentials_for(session, call.request.context, call.now, [until])
    call.line.sts_refreshed = obtained.are_new or bool(call.line.sts_refreshed)
    return OssCalls(
        bucket=place.bucket,
        region=place.region,
        endpoint=place.oss_endpoint,
        credentials=obtained.credentials,
        now=call.now,
        exchange=call.instance.exchange,
        seconds_left=seconds_left or budget(),
    )


def opened(bucket: OssCalls | UploadError) -> OssCalls:
    """
    One of ``oss_of_each``.

    Raises:
        UploadError: there are no credentials for it.
    """
    if isinstance(bucket, UploadError):
        raise bucket
    return bucket


def oss_of_each(call: Call, places: Iterable[Place]) -> dict[Place, OssCalls | UploadError]:
    """
    The same for several buckets, ten seconds for all, of which a slow one takes no other's share.

    Returns:
        of each place; where there are no credentials for it, why not.
    """
    asked, seconds_left = list(dict.fromkeys(places)), budget()
    found: dict[Place, OssCalls | UploadError] = {}
    for place in asked:
        try:
            found[place] = share_of(oss_of(call, place, seconds_left), BUDGET_SECONDS / len(asked))
        except UploadError as error:
            found[place] = error
    return found
