"""Pictures of a profile with ``strip`` over real sockets, with the sessions that the local STS gives."""

from dataclasses import replace
from random import Random
from types import SimpleNamespace

import jwt
import pytest

from function.auth.business_token import AUDIENCE
from function.http.client import send
from tests.end_to_end.conftest import SECRET, post_form
from tests.support.cases import profile_toml
from tests.support.memory_oss import NOTHING_KEPT
from tests.support.photos import is_upright, photo, secrets_in

PROFILES = profile_toml(
    "default",
    "photos",
    max_size="20MiB",
    cache_control="max-age=60",
    confirm=True,
    hold=["commit"],
    strip=True,
)


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
