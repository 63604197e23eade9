"""
The local STS: AssumeRole and GetCallerIdentity over HTTP, checked as strictly as the documentation reads.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from local.common.accounts import AccessKey, Accounts
from local.common.clock import Clock, utc_now
from local.common.faults import Fault, Faults
from local.common.http_server import Handler
from local.common.service import Service
from local.rpc.callers import WINDOW, Nonces, authenticate
from local.rpc.errors import NO_SUCH_ACTION, Refusal, RpcError, new_request_id, refusal_body
from local.rpc.request import HttpRequest, read_parameters
from local.rpc.signature import read_signed
from local.sts import faults
from local.sts.assume_role import Role, Session, open_session, read_assume_role

API_VERSION = "2015-04-01"
BODY_BYTES = 64 * 1024
CALLS_KEPT = 10_000
# Everything not listed stays out of the record: signatures, tokens, and whatever a client may add.
RECORDED = frozenset(
    "AccessKeyId Action DurationSeconds Format Policy RoleArn RoleSessionName SignatureMethod "
    "SignatureVersion SourceIdentity Timestamp Version".split()
)


@dataclass(frozen=True)
class Call:
    """
    One request that arrived, whatever became of it.

    Args:
        action: empty when the request named none.

        parameters: those worth asserting on, none of them secret.
    """

    action: str
    parameters: Mapping[str, str]
    time: datetime
    path: str


class StsServer(Service):
    """
    One local STS for one account.

    Args:
        accounts: the keys that may call; temporary keys handed out are added.

        role_arn, role_policy: a role that can be assumed, and the RAM document that limits every session of
            it; ``None`` sets no limit.

        more_roles: others, each with its document.

        port: ``0`` takes any free one.

        clock_window: how far a caller's clock may be off; wider for a test that moves this clock while
            the SDK signs by the machine's.

        callers_now: the clock by which callers sign, where that is another.

    Attributes:
        roles: those that can be assumed, by ARN; may be replaced while running.
    """

    def __init__(
        self,
        accounts: Accounts,
        role_arn: str,
        role_policy: dict[str, Any] | None = None,
        port: int = 0,
        now: Clock = utc_now,
        max_session_seconds: int = 43200,
        clock_window: timedelta = WINDOW,
        callers_now: Clock | None = None,
        more_roles: Mapping[str, dict[str, Any] | None] = MappingProxyType({}),
    ) -> None:
        self.faults = Faults(faults.KINDS)
        self.now = now
        self._accounts = accounts
        self.roles = {
            arn: Role(arn, policy, max_session_seconds)
            for arn, policy in {role_arn: role_policy, **more_roles}.items()
        }
        self._account = self.roles[role_arn].account
        self._callers_now = callers_now
        self._nonces = Nonces(clock_window)
        self._sessions: dict[str, Session] = {}
        self._calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        super().__init__(partial(_Handler, self), port)

    @property
    def calls(self) -> list[Call]:
        """The last 10,000 requests, oldest first; those to the switchboard of faults are not among them."""
        return list(self._calls)

    def reset(self) -> None:
        """Forget what was asked; sessions stay good."""
        self._calls.clear()

    def record(self, request: HttpRequest, now: datetime) -> None:
        action = request.header("x-acs-action") if _is_acs3(request) else None
        try:
            parameters = read_parameters(request)
        except RpcError:
            parameters = {}
        self._calls.append(
            Call(action or parameters.get("Action", ""), _recordable(parameters), now, request.path)
        )

    def serve(self, request: HttpRequest, now: datetime, fault: str = "") -> dict[str, Any]:
        """
        Check one request and answer it.

        Raises:
            RpcError: what is wrong with it.
        """
        signed = read_signed(request)
        signed_at = self._callers_now() if self._callers_now else now
        caller = authenticate(signed, self._accounts, self._nonces, signed_at)
        if signed.version != API_VERSION:
            message = f"Specified parameter Version is not valid; this service is {API_VERSION}."
            raise RpcError(400, "InvalidVersion", message)
        if signed.action == "AssumeRole":
            asked = read_assume_role(signed.parameters, self.roles)
            end = faults.end_of(fault, now)
            session = open_session(asked, caller, self.roles, now, end)
            self._sessions[session.key.access_key_id] = session
            self._accounts.add(session.key)
            return session.to_json()
        if signed.action == "GetCallerIdentity":
            return self._identity(caller)
        raise RpcError(*NO_SUCH_ACTION)

    def _identity(self, caller: AccessKey) -> dict[str, Any]:
        account = self._account
        session = self._sessions.get(caller.access_key_id)
        if session is not None:
            about = {"IdentityType": "AssumedRoleUser", "RoleId": session.id.partition(":")[0]}
            arn, principal = session.arn, session.id
        elif caller.policies:
            # Accounts do not know user names; the key id stands for its user.
            about = {"IdentityType": "RAMUser", "UserId": caller.access_key_id}
            arn, principal = f"acs:ram::{account}:user/{caller.access_key_id}", caller.access_key_id
        else:
            about = {"IdentityType": "Account", "UserId": account}
            arn, principal = f"acs:ram::{account}:root", account
        return {"AccountId": account, "Arn": arn, "PrincipalId": principal, **about}


def _is_acs3(request: HttpRequest) -> bool:
    return any(name.lower() == "authorization" for name, _ in request.headers)


class _Handler(Handler):
    def __init__(self, sts: StsServer, *connection: Any) -> None:
        self.sts = sts
        super().__init__(*connection)

    def _serve(self) -> None:
        if self.serve_faults(self.sts.faults):
            return
        body = self.read_body(BODY_BYTES)
        if body is None:
            return
        path, _, query = self.path.partition("?")
        request = HttpRequest(self.command, path, query, tuple(self.headers.items()), body)
        now = self.sts.now()
        self.sts.record(request, now)
        fault = self.sts.faults.take()
        if fault is None or not self._play(fault):
            self._answer(request, now, fault.kind if fault else "")

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _play(self, fault: Fault) -> bool:
        if fault.kind not in faults.REFUSALS:
            return self.play(fault, faults.ANSWERS)
        self._refuse(faults.REFUSALS[fault.kind])
        return True

    def _answer(self, request: HttpRequest, now: datetime, fault: str) -> None:
        try:
            if request.method not in ("GET", "POST"):
                raise RpcError(405, "UnsupportedHTTPMethod", "Call this service with GET or POST.")
            answer = self.sts.serve(request, now, fault)
        except RpcError as error:
            self._refuse(error.refusal)
            return
        if fault == faults.MISSING_FIELD:
            answer.get("Credentials", {}).pop("SecurityToken", None)
        request_id = new_request_id()
        self.answer_json(200, {"RequestId": request_id, **answer}, x_acs_request_id=request_id)

    def _refuse(self, refusal: Refusal) -> None:
        body = refusal_body(refusal, self.sts.origin, "Sts")
        self.answer_json(refusal.status, body, x_acs_request_id=body["RequestId"])


def _recordable(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters kept for assertions: listed names, values cut to 4096 characters."""
    return {name: value[:4096] for name, value in parameters.items() if name in RECORDED}
