"""The HTTP side of the local content moderation: the RPC gateway, then the service, and switches."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from local.common.accounts import Accounts
from local.common.clock import Clock, utc_now
from local.common.faults import Fault, Faults
from local.common.service import Service
from local.green import codes, faults
from local.green.codes import GreenError
from local.green.control_api import ControlApi
from local.green.plan import USUAL, PlannedAnswer
from local.green.request import ACTIONS
from local.green.rules import GreenRules
from local.green.service import Moderation, NameOf, Silence, UrlOf
from local.rpc.callers import Nonces, authenticate
from local.rpc.errors import NO_SUCH_ACTION, Refusal, RpcError, refusal_body
from local.rpc.request import HttpRequest, read_parameters
from local.rpc.signature import SignedRequest, read_signed

API_VERSION = "2022-03-02"
BODY_BYTES = 64 * 1024
SILENCE_SECONDS = 10.0


class GreenServer(Moderation, Service):
    """
    One local content moderation of one account.

    Args:
        accounts: the keys that may call, each as far as its policies allow.

        port: ``0`` takes any free one.

        callers_now: the clock by which callers sign, where that is another.

        rules, name_of, url_of: as ``Moderation`` has them.

    Attributes:
        delay: seconds until an answer, beside the time for getting the file.

        silence: seconds after which a connection without an answer ends.
    """

    def __init__(
        self,
        accounts: Accounts,
        port: int = 0,
        now: Clock = utc_now,
        callers_now: Clock | None = None,
        rules: GreenRules | None = None,
        name_of: NameOf | None = None,
        url_of: UrlOf | None = None,
    ) -> None:
        Moderation.__init__(self, now, rules, name_of, url_of)
        self.faults = Faults(faults.KINDS, calls=ACTIONS)
        self.delay = self.rules.moderation_takes_ms / 1000
        self.silence = SILENCE_SECONDS
        self._accounts = accounts
        self._callers_now = callers_now or now
        self._nonces = Nonces()
        Service.__init__(self, partial(_Handler, self), port)

    def admit(self, request: HttpRequest) -> SignedRequest:
        """
        Raises:
            RpcError, GreenError: what is wrong with the request.
        """
        if request.method != "POST":
            raise RpcError(405, "UnsupportedHTTPMethod", "Call this service with POST.")
        signed = read_signed(request)
        caller = authenticate(signed, self._accounts, self._nonces, self._callers_now())
        if signed.version != API_VERSION:
            message = f"Specified parameter Version is not valid; this service is {API_VERSION}."
            raise RpcError(400, "InvalidVersion", message)
        if signed.action not in ACTIONS:
            raise RpcError(*NO_SUCH_ACTION)
        self.check_right(caller, signed.action)
        return signed


class _Handler(ControlApi):
    green: GreenServer

    def _serve(self) -> None:
        if self.serve_faults(self.green.faults):
            return
        body = self.read_body(BODY_BYTES)
        if body is None or self.serve_control(body):
            return
        path, _, query = self.path.partition("?")
        request = HttpRequest(self.command, path, query, tuple(self.headers.items()), body)
        action, given = _named(request)
        fault = self.green.faults.take(action)
        if fault is not None and self._play(fault):
            return
        planned = USUAL
        try:
            signed = self.green.admit(request)
            planned = self.green.plan.take(signed.action)
            data = self.green.answer(signed.action, signed.parameters, planned)
            code = codes.DONE
        except RpcError as error:
            self._refuse(error.refusal)
            return
        except GreenError as error:
            data, code = None, error.code_by(self.green.rules)
        except Silence:
            self.green.record(action, given, 0)
            self.server.stopping.wait(self.green.silence)
            self.drop_connection()
            return
        self.green.record(action, given, code)
        self._say(action, code, data, planned, fault)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _say(self, action: str, code: int, data: Any, planned: PlannedAnswer, fault: Fault | None) -> None:
        delay = self.green.delay if planned.delay is None else planned.delay
        if delay:
            self.server.stopping.wait(delay)
        body = self.green.said(action, code, data, planned.shape)
        is_status = self.green.rules.moderation_code_is_status and 400 <= code < 600
        status = code if is_status else 200
        if fault is not None and fault.kind == faults.SLOW_BODY:
            self._trickle(status, body, fault.seconds)
        else:
            self.answer_json(status, body, x_acs_request_id=body["RequestId"])

    def _trickle(self, status: int, body: Mapping[str, Any], pause: float) -> None:
        """Send a good answer byte by byte."""
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        for byte in text:
            if self.server.stopping.wait(pause):
                break
            self.wfile.write(bytes([byte]))

    def _play(self, fault: Fault) -> bool:
        """Play a fault, and say whether that was the answer."""
        if fault.kind in faults.REFUSALS:
            self._refuse(faults.REFUSALS[fault.kind])
            return True
        return self.play(fault, faults.ANSWERS)

    def _refuse(self, refusal: Refusal) -> None:
        body = refusal_body(refusal, self.green.origin, "Green")
        self.answer_json(refusal.status, body, x_acs_request_id=body["RequestId"])


def _named(request: HttpRequest) -> tuple[str, Mapping[str, str]]:
    """The action that a request names, and its parameters; nothing where they cannot be read."""
    try:
        given = read_parameters(request)
    except RpcError:
        return "", {}
    action = request.header("x-acs-action") if request.header("authorization") else given.get("Action")
    return (action if action in ACTIONS else ""), given
