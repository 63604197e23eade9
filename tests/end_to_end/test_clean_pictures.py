"""
Pictures of a profile with ``strip`` over real sockets, with the sessions that the local STS gives.

``PICTURES=2000 pytest -k labels tests/end_to_end/test_clean_pictures.py`` tries more of them.
"""

import io
import json
import os
import shutil
import struct
import subprocess
from dataclasses import replace
from random import Random
from types import SimpleNamespace
from xml.etree import ElementTree

import jwt
import pytest
from PIL import Image

from function.auth.business_token import AUDIENCE
from function.http.client import send
from local.oss.image_steps import IMAGE_STEPS, read_steps
from local.oss.pictures import render
from tests.end_to_end.conftest import SECRET, post_form
from tests.function.ai_label import files
from tests.support.cases import text_beside
from tests.support.memory_oss import NOTHING_KEPT
from tests.support.photos import is_upright, photo, secrets_in

PROFILES = text_beside(__file__)


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


# As many of each reading of OSS.
PICTURES = int(os.environ.get("PICTURES", "12")) // 3
STEPS = {
    "JPEG": "auto-orient,1/format,jpg/quality,q_90",
    "HEIC": "auto-orient,1/format,jpg/quality,q_90",
    "PNG": "auto-orient,1/format,png",
    "WEBP": "auto-orient,1/format,webp/quality,q_90",
}
PACKETS = {"info xmp", "info XML:com.adobe.xmp"}
KEPT = "{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"


def with_label(dice, picture):
    """The picture with a label in one of the places where writers put it."""
    element, bare = files.element(files.text_of()), files.text_of().encode()
    attribute = files.packet(attributes=f"TC260:AIGC='{files.text_of()}'").encode()
    data = picture.data
    if picture.kind == "JPEG":
        code, text = dice.choice(
            ((0xE1, files.XMP + element), (0xE1, files.XMP + attribute), (0xEB, b"AIGC" + bare))
        )
        return data[:2] + struct.pack(">BBH", 0xFF, code, len(text) + 2) + text + data[2:]
    if picture.kind == "PNG":
        chunks = (b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + element), (b"tEXt", b"AIGC\0" + bare)
        return data[:33] + files.chunk(*dice.choice(chunks)) + data[33:]
    if picture.kind == "WEBP":
        end = 8 + int.from_bytes(data[4:8], "little")
        text = element + b" " * (len(element) % 2)
        made = data[8:end] + b"XMP " + struct.pack("<I", len(text)) + text
        return b"RIFF" + struct.pack("<I", len(made)) + made + data[end:]
    return files.heic_with(element)


def label_seen(data):
    """The label that Pillow and the parser of the standard library find; ``None`` for none."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    found = ElementTree.fromstring(packet).findall(f".//{KEPT}") if packet else []
    return [json.loads(each.text) for each in found][0] if found else None


def pixels_of(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes()


@pytest.mark.parametrize("kept", [(), ("xmp", "texts"), ("xmp", "texts", "app11", "exif")], ids=len)
def test_labels_and_nothing_else_survive_whatever_oss_keeps(kept, cloud, publish, clock, tmp_path):
    modes = {f"variants_keep_{name}": name in kept for name in ("xmp", "texts", "app11", "exif")}
    cloud.oss.bucket.rules = rules = replace(cloud.oss.bucket.rules, **modes)
    dice = Random(len(kept))
    # No page says that OSS turns a PNG or a WebP, so such a one is left to a human.
    photos = (
        each
        for each in iter(lambda: photo(dice), None)
        if each.kind in ("JPEG", "HEIC") or each.orientation == 1
    )
    for number, picture in zip(range(PICTURES), photos, strict=False):
        has_label = dice.random() < 0.6
        data = with_label(dice, picture) if has_label else picture.data
        # An owner has 600 confirmations a minute.
        clock.tick(seconds=1)
        key, _, answer = publish(data, profile="art")
        assert (answer.status, answer.json["state"]) == (200, "published"), number
        assert answer.json.get("aiLabel", 0) is None or has_label
        published = cloud.oss.objects[key].path.read_bytes()
        assert label_seen(published) == (files.VALUES if has_label else None)
        assert set(secrets_in(published)) <= (PACKETS if has_label else set()), number
        cleaned = render(io.BytesIO(data), read_steps(STEPS[picture.kind], IMAGE_STEPS), rules)
        assert pixels_of(published) == pixels_of(cleaned.data)
        assert published.count(b"TC260:AIGC>") == 2 * has_label
        ending = "jpg" if picture.kind == "HEIC" else picture.kind
        (tmp_path / f"{number}-{has_label:d}.{ending}").write_bytes(published)
    if shutil.which("exiftool"):
        ask = ["exiftool", "-q", "-j", "-a", "-XMP:all", "-EXIF:all", "-IPTC:all", str(tmp_path)]
        for seen in json.loads(subprocess.run(ask, capture_output=True, check=True).stdout):
            has_label = "-1." in seen.pop("SourceFile")
            assert seen == ({"Aigc": files.text_of()} if has_label else {})
