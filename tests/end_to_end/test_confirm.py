"""Confirmed uploads over real sockets: the function asks OSS with keys that the form's holder never sees."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from function.http.client import send
from function.oss.presign import OssRequest, presign
from tests.end_to_end.conftest import BUCKET, PICTURE, REGION, ROLE, post_form, verified_claims
from tests.support.cases import profile_toml

PROFILES = profile_toml(
    "default", "图片 +&", max_size="1KiB", content_types=["image/png"], confirm=True
) + profile_toml("once", end="{owner}/{sha256}{ext}", max_size="1KiB", confirm=True)

WRITE_ONLY = {
    "Version": "1",
    "Statement": [{"Effect": "Allow", "Action": ["oss:PutObject", "oss:PutObjectAcl"], "Resource": ["*"]}],
}


@pytest.fixture
def cloud(services, instance, profiles_file):
    running = instance(send, PROFILES_FILE=profiles_file(PROFILES), **services.settings)
    return SimpleNamespace(oss=services.oss, sts=services.sts, running=running)


def form_of(cloud, **body):
    answer = cloud.running.ask(body={"filename": "猫.png", **body})
    assert answer.status == 200, answer.text
    return answer.json


def post(cloud, form, content=PICTURE):
    assert post_form(form["url"], form["formData"], content).status_code == 200


def confirm(cloud, ticket):
    return cloud.running.ask(path="/confirm", body={"ticket": ticket})


def test_the_receipt_of_confirm_verifies_offline_and_describes_the_object(cloud):
    form = form_of(cloud, context={"order": 17})
    assert confirm(cloud, form["ticket"]).outcome == (404, "not_uploaded")
    post(cloud, form)
    told = confirm(cloud, form["ticket"]).json
    stored = cloud.oss.objects[form["key"]]
    claims = verified_claims(told["receipt"])
    assert (claims["key"], claims["size"], claims["etag"]) == (form["key"], stored.size, stored.etag)
    assert (claims["seen"], claims["context"], claims["jti"]) == (True, {"order": 17}, form["uploadId"])
    assert (told["state"], told["mimeType"], told["width"]) == ("stored", "image/png", None)
    assert confirm(cloud, form["ticket"]).json == told


def test_a_false_digest_stays_under_its_owner_s_key(cloud):
    """The name holds the liar's owner; the bytes that OSS has are what a reader gets."""
    wanted = {"profile": "once", "sha256": "0" * 64, "size": len(PICTURE)}
    form = form_of(cloud, **wanted)
    post(cloud, form)
    told = confirm(cloud, form["ticket"]).json
    claims = verified_claims(told["receipt"])
    assert claims["sha256"] == "0" * 64 != hashlib.sha256(PICTURE).hexdigest()
    assert f"/{claims['owner']}/" in claims["key"]


@pytest.mark.parametrize("changes", [{"size": len(PICTURE) + 1}, {"content_type": "text/html"}], ids=str)
def test_an_object_that_differs_from_the_form_is_not_confirmed(cloud, changes):
    form = form_of(cloud, size=len(PICTURE))
    post(cloud, form)
    cloud.oss.objects.replace(form["key"], **changes)
    answer = confirm(cloud, form["ticket"])
    assert answer.outcome == (403, "forbidden")


@pytest.mark.parametrize(("purpose", "method", "status"), [
    ("uploads", "GET", 403), ("uploads", "HEAD", 403), ("uploads", "DELETE", 403),
    ("objects", "GET", 200), ("objects", "HEAD", 200), ("objects", "DELETE", 403), ("objects", "PUT", 403)
])  # fmt: skip
def test_neither_session_does_the_other_s_work(cloud, clock, purpose, method, status):
    form = form_of(cloud)
    post(cloud, form)
    ready = cloud.running.function.ready()
    keys = ready.credentials_for(ready.settings.home.session(purpose), None, clock(), [clock()]).credentials
    request = OssRequest(method, BUCKET, REGION, form["key"])
    url = presign(request, keys, clock(), origin=cloud.oss.origin, expires_in=timedelta(minutes=1))
    assert send(method, url, budget_seconds=5).status == status
    assert form["key"] in cloud.oss.objects


def test_a_role_that_may_not_read_is_oss_s_refusal_and_no_absence(cloud, log_lines):
    """As after an option was switched on without running setup again."""
    cloud.sts.roles[ROLE] = replace(cloud.sts.roles[ROLE], policy=WRITE_ONLY)
    form = form_of(cloud)
    for there in (False, True):
        if there:
            post(cloud, form)
        answer = confirm(cloud, form["ticket"])
        assert answer.outcome == (502, "oss_rejected")
        assert "AccessDenied" in log_lines()[-1]["reason"]
