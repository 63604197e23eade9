"""Fixtures of all tests: a clean environment, a clock, events and a stubbed STS."""

import gc
import importlib
import json
import logging
import os
import pkgutil
import random
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from coverage import Coverage
from hypothesis import HealthCheck, settings

import function
from function.app import Function
from function.context import Dependencies
from function.http.client import DEFAULT_MAX_BYTES, ExchangeFailed, HttpResponse
from function.http.json_body import object_in
from local.common.accounts import AccessKey
from local.common.clock import StandingClock
from local.sts.assume_role import Session
from tests.docs.openapi import check_answer
from tests.support.stage import Reply, ask_event, ask_wsgi, make_event

# The SDK carries its own copy of requests; the ordinary target would let its calls out to the network.
SDK_ADAPTER = "aliyunsdkcore.vendored.requests.adapters.HTTPAdapter.send"
STS_URL = "https://sts.cn-hangzhou.aliyuncs.com/"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TEST_INSTANT = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)

# Profiles without what needs callers who are told apart.
ROOT = Path(__file__).parents[1]
PLAIN_PROFILES = ROOT / "tests" / "support" / "plain_profiles.toml"
ENVIRONMENT = {
    "OSS_BUCKET": "my-bucket",
    "OSS_REGION": "cn-hangzhou",
    "STS_ROLE_ARN": "acs:ram::1234567890123456:role/upload",
    "CALLER_AUTH": "anonymous",
    "CALLER_RATE": "1000000/min",
    "PROFILES_FILE": str(PLAIN_PROFILES),
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.NTFunctionOwnKeyId",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "FunctionOwnSecretCanary0001",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "FunctionOwnTokenCanary/+==",
}
# What a test reads of the operator's commands is English wherever it runs; the Chinese is asked for.
os.environ |= {"LC_ALL": "C.UTF-8", "LC_MESSAGES": "C.UTF-8", "LANG": "C.UTF-8"}
# How long an example takes says what else the machine does; no fixture is changed by one. The number of
# examples bounds the time.
UNHURRIED = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("unhurried", settings.default, **UNHURRIED)
settings.load_profile("unhurried")

ROLE_SECRET = "RoleSessionSecretCanary0001"
ROLE_TOKEN = "CAISRoleSessionToken/+=="
TOKEN_SECRET = "token-secret-canary-0123456789abcdef"


# Secrets planted in every test; none may show in anything that any test prints or logs.
CANARIES = ("SecretCanary", ROLE_SECRET, TOKEN_SECRET)


def pytest_addoption(parser: pytest.Parser) -> None:
    seed = os.environ.get("ORDER_SEED")
    parser.addoption("--order-seed", default=seed, help="run files, and the tests of each, in a random order")


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.getoption("--order-seed")
    return f"random order: --order-seed={seed}" if seed else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle the files, and the tests within each: a fixture of a module is still set up once."""
    if seed := config.getoption("--order-seed"):
        dice = random.Random(seed)
        ranks = {path: dice.random() for path in dict.fromkeys(item.path for item in items)}
        items.sort(key=lambda item: (ranks[item.path], dice.random()))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have a further collection make the ids anew: pytest keeps them escaped, and would escape them again."""
    for mark in item.iter_markers("parametrize"):
        if mark._param_ids_from:
            object.__setattr__(mark._param_ids_from, "_param_ids_generated", None)


# Of this thread, and that which gives each new thread one of its own.
TRACERS = pytest.StashKey[tuple[Any, Any]]()


@contextmanager
def measured(config: pytest.Config) -> Iterator[None]:
    """Trace branches for a while; to stop coverage and start it again would take the time of three tests."""
    if TRACERS not in config.stash or sys.gettrace():
        yield
        return
    trace(*config.stash[TRACERS])
    try:
        yield
    finally:
        trace(None, None)


def trace(here: Any, in_new_threads: Any) -> None:
    sys.settrace(here)
    threading.settrace(in_new_threads)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Measure what each module of the function does when it is imported, and not the import of the tests."""
    coverage = Coverage.current()
    if coverage and coverage.get_option("run:branch"):
        modules = pkgutil.walk_packages(function.__path__, "function.")
        for name in ("burst_server", *(module.name for module in modules)):
            importlib.import_module(name)
        session.config.stash[TRACERS] = sys.gettrace(), threading.gettrace()
        trace(None, None)
    return (yield)


def pytest_collection_finish() -> None:
    """Spare each later search for garbage the modules and tests, which stay to the end."""
    gc.collect()
    gc.freeze()
    # What goes in circles is little and may wait: a search after each 700 objects is a twentieth of the time.
    gc.set_threshold(50_000)


def must_run(reason: str, environ: Mapping[str, str]) -> bool:
    """Return whether CI leaves no test out for this reason; Python 3.12 counts where it is asked for."""
    is_optional = "python3.12" in reason and "3.12" not in environ.get("REQUIRE_PYTHONS", "").split()
    return bool(environ.get("CI")) and "(apt install " in reason and not is_optional


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> Iterator[object]:
    with measured(request.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[object]:
    """Measure a test, not pytest, and none that repeats what others cover."""
    if pyfuncitem.get_closest_marker("not_for_coverage"):
        return (yield)
    with measured(pyfuncitem.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fail a test in whose output a planted secret appears and, in CI, one that needs a missing tool."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and must_run(report.longrepr[2], os.environ):
        report.outcome, report.longrepr = "failed", report.longrepr[2]
    shown = "".join(text for _, text in report.sections)
    if found := [canary for canary in CANARIES if canary in shown]:
        report.outcome = "failed"
        report.longrepr = f"secrets in the captured output: {', '.join(found)}"
    return report


@pytest.fixture(autouse=True, scope="session")
def no_own_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the operator's own files: the profiles are the example's, and there are no hooks."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copyfile(ROOT / "profiles.example.toml", folder / "profiles.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("function.config.settings.DEFAULT_PROFILES_FILE", folder / "profiles.toml")
        patch.setattr("function.context.HOOKS_FILE", folder / "hooks.py")
        yield


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> Iterator[None]:
    """No test sees the settings, proxies or keys of the machine it runs on, or reaches beyond it."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> Any:
        host = address[0] if isinstance(address, tuple) else ""
        is_here = host in LOOPBACK or host.startswith("127.")
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_here:
            raise AssertionError(f"a test tried to connect to {host}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        for name in (
            *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy", "DEBUG"),
            *("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_CA_BUNDLE"),
            *ENVIRONMENT,
        ):
            patch.delenv(name, raising=False)
        patch.setattr(socket.socket, "connect", connect_here)
        # In Python 3.11 an audit hook lets other threads in while one of them begins to be traced, which then
        # fails. What needs a hook is tried in a process of its own.
        patch.setattr(sys, "addaudithook", lambda _hook: None)
        yield


@pytest.fixture
def clock() -> StandingClock:
    """The time of a test, which moves only when told to."""
    return StandingClock(TEST_INSTANT)


@pytest.fixture
def started() -> Iterator[Callable[[Any], Any]]:
    """Start a server of the local cloud, and stop it at the end."""
    with ExitStack() as running:

        def start(server: Any) -> Any:
            running.callback(server.stop)
            return server.start()

        yield start


@pytest.fixture
def environment() -> dict[str, str]:
    """A complete environment for anonymous callers, to be changed by the test."""
    return dict(ENVIRONMENT)


@pytest.fixture
def event() -> Callable[..., bytes]:
    return make_event


def exchange_that_responses_stubs(
    method: str,
    url: str,
    *,
    query: Any = None,
    body: bytes | None = None,
    headers: Any = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    **_bounds: Any,
) -> HttpResponse:
    """What the function sends to WeChat, to OSS for a key and to the business, where a test can answer it."""
    try:
        answer = requests.request(
            method, url, params=query, data=body, headers=headers, timeout=60, allow_redirects=False
        )
    except (requests.RequestException, OSError) as error:
        raise ExchangeFailed(type(error).__name__) from None
    if len(answer.content) > max_bytes:
        raise ExchangeFailed("response over the size limit")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return HttpResponse(answer.status_code, answer.content, headers)


@dataclass
class Instance:
    """One instance of the function with everything around it in the test's hands."""

    environ: dict[str, str]
    clock: StandingClock
    send: Callable[..., Any] | None = None
    hooks_file: Path | None = None
    # More than hooks have: a busy machine may be late.
    hooks_seconds: float = 20.0
    monotonic: Callable[[], float] = time.monotonic
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        extra: dict[str, Any] = {
            "send": self.send or exchange_that_responses_stubs,
            "hooks_seconds": self.hooks_seconds,
            "monotonic": lambda: self.monotonic(),
        }
        if self.hooks_file:
            extra["hooks_file"] = self.hooks_file
        self.function = Function(Dependencies(self.environ, now=self.clock, sleep=self.slept.append, **extra))

    def ask(self, event: bytes | None = None, context: Any = None, **fields: Any) -> Reply:
        """Ask as FC 3.0 does; whatever is answered must be what the API's document says."""
        event = make_event(**fields) if event is None else event
        reply = ask_event(self.function, event, context)
        check_answer(*_asked(event), reply)
        return reply

    def ask_wsgi(self, **environ: Any) -> Reply:
        """Ask as a WSGI server that puts in what is given here and little else."""
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/upload-params", **environ}
        reply = ask_wsgi(self.function, environ)
        check_answer(str(environ["REQUEST_METHOD"]).upper(), environ["PATH_INFO"], reply)
        return reply


def _asked(event: bytes | str) -> tuple[str, str]:
    """Method and path of an event; none of one that is no request."""
    fields = object_in(event) or {}
    context = fields.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    if not isinstance(http, dict):
        return "", ""
    return str(http.get("method", "GET")).upper(), str(http.get("path") or fields.get("rawPath") or "/")


@pytest.fixture
def instance(environment: dict[str, str], clock: StandingClock) -> Callable[..., Instance]:
    """Build an instance from the environment fixture, changed by keyword."""

    def build(
        send: Callable[..., Any] | None = None,
        hooks_file: Path | None = None,
        hooks_seconds: float = 20.0,
        **changes: str | None,
    ) -> Instance:
        environ = {**environment, **{name: value for name, value in changes.items() if value is not None}}
        for name, value in changes.items():
            if value is None:
                environ.pop(name, None)
        return Instance(environ, clock, send, hooks_file, hooks_seconds)

    return build


def sts_reply(expires_at: datetime, **changes: Any) -> dict[str, Any]:
    """AssumeRole's answer as documented; ``changes`` replace or (``None``) remove credential fields."""
    key = AccessKey("STS.NTRoleSessionKeyId", ROLE_SECRET, ROLE_TOKEN, expires_at)
    answer = Session(key, "acs:sts::1:assumed-role/upload/x", "1:x").to_json()
    credentials = {**answer["Credentials"], **changes}
    return {
        "RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F",
        **answer,
        "Credentials": {name: value for name, value in credentials.items() if value is not None},
    }


@pytest.fixture
def sts() -> Iterator[responses.RequestsMock]:
    """STS with nothing registered; every registered answer must be asked for."""
    with responses.RequestsMock(target=SDK_ADAPTER) as stub:
        yield stub


@pytest.fixture
def good_sts(clock: StandingClock) -> Iterator[responses.RequestsMock]:
    """STS that always answers with an hour's credentials by the test's clock."""

    with responses.RequestsMock(target=SDK_ADAPTER, assert_all_requests_are_fired=False) as stub:
        stub.expirations = []

        def answer(_request: Any) -> tuple[int, dict[str, str], str]:
            stub.expirations.append(clock() + timedelta(hours=1))
            return 200, {}, json.dumps(sts_reply(stub.expirations[-1]))

        stub.add_callback("POST", STS_URL, callback=answer)
        yield stub


@pytest.fixture
def log_lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """The function's JSON log lines so far."""
    caplog.set_level(logging.DEBUG, logger="oss_direct_upload")

    def read() -> list[dict[str, Any]]:
        return [
            json.loads(record.getMessage())
            for record in caplog.records
            if record.name == "oss_direct_upload" and record.getMessage().startswith("{")
        ]

    return read


@pytest.fixture
def profiles_file(tmp_path: Path) -> Callable[[str], str]:
    """Write a ``profiles.toml`` and return its path for ``PROFILES_FILE``."""

    def write(text: str) -> str:
        path = tmp_path / "profiles.toml"
        path.write_text(text, "utf-8")
        return str(path)

    return write


@pytest.fixture
def legacy_profiles() -> str:
    """Plain profiles, with ``[legacy]`` switched on as its comment says."""
    text = PLAIN_PROFILES.read_text("utf-8")
    above, mark, page = text.partition("# [legacy]")
    assert mark
    return above + (mark + page).replace("# ", "")


@pytest.fixture
def reply() -> Callable[..., dict[str, Any]]:
    return sts_reply


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """While cannot start a thread, as when a process has all that it may have."""

    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    @contextmanager
    def without() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            yield

    return without
