"""The local OSS as Alibaba's own Python SDK sees it, and beside the OSS of the function's tests."""

import random
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import md5
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import alibabacloud_oss_v2 as sdk
import pytest
import requests
from alibabacloud_oss_v2.exceptions import OperationError

from function.http.client import send
from function.oss.client import OssClient, call
from tests.local.oss.conftest import OSS_BUCKET, OSS_KEYS, OSS_NOW, OSS_REGION
from tests.support.memory_oss import MemoryOss

KEY, COPY = "u/42/视频 一+1.mp4", "v/42/copy.mp4"


@pytest.fixture
def bucket(oss, oss_client, oss_clock):
    """The bucket's name, and a client that goes by the machine's clock and puts the name into the path."""
    oss_clock.instant = datetime.now(UTC)
    key = oss_client.keys["account"]
    keys = key.access_key_id, key.access_key_secret
    config = sdk.config.load_default()
    config.credentials_provider = sdk.credentials.StaticCredentialsProvider(*keys)
    config.region, config.retry_max_attempts, config.endpoint = oss.bucket.region, 1, oss.origin
    return oss.bucket.name, sdk.Client(config)


def error_of(call, request):
    with pytest.raises(OperationError) as failed:
        call(request)
    error = failed.value.unwrap()
    return error.status_code, error.code, error.ec


def test_an_object_is_put_looked_at_copied_and_deleted(bucket):
    name, client = bucket
    of, copy = partial(dict, bucket=name, key=KEY), partial(dict, bucket=name, key=COPY)
    source = {"source_bucket": name, "source_key": KEY}
    put = client.put_object(
        sdk.PutObjectRequest(**of(body=b"hello", content_type="video/mp4", acl="private"))
    )
    head = client.head_object(sdk.HeadObjectRequest(**of()))
    assert (head.etag, head.content_length, head.content_type) == (put.etag, 5, "video/mp4")
    assert (head.object_type, head.hash_crc64, head.storage_class) == ("Normal", put.hash_crc64, "Standard")
    copied = client.copy_object(sdk.CopyObjectRequest(**copy(forbid_overwrite=True, **source)))
    assert copied.etag == put.etag
    again = sdk.CopyObjectRequest(**copy(if_match='"0"', **source))
    assert error_of(client.copy_object, again)[:2] == (412, "PreconditionFailed")
    whole, ranged = sdk.GetObjectRequest(**copy()), sdk.GetObjectRequest(**copy(range_header="bytes=1-2"))
    assert [client.get_object(asked).body.read() for asked in (whole, ranged)] == [b"hello", b"el"]
    url = client.presign(whole, expires=timedelta(minutes=1)).url
    assert requests.get(url, timeout=60).content == b"hello"
    for _ in range(2):
        assert client.delete_object(sdk.DeleteObjectRequest(**copy())).status_code == 204
    gone = sdk.HeadObjectRequest(**copy())
    assert error_of(client.head_object, gone) == (404, "NoSuchKey", "0026-00000001")


ODD = ("u/42/a b+&%41.jpg", "u/42/\x01<照片>.jpg", "u/42/z.jpg")


def put(client, name, *keys):
    for key in keys:
        client.put_object(sdk.PutObjectRequest(bucket=name, key=key, body=b"abc"))


def test_objects_are_listed_page_by_page_and_deleted_together(bucket, oss):
    name, client = bucket
    put(client, name, *ODD, "u/420/x.jpg")
    pages = client.list_objects_v2_paginator(limit=2)
    asked = sdk.ListObjectsV2Request(bucket=name, prefix="u/42/")
    listed = [[item.key for item in page.contents or ()] for page in pages.iter_page(asked)]
    assert sum(listed, []) == sorted(ODD) and len(listed) == 2
    folders = client.list_objects_v2(sdk.ListObjectsV2Request(bucket=name, prefix="u/", delimiter="/"))
    assert [folder.prefix for folder in folders.common_prefixes] == ["u/42/", "u/420/"]
    legible = [key for key in ODD if "\x01" not in key]
    wanted = [sdk.DeleteObject(key=key) for key in legible]
    told = client.delete_multiple_objects(sdk.DeleteMultipleObjectsRequest(bucket=name, objects=wanted))
    assert [each.key for each in told.deleted_objects] == legible
    quiet = sdk.DeleteMultipleObjectsRequest(bucket=name, objects=wanted, quiet=True)
    assert not client.delete_multiple_objects(quiet).deleted_objects
    assert sorted(oss.objects) == [ODD[1], "u/420/x.jpg"]


DRAWN = ("u/1", "u/\U0001f600&", "u/2/\x01 +", "v/1")
LISTS = ({"list-type": "2"}, {"versions": ""}, {"uploads": ""})
SIZES = {"list-type": "max-keys", "versions": "max-keys", "uploads": "max-uploads"}
MARKERS = {
    "NextContinuationToken": "continuation-token",
    "NextKeyMarker": "key-marker",
    "NextVersionIdMarker": "version-id-marker",
    "NextUploadIdMarker": "upload-id-marker",
}


class Twin:
    """One of the two, spoken to by signed calls."""

    def __init__(self, endpoint, send):
        key = OSS_KEYS["account"]
        keys = replace(key, security_token="")
        self.client = OssClient(OSS_BUCKET, OSS_REGION, endpoint, keys, OSS_NOW, send, lambda: 10.0)

    def ask(self, method, key="", body=None, headers=None, **query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        headers = {} if headers is None else headers
        asked = {"query": query, "headers": headers, "body": body}
        return call(self.client, "x", method, key, **asked, is_repeatable=False, max_bytes=10**7)

    def pages(self, kind, size, prefix=""):
        """The entries of each page, taken apart; ids only by where they stand."""
        pages, more = [], {}
        while True:
            asked = {**kind, SIZES[next(iter(kind))]: str(size), "encoding-type": "url", **more}
            query = {name.replace("-", "_"): value for name, value in {**asked, "prefix": prefix}.items()}
            answer = self.ask("GET", **query)
            assert answer.status == 200, answer.body
            root = ElementTree.fromstring(answer.body)
            entries = [each for each in root if each.find("Key") is not None]
            pages.append([root.findtext("EncodingType"), *(_facts(each) for each in entries)])
            if root.findtext("IsTruncated") == "false":
                return pages
            more = {name: unquote(text) for tag, name in MARKERS.items() if (text := root.findtext(tag))}

    def ids(self, kind, name):
        """Key and id of each version or upload, in order."""
        root = ElementTree.fromstring(self.ask("GET", **kind, encoding_type="url").body)
        entries = [each for each in root if each.find(name) is not None]
        return [(unquote(each.findtext("Key")), each.findtext(name)) for each in entries]

    def delete_many(self, wanted):
        objects = "".join(
            f"<Object><Key>{escape(key)}</Key>{'' if id is None else f'<VersionId>{id}</VersionId>'}</Object>"
            for key, id in wanted
        )
        body = f"<Delete>{objects}</Delete>".encode()
        digest = {"content-md5": b64encode(md5(body).digest()).decode()}
        answer = self.ask("POST", "", body, digest, delete="", encoding_type="url")
        if answer.status != 200:
            return [answer.status]
        root = ElementTree.fromstring(answer.body)
        found = root.findall("Deleted")
        return [root.findtext("EncodingType")] + [
            (unquote(each.findtext("Key")), each.findtext("DeleteMarker")) for each in found
        ]

    def put(self, key, place, step):
        headers = {"x-oss-object-acl": "private", "content-type": "a/b"}
        return self.ask("PUT", key, bytes([step]), headers).status

    def begin(self, key, place, step):
        return self.ask("POST", key, headers={"content-type": "a/b"}, uploads="").status

    def abort(self, key, place, step):
        # Ids of uploads of one key are in no order that both know.
        begun = dict(self.ids({"uploads": ""}, "UploadId"))
        key = next((key for key in begun if key >= DRAWN[int(place * 4)]), "")
        return [self.ask("DELETE", key, uploadId=begun[key]).status for _ in range(2 if key else 0)]

    def delete(self, key, place, step):
        return _told(self.ask("DELETE", key)), _told(self.ask("GET", key))[:2]

    def some(self, place):
        """Some of all versions, by where they stand."""
        versions = self.ids({"versions": ""}, "VersionId")
        return versions[int(place * len(versions)) :][:3]

    def version(self, key, place, step):
        return [_told(self.ask("DELETE", key, versionId=id or "null")) for key, id in self.some(place)[:1]]

    def many(self, key, place, step):
        # XML has no words for U+0001.
        wanted = [(key, id if step % 2 else None) for key, id in self.some(place) if "\x01" not in key]
        return self.delete_many(wanted or [("u/never", None)])


def _facts(entry):
    names = ("IsLatest", "LastModified", "ETag", "Size", "Initiated")
    return (entry.tag, unquote(entry.findtext("Key")), *(entry.findtext(name) for name in names))


def _told(answer):
    return answer.status, answer.headers.get("x-oss-delete-marker"), "x-oss-version-id" in answer.headers


@pytest.mark.parametrize("seed", range(2))
def test_a_life_of_a_bucket_is_the_same_in_both(seed, oss):
    memory = MemoryOss(OSS_BUCKET, OSS_REGION, lambda: OSS_NOW)
    memory._bucket.accounts.add(OSS_KEYS["account"])
    memory.no_version, memory.takes_null = "", False
    twins = (Twin("https://b.oss", memory.send), Twin(oss.origin, send))
    dice = random.Random(seed)
    for step in range(60):
        if step in (20, 40):
            memory.versioning = oss.objects.versioning = "Enabled" if step == 20 else "Suspended"
        act = dice.choice(("put", "put", "begin", "delete", "version", "many", "abort"))
        drawn, kind = (dice.choice(DRAWN), dice.random(), step), dice.choice(LISTS)
        one, other = ((getattr(twin, act)(*drawn), twin.pages(kind, 1 + step % 3, "u/")) for twin in twins)
        assert one == other, act
