"""Pictures of a profile with ``strip`` over real sockets, with the sessions that the local STS gives."""

import io
import json
import struct
from dataclasses import replace
from random import Random
from types import SimpleNamespace
from xml.etree import ElementTree

import jwt
import pytest
from PIL import Image

from function.auth.business_token import AUDIENCE
from function.http.client import send
from tests.end_to_end.conftest import SECRET, post_form
from tests.function.ai_label import files
from tests.support.cases import text_beside
from tests.support.memory_oss import NOTHING_KEPT
from tests.support.photos import is_upright, photo, secrets_in

PROFILES = text_beside(__file__)
LABEL = "{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"


@pytest.fixture
def cloud(services, instance, profiles_file):
    running = instance(send, PROFILES_FILE=profiles_file(PROFILES), **services.settings)
    return SimpleNamespace(oss=services.oss, sts=services.sts, running=running)


@pytest.fixture
def publish(cloud, clock):
    """Send a picture and commit it: its key, its receipt's response, and what the commit answered."""

    def publish(content, **fields):
        form = cloud.running.ask(body={"filename": "猫 +.jpg", **fields}).json
        assert post_form(form["url"], form["formData"], content).status_code == 200
        told = cloud.running.ask(path="/confirm", body={"ticket": form["ticket"]}).json
        ends = int(clock().timestamp()) + 300
        backend = jwt.encode({"aud": AUDIENCE, "exp": ends}, SECRET, "HS256")
        answer = cloud.running.ask(
            path="/commit",
            body={"receipt": told["receipt"]},
            headers={"Authorization": f"Bearer {backend}"},
        )
        return form["key"], told, answer

    return publish


def sideways():
    """A JPEG with a place in it that EXIF turns."""
    dice = Random(5)
    photos = iter(lambda: photo(dice), None)
    return next(each.data for each in photos if each.kind == "JPEG" and each.orientation == 6)


@pytest.mark.parametrize("survives", [False, True])
def test_a_picture_is_published_clean_and_upright_whatever_survives(survives, cloud, publish):
    cloud.oss.bucket.rules = replace(cloud.oss.bucket.rules, **dict.fromkeys(NOTHING_KEPT, survives))
    assert secrets_in(sideways())
    key, told, answer = publish(sideways())
    assert (answer.status, answer.json["state"]) == (200, "published")
    assert key in cloud.oss.objects and f"held/{key}" not in cloud.oss.objects
    published = cloud.oss.objects[key]
    data = published.path.read_bytes()
    assert (secrets_in(data), is_upright(data)) == ([], True)
    assert (published.content_type, published.headers["Cache-Control"]) == ("image/jpeg", "max-age=60")
    assert published.etag != told["etag"]
    assert not [name for name in cloud.oss.objects if name.startswith("held/.clean/")]


def test_a_role_without_the_right_to_process_leaves_it_held(cloud, publish):
    role = cloud.sts.roles["acs:ram::1234567890123456:role/upload"]
    statement = {"Effect": "Allow", "Action": ["oss:GetObject", "oss:PutObject*", "oss:DeleteObject"]}
    policy = {"Version": "1", "Statement": [{**statement, "Resource": ["*"]}]}
    cloud.sts.roles[role.arn] = replace(role, policy=policy)
    key, _, answer = publish(sideways())
    assert (answer.status, answer.code) == (502, "oss_rejected")
    assert key not in cloud.oss.objects and f"held/{key}" in cloud.oss.objects


def test_a_label_of_ai_made_content_survives_and_nothing_else(cloud, publish):
    packet = files.XMP + files.element(files.text_of())
    photo = sideways()
    labelled = photo[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(packet) + 2) + packet + photo[2:]
    key, _, answer = publish(labelled, profile="art")
    assert (answer.status, answer.json["state"]) == (200, "published")
    published = cloud.oss.objects[key].path.read_bytes()
    assert set(secrets_in(published)) <= {"info xmp"}
    with Image.open(io.BytesIO(published)) as image:
        found = ElementTree.fromstring(image.info["xmp"]).findall(f".//{LABEL}")
    assert [json.loads(each.text) for each in found] == [files.VALUES]
