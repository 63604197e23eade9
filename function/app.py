"""The edge: routing, CORS, errors and the log line; no exception escapes it."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path

from function import VERSION
from function.annotations import Any
from function.auth import CallerKinds
from function.config.profile import CREDENTIALS_MARGIN, SessionKey
from function.config.settings import Settings, read_settings
from function.context import ID_BYTES, Dependencies, Instance, RequestContext
from function.errors import InternalError, MethodNotAllowed, NotFound, UploadError
from function.http.gateway import Request, Response, TimerEvent, deployed_as, request_id_of
from function.request_log import LogLine, encode, lines_of, log, readable_traceparent
from function.routes import DEFAULT_ROUTE, ERASE, EVENTS, HEALTH, LOGIN, PUSH, ROUTES, function_of
from function.sts.assume_role import StsClient, own_access_keys
from function.sts.credentials import CredentialsCache
from function.sts.session_policy import UPLOADS, session_policies

CORS_MAX_AGE_SECONDS = "600"
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
# In the log; no path leads there. One line names this many failures at most.
TICK, MAX_REASONS = "tick", 5
# Marks the first response of an instance, so that measurements can tell cold starts.
COLD_HEADERS = {"Server-Timing": "cold"}


class Function:
    """The request handler of one process; its ``Instance`` is made with the first request."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._lock = threading.Lock()
        self._ticking = threading.Lock()
        self._instance: Instance | None = None
        # Yields True once, whichever thread is first.
        self._first = iter((True,))

    def ready(self) -> Instance:
        """Return the state of this instance, made on first use."""
        if self._instance is None:
            with self._lock:
                if self._instance is None:
                    self._instance = _new_instance(self._dependencies)
        return self._instance

    def initialize(self, context: object | None) -> None:
        """
        Warm the instance; a failure is logged and left to the first request.

        After an exception FC would fail every call of the instance, ``/health`` as well.
        """
        try:
            instance = self.ready()
            import_module(ROUTES[DEFAULT_ROUTE].module)
            for entry in instance.settings.callers:
                entry.kind.prepare()
            now = self._dependencies.now()
            # Only the first profile's bucket: warming all of several would delay every cold start.
            session = next(iter(instance.settings.session_policies))
            life = _longest_life(instance.settings, session)
            instance.credentials_for(session, context, now, [now + life])
            instance.limiter.prepare(now)
            log.info("initialize: ready (version %s)", VERSION)
        except Exception as error:  # noqa: BLE001 - the edge: nothing may escape to the runtime
            known = _as_upload_error(error)
            log.error("initialize: %s (version %s)", known.reason or known.message, VERSION)

    def respond(self, read_request: Callable[[], Request], context: object | None) -> Response:
        """
        Answer one request and write its log line, even if the request cannot be read.

        Raises:
            TimerEvent: it was no request, but a tick, which was run.
        """
        started = time.perf_counter()
        line = LogLine()
        line.is_cold = next(self._first, False)
        request = None
        try:
            request = read_request()
            line.request_id = request.request_id or self._new_request_id()
            if "traceparent" in request.headers:
                line.traceparent = readable_traceparent(request.headers["traceparent"])
            response = self._route(request, line)
        except TimerEvent:
            self.tick(context, is_cold=line.is_cold)
            raise
        except Exception as error:  # noqa: BLE001 - the edge: nothing may escape to the runtime
            line.request_id = line.request_id or request_id_of(context) or self._new_request_id()
            response = _error_response(_as_upload_error(error), line)
        if request is not None and "origin" in request.headers:
            response = self._with_cors(response, request.headers["origin"])
        if line.is_cold:
            response = response._replace(headers={**response.headers, **COLD_HEADERS})
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        line.write(response.status, milliseconds, self._dependencies.write_line)
        return response

    def tick(self, context: object | None, *, is_cold: bool = False) -> None:
        """
        Continue what is due, and write one log line; while a tick runs, another does nothing.

        It raises nothing, because FC would repeat the call.
        """
        if self._ticking.acquire(blocking=False):
            try:
                self._tick(context, is_cold=is_cold)
            finally:
                self._ticking.release()

    def _tick(self, context: object | None, *, is_cold: bool) -> None:
        started = time.perf_counter()
        line = LogLine(request_id_of(context) or self._new_request_id())
        line.route, line.is_cold = TICK, is_cold
        failures: list[UploadError] = []
        reasons: list[str] = []

        def attempt(step: Callable[[], None]) -> None:
            try:
                step()
            except Exception as error:  # noqa: BLE001 - the edge: one record stops no other
                failures.append(_as_upload_error(error))
                line.reason = failures[-1].reason or failures[-1].message
            reasons.extend([line.reason] if line.reason else [])
            line.reason = None

        attempt(lambda: self._continue_due(line, context, attempt))
        line.code = failures[0].code if failures else None
        line.reason = "; ".join(dict.fromkeys(reasons[:MAX_REASONS]))
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        line.write(failures[0].status if failures else 200, milliseconds, self._dependencies.write_line)

    def _continue_due(
        self, line: LogLine, context: object | None, attempt: Callable[[Callable[[], None]], None]
    ) -> None:
        from function.operations.tick import TICK_SECONDS, continue_due

        request = Request("POST", f"/{TICK}", {}, "", {}, b"", "", line.request_id, context)
        continue_due(RequestContext(request, self.ready(), line, TICK_SECONDS), attempt)

    def _new_request_id(self) -> str:
        """Make a request id for the log; it is not a secret."""
        return self._quick_random_bytes(ID_BYTES).hex()

    @cached_property
    def _quick_random_bytes(self) -> Callable[[int], bytes]:
        # A system call for each request would let other threads in, see signature_v4.HASHED_AT_ONCE.
        from random import Random

        return Random(self._dependencies.random_bytes(ID_BYTES)).randbytes

    def _route(self, request: Request, line: LogLine) -> Response:
        name = line.route = _route_of(request.path)
        route = ROUTES[name]
        allowed = (*route.methods, "OPTIONS")
        if request.method == "OPTIONS":
            self.ready()
            return Response(204, headers={"Allow": ", ".join(allowed)})
        if request.method not in route.methods:
            raise MethodNotAllowed(f"/{name} accepts {' and '.join(route.methods)}.", allowed=allowed)
        if name == HEALTH:
            version = deployed_as(request.context, self._dependencies.environ)
            return _json_response(200, {"status": "ok", "version": VERSION, **version})
        instance = self._instance or self.ready()
        if route.feature and not _offers(instance.settings, route.feature):
            raise NotFound(f"/{name} is not enabled here.")
        context = RequestContext(request, instance, line, route.seconds)
        result = function_of(route)(context)
        return result if isinstance(result, Response) else _json_response(200, result)

    def _with_cors(self, response: Response, origin: str) -> Response:
        """Add the CORS headers of ``ALLOWED_ORIGINS``, on errors and preflights as well."""
        allowed = self._instance.settings.allowed_origins if origin and self._instance else ()
        if not allowed:
            return response
        headers = {**response.headers, "Vary": "Origin"}
        if origin in allowed:
            headers |= {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
                "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Upload-Token, traceparent",
                "Access-Control-Expose-Headers": "Retry-After",
                "Access-Control-Max-Age": CORS_MAX_AGE_SECONDS,
            }
        return Response(response.status, response.body, headers)


def load_settings(
    environ: Mapping[str, str], read_text: Callable[[Path], str] = lambda path: path.read_text("utf-8")
) -> Settings:
    """Read the settings of this function, with all its caller kinds."""
    return read_settings(environ, CallerKinds(), session_policies, read_text)


def _new_instance(dependencies: Dependencies) -> Instance:
    environ = dependencies.environ
    settings = load_settings(environ)
    log.setLevel(settings.log_level)
    credentials = {}
    for session, policy in settings.session_policies.items():
        *_, role_arn = session
        client = StsClient(
            settings.sts_endpoint, settings.region, role_arn, settings.session_life, dependencies.sleep
        )
        assume_role = partial(client.assume_role, policy)
        credentials[session] = CredentialsCache(
            assume_role, _longest_life(settings, session) + CREDENTIALS_MARGIN
        )
    # Not a partial, whose repr would show the environment.
    return Instance(dependencies, settings, credentials, lambda context: own_access_keys(environ, context))


def _longest_life(settings: Settings, session: SessionKey) -> timedelta:
    """Return the lifetime of the longest-lived form or URL that a session's credentials sign."""
    purpose, *_ = session
    profiles = [each for each in settings.profiles.values() if each.location.session(purpose) == session]
    return max(each.expires_in if purpose == UPLOADS else each.objects_life for each in profiles)


def _offers(settings: Settings, feature: str) -> bool:
    """Return whether this deployment has the feature of a route."""
    if feature == LOGIN:
        return any(each.kind.log_in for each in settings.callers)
    if feature == ERASE:
        return settings.erase
    if feature == PUSH:
        return any(getattr(each.settings, PUSH, None) for each in settings.callers)
    return any(getattr(profile, feature) for profile in settings.profiles.values())


def _route_of(path: str) -> str:
    """Return the route named by the last segment; an empty one, as in ``/prefix/``, is the default route."""
    *_, before, last = ["", *path.split("/")]
    # A trailing slash after a route's name is a typo, not another route.
    route = last or (before if before in ROUTES else DEFAULT_ROUTE)
    if before == EVENTS:
        # An AppID follows.
        return before
    if route not in ROUTES:
        *names, last_name = ROUTES
        raise NotFound(f"Unknown route; the routes are {', '.join(names)} and {last_name}.")
    return route


def _json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, encode(value), {**JSON_HEADERS, **(headers or {})})


def _as_upload_error(error: Exception) -> UploadError:
    if isinstance(error, UploadError):
        return error
    return InternalError("Internal error.", reason=lines_of(error))


def _error_response(error: UploadError, line: LogLine) -> Response:
    line.code, line.reason = error.code, error.reason
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    body = {"code": error.code, "message": error.message, "requestId": line.request_id, **error.details}
    return _json_response(error.status, {"error": body}, headers)
