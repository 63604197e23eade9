"""The warm ``/read``: an event's bytes in, signed URLs out, its log line written."""

from requests_of_clients import CONTEXT, event_to_read
from timing import serve

import handler


def request(items: int):
    asked = event_to_read(items)
    answered = handler.handler(asked, CONTEXT)
    if answered["statusCode"] != 200:
        raise SystemExit(answered["body"])
    return lambda: handler.handler(asked, CONTEXT)


serve({"read 1": request(1), "read 50": request(50)})
