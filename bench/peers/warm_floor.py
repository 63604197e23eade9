"""The warm floors: the same event to the same answer, written inline, with its log line and without."""

import os
from pathlib import Path

import floor
import tuned_floor
from requests_of_clients import event
from timing import serve

log = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the process lives
one, nine = event(1), event(9)
serve(
    {
        "1": lambda: floor.answer_event(one, log),
        "9": lambda: floor.answer_event(nine, log),
        "1, no log line": lambda: floor.answer_event(one, None),
        "1, tuned": lambda: tuned_floor.answer_event(one, log),
        "9, tuned": lambda: tuned_floor.answer_event(nine, log),
    }
)
