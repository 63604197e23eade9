"""``manage.py webhooks``: what waits or is lost is listed, and delivered by this machine."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from function.app import Function
from function.context import Dependencies, RequestContext
from function.http.gateway import Request
from function.oss import due
from function.oss.client import oss_client
from function.request_log import LogLine
from function.webhook import KIND, notify_business
from local.common.http_server import Handler, Server
from ops.client import webhooks
from tests.ops.client.conftest import start_cloud


class Business(Handler):
    """Answers with ``status``, and keeps what it could verify."""

    status, secret, taken = 200, "", []

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = Webhook(self.secret.encode()).verify(body, dict(self.headers))
        self.taken.append((self.headers["webhook-id"], event))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with ExitStack() as stack:
        yield start_cloud(stack, tmp_path_factory.mktemp("objects"), "wechat")


@pytest.fixture
def environ(cloud):
    return {**cloud.environment(), "UPLOAD_WEBHOOK_URL": "http://127.0.0.1:9/hook"}


@pytest.fixture
def business(environ, monkeypatch):
    monkeypatch.setattr(Business, "taken", [])
    monkeypatch.setattr(Business, "secret", environ["TOKEN_SECRET"])
    monkeypatch.setattr(Business, "status", 200)
    server = Server(Business).start()
    yield server.origin
    server.stop()


@pytest.fixture
def waiting(environ):
    """One delivery that waits and one that is lost, beside records that are none; all removed in the end."""
    ready = Function(Dependencies(environ)).ready()
    context = RequestContext(Request("POST", "/", {}, "", {}, b"", ""), ready, LogLine("r"))
    oss, now = oss_client(context, ready.settings.home), context.now
    assert notify_business(context, ready.settings.home, "a.b.c", "KpY7", "public")
    (first,) = due.list_due(oss, now + timedelta(hours=1))
    lost = {**due.read(oss, first), "event": "gone\x1b[2J", "attempts": 7, "reason": "HTTP 500"}
    other, odd, minute = "decision--x", "webhook--odd", "held/.due/209913010000/webhook--z"
    names = [first.name, due.write(oss, KIND, "", "gone-KpY7-3B90EAC1", now + timedelta(days=7), lost, now)]
    # A repeated request may leave a second record of the same event.
    again = due.read(oss, first)
    names.append(due.write(oss, KIND, first.owner, first.id, now + timedelta(minutes=9), again, now))
    kinds = [name.split("--") for name in (other, odd)]
    names += [due.write(oss, kind, "", id, now, {}, now) for kind, id in kinds]
    due.put_record(oss, minute, b"{}")
    yield lambda: {each.id for each in due.list_due(oss, now + timedelta(days=40_000)) if each.kind == KIND}
    for name in (*names, minute):
        due.remove(oss, name)


@pytest.fixture
def run(environ, run_command):
    return lambda *options, **changes: run_command(webhooks, {**environ, **changes}, options)


def test_waiting_and_lost_webhooks_are_listed_without_receipts(run, waiting):
    code, out, err = run()
    first, _again, second, total = out.splitlines()
    day = (datetime.now(UTC) + timedelta(minutes=1)).date().isoformat()
    assert code == 0
    assert "uploaded KpY7" in first and day in first and "ConnectionRefusedError" in first
    assert "gone" in second and "HTTP 500" in second and "\x1b" not in second
    assert [each for each in total.split() if each.isdigit()] == ["2", "1"]
    assert "a.b.c" not in out + err
    assert {name for name in ("webhook--odd", "webhook--z", "decision--x") if name in err} == {
        "webhook--odd",
        "webhook--z",
    }


def test_deliveries_are_sent_signed_once_each(run, waiting, business):
    code, out, _ = run("--redeliver", UPLOAD_WEBHOOK_URL=f"{business}/hook")
    assert (code, len(out.splitlines())) == (0, 4)
    event = {"event": "uploaded", "receipt": "a.b.c"}
    ids, bodies = zip(*sorted(Business.taken), strict=True)
    assert (ids[0], *bodies) == ("gone-KpY7-3B90EAC1", event, event)
    assert ids[1].startswith("uploaded-KpY7-")
    assert waiting() == {"odd"}
    code, out, _ = run("--redeliver", UPLOAD_WEBHOOK_URL=f"{business}/hook")
    assert (code, len(Business.taken)) == (0, 2)


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_refused_webhook_stays(run, waiting, business, monkeypatch, status):
    monkeypatch.setattr(Business, "status", status)
    before = waiting()
    code, _, err = run("--redeliver", UPLOAD_WEBHOOK_URL=f"{business}/hook")
    assert (code, len(Business.taken), waiting()) == (1, 3, before)
    assert err.count(f"HTTP {status}") == 3


def test_a_business_that_is_not_there_is_named_for_each(run, waiting):
    code, _, err = run("--redeliver")
    assert (code, err.count("ConnectionError")) == (1, 3)


@pytest.mark.parametrize(("options", "changes", "named"), [
    (["--redeliver"], {"UPLOAD_WEBHOOK_URL": ""}, "UPLOAD_WEBHOOK_URL"),
    ([], {"OSS_BUCKET": ""}, "OSS_BUCKET"),
    ([], {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x"}, "SignatureDoesNotMatch"),
    ([], {"OSS_HOST": "http://127.0.0.1:9"}, "OSS_HOST"),
    ([], {"ALIBABA_CLOUD_ACCESS_KEY_ID": ""}, "AccessKeyID"),
], ids=str)  # fmt: skip
def test_a_wrong_setting_is_named(run, options, changes, named):
    code, _, err = run(*options, **changes)
    assert code == 2 and named in err
