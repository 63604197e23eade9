"""Requests to quota stores, and a scripted Redis."""

import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from function.config.types import Rate
from function.errors import QuotaExceeded, UploadError
from function.limits.quota import QuotaItem, QuotaRequest, StoreDown
from function.limits.rate_limit import RateLimitItem

# Instead of the budget, where that is not tested: a busy machine may be late.
PATIENCE = 20.0
NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
PASSWORD = "RedisPasswordSecretCanary0001"
TODAY = 20_781
NOON = TODAY * 86_400 + 43_200


def quota_request(request_id="r", files=1, bytes_=10, owner="ann", rates=(), most=(3, 100), profile="p"):
    return QuotaRequest(request_id, owner, tuple(rates), (QuotaItem(profile, *most, files, bytes_),))


def left(days):
    ((files, bytes_, _),) = days
    return files, bytes_


def refusal(store, wanted, now):
    with pytest.raises(QuotaExceeded) as raised:
        store.count(wanted, now)
    quota = raised.value.details["quota"]
    return quota["filesLeft"], quota["bytesLeft"]


def follow(store, clock, steps):
    """
    Count and give back; compare what is left, or the error's code and what is left.

    A step is seconds to wait, action, request id, fields of the request, expected result.
    """
    for wait, action, request_id, fields, expected in steps:
        now = clock.tick(seconds=wait)
        rates = [RateLimitItem("forms", Rate(*rate), "ann", *more) for rate, *more in fields.get("rates", ())]
        request = quota_request(request_id, **{**fields, "rates": rates})
        if action == "give back":
            store.give_back(request, now)
            continue
        try:
            found = left(store.count(request, now))
        except QuotaExceeded as error:
            quota = error.details["quota"]
            found = (error.code, quota["filesLeft"], quota["bytesLeft"])
        except UploadError as error:
            found = error.code
        assert found == expected, request_id


def failure(store, request_id="x", now=NOW):
    """Return the kind of a store's failure, which shows nothing else."""
    with pytest.raises(StoreDown) as raised:
        store.count(quota_request(request_id), now)
    error = raised.value
    assert str(error) == error.kind
    assert error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
    return error.kind


def numbers(*values):
    return f"*{len(values)}\r\n{''.join(f':{value}' + chr(13) + chr(10) for value in values)}".encode()


COUNTED = numbers(0, 0, 0, NOON, TODAY, 1, 10)


class Canned:
    """
    Replies to each command with the next of these, and records the commands; ``None`` hangs up.

    ``hung_up`` is released for each connection that has ended.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.received = []
        self.hung_up = threading.Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def close(self):
        # Closing alone does not wake accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, suppress(OSError):
            while data := connection.recv(65_536):
                self.received.append(data)
                answer = self.answers.pop(0) if self.answers else None
                if answer is None:
                    break
                connection.sendall(answer)
        self.hung_up.release()
