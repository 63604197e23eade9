"""
A delivery beside many running checks: too many for every order, so one order alone, by the function's clock.

Each call takes a while and a tick ends with its time: what is due must not wait for what is only asked about.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from function.http.client import ExchangeFailed
from quality.explore.cloud import ENVIRONMENT, START
from tests.support.world import World

RUNNING, TICKS, CALL_SECONDS = 200, 3, 0.025
ENVIRON = {**ENVIRONMENT, "PROFILES_FILE": str(Path(__file__).with_name("crowd_profiles.toml"))}


class Crowd(World):
    """Videos that Aliyun is still looking at, and one upload of which the business has not heard."""

    def __init__(self, running: int = RUNNING) -> None:
        self.instant, self.elapsed, self.is_down = START, 0.0, False
        super().__init__(ENVIRON, lambda: self.instant, life=timedelta(hours=12))
        self.function.ready().monotonic = lambda: self.elapsed
        for _ in range(running):
            self.store("film", filename="a.mp4", size=1)
        self.is_down = True
        form = self.form("note")
        assert self.oss.post(form["formData"], "bytes") == 200
        self.told_of = self.ask("confirm", ticket=form["ticket"]).json["receipt"]
        self.is_down = False

    def exchange(self, method: str, url: str, **options: Any) -> Any:
        self.elapsed += CALL_SECONDS
        if self.is_down and "shop.example.com" in url:
            raise ExchangeFailed("ConnectionRefusedError")
        return super().exchange(method, url, **options)

    def hears_in(self, ticks: int) -> int | None:
        """The number of the tick in which the business hears of it; ``None`` if it is none of these."""
        self.events.clear()
        self.instant += timedelta(minutes=1)
        for number in range(1, ticks + 1):
            self.instant += timedelta(minutes=1)
            self.green.answers = ["running"] * 9999
            self.tick()
            if any(event.get("receipt") == self.told_of for event in self.events):
                return number
        return None
