"""
Control API of the local content moderation, for people and tests: planned answers, calls, what was billed.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from local.common.http_server import Handler
from local.green.plan import CHOICES, read_planned_answer

if TYPE_CHECKING:
    from local.green.server import GreenServer

PLAN = "/-/check"
CALLS_TOLD = 20


class ControlApi(Handler):
    """One connection that may be about the switches."""

    def __init__(self, green: "GreenServer", *connection: Any) -> None:
        self.green = green
        super().__init__(*connection)

    def serve_control(self, body: bytes) -> bool:
        """
        Serve ``/-/check``, and say whether this request was for it.

        ``PUT`` or ``POST`` of an answer plans it for the next calls, ``DELETE`` forgets all, ``GET`` lists
        the choices, what is planned, the latest calls and how many were billed.
        """
        if self.path != PLAN or self.turns_away_strangers():
            return self.path == PLAN
        if self.command == "DELETE":
            self.green.plan.clear()
        elif self.command != "GET":
            try:
                planned = read_planned_answer(json.loads(body))
            except (ValueError, RecursionError) as error:
                self.answer_json(400, {"error": str(error)})
                return True
            self.green.plan.add(planned)
        told = [{**asdict(call), "time": call.time.isoformat()} for call in self.green.calls]
        self.answer_json(
            200,
            {
                "choices": CHOICES,
                "planned": [asdict(planned) for planned in self.green.plan.planned()],
                "calls": told[-CALLS_TOLD:],
                "billed": dict(self.green.billed),
            },
        )
        return True
