"""Control API of the local WeChat, for people and tests: planned checks, and the push."""

from dataclasses import asdict
from typing import Any

from local.common.login import CODES, LoginHandler, json_object
from local.wechat.check_plan import CHOICES, read_planned_check
from local.wechat.platform import Wechat
from local.wechat.push import verify
from local.wechat.revocations import read_revocation

PLAN, WAITING, PUSH = "/-/check", "/-/check/waiting", "/-/push"
REVOCATION = "/-/revocation"


class ControlApi(LoginHandler):
    """One connection that may be about the switches."""

    def __init__(self, wechat: Wechat, *connection: Any) -> None:
        self.wechat = wechat
        super().__init__(wechat, *connection)

    def serve_control(self, path: str, body: bytes) -> bool:
        """Serve a path of this board, and say whether it was one."""
        serve = {
            CODES: self.issue,
            PLAN: self._serve_plan,
            WAITING: self._release,
            PUSH: self._tell_of_push,
            REVOCATION: self._revoke,
        }.get(path)
        if serve is None:
            return False
        if path == CODES or not self.turns_away_strangers():
            serve(body)
        return True

    def _serve_plan(self, body: bytes) -> None:
        """
        ``PUT`` or ``POST`` of an outcome plans it for the next checks, ``DELETE`` forgets all, ``GET`` lists
        the choices, what is planned, and how the latest pushes went.
        """
        checks = self.wechat.checks
        if self.command == "DELETE":
            checks.plan.clear()
        elif self.command != "GET":
            try:
                planned = read_planned_check(json_object(body) or {"a planned check": "is a JSON object"})
            except ValueError as error:
                self.answer_json(400, {"error": str(error)})
                return
            checks.plan.add(planned)
        self.answer_json(
            200,
            {
                "choices": CHOICES,
                "planned": [asdict(planned) for planned in checks.plan.planned()],
                "waiting": checks.delivery.waiting(),
                "pushed": [pushed._asdict() for pushed in list(checks.pushed)[-20:]],
            },
        )

    def _release(self, body: bytes) -> None:
        """``POST`` pushes at once what waits for its time, late ones too."""
        if self.command != "POST":
            self.answer_json(405, {"error": f"push what waits with POST {WAITING}"}, Allow="POST")
            return
        self.answer_json(200, {"released": self.wechat.checks.delivery.release()})

    def _revoke(self, body: bytes) -> None:
        """``POST`` pushes what WeChat does when a user takes an authorisation back."""
        if self.command != "POST":
            self.answer_json(405, {"error": f"push a revocation with POST {REVOCATION}"}, Allow="POST")
            return
        try:
            revocation = read_revocation(json_object(body) or {})
        except ValueError as error:
            self.answer_json(400, {"error": str(error)})
            return
        if not self.wechat.checks.tell_of(revocation):
            self.answer_json(404, {"error": "this mini-program has no message push"})
            return
        self.answer_json(200, asdict(revocation))

    def _tell_of_push(self, body: bytes) -> None:
        """
        ``GET`` names the address of the push, of the first mini-program or that of ``{"app"}``; ``POST`` asks
        it for an ``echostr``, as the console does.
        """
        wanted = (json_object(body) or {}).get("app") or next(iter(self.wechat.apps))
        push = self.wechat.checks.pushes.get(str(wanted))
        if push is None:
            self.answer_json(404, {"error": "this mini-program has no message push"})
            return
        told: dict[str, Any] = {"url": push.url}
        if self.command == "POST":
            told["verified"] = verify(push, int(self.wechat.now().timestamp()))
        self.answer_json(200, told)
