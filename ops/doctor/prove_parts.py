"""
Open points of uploads in parts, and of copies of such objects.
"""

from urllib.parse import quote

from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.point import Seen, points, told
from ops.doctor.sandbox import Sandbox
from ops.terminal.language import Text

SIGNED_LENGTH = "4"
PRIVATE = {"x-oss-object-acl": "private"}


def _joined(sandbox: Sandbox, *begun: str) -> str:
    """An object of one part; its key."""
    key, upload_id, _ = sandbox.begin(dict.fromkeys(begun, ""))
    accepted(sandbox.complete(key, upload_id, sandbox.send_part(key, upload_id)))
    return key


def part_length_is_held(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = sandbox.begin()
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
        said = Text("it cannot be signed: set SIGN_PART_LENGTH=false", "不能签：请设 SIGN_PART_LENGTH=false")
        return Seen(None, said, seen)
    return told(longer.status_code != 200, seen)


def initiate_takes_acl(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = sandbox.begin(headers=PRIVATE)
    accepted(sandbox.complete(key, upload_id, sandbox.send_part(key, upload_id)))
    grant = text_in(accepted(sandbox.call("GET", key, query={"acl": ""})), "Grant")
    return told(grant == "private", f"Grant: {grant or '-'}")


def second_complete_repeats(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = sandbox.begin()
    etag = sandbox.send_part(key, upload_id)
    accepted(sandbox.complete(key, upload_id, etag))
    again = sandbox.complete(key, upload_id, etag)
    return told(again.status_code == 200, evidence(again))


def sequential_mode(sandbox: Sandbox) -> Seen:
    md5 = accepted(sandbox.call("HEAD", _joined(sandbox, "sequential"))).headers.get("Content-MD5", "")
    return told(bool(md5), f"Content-MD5: {'there' if md5 else '-'}")


def copy_keeps_multipart_etag(sandbox: Sandbox) -> Seen:
    key, copy = _joined(sandbox), sandbox.new_key()
    source = f"/{sandbox.settings.bucket}/{quote(key)}"
    accepted(sandbox.call("PUT", copy, headers={"x-oss-copy-source": source}))
    etags = [accepted(sandbox.call("HEAD", one)).headers.get("ETag", "") for one in (key, copy)]
    return told(etags[0] == etags[1], " / ".join(etags))


def answers_name_namespace(sandbox: Sandbox) -> Seen:
    _, _, text = sandbox.begin()
    if "InitiateMultipartUploadResult" not in text:
        raise NotTried(Text("the answer is no InitiateMultipartUploadResult", "响应不是所要的 XML"))
    return told("xmlns=" in text, "xmlns" if "xmlns=" in text else "-")


POINTS = points(
    part_length_is_held,
    initiate_takes_acl,
    second_complete_repeats,
    sequential_mode,
    copy_keeps_multipart_etag,
    answers_name_namespace,
)
