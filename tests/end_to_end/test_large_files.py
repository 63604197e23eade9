"""Large files in parts over real sockets: bytes go to OSS, the function decides what they become."""

import os
from types import SimpleNamespace

import jwt
import pytest
import requests

from function.http.client import send as send_for_real
from function.oss.presign import OssRequest, authorize, request_url
from ops.account.bucket import DesiredBucket, FoundBucket, PartedFolder
from ops.account.bucket_plan import bucket_steps
from tests.end_to_end.conftest import BUCKET, OWN, REGION
from tests.support.cases import text_beside

PART = 100 * 1024
PROFILES = text_beside(__file__)


@pytest.fixture
def cloud(services, instance, profiles_file):
    settings = {**services.settings, "PROFILES_FILE": profiles_file(PROFILES)}
    return SimpleNamespace(
        oss=services.oss, new_instance=lambda **more: instance(send_for_real, **settings, **more)
    )


@pytest.fixture
def function(cloud):
    return cloud.new_instance()


@pytest.fixture
def data():
    return os.urandom(3 * PART + 7)


def ask(function, route, **body):
    return function.ask(body=body, path=f"/{route}")


def begin(function, size, profile="video"):
    answer = ask(function, "multipart", profile=profile, filename="猫.mp4", size=size)
    assert answer.status == 200, answer.text
    return answer.json


def put(begun, part, data, **headers):
    start = (part["number"] - 1) * begun["partSize"]
    body = data[start : start + part["size"]]
    return requests.put(part["url"], data=body, headers={**begun["headers"], **headers}, timeout=60)


def send(begun, data, parts=None):
    return [put(begun, part, data).status_code for part in parts or begun["parts"]]


@pytest.mark.parametrize("profile", ["video", "replaced"])
def test_a_multipart_file_arrives_whole_with_the_profile_s_options(cloud, function, data, profile):
    begun = begin(function, len(data), profile)
    assert send(begun, data) == [200] * 4
    done = ask(function, "multipart-complete", ticket=begun["ticket"])
    assert done.status == 200, done.text
    stored = cloud.oss.objects[begun["key"]]
    assert stored.path.read_bytes() == data
    assert (stored.kind, stored.content_type) == ("Multipart", "video/mp4")
    assert done.json["etag"] == stored.etag
    assert stored.metadata["upload-id"] == begun["uploadId"]
    if profile == "video":
        assert (stored.acl, stored.metadata["source"]) == ("private", "app")
        kept = {name.lower(): value for name, value in stored.headers.items()}
        assert (kept["cache-control"], kept["content-disposition"]) == ("no-cache", "inline")


def test_another_instance_goes_on_and_ends_it_with_the_same_receipt(cloud, function, data):
    begun = begin(function, len(data))
    send(begun, data, begun["parts"][1:2])
    other = cloud.new_instance()
    more = ask(other, "multipart-parts", ticket=begun["ticket"]).json
    assert ([part["number"] for part in more["parts"]], more["missing"]) == ([1, 3, 4], 3)
    assert send(begun, data, more["parts"]) == [200] * 3
    first = ask(other, "multipart-complete", ticket=begun["ticket"])
    assert first.status == 200
    for instance in (function, other, cloud.new_instance()):
        assert ask(instance, "multipart-complete", ticket=begun["ticket"]).text == first.text
    claims = jwt.decode(first.json["receipt"], options={"verify_signature": False})
    assert (claims["key"], claims["size"], claims["seen"]) == (begun["key"], len(data), True)
    assert ask(other, "multipart-abort", ticket=begun["ticket"]).outcome == (409, "already_complete")
    assert ask(other, "multipart-parts", ticket=begun["ticket"]).outcome == (409, "already_complete")


def test_a_part_url_accepts_only_its_part(cloud, function, data):
    begun = begin(function, len(data))
    first = begun["parts"][0]
    url, headers = first["url"], begun["headers"]
    good = data[:PART]
    refused = [
        requests.put(url, data=good[:-1], headers=headers, timeout=60),
        requests.put(url, data=good + b"x", headers=headers, timeout=60),
        requests.put(url, data=good, headers={"Content-Type": "video/mp4"}, timeout=60),
        requests.put(url, data=good, headers={**headers, "x-oss-object-acl": "public-read"}, timeout=60),
        requests.put(url, data=b"", headers={**headers, "x-oss-copy-source": "/b/k"}, timeout=60),
        requests.put(url.replace("partNumber=1", "partNumber=2"), data=good, headers=headers, timeout=60),
        requests.put(url.replace("x-oss-expires=900", "x-oss-expires=9000"), data=good, headers=headers),
        requests.post(url.replace("partNumber=1&", ""), data=b"", headers=headers, timeout=60),
        requests.delete(url.replace("partNumber=1&", ""), timeout=60),
        requests.get(url.replace("partNumber=1&", ""), timeout=60),
    ]
    assert {answer.status_code for answer in refused} <= {400, 403, 411}
    assert ask(function, "multipart-parts", ticket=begun["ticket"]).json["missing"] == 4
    assert requests.put(url, data=good, headers=headers, timeout=60).status_code == 200


def test_a_multipart_upload_continues_across_session_renewals(cloud, function, data, clock):
    begun = begin(function, len(data))
    for number in range(1, 5):
        clock.tick(minutes=50)
        (part,) = ask(function, "multipart-parts", ticket=begun["ticket"], numbers=[number]).json["parts"]
        assert put(begun, part, data).status_code == 200
    assert ask(function, "multipart-complete", ticket=begun["ticket"]).status == 200
    assert cloud.oss.objects[begun["key"]].path.read_bytes() == data


def put_lifecycle(cloud, document, now):
    """As the operator's SDK does, with the keys of the account."""
    asked = OssRequest(
        "PUT", BUCKET, REGION, "", query={"lifecycle": ""}, headers={"content-type": "text/xml"}
    )
    headers = authorize(asked, OWN, now)
    return requests.put(request_url(asked, cloud.oss.origin), data=document, headers=headers, timeout=60)


def test_the_rule_written_by_setup_removes_unfinished_uploads(cloud, function, data, clock):
    wanted = DesiredBucket(BUCKET, REGION, parted_folders=(PartedFolder("视频 +&/", 1),))
    (step,) = bucket_steps(wanted, FoundBucket(f"oss-{REGION}", "private", "", True))[0]
    assert put_lifecycle(cloud, step.parameters["body"].encode(), clock()).status_code == 200
    done = begin(function, len(data))
    send(done, data)
    assert ask(function, "multipart-complete", ticket=done["ticket"]).status == 200
    forgotten, of_another_folder = begin(function, len(data)), begin(function, len(data), "replaced")
    send(forgotten, data)
    cloud.oss.bucket.let_days_pass(3)
    assert [upload.key for upload in cloud.oss.bucket.uploads] == [of_another_folder["key"]]
    assert list(cloud.oss.objects) == [done["key"]]
    assert ask(function, "multipart-complete", ticket=forgotten["ticket"]).outcome == (410, "upload_gone")
