"""The routes: one table; one module for each resource."""

from functools import cache
from importlib import import_module

from function.annotations import Any, NamedTuple
from function.context import REQUEST_SECONDS


class Route(NamedTuple):
    """
    Handler of a path segment: a function of a module that is imported with the route's first request.

    Args:
        function: takes a ``RequestContext``; returns a JSON object, or a ``Response`` for another format.
        feature: attribute that is true of at least one profile, ``LOGIN`` or ``PUSH``; empty: none is needed.
        seconds: deadline of a request.
    """

    methods: tuple[str, ...]
    module: str
    function: str
    feature: str = ""
    seconds: float = REQUEST_SECONDS


# OSS waits 5 s.
CALLBACK_SECONDS = 4.5
# The last segment of the path names one. ``health`` needs no settings, so the edge answers it itself.
DEFAULT_ROUTE, HEALTH = "upload-params", "health"
# The feature of a caller kind whose module has ``log_in``.
LOGIN = "login"
# The feature of the setting of this name.
ERASE = "erase"
# The feature of a caller kind's settings that have ``push``.
PUSH = "push"
# The one name that more of the path may follow: an AppID.
EVENTS = "wechat-events"
ROUTES = {
    DEFAULT_ROUTE: Route(("GET", "POST"), "function.routes.upload_params", "handle"),
    "login": Route(("POST",), "function.routes.login", "handle", LOGIN),
    "introspect": Route(("POST",), "function.routes.introspect", "handle", LOGIN),
    "callback": Route(("POST",), "function.routes.callback", "handle", seconds=CALLBACK_SECONDS),
    "confirm": Route(("POST",), "function.routes.confirm", "handle", "confirm"),
    "read": Route(("POST",), "function.routes.read", "handle", "read"),
    "multipart": Route(("POST",), "function.routes.multipart", "begin", "parts"),
    "multipart-parts": Route(("POST",), "function.routes.multipart", "parts", "parts"),
    "multipart-complete": Route(("POST",), "function.routes.multipart", "complete", "parts"),
    "multipart-abort": Route(("POST",), "function.routes.multipart", "abort", "parts"),
    "commit": Route(("POST",), "function.routes.held", "commit", "is_held"),
    "discard": Route(("POST",), "function.routes.held", "discard", "is_held"),
    "status": Route(("POST",), "function.routes.held", "status", "is_held"),
    "reviews": Route(("POST",), "function.routes.held", "reviews", "is_reviewed"),
    "list": Route(("POST",), "function.routes.owners", "list_own", "list"),
    "delete": Route(("POST",), "function.routes.owners", "delete", "delete"),
    "erase": Route(("POST",), "function.routes.erase", "handle", ERASE),
    EVENTS: Route(("GET", "POST"), "function.routes.wechat_events", "handle", PUSH),
    "check-source": Route(("GET",), "function.routes.check_source", "handle", "is_checked_by_wechat"),
    HEALTH: Route(("GET",), "", ""),
}


# Looking a module up takes as long as reading a small body.
@cache
def function_of(route: Route) -> Any:
    """Return the function of a route, after importing its module."""
    return getattr(import_module(route.module), route.function)
