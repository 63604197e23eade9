"""The routes: one table; one module for each resource."""

from typing import NamedTuple


class Route(NamedTuple):
    """
    Handler of a path segment.

    Args:
        module: imported when the route is first asked for.

        function: takes a ``RequestContext``; returns a JSON object, or a ``Response`` for another format.
    """

    methods: tuple[str, ...]
    module: str
    function: str


# The last segment of the path names one. ``health`` needs no settings, so the edge answers it itself.
DEFAULT_ROUTE, HEALTH = "upload-params", "health"
ROUTES = {
    DEFAULT_ROUTE: Route(("GET", "POST"), "function.routes.upload_params", "handle"),
    "login": Route(("POST",), "function.routes.login", "handle"),
    "callback": Route(("POST",), "function.routes.callback", "handle"),
    "confirm": Route(("POST",), "function.routes.confirm", "handle"),
    "read": Route(("POST",), "function.routes.read", "handle"),
    "multipart": Route(("POST",), "function.routes.multipart", "begin"),
    "multipart-parts": Route(("POST",), "function.routes.multipart", "parts"),
    "multipart-complete": Route(("POST",), "function.routes.multipart", "complete"),
    "multipart-abort": Route(("POST",), "function.routes.multipart", "abort"),
    "commit": Route(("POST",), "function.routes.held", "commit"),
    "discard": Route(("POST",), "function.routes.held", "discard"),
    "status": Route(("POST",), "function.routes.held", "status"),
    "wechat-events": Route(("GET", "POST"), "function.routes.wechat_events", "handle"),
    HEALTH: Route(("GET",), "", ""),
}
