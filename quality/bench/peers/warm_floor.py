"""The warm floors: the same event to the same answer, written inline; with a form's log line and without."""

from datetime import UTC, datetime

import floor
import reading_floor
import tuned_floor
from requests_of_clients import event, event_to_read
from runtime import LOG
from task import STORED_KEY
from timing import serve

one, nine = event(1), event(9)
thumbnail, thumbnails = event_to_read(1), event_to_read(50)
now = datetime.now(UTC).replace(microsecond=0)
serve(
    {
        "1": lambda: floor.answer_event(one, LOG),
        "9": lambda: floor.answer_event(nine, LOG),
        "1, no log line": lambda: floor.answer_event(one, None),
        "1, tuned": lambda: tuned_floor.answer_event(one, LOG),
        "9, tuned": lambda: tuned_floor.answer_event(nine, LOG),
        "read 1": lambda: reading_floor.answer_event(thumbnail, LOG),
        "read 50": lambda: reading_floor.answer_event(thumbnails, LOG),
        "presigned": lambda: reading_floor.presigned(STORED_KEY, "thumb", now),
    }
)
