"""
Trial upload in parts: one part of one byte.
"""

from collections.abc import Mapping

import requests

from ops.doctor.evidence import accepted, text_in
from ops.doctor.proof.sandbox import DOT, Sandbox


def begin(
    sandbox: Sandbox, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[str, str, str]:
    """
    Return its key, OSS's id of it, and the answer.

    Raises:
        NotTried: the keys may not.
    """
    key = sandbox.new_key()
    answer = accepted(sandbox.call("POST", key, query={"uploads": "", **(query or {})}, headers=headers))
    upload_id = text_in(answer, "UploadId")
    sandbox.uploads_left.append((key, upload_id))
    return key, upload_id, answer.text


def send_part(sandbox: Sandbox, key: str, upload_id: str) -> str:
    """Return the ETag of the part, with its quotes."""
    query = {"partNumber": "1", "uploadId": upload_id}
    return accepted(sandbox.call("PUT", key, query=query, body=DOT)).headers.get("ETag", "")


def complete_with(sandbox: Sandbox, key: str, upload_id: str, etag: str) -> requests.Response:
    body = (
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
        f"<ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    return sandbox.call("POST", key, query={"uploadId": upload_id}, body=body.encode())
