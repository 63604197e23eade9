"""The warm floors: the same event to the same answer, written inline; with a form's log line and without."""

import os
from datetime import UTC, datetime
from pathlib import Path

import floor
import reading_floor
import tuned_floor
from requests_of_clients import event, event_to_read
from task import STORED_KEY
from timing import serve

log = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the process lives
one, nine = event(1), event(9)
thumbnail, thumbnails = event_to_read(1), event_to_read(50)
now = datetime.now(UTC).replace(microsecond=0)
serve(
    {
        "1": lambda: floor.answer_event(one, log),
        "9": lambda: floor.answer_event(nine, log),
        "1, no log line": lambda: floor.answer_event(one, None),
        "1, tuned": lambda: tuned_floor.answer_event(one, log),
        "9, tuned": lambda: tuned_floor.answer_event(nine, log),
        "read 1": lambda: reading_floor.answer_event(thumbnail, log),
        "read 50": lambda: reading_floor.answer_event(thumbnails, log),
        "presigned": lambda: reading_floor.presigned(STORED_KEY, "thumb", now),
    }
)
