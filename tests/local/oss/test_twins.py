"""The OSS of the function's tests and the local OSS, which share no code, answer the same."""

import random
from base64 import b64encode
from dataclasses import replace
from hashlib import md5
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from function.http.client import send
from function.oss.client import OssClient, call
from tests.local.oss.conftest import OSS_BUCKET, OSS_KEYS, OSS_NOW, OSS_REGION
from tests.support.memory_oss import MemoryOss

KEYS = ("u/1", "u/\U0001f600&", "u/2/\x01 +", "v/1")
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
        key = next((key for key in begun if key >= KEYS[int(place * 4)]), "")
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
        drawn, kind = (dice.choice(KEYS), dice.random(), step), dice.choice(LISTS)
        one, other = ((getattr(twin, act)(*drawn), twin.pages(kind, 1 + step % 3, "u/")) for twin in twins)
        assert one == other, act
