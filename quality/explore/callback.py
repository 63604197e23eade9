"""The callback of OSS about a form that was sent."""

import json
import re
from base64 import b64decode, b64encode
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from quality.explore.photo import etag_of
from tests.support.stage import BUCKET, KEY_HEADER

KEYS = Path(__file__).parents[2] / "tests" / "keys"
KEY_HOST, PUBLIC_KEY = "gosspublic.alicdn.com", (KEYS / "rsa.pub.pem").read_bytes()
PATH = "/callback"


def callback_about(form: dict[str, Any], name: str, size: int) -> dict[str, Any]:
    """
    The request with which OSS reports an object; fields as of ``World.ask_event``.

    Args:
        name: of the bytes that were sent.
        size: theirs, or what the uploader says.
    """
    fields = form["formData"]
    key, template = fields["key"], json.loads(b64decode(fields["callback"]))["callbackBody"]
    known = {"bucket": BUCKET, "object": key, "etag": f'"{etag_of(key, name)}"', "size": str(size)}
    known |= {"mimeType": fields["x-oss-content-type"]}
    known |= {"imageInfo.width": "8", "imageInfo.height": "8", "imageInfo.format": "png", "reqId": "5F00"}
    body = re.sub(r"\$\{([^}]*)\}", lambda field: quote(known[field[1]], safe=""), template).encode()
    headers = {
        "authorization": b64encode(_signature(body)).decode(),
        "x-oss-pub-key-url": KEY_HEADER,
        "content-type": "application/x-www-form-urlencoded",
    }
    return {"path": PATH, "headers": headers, "base64": b64encode(body).decode()}


@cache
def _signature(body: bytes) -> bytes:
    key = load_pem_private_key((KEYS / "rsa.pem").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return key.sign(PATH.encode() + b"\n" + body, PKCS1v15(), MD5())  # noqa: S303 - what OSS signs with
