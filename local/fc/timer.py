"""
Timer trigger of Function Compute: an asynchronous call each minute, repeated while the function raises.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/time-trigger (event) and
https://help.aliyun.com/zh/functioncompute/fc/user-guide/asynchronous-invocation-1 (attempts)
"""

import json
import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime

import requests

from local.common.clock import Clock

NAME = "timer"
# The first, and as many as maxAsyncRetryAttempts has by default.
ATTEMPTS = 4
SECONDS = 60
# Of a custom runtime, which has the headers of this call to tell it from a request of the HTTP trigger.
CUSTOM_PATH = "/invoke"
TIMEOUT_SECONDS = 30

log = logging.getLogger("local.fc.timer")
# Gets the event and the id of the call; raises what the function raises.
Invoke = Callable[[bytes, str], object]


class Timer:
    """
    One trigger that is enabled.

    Args:
        invoke: calls the function; by ``FcGateway.invoke``, or ``custom_runtime``.

        payload: of the trigger; the event has it as a text.
    """

    def __init__(self, invoke: Invoke, now: Clock, payload: str = "", name: str = NAME) -> None:
        self._invoke = invoke
        self._now = now
        self._payload = payload
        self._name = name
        self._ended = threading.Event()

    def tick(self) -> bool:
        """
        Send one event, and again with the same id while the function raises.

        Returns:
            whether an attempt went well; an answer of any kind does.
        """
        request_id = f"1-{secrets.token_hex(4)}-{secrets.token_hex(6)}"
        event = event_of(self._now(), self._name, self._payload)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._invoke(event, request_id)
            except (Exception, SystemExit):
                log.exception("%s: attempt %d of %d failed", self._name, attempt, ATTEMPTS)
            else:
                return True
        return False

    def start(self) -> None:
        """Tick each minute from now on, until ``stop``."""
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(SECONDS):
            # A tick that takes longer than a minute overlaps with the next.
            threading.Thread(target=self.tick, name=f"{self._name}-tick", daemon=True).start()


def event_of(at: datetime, name: str = NAME, payload: str = "") -> bytes:
    """Build the event, UTF-8 JSON, that ``handler(event, context)`` is given."""
    fields = {"triggerTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "triggerName": name, "payload": payload}
    return json.dumps(fields).encode()


def custom_runtime(origin: str) -> Invoke:
    """Return what calls the server of a custom runtime; any status but 200 is an error of the function."""

    def invoke(event: bytes, request_id: str) -> None:
        headers = {
            "Content-Type": "application/octet-stream",
            "x-fc-request-id": request_id,
            "x-fc-control-path": CUSTOM_PATH,
        }
        url = f"{origin}{CUSTOM_PATH}"
        answer = requests.post(url, data=event, headers=headers, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()

    return invoke
