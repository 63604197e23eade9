"""Questions about uploads in parts, and copies of such objects."""

import hashlib
from collections.abc import Mapping
from urllib.parse import quote

import requests

from function.oss.multipart import Completed, StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import head_object
from function.oss.post_form import OVERWRITE_FIELD
from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.proof.point import Seen, are_all, is_refused, is_stored_already, is_taken, told
from ops.doctor.proof.sandbox import DOT, Sandbox

SIGNED_LENGTH = "4"
PRIVATE = {"x-oss-object-acl": "private"}


def begin(sandbox: Sandbox, headers: Mapping[str, str] | None = None) -> tuple[str, str, str]:
    """
    Return its key, OSS's id of it, and the answer.

    Raises:
        NotTried: the keys may not.
    """
    key = sandbox.new_key()
    answer = accepted(sandbox.call("POST", key, query={"uploads": ""}, headers=headers))
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


def _joined(sandbox: Sandbox) -> str:
    """An object of one part; its key."""
    key, upload_id, _ = begin(sandbox)
    accepted(complete_with(sandbox, key, upload_id, send_part(sandbox, key, upload_id)))
    return key


def part_length_is_held(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = begin(sandbox)
    address = sandbox.url(
        "PUT",
        key,
        query={"partNumber": "1", "uploadId": upload_id},
        headers={"content-type": "text/plain", "content-length": SIGNED_LENGTH},
        additional=("content-length",),
    )
    headers = {"Content-Type": "text/plain"}
    exact = sandbox.send("PUT", address, headers, b"....")
    longer = sandbox.send("PUT", address, headers, b".....")
    seen = f"{evidence(exact)} / {evidence(longer)}"
    if exact.status_code != 200:
        return Seen(None, "it cannot be signed: set SIGN_PART_LENGTH=false", seen)
    return told(longer.status_code != 200, seen)


def initiate_takes_acl(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = begin(sandbox, headers=PRIVATE)
    accepted(complete_with(sandbox, key, upload_id, send_part(sandbox, key, upload_id)))
    grant = text_in(accepted(sandbox.call("GET", key, query={"acl": ""})), "Grant")
    return told(grant == "private", f"Grant: {grant or '-'}")


def second_complete_repeats(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = begin(sandbox)
    etag = send_part(sandbox, key, upload_id)
    accepted(complete_with(sandbox, key, upload_id, etag))
    again = complete_with(sandbox, key, upload_id, etag)
    return told(again.status_code == 200, evidence(again))


def part_etag_is_md5(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = begin(sandbox)
    etag = send_part(sandbox, key, upload_id).strip('"')
    return told(etag.upper() == hashlib.md5(DOT, usedforsecurity=False).hexdigest().upper(), etag)


def copy_keeps_multipart_etag(sandbox: Sandbox) -> Seen:
    key, copy = _joined(sandbox), sandbox.new_key()
    source = f"/{sandbox.settings.bucket}/{quote(key)}"
    accepted(sandbox.call("PUT", copy, headers={"x-oss-copy-source": source}))
    etags = [accepted(sandbox.call("HEAD", one)).headers.get("ETag", "") for one in (key, copy)]
    return told(etags[0] == etags[1], " / ".join(etags))


def answers_name_namespace(sandbox: Sandbox) -> Seen:
    _, _, text = begin(sandbox)
    if "InitiateMultipartUploadResult" not in text:
        raise NotTried("the answer is no InitiateMultipartUploadResult")
    return told("xmlns=" in text, "xmlns" if "xmlns=" in text else "-")


def parts_are_listed(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = begin(sandbox)
    etag = send_part(sandbox, key, upload_id).strip('"')
    parts = list_parts(sandbox.client(), key, upload_id)
    seen = ", ".join(f"{part.number}: {part.size_bytes} byte, {part.etag}" for part in parts or ())
    return told(parts == [StoredPart(1, 1, etag)], seen or "-")


def changed_part_is_refused(sandbox: Sandbox) -> Seen:
    oss, (key, upload_id, _) = sandbox.client(), begin(sandbox)
    send_part(sandbox, key, upload_id)
    parts = [StoredPart(1, 1, "0" * 32)]
    outcome = complete(oss, key, upload_id, parts, acl="private", forbid_overwrite=True)
    return told(outcome is Completed.PART_CHANGED, outcome.name)


def aborted_upload_is_gone(sandbox: Sandbox) -> Seen:
    oss, (key, upload_id, _) = sandbox.client(), begin(sandbox)
    part = StoredPart(1, 1, send_part(sandbox, key, upload_id).strip('"'))
    aborted = [abort(oss, key, upload_id) for _ in range(2)]
    parts = list_parts(oss, key, upload_id)
    outcome = complete(oss, key, upload_id, [part], acl="private", forbid_overwrite=True)
    is_gone = (aborted, parts, outcome) == ([True, False], None, Completed.NO_SUCH_UPLOAD)
    return told(is_gone, f"{aborted} {outcome.name}")


def completion_stores_once(sandbox: Sandbox) -> Seen:
    """Another object takes the name while the parts arrive."""
    oss, (key, upload_id, _) = sandbox.client(), begin(sandbox, headers={OVERWRITE_FIELD: "true"})
    part = StoredPart(1, 1, send_part(sandbox, key, upload_id).strip('"'))
    sandbox.put(key=key)
    return is_stored_already(
        lambda: complete(oss, key, upload_id, [part], acl="private", forbid_overwrite=True)
    )


def completion_stores_as_begun(sandbox: Sandbox) -> Seen:
    oss, key = sandbox.client(), sandbox.new_key()
    headers = {"content-type": "text/plain", "x-oss-meta-upload-id": "prove", OVERWRITE_FIELD: "true"}
    upload_id = initiate(oss, key, headers)
    sandbox.uploads_left.append((key, upload_id))
    part = StoredPart(1, 1, send_part(sandbox, key, upload_id).strip('"'))
    complete(oss, key, upload_id, [part], acl="private", forbid_overwrite=True)
    facts = head_object(oss, key)
    if facts is None:
        return told(False, "-")
    grant = text_in(accepted(sandbox.call("GET", key, query={"acl": ""})), "Grant")
    seen = (facts.size_bytes, facts.content_type, facts.metadata.get("upload-id"), grant)
    return told(seen == (1, "text/plain", "prove", "private"), str(seen))


def part_url_holds_its_part(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = begin(sandbox)
    _, other_id, _ = begin(sandbox)
    query, headers = {"partNumber": "1", "uploadId": upload_id}, {"content-type": "text/plain"}
    url = sandbox.url("PUT", key, query=query, headers=headers)
    changes = (("partNumber=1", "partNumber=2"), (upload_id, other_id))
    changed = [sandbox.send("PUT", url.replace(*change), headers, DOT) for change in changes]
    other_type = sandbox.send("PUT", url, {"content-type": "image/png"}, DOT)
    exact = is_taken(sandbox.send("PUT", url, headers, DOT))
    return are_all([exact, *map(is_refused, (*changed, other_type))])
