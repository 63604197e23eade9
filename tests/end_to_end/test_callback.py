"""Uploads with a callback over real sockets: the receipt is true, and no client can change the callback."""

import json
from base64 import b64decode, b64encode
from types import SimpleNamespace

import pytest

from handler import serve
from local.fc.gateway import FcGateway
from tests.end_to_end.conftest import BUCKET, PICTURE, fields_of_a_page, post_form, verified_claims

PROFILES = """
[default]
key = "图片/{owner}/{id}{ext}"
max_size = "1KiB"
content_types = ["image/png"]
callback = true
[page]
key = "test/{filename}"
max_size = "1KiB"
callback = true
"""


@pytest.fixture
def cloud(services, instance, profiles_file):
    parts = SimpleNamespace(oss=services.oss)
    gateway = FcGateway(lambda event, context: serve(parts.running.function, event, context)).start()
    parts.gateway = gateway
    parts.running = instance(
        PROFILES_FILE=profiles_file(PROFILES),
        CALLBACK_URL=f"{gateway.origin}/callback",
        CALLBACK_KEY_ORIGIN=services.oss.origin,
        **services.settings,
    )
    yield parts
    gateway.stop()


def form_of(cloud, **body):
    answer = cloud.running.ask(body={"filename": "猫.png", **body})
    assert answer.status == 200, answer.text
    return answer.json


def post(cloud, fields, content=PICTURE):
    return post_form(cloud.oss.origin, fields, content)


def test_the_callback_receipt_verifies_offline_and_describes_the_object(cloud):
    form = form_of(cloud)
    response = post(cloud, form["formData"])
    assert response.status_code == 200, response.text
    told = response.json()
    stored = cloud.oss.objects[form["key"]]
    claims = verified_claims(told["receipt"])
    assert (claims["key"], claims["size"], claims["etag"]) == (form["key"], stored.size, stored.etag)
    assert (claims["bucket"], claims["jti"], claims["aud"]) == (
        BUCKET,
        form["uploadId"],
        "oss-direct-upload/receipt",
    )
    assert (told["width"], told["height"]) == (3, 2)


def test_a_classic_page_gets_a_receipt_for_the_name_it_chose(cloud):
    form = form_of(cloud, profile="page")
    fields = {**fields_of_a_page(form, "猫 +1.png"), "callback": form["callback"]}
    response = post(cloud, fields)
    assert response.status_code == 200, response.text
    assert verified_claims(response.json()["receipt"])["key"] == "test/猫 +1.png"
    assert (
        post(cloud, {name: value for name, value in fields.items() if name != "callback"}).status_code == 403
    )


def bent(callback, **changes):
    return b64encode(json.dumps(json.loads(b64decode(callback)) | changes).encode()).decode()


TAMPERED = {
    "removed": lambda fields: [(name, value) for name, value in fields.items() if name != "callback"],
    "emptied": lambda fields: {**fields, "callback": ""},
    "sent to another address": lambda fields: {
        **fields,
        "callback": bent(fields["callback"], callbackUrl="http://127.0.0.1:9/callback"),
    },
    "with another body": lambda fields: {
        **fields,
        "callback": bent(fields["callback"], callbackBody="object=${object}"),
    },
    "doubled, ours first": lambda fields: [
        *fields.items(),
        ("callback", bent(fields["callback"], callbackUrl="http://127.0.0.1:9/")),
    ],
    "doubled, ours last": lambda fields: [
        ("callback", bent(fields["callback"], callbackUrl="http://127.0.0.1:9/")),
        *fields.items(),
    ],
    "of another form": None,
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_callback_that_was_tampered_with_is_refused_and_nothing_is_stored(cloud, how):
    fields = form_of(cloud)["formData"]
    other = form_of(cloud)["formData"]["callback"]
    tamper = TAMPERED[how] or (lambda fields: {**fields, "callback": other})
    response = post(cloud, tamper(fields))
    assert response.status_code in (400, 403), response.text
    assert not len(cloud.oss.objects)
