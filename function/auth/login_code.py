"""Exchange of a login code that serves once at its platform, and the errors that all platforms have."""

from function.errors import LoginRejected, LoginUnavailable, Misconfigured, Problem, Unauthorized
from function.http.client import ExchangeFailed, HttpResponse, Send
from function.messages import Message

# Five seconds together. Most for the first try: a code that may have arrived is spent, and is not sent again.
LOGIN_BUDGETS_SECONDS = (3.5, 1.5)
# Failures with which no platform has received the request.
NEVER_SENT = frozenset({"gaierror", "ConnectionRefusedError"})


def post_code(send: Send, url: str, body: bytes, content_type: str, call: str) -> bytes:
    """
    Return the body of a platform's response.

    Args:
        body: has the code in it.
        call: name of the platform's API, for the log.
    """

    def post(budget_seconds: float) -> HttpResponse:
        headers = {"Content-Type": content_type}
        return send("POST", url, body=body, headers=headers, budget_seconds=budget_seconds)

    first_seconds, second_seconds = LOGIN_BUDGETS_SECONDS
    try:
        try:
            response = post(first_seconds)
        except ExchangeFailed as error:
            if error.kind not in NEVER_SENT:
                raise
            response = post(second_seconds)
    except ExchangeFailed as error:
        raise unavailable(f"{call}: {error.kind}") from None
    if response.status >= 500:
        raise unavailable(f"{call}: HTTP {response.status}")
    return response.body


def unavailable(reason: str, upstream: str = "") -> LoginUnavailable:
    """Return the error of a platform that is busy or away; it may have spent the code."""
    message = "The platform did not respond to the login; please log in again."
    return LoginUnavailable(message, reason=reason, upstream=upstream)


def refused(reason: str, upstream: str = "") -> LoginRejected:
    return LoginRejected("The platform refused the login.", reason=reason, upstream=upstream)


def wrong_code(reason: str, upstream: str) -> Unauthorized:
    message = "The login code is invalid, used or expired; log in again."
    return Unauthorized(message, reason=reason, upstream=upstream)


def wrong_setting(name: str, reason: str, upstream: str = "") -> Misconfigured:
    """Return the error for a setting that the platform does not know for this app."""
    sentence = Message(
        "{name} is not what the platform has for this app ({reason})", name=name, reason=reason
    )
    return Misconfigured([Problem(name, sentence)], upstream=upstream)
