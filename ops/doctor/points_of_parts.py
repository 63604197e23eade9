"""
What no page says of uploads in parts, and of copies of what came so.
"""

from urllib.parse import quote

from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.point import Point, Seen, told
from ops.doctor.trial import Trial
from ops.terminal.language import Text

SIGNED_LENGTH = "4"
PRIVATE = {"x-oss-object-acl": "private"}


def _joined(trial: Trial, *begun: str) -> str:
    """An object of one part; its key."""
    key, upload_id, _ = trial.begin(dict.fromkeys(begun, ""))
    accepted(trial.complete(key, upload_id, trial.send_part(key, upload_id)))
    return key


def _signed_length(trial: Trial) -> Seen:
    key, upload_id, _ = trial.begin()
    address = trial.url(
        "PUT",
        key,
        query={"partNumber": "1", "uploadId": upload_id},
        headers={"content-type": "text/plain", "content-length": SIGNED_LENGTH},
        additional=("content-length",),
    )
    headers = {"Content-Type": "text/plain"}
    exact = trial.send("PUT", address, headers, b"....")
    longer = trial.send("PUT", address, headers, b".....")
    seen = f"{evidence(exact)} / {evidence(longer)}"
    if exact.status_code != 200:
        said = Text("it cannot be signed: set SIGN_PART_LENGTH=false", "不能签：请设 SIGN_PART_LENGTH=false")
        return Seen(None, said, seen)
    return told(longer.status_code != 200, seen)


def _acl_at_the_beginning(trial: Trial) -> Seen:
    key, upload_id, _ = trial.begin(headers=PRIVATE)
    accepted(trial.complete(key, upload_id, trial.send_part(key, upload_id)))
    grant = text_in(accepted(trial.call("GET", key, query={"acl": ""})), "Grant")
    return told(grant == "private", f"Grant: {grant or '-'}")


def _second_completion(trial: Trial) -> Seen:
    key, upload_id, _ = trial.begin()
    etag = trial.send_part(key, upload_id)
    accepted(trial.complete(key, upload_id, etag))
    again = trial.complete(key, upload_id, etag)
    return told(again.status_code == 200, evidence(again))


def _sequential(trial: Trial) -> Seen:
    md5 = accepted(trial.call("HEAD", _joined(trial, "sequential"))).headers.get("Content-MD5", "")
    return told(bool(md5), f"Content-MD5: {'there' if md5 else '-'}")


def _copy(trial: Trial) -> Seen:
    key, copy = _joined(trial), trial.new_key()
    source = f"/{trial.settings.bucket}/{quote(key)}"
    accepted(trial.call("PUT", copy, headers={"x-oss-copy-source": source}))
    etags = [accepted(trial.call("HEAD", one)).headers.get("ETag", "") for one in (key, copy)]
    return told(etags[0] == etags[1], " / ".join(etags))


def _namespace(trial: Trial) -> Seen:
    _, _, text = trial.begin()
    if "InitiateMultipartUploadResult" not in text:
        raise NotTried(Text("the answer is no InitiateMultipartUploadResult", "应答不是所要的 XML"))
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
        Text("Is a second completion answered as the first?", "再次 Complete 得到同样的应答吗？"),
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
        Text("Do answers name a namespace?", "应答的 XML 带命名空间吗？"),
        *(True, 1, _namespace),
    ),
)
