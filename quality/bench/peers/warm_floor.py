"""The warm floor: the same event to the same answer, written inline, with its log line."""

import floor
from requests_of_clients import event
from runtime import LOG
from timing import serve

asked = event()
serve(lambda: floor.answer_event(asked, LOG))
