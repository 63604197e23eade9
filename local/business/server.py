"""The pretend business over HTTP, as the playground and the example mini-program know it."""

import json
from functools import partial
from typing import Any

from local.business.service import Business, Refused, Said
from local.common.http_server import Handler
from local.common.reach import HERE_ONLY, Reach
from local.common.service import Service

BODY_BYTES = 128 * 1024
ROUTES = (
    *("GET /posts", "POST /posts", "POST /webhook", "GET /deliveries"),
    *("POST /commits", "POST /decisions", "POST /discards"),
)


class BusinessServer(Service):
    """
    One pretend business.

    ``POST /posts`` with ``{"text", "receipts"}`` takes a post, ``GET /posts`` has them all, ``POST /webhook``
    is the function's ``UPLOAD_WEBHOOK_URL``, and ``GET /deliveries`` has what came there. ``POST /commits``,
    ``/decisions`` and ``/discards`` with ``{"receipt"}`` are its own people's: the function is asked with a
    backend token, its answer passed on.

    Args:
        port: ``0`` takes any free one.
    """

    def __init__(self, business: Business, port: int = 0, reach: Reach = HERE_ONLY) -> None:
        self.business = business
        super().__init__(partial(_Handler, business), port, reach)


class _Handler(Handler):
    def __init__(self, business: Business, *connection: Any) -> None:
        self._business = business
        super().__init__(*connection)

    def _serve(self) -> None:
        if self.is_of_foreign_page():
            self.turn_away(403, "This is done by pages of this machine only.")
            return
        body = self.read_body(BODY_BYTES)
        if body is None:
            return
        try:
            self._answer(*self._result(f"{self.command} {self.path.partition('?')[0]}", body))
        except Refused as refused:
            self._answer(refused.status, {"error": refused.sentence})

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def do_OPTIONS(self) -> None:
        if self.is_of_foreign_page():
            self.turn_away(403, "This is done by pages of this machine only.")
            return
        self.answer(
            204,
            Access_Control_Allow_Origin=self.headers.get("Origin", "*"),
            Access_Control_Allow_Methods="GET, POST",
            Access_Control_Allow_Headers="authorization, content-type",
            Access_Control_Max_Age="600",
        )

    def _result(self, route: str, body: bytes) -> tuple[int, Any]:
        if route == "GET /posts":
            return 200, {"posts": self._business.told()}
        if route == "GET /deliveries":
            return 200, {"deliveries": self._business.deliveries()}
        if route not in ROUTES:
            raise Refused(404, f"There are {', '.join(ROUTES)}.")
        given = _object_in(body)
        receipt = given.get("receipt")
        if route == "POST /posts":
            return 200, self._business.publish(given.get("text", ""), given.get("receipts"))
        if route == "POST /webhook":
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._business.receive(headers, body, given)
            return 200, {}
        if route == "POST /commits":
            return _passed_on(self._business.commit(receipt))
        if route == "POST /decisions":
            return _passed_on(self._business.decide(receipt, given.get("decision")))
        return _passed_on(self._business.discard(receipt))

    def _answer(self, status: int, value: Any) -> None:
        origin = self.headers.get("Origin")
        allowed = {"Access_Control_Allow_Origin": origin, "Vary": "Origin"} if origin else {}
        self.answer_json(status, value, Cache_Control="no-store", **allowed)


def _passed_on(said: Said) -> tuple[int, Any]:
    return (said.status, said.value) if said.status else (502, {"error": "The function does not answer."})


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Refused(400, "The body is a JSON object.")
    return given
