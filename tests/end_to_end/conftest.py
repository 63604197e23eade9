"""The local cloud behind real sockets, and receipts read with nothing but hmac."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest
import requests

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.cloud import LocalCloud
from local.common.accounts import AccessKey, Accounts
from local.fc.gateway import FcGateway
from local.oss.server import OssServer
from local.profiles import DEMO
from local.sts.server import StsServer
from tests.support.clone import clone

BUCKET, REGION, ROLE = "local-bucket", "cn-hangzhou", "acs:ram::1234567890123456:role/upload"
OWN = AccessKey("LTAIlocalOwn", "LocalOwnSecretCanary")
SECRET = "token-secret-canary-0123456789abcdef"
OF_V4 = ("signature_version", "credential", "date")
PATIENCE_SECONDS = 60
SUNSET = (DEMO / "sunset.png").read_bytes()
# A picture of 3 by 2 points, as far as anybody looks.
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (3).to_bytes(4, "big") + (2).to_bytes(4, "big") + bytes(40)


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A clone without own files, for what runs in another process."""
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def services(tmp_path, clock):
    """Both on one clock and one account; ``settings`` lead a function to them."""
    accounts = Accounts(OWN)
    oss = OssServer(accounts, BUCKET, REGION, tmp_path / "objects", now=clock).start()
    sts = StsServer(accounts, ROLE, now=clock, clock_window=timedelta(days=36500)).start()
    settings = {
        "OSS_BUCKET": BUCKET,
        "OSS_REGION": REGION,
        "OSS_HOST": oss.origin,
        "STS_ROLE_ARN": ROLE,
        "STS_ENDPOINT": sts.origin,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": OWN.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OWN.access_key_secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": None,
        "TOKEN_SECRET": SECRET,
    }
    yield SimpleNamespace(oss=oss, sts=sts, accounts=accounts, settings=settings)
    sts.stop()
    oss.stop()


def send(method, url, **options):
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=60, allow_redirects=False, **options)


def post_form(url, fields, content=PICTURE, part_type="application/octet-stream"):
    """Post as ``wx.uploadFile`` does: the fields (a dict or pairs) first, the file last."""
    pairs = fields.items() if isinstance(fields, dict) else fields
    parts = [(name, (None, value)) for name, value in pairs]
    return send("POST", url, files=[*parts, ("file", ("tmp_1.png", content, part_type))])


def fields_of_a_page(answer, name):
    """What a page written for the sample servers sends."""
    fields = {"key": f"{answer['dir']}{name}", "policy": answer["policy"], "success_action_status": "200"}
    fields["x-oss-security-token"] = answer["security_token"]
    if "accessid" in answer:
        return {**fields, "OSSAccessKeyId": answer["accessid"], "signature": answer["signature"]}
    named = {f"x-oss-{name.replace('_', '-')}": answer[f"x_oss_{name}"] for name in OF_V4}
    return {**fields, **named, "x-oss-signature": answer["signature"]}


class Running:
    """
    The whole local cloud.

    Attributes:
        usual: the address of the function.
    """

    def __init__(self, stack, folder, caller_auth="wechat"):
        self._stack, self._functions = stack, {}
        gateway = self._gateway("usual")
        rates = {"LOGIN_RATE": "1000/min", "CALLER_RATE": "1000/min"}
        self.cloud = stack.enter_context(LocalCloud(gateway, folder, caller_auth, extra_settings=rates))
        self.cloud.wechat.checks.delays, self.cloud.wechat.checks.patience = (0, 0), (5, 0.05)
        self.cloud.green.delay = 0.0
        self.session = stack.enter_context(requests.Session())
        self.session.trust_env = False
        self._gateways = {"usual": gateway}
        self.usual = ""

    def start(self, name="usual", **environ):
        """The address of one more instance."""
        gateway = self._gateways.get(name) or self._gateway(name)
        gateway.count_in(self.cloud.running)
        self.deploy(name, **environ)
        return gateway.start().origin

    def deploy(self, name="usual", **environ):
        """A new instance in the place of one, with the settings that the cloud has now."""
        settings = {**self.cloud.environment(), **environ}
        self._functions[name] = Function(Dependencies(settings, now=self.cloud.clock))

    def _gateway(self, name):
        gateway = FcGateway(lambda event, context: serve(self._functions[name], event, context))
        self._stack.callback(gateway.stop)
        return gateway

    def ask(self, route, body, token="", at=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = route if route.startswith("http") else f"{at or self.usual}/{route}"
        return self.session.post(address, json=body, headers=headers, timeout=60)

    def log_in(self):
        """A session of a user who has never been here."""
        return self.ask("login", {"code": f"local-{time.monotonic_ns()}"}).json()["token"]

    def post(self, form, content, name="a.png", kind="image/png", also=(), to=""):
        files = [(field, (None, value)) for field, value in [*form["formData"].items(), *also]]
        files.append(("file", (name, content, kind)))
        return self.session.post(to or form["url"], files=files, timeout=60)

    def business(self, route, upload, **fields):
        """What the business answers about an upload."""
        return self.ask(f"{self.cloud.business.origin}/{route}", {"receipt": upload.receipt, **fields})

    def state(self, upload):
        return self.ask("status", {"receipt": upload.receipt}).json()["state"]

    def becomes(self, upload, *states):
        """
        The state of an upload once it is one of these, or patience is over.

        It is asked at rest: who asks while a push is being carried out may see it half done.
        """
        ends = time.monotonic() + PATIENCE_SECONDS
        while (now := self.cloud.idle() and self.state(upload)) not in states and time.monotonic() < ends:
            time.sleep(0.25)  # 60 times a minute may be asked
        return now


@contextmanager
def running_cloud(folder):
    with ExitStack() as stack:
        yield Running(stack, folder)


def verified_claims(receipt):
    head, body, signature = receipt.split(".")
    expected = hmac.new(SECRET.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    assert hmac.compare_digest(urlsafe_b64decode(signature + "=="), expected)
    return json.loads(urlsafe_b64decode(body + "=="))


# --- one cloud that the tests of a file share: its fixture ``running`` ---


@pytest.fixture
def here(running, monkeypatch):
    monkeypatch.setattr("local.business.service.ASKED_EVERY_SECONDS", 0)
    yield running
    running.cloud.reset()


@pytest.fixture
def held(here):
    """Upload a file that is held: its key, its receipt, its owner's session, what its confirmation said."""

    def upload(name="sunset.png", profile="post", content=SUNSET, kind="image/png", also=()):
        token = here.log_in()
        wanted = {"profile": profile, "filename": name, "contentType": kind, "size": len(content)}
        form = here.ask("upload-params", wanted, token).json()
        assert form["formData"]["key"] == f"held/{form['key']}"
        answer = here.post(form, content, name, kind, also)
        assert answer.status_code == 200, answer.text
        said = here.ask("confirm", {"ticket": form["ticket"]}).json()
        return SimpleNamespace(key=form["key"], receipt=said["receipt"], token=token, said=said)

    return upload


@pytest.fixture
def commit(here):
    """What the function answers to the business."""
    return lambda upload: here.business("commits", upload).json()


def places(here, upload):
    """Where the bucket has the bytes: under the held name, under the published one."""
    objects = here.cloud.oss.objects
    return f"held/{upload.key}" in objects, upload.key in objects
