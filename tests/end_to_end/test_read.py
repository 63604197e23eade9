"""A URL of ``/read`` admits GET of one object with one processing for a limited time, and nothing else."""

import io
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from PIL import Image

from local.oss.presign import presigned_url
from tests.end_to_end.conftest import OWN, post_form, send
from tests.support.cases import cases_beside, profile_toml

cases = cases_beside(__file__)

PROFILES = profile_toml(
    "default",
    "图片 +&",
    content_types=["image/png"],
    read="callers",
    variants={"thumb": "image/resize,m_fill,w_20,h_20/format,jpg"},
) + profile_toml("other", content_types=["image/png"])
OBJECT_CALLS = ("PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH")


def picture():
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    return file.getvalue()


PICTURE = picture()


@pytest.fixture
def cloud(services, instance, profiles_file):
    settings = {**services.settings, "PROFILES_FILE": profiles_file(PROFILES)}
    return SimpleNamespace(oss=services.oss, running=instance(**settings))


@pytest.fixture
def uploaded(cloud):
    """The key of a picture that a form has stored."""

    def upload(profile="default"):
        form = cloud.running.ask(body={"profile": profile, "filename": "a.png"}).json
        answer = post_form(form["url"], form["formData"], PICTURE)
        assert answer.status_code == 200, answer.text
        return form["key"]

    return upload


@pytest.fixture
def url_of(cloud):
    def read(key, **fields):
        return read_by(cloud.running, key, **fields)["url"]

    return read


def read_by(function, key, **fields):
    answer = function.ask(path="/read", body={"key": key, **fields})
    assert answer.status == 200, answer.text
    return answer.json


def test_a_private_picture_is_seen_by_its_url_and_by_no_plain_one(cloud, uploaded, url_of):
    key = uploaded()
    url = url_of(key)
    seen = send("GET", url)
    assert (seen.status_code, seen.content, seen.headers["Content-Type"]) == (200, PICTURE, "image/png")
    assert send("GET", url.partition("?")[0]).status_code == 403


def test_a_variant_is_the_picture_made_small(uploaded, url_of):
    key = uploaded()
    small = send("GET", url_of(key, variant="thumb"))
    assert (small.status_code, small.headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(small.content)).size == (20, 20)


def changed(url, **changes):
    """The URL with parameters of its query replaced, or (``None``) dropped."""
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    query |= {name.replace("_", "-"): value for name, value in changes.items()}
    pairs = [f"{quote(name, '')}={quote(value, '')}" for name, value in query.items() if value is not None]
    return f"{url.partition('?')[0]}?{'&'.join(pairs)}"


def refused(url, method="GET", **options):
    answer = send(method, url, **options)
    assert PICTURE not in answer.content
    return 400 <= answer.status_code < 500


@pytest.mark.parametrize("variant", [None, "thumb"])
def test_each_part_of_the_url_is_signed(uploaded, url_of, variant):
    url = url_of(uploaded(), variant=variant)
    assert send("GET", changed(url)).status_code == 200
    names = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    assert len(names) == 6 + bool(variant)
    for name, value in names.items():
        for other in (f"{value}1", f"1{value}", value[:-1], "", None, value.swapcase()):
            if other != value:
                assert refused(changed(url, **{name: other})), (name, other)


@cases("name", "value")
@pytest.mark.parametrize("variant", [None, "thumb"])
def test_a_read_url_accepts_no_added_parameter(uploaded, url_of, variant, name, value):
    url = url_of(uploaded(), variant=variant)
    assert refused(changed(url, **{name: value}))
    assert refused(f"{url}&{name}={quote(value, '')}")


@pytest.mark.parametrize("method", OBJECT_CALLS)
def test_a_read_url_admits_no_other_method(cloud, uploaded, url_of, method):
    key = uploaded()
    answer = send(method, url_of(key), data=b"other")
    if method != "OPTIONS":  # which CORS answers without looking at the signature
        assert 400 <= answer.status_code < 502
    assert PICTURE not in answer.content
    assert send("GET", presigned_url(cloud.oss.origin, cloud.oss.bucket, OWN, key)).content == PICTURE


def test_a_read_url_admits_no_content_type_that_wx_request_adds(uploaded, url_of):
    url = url_of(uploaded())
    assert send("GET", url, headers={"Content-Type": "application/json"}).status_code == 403
    assert send("GET", url).content == PICTURE


@pytest.mark.parametrize("profile", ["default", "other"])
def test_a_read_url_admits_no_other_object(uploaded, url_of, profile):
    mine, other = uploaded(), uploaded(profile)
    url = url_of(mine)
    path, query = url.split("?")
    origin = path[: -len(quote(mine)) - 1]
    assert refused(f"{origin}/{quote(other)}?{query}")
    for climbing in (f"{mine}/../{other}", f"{mine}/", f"/{mine}", f"{other}\x00{mine}"):
        assert refused(f"{origin}/{quote(climbing)}?{query}")
    assert refused(f"{origin}/?{query}")


@cases("headers")
def test_a_read_url_accepts_no_oss_header(uploaded, url_of, headers):
    assert refused(url_of(uploaded()), headers=headers)


def test_a_read_url_expires_at_its_stated_time(uploaded, url_of, clock):
    url = url_of(uploaded())
    clock.tick(seconds=1200)
    assert send("GET", url).status_code == 200
    clock.tick(seconds=1)
    assert refused(url)
