"""
Open points of uploads in parts, and of copies of such objects.
"""

from urllib.parse import quote

from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.open_point import Point, Seen, told
from ops.doctor.sandbox import Sandbox
from ops.terminal.language import Text

SIGNED_LENGTH = "4"
PRIVATE = {"x-oss-object-acl": "private"}


def _joined(sandbox: Sandbox, *begun: str) -> str:
    """An object of one part; its key."""
    key, upload_id, _ = sandbox.begin(dict.fromkeys(begun, ""))
    accepted(sandbox.complete(key, upload_id, sandbox.send_part(key, upload_id)))
    return key


def _signed_length(sandbox: Sandbox) -> Seen:
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


def _acl_at_the_beginning(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = sandbox.begin(headers=PRIVATE)
    accepted(sandbox.complete(key, upload_id, sandbox.send_part(key, upload_id)))
    grant = text_in(accepted(sandbox.call("GET", key, query={"acl": ""})), "Grant")
    return told(grant == "private", f"Grant: {grant or '-'}")


def _second_completion(sandbox: Sandbox) -> Seen:
    key, upload_id, _ = sandbox.begin()
    etag = sandbox.send_part(key, upload_id)
    accepted(sandbox.complete(key, upload_id, etag))
    again = sandbox.complete(key, upload_id, etag)
    return told(again.status_code == 200, evidence(again))


def _sequential(sandbox: Sandbox) -> Seen:
    md5 = accepted(sandbox.call("HEAD", _joined(sandbox, "sequential"))).headers.get("Content-MD5", "")
    return told(bool(md5), f"Content-MD5: {'there' if md5 else '-'}")


def _copy(sandbox: Sandbox) -> Seen:
    key, copy = _joined(sandbox), sandbox.new_key()
    source = f"/{sandbox.settings.bucket}/{quote(key)}"
    accepted(sandbox.call("PUT", copy, headers={"x-oss-copy-source": source}))
    etags = [accepted(sandbox.call("HEAD", one)).headers.get("ETag", "") for one in (key, copy)]
    return told(etags[0] == etags[1], " / ".join(etags))


def _namespace(sandbox: Sandbox) -> Seen:
    _, _, text = sandbox.begin()
    if "InitiateMultipartUploadResult" not in text:
        raise NotTried(Text("the answer is no InitiateMultipartUploadResult", "响应不是所要的 XML"))
    return told("xmlns=" in text, "xmlns" if "xmlns=" in text else "-")


POINTS = (
    Point(
        "part_length_is_held",
        Text("Is a signed content-length of a part enforced?", "分片签了 content-length 就会执行吗？"),
        *(False, 3, _signed_length),
    ),
    Point(
        "initiate_takes_acl",
        Text("Does InitiateMultipartUpload take an ACL?", "InitiateMultipartUpload 的 ACL 有效吗？"),
        *(True, 4, _acl_at_the_beginning),
    ),
    Point(
        "second_complete_repeats",
        Text("Is a second completion answered as the first?", "再次 Complete 得到同样的响应吗？"),
        *(True, 4, _second_completion),
    ),
    Point(
        "sequential_mode",
        Text("Is there a sequential mode?", "有顺序模式（sequential）吗？"),
        *(True, 4, _sequential),
    ),
    Point(
        "copy_keeps_multipart_etag",
        Text("Does a copy of what came in parts keep its ETag?", "分片上传的对象，副本的 ETag 不变吗？"),
        *(True, 6, _copy),
    ),
    Point(
        "answers_name_namespace",
        Text("Do answers name a namespace?", "响应的 XML 带命名空间吗？"),
        *(True, 1, _namespace),
    ),
)
