"""The function's own calls to OSS: with the objects session, which is assumed when they are first needed."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from function.config.places import BucketLocation
from function.context import RequestContext
from function.errors import UploadError
from function.oss.client import BUDGET_SECONDS, OssClient, budget, share_of
from function.session_policy import OBJECTS


def oss_client(
    context: RequestContext, location: BucketLocation, seconds_left: Callable[[], float] | None = None
) -> OssClient:
    """
    Whoever asks OSS on behalf of one request, in this bucket.

    Args:
        seconds_left: where other buckets are asked as well; else ten seconds for all that is asked.

    Raises:
        UploadError: there are no credentials.
    """
    until = context.now + timedelta(seconds=BUDGET_SECONDS)
    session = location.session(OBJECTS)
    obtained = context.instance.credentials_for(session, context.request.context, context.now, [until])
    context.line.sts_refreshed = obtained.are_new or bool(context.line.sts_refreshed)
    return OssClient(
        bucket=location.bucket,
        region=location.region,
        endpoint=location.oss_endpoint,
        credentials=obtained.credentials,
        now=context.now,
        send=context.instance.send,
        seconds_left=seconds_left or budget(),
    )


def opened(bucket: OssClient | UploadError) -> OssClient:
    """
    One of ``oss_of_each``.

    Raises:
        UploadError: there are no credentials for it.
    """
    if isinstance(bucket, UploadError):
        raise bucket
    return bucket


def oss_clients(
    context: RequestContext, locations: Iterable[BucketLocation]
) -> dict[BucketLocation, OssClient | UploadError]:
    """
    The same for several buckets, ten seconds for all, of which a slow one takes no other's share.

    Returns:
        of each place; where there are no credentials for it, why not.
    """
    asked, seconds_left = list(dict.fromkeys(locations)), budget()
    found: dict[BucketLocation, OssClient | UploadError] = {}
    for location in asked:
        try:
            found[location] = share_of(
                oss_client(context, location, seconds_left), BUDGET_SECONDS / len(asked)
            )
        except UploadError as error:
            found[location] = error
    return found
