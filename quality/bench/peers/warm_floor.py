"""The warm floors: the same event to the same answer, written inline, with its log line."""

import floor
import reading_floor
from requests_of_clients import event, event_to_read
from runtime import LOG
from timing import serve

one, nine = event(1), event(9)
thumbnail, thumbnails = event_to_read(1), event_to_read(50)
serve(
    {
        "1": lambda: floor.answer_event(one, LOG),
        "9": lambda: floor.answer_event(nine, LOG),
        "read 1": lambda: reading_floor.answer_event(thumbnail, LOG),
        "read 50": lambda: reading_floor.answer_event(thumbnails, LOG),
    }
)
