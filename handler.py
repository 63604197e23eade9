"""
What Function Compute calls: ``handler`` and ``initialize``, the routes, and where everything meets.
"""

import json
import logging
import os
import threading
import time
import traceback
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

import upload_request
from callers import identify, log_in
from credentials_cache import CredentialsCache
from errors import InternalError, MethodNotAllowed, NotFound, UploadError
from http_trigger import (
    Request,
    Response,
    request_from_event,
    request_from_wsgi,
    request_id_of,
    response_to_event,
    response_to_wsgi,
)
from outgoing_http import Exchange, exchange
from post_policy import iso
from rate_limit import RateLimit, address_group
from settings import EXPIRY_MARGIN, read_settings
from sts_credentials import StsClient, StsCredentials, own_access_keys
from upload_callback import OssPublicKeys, tell_business, verify_callback
from upload_params import answer_upload, plan_upload

METHODS = {
    "upload-params": ("GET", "POST"),
    "login": ("POST",),
    "callback": ("POST",),
    "health": ("GET",),
}
ID_BYTES = 16
CORS_MAX_AGE_SECONDS = "600"
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
LOG_FIELDS = dict.fromkeys("requestId route status code ms profile owner key uploadId stsRefreshed".split())

log = logging.getLogger("oss_direct_upload")
# Not on the watch for circles: what is encoded was put together just before.
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
Record = dict[str, Any]


class Surroundings(NamedTuple):
    """Time, randomness, environment and network, which enter here and nowhere else."""

    environ: Mapping[str, str]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random_bytes: Callable[[int], bytes] = os.urandom
    sleep: Callable[[float], None] = time.sleep
    exchange: Exchange = exchange

    def __repr__(self) -> str:
        # The environment holds secrets.
        return "Surroundings(…)"


class Function:
    """One instance: its settings, read once, and what it keeps between requests."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._lock = threading.Lock()
        self._service: _Service | None = None

    def initialize(self, context: object | None) -> None:
        """Warm the instance; a failure is logged and left to the first request."""
        try:
            self._ready().warm(context, self._around.now())
        except UploadError as error:
            log.error("initialize: %s", error.reason or error.message)

    def respond(self, read_request: Callable[[], Request], context: object | None) -> Response:
        """
        Answer one request and write its log line, whatever happens.

        Args:
            read_request: may raise; that, too, is answered.
        """
        started = time.perf_counter()
        record: Record = {"requestId": request_id_of(context)}
        request = None
        try:
            request = read_request()
            record["requestId"] = request.request_id or self._new_request_id()
            response = self._route(request, record)
        except UploadError as error:
            record["requestId"] = record["requestId"] or self._new_request_id()
            response = _error_response(error, record)
        except Exception as error:  # noqa: BLE001 - the edge: nothing may escape to the runtime
            record["requestId"] = record["requestId"] or self._new_request_id()
            record["reason"] = _where(error)
            response = _error_response(InternalError("Something went wrong here."), record)
        if request is not None:
            response = self._with_cors(response, request)
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        _write_log_line(record, response.status, milliseconds)
        return response

    def _new_request_id(self) -> str:
        """For servers that give none; it names a request in the log and guards nothing."""
        return self._quick_random_bytes(ID_BYTES).hex()

    @cached_property
    def _quick_random_bytes(self) -> Callable[[int], bytes]:
        # A call of the system for each request would let other threads in, see post_policy.HASHED_AT_ONCE.
        from random import Random

        return Random(self._around.random_bytes(ID_BYTES)).randbytes

    def _ready(self) -> "_Service":
        if self._service is None:
            with self._lock:
                if self._service is None:
                    self._service = _Service(self._around)
        return self._service

    def _route(self, request: Request, record: Record) -> Response:
        route = record["route"] = _route_of(request.path)
        if request.method == "OPTIONS":
            self._ready()
            return Response(204, headers={"Allow": ", ".join((*METHODS[route], "OPTIONS"))})
        if request.method not in METHODS[route]:
            raise MethodNotAllowed(
                f"/{route} takes {' and '.join(METHODS[route])}.", allowed=(*METHODS[route], "OPTIONS")
            )
        if route == "health":
            return _json_response(200, {"status": "ok"})
        service = self._ready()
        now = self._around.now().replace(microsecond=0)
        match route:
            case "login":
                return _json_response(200, service.login(request, now, record))
            case "callback":
                return _json_response(200, service.callback(request, now, record))
        return _json_response(200, service.upload_params(request, now, record))

    def _with_cors(self, response: Response, request: Request) -> Response:
        """Add the CORS headers of ``ALLOWED_ORIGINS``, on errors and preflights as well."""
        origin = request.headers.get("origin")
        allowed = self._service.settings.allowed_origins if origin and self._service else ()
        if not allowed:
            return response
        headers = {**response.headers, "Vary": "Origin"}
        if origin in allowed:
            headers |= {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
                "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Upload-Token",
                "Access-Control-Expose-Headers": "Retry-After",
                "Access-Control-Max-Age": CORS_MAX_AGE_SECONDS,
            }
        return Response(response.status, response.body, headers)


class _Service:
    """The routes that need settings."""

    def __init__(self, around: Surroundings) -> None:
        self.settings = settings = read_settings(around.environ)
        log.setLevel(settings.log_level)
        self._around = around
        client = StsClient(
            endpoint=settings.sts_endpoint,
            region=settings.region,
            role_arn=settings.role_arn,
            session_policy=settings.session_policy,
            session_life=settings.session_life,
            sleep=around.sleep,
        )
        longest_life = max(profile.expires_in for profile in settings.profiles.values())
        self._longest_form = longest_life + EXPIRY_MARGIN
        self._credentials = CredentialsCache(client.assume_role, self._longest_form)
        self._forms_per_caller = RateLimit(settings.caller_rate)
        self._logins_per_address = RateLimit(settings.login_rate)
        self._public_keys = OssPublicKeys(settings.callback_key_origin, around.exchange)

    def warm(self, context: object | None, now: datetime) -> None:
        self._fetch_credentials(context, now, now + self._longest_form)

    def login(self, request: Request, now: datetime, record: Record) -> dict[str, Any]:
        self._logins_per_address.take(address_group(request.source_ip), 1, now)
        code = upload_request.read_json_object(request.body).get("code")
        caller, answer = log_in(code, self.settings, now, self._around.exchange)
        record["owner"] = caller.owner
        return answer

    def callback(self, request: Request, now: datetime, record: Record) -> dict[str, Any]:
        receipt = verify_callback(
            headers=request.headers,
            path=request.path,
            raw_query=request.raw_query,
            body=request.body,
            settings=self.settings,
            keys=self._public_keys,
            now=now,
        )
        answer = receipt.answer
        record |= {
            "profile": receipt.profile,
            "owner": receipt.owner,
            "key": answer["key"],
            "uploadId": answer["uploadId"],
        }
        if self.settings.upload_webhook_url:
            problem = tell_business(
                self.settings.upload_webhook_url, answer["receipt"], self._around.exchange
            )
            record["webhook"] = problem or "ok"
        return answer

    def upload_params(self, request: Request, now: datetime, record: Record) -> dict[str, Any]:
        settings = self.settings
        caller = identify(request.headers, settings, now)
        record["owner"] = caller.owner
        files, are_many = _read_wanted(request)
        profiles = [upload_request.profile_of(wanted, settings.profiles) for wanted in files]
        record["profile"] = _one_or_all([profile.name for profile in profiles], are_many)
        if are_many:
            upload_request.refuse_files_of_a_page(profiles)
        uploads = [
            plan_upload(wanted, profile, caller, settings, upload_id=self._new_id(), now=now)
            for wanted, profile in zip(files, profiles, strict=True)
        ]
        is_anyone = settings.caller_auth == "anonymous"
        whose = address_group(request.source_ip) if is_anyone else caller.owner
        self._forms_per_caller.take(whose, len(files), now)
        good_until = max(upload.rule.expires_at for upload in uploads) + EXPIRY_MARGIN
        credentials, record["stsRefreshed"] = self._fetch_credentials(request.context, now, good_until)
        answers = [answer_upload(upload, credentials, settings.host, now) for upload in uploads]
        record["key"] = _one_or_all([upload.rule.key for upload in uploads], are_many)
        record["uploadId"] = _one_or_all([upload.upload_id for upload in uploads], are_many)
        return {"uploads": answers, "serverTime": iso(now)} if are_many else answers[0]

    def _new_id(self) -> str:
        return urlsafe_b64encode(self._around.random_bytes(ID_BYTES)).decode().rstrip("=")

    def _fetch_credentials(
        self, context: object | None, now: datetime, good_until: datetime
    ) -> tuple[StsCredentials, bool]:
        return self._credentials.get(
            lambda: own_access_keys(self._around.environ, context), now=now, good_until=good_until
        )


def _route_of(path: str) -> str:
    """The route that the last segment names; none, as in ``/`` or ``/prefix/``, asks for parameters."""
    *_, before, last = ["", *path.split("/")]
    # A slash too much behind a route's name is a slip of the hand, not another route.
    route = last or (before if before in METHODS else "upload-params")
    if route not in METHODS:
        raise NotFound("There is nothing here; the routes are upload-params, login, callback and health.")
    return route


def _read_wanted(request: Request) -> tuple[list[upload_request.WantedFile], bool]:
    if request.method == "GET":
        return [upload_request.read_query(request.query)], False
    return upload_request.read_body(request.body)


def _one_or_all(values: list[str], are_many: bool) -> str | list[str]:
    return values if are_many else values[0]


def _json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, _encode(value), {**JSON_HEADERS, **(headers or {})})


def _error_response(error: UploadError, record: Record) -> Response:
    record["code"] = error.code
    if error.reason:
        record["reason"] = error.reason
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    body = {"error": {"code": error.code, "message": error.message, "requestId": record["requestId"]}}
    return _json_response(error.status, body, headers)


def _where(error: BaseException) -> str:
    """Type and places of an error that nobody foresaw; never its text, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"


def _write_log_line(record: Record, status: int, milliseconds: float) -> None:
    line = {**LOG_FIELDS, **record, "status": status, "ms": milliseconds}
    level = logging.ERROR if status >= 500 else logging.INFO
    if log.isEnabledFor(level):
        # Not log.log: it looks up the file and line that log, which takes longer than the line itself.
        log.handle(log.makeRecord(log.name, level, "", 0, _encode(line), (), None))


_function = Function(Surroundings(os.environ))


def initialize(context: object | None) -> None:
    """FC's initializer: read the settings, import the SDK, assume the role once."""
    _function.initialize(context)


def handler(event_or_environ: Any, context_or_start_response: Any) -> Any:
    """
    FC's handler for both contracts: a 3.0 event (``bytes``), or a WSGI environment (``dict``).

    The first argument tells which it is; the second does not, for a context may be callable too.

    Returns:
        the response object of an FC 3.0 HTTP trigger, or the body of a WSGI answer.
    """
    return serve(_function, event_or_environ, context_or_start_response)


def serve(function: Function, event_or_environ: Any, context_or_start_response: Any) -> Any:
    """Answer one call of either contract with this function."""
    if isinstance(event_or_environ, dict):
        environ, start_response = event_or_environ, context_or_start_response
        response = function.respond(lambda: request_from_wsgi(environ), environ.get("fc.context"))
        return response_to_wsgi(response, start_response)
    context = context_or_start_response
    response = function.respond(lambda: request_from_event(event_or_environ, context), context)
    return response_to_event(response)
