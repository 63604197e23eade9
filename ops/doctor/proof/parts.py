"""Questions about uploads in parts, and copies of such objects."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

import requests

from function.oss.multipart import Completed, StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import head_object
from function.oss.post_form import OVERWRITE_FIELD
from function.oss.presign import NONE
from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.proof.point import Seen, are_all, is_refused, is_stored_already, is_taken, told
from ops.doctor.proof.sandbox import DOT, Sandbox

SIGNED_LENGTH = "4"
PRIVATE = {"x-oss-object-acl": "private"}
ONCE = {OVERWRITE_FIELD: "true"}


class Upload(NamedTuple):
    """An upload in parts, begun: its key, its id in OSS, and the answer that OSS began it with."""

    sandbox: Sandbox
    key: str
    id: str
    answer: str = ""

    @property
    def first(self) -> dict[str, str]:
        """The query of its first part."""
        return {"partNumber": "1", "uploadId": self.id}

    def send(self) -> StoredPart:
        """Send its one part, of one byte."""
        answer = accepted(self.sandbox.call("PUT", self.key, query=self.first, body=DOT))
        return StoredPart(1, 1, answer.headers.get("ETag", "").strip('"'))

    def end(self, part: StoredPart) -> requests.Response:
        """Complete it by a call that names no ACL."""
        body = (
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
            f'<ETag>"{part.etag}"</ETag></Part></CompleteMultipartUpload>'
        )
        return self.sandbox.call("POST", self.key, query={"uploadId": self.id}, body=body.encode())

    def complete(self, part: StoredPart) -> Completed:
        """Complete it as the function does."""
        oss = self.sandbox.client()
        return complete(oss, self.key, self.id, [part], acl="private", forbid_overwrite=True)


def begin(sandbox: Sandbox, headers: Mapping[str, str] = NONE) -> Upload:
    """Raises NotTried: the keys may not."""
    key = sandbox.new_key()
    answer = accepted(sandbox.call("POST", key, query={"uploads": ""}, headers=headers))
    upload = Upload(sandbox, key, text_in(answer, "UploadId"), answer.text)
    sandbox.uploads_left.append((key, upload.id))
    return upload


def part_length_is_held(sandbox: Sandbox) -> Seen:
    upload, headers = begin(sandbox), {"content-type": "text/plain"}
    signed = {**headers, "content-length": SIGNED_LENGTH}
    additional = ("content-length",)
    address = sandbox.url("PUT", upload.key, query=upload.first, headers=signed, additional=additional)
    exact = sandbox.send("PUT", address, headers, b"....")
    longer = sandbox.send("PUT", address, headers, b".....")
    seen = f"{evidence(exact)} / {evidence(longer)}"
    if exact.status_code != 200:
        return Seen(None, "it cannot be signed: set SIGN_PART_LENGTH=false", seen)
    return told(longer.status_code != 200, seen)


def initiate_takes_acl(sandbox: Sandbox) -> Seen:
    upload = begin(sandbox, PRIVATE)
    accepted(upload.end(upload.send()))
    grant = text_in(accepted(sandbox.call("GET", upload.key, query={"acl": ""})), "Grant")
    return told(grant == "private", f"Grant: {grant or '-'}")


def second_complete_repeats(sandbox: Sandbox) -> Seen:
    upload = begin(sandbox)
    part = upload.send()
    accepted(upload.end(part))
    return is_taken(upload.end(part))


def part_etag_is_md5(sandbox: Sandbox) -> Seen:
    etag = begin(sandbox).send().etag
    return told(etag.upper() == hashlib.md5(DOT, usedforsecurity=False).hexdigest().upper(), etag)


def copy_keeps_multipart_etag(sandbox: Sandbox) -> Seen:
    upload, copy = begin(sandbox), sandbox.new_key()
    accepted(upload.end(upload.send()))
    source = f"/{sandbox.settings.bucket}/{quote(upload.key)}"
    accepted(sandbox.call("PUT", copy, headers={"x-oss-copy-source": source}))
    etags = [accepted(sandbox.call("HEAD", one)).headers.get("ETag", "") for one in (upload.key, copy)]
    return told(etags[0] == etags[1], " / ".join(etags))


def answers_name_namespace(sandbox: Sandbox) -> Seen:
    text = begin(sandbox).answer
    if "InitiateMultipartUploadResult" not in text:
        raise NotTried("the answer is no InitiateMultipartUploadResult")
    return told("xmlns=" in text, "xmlns" if "xmlns=" in text else "-")


def parts_are_listed(sandbox: Sandbox) -> Seen:
    upload = begin(sandbox)
    part = upload.send()
    parts = list_parts(sandbox.client(), upload.key, upload.id)
    return told(parts == [part], str(parts))


def changed_part_is_refused(sandbox: Sandbox) -> Seen:
    upload = begin(sandbox)
    outcome = upload.complete(upload.send()._replace(etag="0" * 32))
    return told(outcome is Completed.PART_CHANGED, outcome.name)


def aborted_upload_is_gone(sandbox: Sandbox) -> Seen:
    oss, upload = sandbox.client(), begin(sandbox)
    part = upload.send()
    aborted = [abort(oss, upload.key, upload.id) for _ in range(2)]
    seen = aborted, list_parts(oss, upload.key, upload.id), upload.complete(part)
    return told(seen == ([True, False], None, Completed.NO_SUCH_UPLOAD), str(seen))


def completion_stores_once(sandbox: Sandbox) -> Seen:
    """Another object takes the name while the parts arrive."""
    upload = begin(sandbox, ONCE)
    part = upload.send()
    sandbox.put(key=upload.key)
    return is_stored_already(lambda: upload.complete(part))


def completion_stores_as_begun(sandbox: Sandbox) -> Seen:
    oss, key = sandbox.client(), sandbox.new_key()
    headers = {"content-type": "text/plain", "x-oss-meta-upload-id": "prove", **ONCE}
    upload = Upload(sandbox, key, initiate(oss, key, headers))
    sandbox.uploads_left.append((key, upload.id))
    upload.complete(upload.send())
    facts = head_object(oss, key)
    if facts is None:
        return told(False, "-")
    grant = text_in(accepted(sandbox.call("GET", key, query={"acl": ""})), "Grant")
    seen = (facts.size_bytes, facts.content_type, facts.metadata.get("upload-id"), grant)
    return told(seen == (1, "text/plain", "prove", "private"), str(seen))


def part_url_holds_its_part(sandbox: Sandbox) -> Seen:
    upload, other = begin(sandbox), begin(sandbox)
    headers = {"content-type": "text/plain"}
    url = sandbox.url("PUT", upload.key, query=upload.first, headers=headers)
    changes = (("partNumber=1", "partNumber=2"), (upload.id, other.id))
    changed = [sandbox.send("PUT", url.replace(*change), headers, DOT) for change in changes]
    other_type = sandbox.send("PUT", url, {"content-type": "image/png"}, DOT)
    exact = is_taken(sandbox.send("PUT", url, headers, DOT))
    return are_all([exact, *map(is_refused, (*changed, other_type))])
