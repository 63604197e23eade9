"""The warm floors: the same event to the same answer, written inline, with its log line."""

import floor
import reading_floor
from requests_of_clients import event, event_to_read
from runtime import LOG
from timing import FORM, READ_1, READ_50, serve

one, thumbnail, thumbnails = event(), event_to_read(1), event_to_read(50)
serve(
    {
        FORM: lambda: floor.answer_event(one, LOG),
        READ_1: lambda: reading_floor.answer_event(thumbnail, LOG),
        READ_50: lambda: reading_floor.answer_event(thumbnails, LOG),
    }
)
