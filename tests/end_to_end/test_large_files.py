"""Large files in parts over real sockets: bytes go to OSS, the function decides what they become."""

import os

import requests

from function.http.client import send as send_for_real
from tests.support.cases import profile_toml

PROFILES = profile_toml(
    "video",
    "视频 +&",
    content_types=["video/mp4"],
    acl="private",
    cache_control="no-cache",
    parts=True,
    part_size="100KiB",
    metadata={"source": "app"},
)
PART = 100 * 1024


def ask(function, route, **body):
    answer = function.ask(body=body, path=f"/{route}")
    assert answer.status == 200, answer.text
    return answer.json


def send(begun, parts, data):
    for part in parts:
        start = (part["number"] - 1) * begun["partSize"]
        body = data[start : start + part["size"]]
        assert requests.put(part["url"], data=body, headers=begun["headers"], timeout=60).status_code == 200


def test_a_multipart_file_arrives_whole_by_two_instances_and_sessions(
    services, instance, profiles_file, clock
):
    settings = {**services.settings, "PROFILES_FILE": profiles_file(PROFILES)}
    first, second = (instance(send_for_real, **settings) for _ in range(2))
    data = os.urandom(3 * PART + 7)
    begun = ask(first, "multipart", profile="video", filename="猫.mp4", size=len(data))
    send(begun, begun["parts"][1:2], data)
    clock.tick(minutes=50)
    left = ask(second, "multipart-parts", ticket=begun["ticket"])
    assert ([part["number"] for part in left["parts"]], left["missing"]) == ([1, 3, 4], 3)
    send(begun, left["parts"], data)
    done = ask(second, "multipart-complete", ticket=begun["ticket"])
    assert ask(first, "multipart-complete", ticket=begun["ticket"]) == done
    stored = services.oss.objects[begun["key"]]
    assert stored.path.read_bytes() == data
    assert (stored.kind, stored.content_type) == ("Multipart", "video/mp4")
    assert (done["etag"], stored.metadata["upload-id"]) == (stored.etag, begun["uploadId"])
    assert (stored.acl, stored.metadata["source"]) == ("private", "app")
    kept = {name.lower(): value for name, value in stored.headers.items()}
    assert (kept["cache-control"], kept["content-disposition"]) == ("no-cache", "inline")
