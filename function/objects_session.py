"""The function's own calls to OSS: with the objects session, which is assumed when they are first needed."""

from datetime import timedelta

from function.grants import OBJECTS
from function.instance import Call
from function.oss.calls import BUDGET_SECONDS, OssCalls, budget


def oss_of(call: Call) -> OssCalls:
    """
    Whoever asks OSS on behalf of one request; ten seconds for all that it asks.

    Raises:
        UploadError: there are no credentials.
    """
    settings = call.settings
    until = call.now + timedelta(seconds=BUDGET_SECONDS)
    obtained = call.instance.credentials_for(OBJECTS, call.request.context, call.now, [until])
    call.line.sts_refreshed = obtained.are_new
    return OssCalls(
        bucket=settings.bucket,
        region=settings.region,
        endpoint=settings.oss_endpoint,
        credentials=obtained.credentials,
        now=call.now,
        exchange=call.instance.exchange,
        seconds_left=budget(),
    )
