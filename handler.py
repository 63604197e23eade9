"""Entry points of Function Compute: ``handler`` and ``initialize``."""

# ruff: noqa: E402 - what makes the imports faster comes before them
import gc

# What a start imports stays; looking for garbage in it costs a twentieth of a cold start.
gc.disable()
import bytecode

bytecode.install()
import os
from functools import partial

from function.annotations import Any
from function.app import Function
from function.context import Dependencies
from function.http.gateway import (
    TimerEvent,
    request_from_event,
    request_from_wsgi,
    response_to_event,
    response_to_wsgi,
)
from function.request_log import to_standard_output

gc.freeze()
gc.enable()
# The environment is only read with the first request, or in ``initialize``.
served = Function(Dependencies(os.environ, write_line=to_standard_output))


def initialize(context: object | None) -> None:
    """FC's initializer: read the settings, import the modules they need, assume the role once."""
    gc.disable()
    try:
        served.initialize(context)
    finally:
        gc.freeze()
        gc.enable()


def handler(event_or_environ: Any, context_or_start_response: Any) -> Any:
    """
    FC's handler for both contracts: a 3.0 event (``bytes``), or a WSGI environment (``dict``).

    The first argument tells them apart; the second does not, since a context may be callable too.
    """
    return serve(served, event_or_environ, context_or_start_response)


def tick() -> None:
    """Continue what is due, for a server that gets timer events as requests of its own."""
    served.tick(None)


def serve(function: Function, event_or_environ: Any, context_or_start_response: Any) -> Any:
    """Answer one call of either contract with this function; a timer event with nothing."""
    if isinstance(event_or_environ, dict):
        environ, start_response = event_or_environ, context_or_start_response
        response = function.respond(partial(request_from_wsgi, environ), environ.get("fc.context"))
        body = response_to_wsgi(response, start_response)
        # A server may send what it is given, and its client read that as the next response.
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else body
    context = context_or_start_response
    try:
        return response_to_event(
            function.respond(partial(request_from_event, event_or_environ, context), context)
        )
    except TimerEvent:
        return None
