"""The server of s.burst.yaml in a process of its own: a cold instance that many phones ask at once."""

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.common.accounts import Accounts
from local.common.clock import utc_now
from local.fc.timer import Timer, custom_runtime
from local.sts.server import StsServer
from local.wechat.server import WechatServer
from tests.conftest import PLAIN_PROFILES
from tests.end_to_end.conftest import OWN, ROLE, SECRET
from tests.support.ports import held_port

APP, APP_SECRET = "wx0123456789abcdef", "WechatSecretCanary0123456789abcd"
PHONES, THREADS = 50, 20
# Beside a thread for each request: one for the call that it makes, that of health checks, and the first.
MOST_THREADS = 2 * THREADS + 2
START_SECONDS = 60
FILE = {"filename": "cat.png", "size": 5}


class Server:
    """One instance, and what it wrote."""

    def __init__(self, root, environ, log):
        with held_port() as self.port:
            self._start(root, environ, log)

    def _start(self, root, environ, log):
        self.log = log
        command = [sys.executable, str(root / "deploy/burst/burst_server.py"), "--host=127.0.0.1"]
        command += [f"--port={self.port}", f"--threads={THREADS}"]
        # In the package the server lies beside the handler.
        environ = {**environ, "PYTHONPATH": str(root)}
        with log.open("wb") as written:
            self.process = subprocess.Popen(command, env=environ, stdout=written, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.01)

    def ask(self, path, body=None, token="", method="POST", **headers):
        headers = {"Content-Type": "application/json", **headers}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def log_in(self, code, **headers):
        return self.ask("/login", {"code": code}, **headers)

    def upload_form(self, code):
        """What a phone does: it logs in, then asks for a form."""
        status, answer = self.log_in(code)
        assert status == 200, answer
        return self.ask("/upload-params", FILE, token=answer["token"])

    def of_the_system(self, name):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])

    def of_requests(self):
        """Return what the lines say, each behind its time, request id and level."""
        lines = self.log.read_text("utf-8").splitlines()
        return [json.loads(text) for _, _, text in (line.partition(" [INFO] ") for line in lines)]

    def end(self):
        self.process.terminate()
        return self.process.wait(START_SECONDS)


@pytest.fixture
def sts():
    """By the clock of the machine, as the process has it."""
    server = StsServer(Accounts(OWN), ROLE).start()
    yield server
    server.stop()


@pytest.fixture
def wechat():
    server = WechatServer(APP, APP_SECRET).start()
    yield server
    server.stop()


@pytest.fixture
def settings(sts, wechat):
    return {
        "OSS_BUCKET": "my-bucket",
        "OSS_REGION": "cn-hangzhou",
        "STS_ROLE_ARN": ROLE,
        "STS_ENDPOINT": sts.origin,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": OWN.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OWN.access_key_secret,
        "TOKEN_SECRET": SECRET,
        "CALLER_AUTH": "wechat",
        "PROFILES_FILE": str(PLAIN_PROFILES),
        "WECHAT_APPID": APP,
        "WECHAT_SECRET": APP_SECRET,
        "WECHAT_ENDPOINT": wechat.origin,
        "LOGIN_RATE": "100000/min",
        "CALLER_RATE": "100000/min",
    }


@pytest.fixture
def instance(settings, bare, tmp_path):
    """Starts instances; each must end by itself when it is asked to."""
    started = []

    def start(**changes):
        changed = {name: value for name, value in {**settings, **changes}.items() if value is not None}
        started.append(Server(bare, changed, tmp_path / f"log-{len(started)}"))
        return started[-1]

    yield start
    for server in started:
        assert server.process.poll() is not None or server.end() == 0


def all_at_once(calls):
    """The answers to these calls, all of which begin together."""
    barrier = threading.Barrier(len(calls))

    def begin(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


def assume_roles(sts):
    return [call.action for call in sts.calls].count("AssumeRole")


def test_fifty_phones_at_once_cost_one_assume_role_and_a_login_each(instance, sts, wechat):
    sts.faults.plan("slow", seconds=0.2)
    wechat.faults.plan("slow", times=PHONES, seconds=0.03)
    server = instance()
    answers = all_at_once([lambda n=n: server.upload_form(f"local-{n}") for n in range(PHONES)])
    assert [status for status, _ in answers] == [200] * PHONES
    assert len({form["key"] for _, form in answers}) == PHONES
    assert assume_roles(sts) == 1
    assert len(wechat.calls) == PHONES
    assert server.end() == 0
    routes = [line["route"] for line in server.of_requests()]
    assert (routes.count("login"), routes.count("upload-params")) == (PHONES, PHONES)


def test_threads_do_not_pile_up_and_memory_stays_flat(instance, wechat):
    server = instance()
    status, answer = server.log_in("local-user")
    assert status == 200
    counted = []
    done = threading.Event()

    def count():
        while not done.wait(0.005):
            counted.append(server.of_the_system("Threads"))

    def rounds(number):
        for _ in range(number):
            codes = [wechat.issue_code(f"user-{n}") for n in range(PHONES)]
            all_at_once([lambda code=code: server.upload_form(code) for code in codes])
            for _ in range(PHONES):
                assert server.ask("/upload-params", FILE, token=answer["token"])[0] == 200

    counting = threading.Thread(target=count)
    counting.start()
    rounds(3)
    before = server.of_the_system("VmRSS")
    rounds(9)
    grown = server.of_the_system("VmRSS") - before
    done.set()
    counting.join()
    # Those that have just answered may still be ending.
    assert max(counted) <= MOST_THREADS + THREADS // 2
    assert grown < 1024, f"{grown} KiB more after three times as many requests"


def test_keys_in_headers_are_never_believed(instance, sts):
    forged = {
        "x-fc-access-key-id": "STS.forged",
        "x-fc-access-key-secret": "forged",
        "x-fc-security-token": "forged",
    }
    server = instance(CALLER_AUTH="anonymous", ALIBABA_CLOUD_ACCESS_KEY_ID=None)
    status, answer = server.ask("/upload-params", FILE, **forged)
    assert (status, answer["error"]["code"]) == (500, "misconfigured")
    server = instance(CALLER_AUTH="anonymous")
    assert server.ask("/upload-params", FILE, **forged)[0] == 200
    assert assume_roles(sts) == 1


def test_function_compute_s_id_names_the_request_and_its_events_are_ticks(instance):
    server = instance()
    event = b'{"triggerTime": "2023-12-26T07:49:00Z"}'
    status, answer = server.ask("/invoke", event, **{"x-fc-request-id": "1-fc"})
    assert (status, answer["error"]["code"], answer["error"]["requestId"]) == (404, "not_found", "1-fc")
    for anything in (event, b"no JSON"):
        assert server.ask("/invoke", anything, **{"x-fc-control-path": "/invoke"}) == (200, None)
    assert Timer(custom_runtime(f"http://127.0.0.1:{server.port}"), utc_now).tick()
    assert server.end() == 0
    assert [line["route"] for line in server.of_requests()].count("tick") == 3
