"""The buckets of the local cloud: each in a region of its own, with a role that reaches no other."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from local.fc.event import ACCOUNT_ID
from local.oss.server import OssServer

# What the function's sessions need of objects, and of the bucket itself; their own policies say where.
ACTIONS = (
    "oss:PutObject",
    "oss:PutObjectAcl",
    "oss:GetObject",
    "oss:DeleteObject",
    "oss:DeleteObjectVersion",
    "oss:ListParts",
    "oss:AbortMultipartUpload",
    "oss:PostProcessTask",
)
LISTS = ("oss:ListObjects", "oss:ListObjectVersions", "oss:ListMultipartUploads")


class Place(NamedTuple):
    """
    Args:
        region: region id, without ``oss-``.

        role_arn: of the role whose sessions reach this bucket.
    """

    bucket: str
    region: str
    role_arn: str


HOME = Place("local-bucket", "cn-hangzhou", f"acs:ram::{ACCOUNT_ID}:role/oss-direct-upload")
ARCHIVE = Place("local-archive", "cn-shanghai", f"acs:ram::{ACCOUNT_ID}:role/oss-direct-upload-archive")


def role_policy(bucket: str) -> dict[str, Any]:
    """The RAM document of a role that reaches one bucket and its objects."""
    statements = [
        {"Effect": "Allow", "Action": list(actions), "Resource": [f"acs:oss:*:*:{resource}"]}
        for actions, resource in ((ACTIONS, f"{bucket}/*"), (LISTS, bucket))
    ]
    return {"Version": "1", "Statement": statements}


def bucket_of(profile: Mapping[str, Any]) -> str:
    """Return the bucket of a profile as its file names it."""
    return str(profile.get("bucket", HOME.bucket))


def store_of(stores: Sequence[OssServer], key: str, bucket: str = "") -> OssServer:
    """
    The local OSS to ask for an object.

    Args:
        bucket: the object's; where it is empty, the first that has the object.

    Returns:
        The first of all where none fits.
    """
    fitting = (store for store in stores if _fits(store, key, bucket))
    return next(fitting, stores[0])


def _fits(store: OssServer, key: str, bucket: str) -> bool:
    return store.bucket.name == bucket if bucket else key in store.objects


def file_name_at(stores: Sequence[OssServer], url: str) -> str | None:
    """
    Return the file name that the form gave the object of a URL.

    Two buckets may have an object of one name: where the URL begins with the address of one of them, that
    one's is meant. The function's own address of an object has a token that names its upload.
    """
    if upload_id := _upload_in(url):
        found = (each for store in stores for each in store.objects.values())
        return next((each.file_name for each in found if each.metadata.get("upload-id") == upload_id), None)
    key = unquote(urlsplit(url).path).removeprefix("/")
    named = [store for store in stores if url.startswith(f"{store.origin}/")]
    names = (store.objects.file_name_of(key) for store in named or stores)
    return next((name for name in names if name), None)


def _upload_in(url: str) -> str | None:
    """Return the upload that the token ``t`` of a URL names, unverified."""
    _, *claims = dict(parse_qsl(urlsplit(url).query)).get("t", "").split(".")
    try:
        fields = json.loads(urlsafe_b64decode(f"{claims[0]}=="))
        return str(fields["upload"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None
