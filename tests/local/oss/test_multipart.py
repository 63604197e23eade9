"""Uploads in parts over HTTP, each rule of OSS by name."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from local.oss.answer import Answer
from local.oss.attributes import Attributes
from local.oss.errors import OssError
from local.oss.part_list import chosen_parts, etag_of, part_number, read_part_list
from local.oss.part_refusals import NO_UPLOAD
from local.oss.uploads import Part, Upload, Uploads
from tests.local.oss.conftest import (
    NOT_PERMITTED,
    OSS_NOW,
    UNSIGNED,
    content_md5,
    hex_md5,
    refusal_of,
    vectors,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY = "u/42/视频 一+1.mp4"
SMALLEST = 100 * 1024
GONE = "404 NoSuchUpload"
EXISTS = "409 FileAlreadyExists 0026-00000002"
VIDEO = Attributes("video/mp4", None, "Standard", forbid_overwrite=False)
DIGESTS = vectors("presigned_v4")["digests"]


def test_parts_become_the_object_that_was_begun(begin, oss, oss_client):
    headers = {"Cache_Control": "no-store", "Content_Disposition": "inline", "x_oss_meta_owner": "42"}
    upload = begin(Content_Type="video/mp4", x_oss_storage_class="IA", **headers)
    assert (upload.begun.headers["Content-Type"], upload.begun.element("Key")) == ("application/xml", KEY)
    assert upload.begun.element("Bucket") == oss.bucket.name
    contents = [b"a" * SMALLEST, b"b" * SMALLEST, b"hello"]
    # The type that is sent with a part, or at the end, is not the object's.
    answers = [upload.part(number, one, Content_Type="a/b") for number, one in enumerate(contents, 1)]
    etags = [answer.headers["ETag"] for answer in answers]
    assert etags == [f'"{hex_md5(content)}"' for content in contents]
    assert KEY not in oss.objects
    done = upload.complete(*enumerate(etags, 1), x_oss_object_acl="private", Content_Type="application/xml")
    assert (done.status, done.headers["Content-Type"]) == (200, "application/xml")
    assert done.element("ETag") == '"C13D5C3C1ADC577BBD48CE5F406FFD88-3"' == done.headers["ETag"]
    assert done.element("Location") == f"http://{oss.bucket.host}/{quote(KEY)}"
    stored = oss.objects[KEY]
    assert (stored.content_type, stored.acl, stored.kind) == ("video/mp4", "private", "Multipart")
    head = oss_client.call("HEAD", KEY).headers
    told = ("x-oss-object-type", "Cache-Control", "Content-Disposition", "x-oss-meta-owner", "Content-MD5")
    assert [head[name] for name in told] == ["Multipart", "no-store", "inline", "42", None]
    assert (head["x-oss-storage-class"], head["Content-Length"]) == ("IA", "204805")
    assert oss_client.call("GET", KEY).body == b"".join(contents)


def test_parts_may_have_gaps_come_in_any_order_be_left_out_and_replaced(begin, oss, oss_client):
    upload = begin()
    for number in (7, 2, 5):
        upload.part(number, str(number).encode() * SMALLEST)
    old = upload.part(7, b"seven").headers["ETag"]
    upload.part(7, b"last")
    assert upload.complete((2, hex_md5(b"2" * SMALLEST)), (7, old)).said.startswith("400 InvalidPart")
    assert upload.complete((2, hex_md5(b"2" * SMALLEST)), (7, hex_md5(b"last"))).status == 200
    assert oss_client.call("GET", KEY).body == b"2" * SMALLEST + b"last"
    assert (begin("u/empty").complete().status, oss.objects["u/empty"].size) == (200, 0)


def test_two_uploads_of_one_name_do_not_touch_each_other_and_the_last_one_wins(begin, oss_client, may):
    first, second = begin(), begin()
    # Any key with permission can continue one.
    second.key = may("oss:PutObject")
    first.part(1, b"first"), second.part(1, b"second")
    assert first.complete_all().status == second.complete_all().status == 200
    assert oss_client.call("GET", KEY).body == b"second"


def test_a_part_through_a_url_has_exactly_what_was_signed(begin, oss_client):
    query, kind = {"partNumber": "1", "uploadId": begin().id}, {"Content-Type": "video/mp4"}
    signed = {"content-type": "video/mp4", "content-length": "5"}
    url = oss_client.presigned("PUT", KEY, headers=signed, additional=["content-length"], **query)
    assert oss_client.request("PUT", url, b"hello", kind).status == 200
    for target, body, headers in (
        *((url, body, kind) for body in (b"hell", b"hello!")),
        (url, b"hello", {}),
        (url.replace("partNumber=1", "partNumber=2"), b"hello", kind),
    ):
        assert oss_client.request("PUT", target, body, headers).said.startswith("403 SignatureDoesNotMatch")
    # In chunks it has no length that could be signed.
    answer = oss_client.request("PUT", url, iter([b"hello"]), kind)
    assert answer.said == "400 InvalidArgument 0002-00000078"
    unsized = oss_client.presigned("PUT", KEY, **query)
    assert oss_client.request("PUT", unsized, iter([b"hello"])).status == 200


def test_a_part_is_held_against_its_digest(begin):
    upload, right = begin(), content_md5(b"hello")
    assert upload.part(1, b"jello", Content_MD5=right).said == "400 InvalidDigest 0017-00000502"
    answer = upload.part(1, b"hello", Content_MD5=right)
    assert (answer.status, answer.headers["Content-MD5"]) == (200, right)
    assert answer.headers["x-oss-hash-crc64ecma"] == "11177612005948864433"


@pytest.mark.parametrize("number", ["0", "10001", "-1", "1.0", "", "x", "١", "1" * 30])
def test_a_part_has_a_number_from_1_to_10000(number, begin):
    upload = begin()
    assert upload.part(number, b"x").said == "400 InvalidArgument 0017-00000220"
    assert upload.part(10000, b"x").status == 200
    with pytest.raises(OssError) as refused:
        part_number(number, 10_000)
    assert refused.value.details["ArgumentName"] == "PartNumber"


def test_a_part_without_a_number_or_with_encryption_is_refused(begin, oss_client):
    upload = begin()
    for answer in (
        oss_client.call("PUT", KEY, b"x", uploadId=upload.id),
        upload.part(1, b"x", x_oss_server_side_encryption="AES256"),
        oss_client.call("POST", KEY, uploads=None, **{"encoding-type": "base64"}),
    ):
        assert answer.said.startswith("400 InvalidArgument")


def test_only_the_last_part_of_the_list_may_be_small(begin):
    upload = begin()
    assert [upload.part(number, b"x").status for number in (1, 2)] == [200, 200]
    assert upload.complete_all().said == "400 EntityTooSmall 0042-00000213"
    assert upload.part(1, b"x" * SMALLEST).status == upload.complete_all().status == 200
    parts = {n: Part(n, size, f"E{n}", OSS_NOW, Path("unused")) for n, size in ((1, 100), (2, 99), (3, 100))}
    upload, listed = Upload("U", "k", VIDEO, OSS_NOW), [(n, f"E{n}") for n in parts]
    upload.parts.update(parts)
    assert len(chosen_parts(upload, listed[:2], 100)) == 2
    with pytest.raises(OssError) as refused:
        chosen_parts(upload, listed, 100)
    told = {"MinSizeAllowed": "100", "ProposedSize": "99", "PartNumber": "2", "ETag": "E2"}
    assert refused.value.details == told
    for wrong in ((4, "E4"), (1, "E2"), (1, "e1"), (1, "undefined")):
        with pytest.raises(OssError) as refused:
            chosen_parts(upload, [wrong], 1)
        assert refused.value.refusal.code == "InvalidPart"
        assert refused.value.details == {"ETag": wrong[1], "PartNumber": str(wrong[0]), "UploadId": "U"}


@cases("listed", "refusal")
def test_an_invalid_part_list_is_refused(begin, listed, refusal):
    upload = begin()
    asked = {"document": listed.encode()} if isinstance(listed, str) else {}
    parts = [] if asked else [(number, "A") for number in listed]
    assert upload.complete(*parts, **asked).said.startswith(refusal)


def test_each_wrong_completion_has_its_refusal_and_the_upload_goes_on(begin, rules, oss):
    upload = begin()
    etag = upload.part(1, b"x").headers["ETag"]
    for headers, said in (
        ({"Content_MD5": "AAAA"}, "400 InvalidDigest"),
        ({"Content_MD5": base64.b64encode(b"0" * 16).decode()}, "400 InvalidDigest"),
        ({"x_oss_object_acl": "secret"}, "400 InvalidArgument"),
        ({"x_oss_complete_all": "yes"}, "400 InvalidArgument 0042-00000216"),
        ({"x_oss_object_acl": "public-read"}, "403 AccessDenied"),
        ({"x_oss_callback": "e30="}, "501 NotImplemented"),
    ):
        answer = upload.complete((1, etag), **headers)
        assert answer.said.startswith(said)
        assert "complete_all" not in str(headers) or answer.element("ArgumentName") == "x-oss-complete-all"
    assert KEY not in oss.objects
    assert upload.complete((1, etag)).status == 200
    rules(max_document_bytes=100)
    assert begin().complete(document=b"<" + b"a" * 100 + b"/>").said.startswith("400 MalformedXML")


def test_a_part_list_is_read_with_and_without_quotes_and_its_object_has_the_published_etag():
    text = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag><Size>5</Size></Part>"
        for number, etag in ((1, '"AB"'), (3, "CD"), (10000, "&#34;EF&#34;"))
    )
    read = read_part_list(f"<CompleteMultipartUpload>{text}</CompleteMultipartUpload>".encode())
    assert read == [(1, "AB"), (3, "CD"), (10000, "EF")]
    parts = [Part(p["partNumber"], p["size"], p["etag"], OSS_NOW, Path("unused")) for p in DIGESTS["parts"]]
    assert etag_of(parts) == DIGESTS["object"]["etag"]
    assert etag_of([]) == "D41D8CD98F00B204E9800998ECF8427E-0"


def test_overwriting_is_forbidden_at_the_beginning_and_at_the_end(begin, oss_client):
    early, late = begin(x_oss_forbid_overwrite="true"), begin()
    for upload in (early, late):
        upload.part(1, b"parts")
    oss_client.call("PUT", KEY, b"there first")
    assert begin(x_oss_forbid_overwrite="true").begun.said == EXISTS
    assert late.complete_all(x_oss_forbid_overwrite="true").said == EXISTS
    assert oss_client.call("GET", KEY).body == b"there first"
    # Named at the beginning alone, it does not hold at the end.
    assert early.complete_all().status == 200
    assert oss_client.call("GET", KEY).body == b"parts"


def test_one_of_many_concurrent_completions_succeeds(begin):
    uploads = [begin() for _ in range(4)]
    for upload in uploads:
        upload.part(1, upload.id.encode())
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda upload: upload.complete_all(x_oss_forbid_overwrite="true"), uploads)
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]


@pytest.mark.parametrize("repeats", [False, True])
def test_a_second_completion_is_unknown_or_the_first_answer(repeats, begin, rules):
    rules(second_complete_repeats=repeats)
    upload = begin()
    upload.part(1, b"x")
    first, second = upload.complete_all(), upload.complete_all()
    if repeats:
        assert (second.status, second.body) == (200, first.body)
    else:
        assert (second.said, second.element("UploadId")) == (f"{GONE} 0017-00000244", upload.id)


def test_an_aborted_upload_is_gone_with_its_parts(begin, oss):
    upload = begin()
    upload.part(1, b"x")
    assert upload.abort().status == 204
    assert upload.abort().said == f"{GONE} 0042-00000002"
    assert upload.part(1, b"x").said == f"{GONE} 0042-00000104"
    assert upload.complete_all().said == f"{GONE} 0017-00000244"
    assert upload.list().said == f"{GONE} 0042-00000002"
    assert (len(oss.objects), list(oss.bucket.uploads)) == (0, [])


def test_an_upload_is_of_its_own_key_and_ended_by_no_page_of_another_origin(begin, oss_client):
    upload = begin()
    url = oss_client.presigned("DELETE", KEY, uploadId=upload.id)
    upload.name = "u/42/another.mp4"
    for answer in (upload.part(1, b"x"), upload.complete_all(), upload.abort()):
        assert answer.said.startswith(GONE)
    assert oss_client.request("DELETE", url, headers={"Origin": "https://evil.example"}).status == 403
    assert oss_client.request("DELETE", url).status == 204


@cases("actions", "allowed")
def test_each_call_needs_its_own_right(actions, allowed, begin, may, oss_client):
    upload, again = begin(), begin()
    upload.key = again.key = may(*actions)
    answers = {
        "initiate": begin(key=upload.key).begun,
        "part": upload.part(1, b"x"),
        "list": upload.list(),
        "complete": upload.complete_all(),
        "abort": again.abort(),
    }
    told = {name: answer.said for name, answer in answers.items()}
    assert {name for name, said in told.items() if said[0] == "2"} == {*allowed}
    assert {said for name, said in told.items() if name not in allowed} <= {NOT_PERMITTED}
    for method, target in (
        ("POST", "/u/1?uploads"),
        ("PUT", f"/{quote(KEY)}?partNumber=1&uploadId={upload.id}"),
        *((method, f"/{quote(KEY)}?uploadId={upload.id}") for method in ("GET", "POST", "DELETE")),
        ("GET", "/?uploads"),
    ):
        assert oss_client.request(method, target, b"").said == UNSIGNED


@pytest.mark.parametrize("takes", [False, True])
def test_an_acl_named_at_the_end_or_by_rule_at_the_beginning_needs_its_right(takes, begin, oss, rules, may):
    rules(initiate_takes_acl=takes)
    begin(x_oss_object_acl="private").complete()
    assert oss.objects[KEY].acl == ("private" if takes else "default")
    begin(x_oss_object_acl="private").complete(x_oss_object_acl="default")
    assert oss.objects[KEY].acl == "default"
    begun = begin(key=may("oss:PutObject"), x_oss_object_acl="private").begun
    assert begun.status == (403 if takes else 200)
    upload = begin()
    for actions, said in (
        (("oss:PutObject",), NOT_PERMITTED),
        (("oss:PutObject", "oss:PutObjectAcl"), "200"),
    ):
        upload.key = may(*actions)
        assert upload.complete_all(x_oss_object_acl="private").said == said


def test_a_sequential_upload_takes_parts_in_order_and_has_a_digest(begin, rules, oss_client):
    upload = begin(sequential=True)
    assert upload.part(2, b"x").said.startswith("400 PartNotSequential")
    for number, content in ((1, b"a" * SMALLEST), (1, b"b" * SMALLEST), (2, b"c")):
        assert upload.part(number, content).status == 200
    assert upload.part(1, b"d").said.startswith("400 PartNotSequential")
    upload.complete_all()
    assert oss_client.call("HEAD", KEY).headers["Content-MD5"] == content_md5(b"b" * SMALLEST + b"c")
    rules(sequential_mode=False)
    assert begin(sequential=True).part(2, b"x").status == 200


def test_a_part_of_an_encrypted_bucket_has_an_etag_that_is_no_md5(begin, rules):
    rules(part_etag_is_md5=False)
    upload = begin()
    answer = upload.part(1, b"hello")
    assert answer.headers["ETag"] != f'"{hex_md5(b"hello")}"'
    assert answer.headers["Content-MD5"] == content_md5(b"hello")
    assert upload.complete((1, answer.headers["ETag"])).status == 200


def test_a_copy_of_an_object_in_parts_has_its_etag_or_that_of_its_bytes(begin, oss, rules, oss_client):
    upload = begin()
    upload.part(1, b"hello")
    upload.complete_all()
    source = {"x-oss-copy-source": f"/examplebucket/{quote(KEY)}"}
    for keeps, etag in ((False, hex_md5(b"hello")), (True, oss.objects[KEY].etag)):
        rules(copy_keeps_multipart_etag=keeps)
        copied = oss_client.call("PUT", "u/copy", headers=source)
        assert copied.headers["ETag"] == f'"{etag}"' == f'"{oss.objects["u/copy"].etag}"'


@pytest.fixture
def copy_part(begin, stored, oss_client, oss):
    """Copy ``abc`` of ``u/source``, or a range of it, into an upload; what came back, and the object then."""
    stored("u/source")

    def copy(upload=None, source="/examplebucket/u/source", key="account", **headers):
        upload = upload or begin()
        headers = {f"x-oss-copy-source-{name.replace('_', '-')}": value for name, value in headers.items()}
        # SDKs send the digest of the body, and that is empty.
        headers |= {"x-oss-copy-source": source, "Content-MD5": content_md5(b"")}
        query = {"partNumber": "1", "uploadId": upload.id}
        answer = oss_client.call("PUT", KEY, None, key, headers, **query)
        upload.complete_all()
        return answer, oss.objects[KEY].path.read_bytes() if KEY in oss.objects else None

    return copy


@pytest.mark.parametrize(
    ("asked", "copied"), [(None, b"abc"), ("bytes=1-2", b"bc"), ("bytes=0-0", b"a"), ("bytes=1-3", b"abc")]
)
def test_a_part_is_copied_from_an_object_or_a_range_of_it(asked, copied, copy_part):
    answer, content = copy_part(**({"range": asked} if asked else {}))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/xml")
    assert answer.element("ETag") == answer.headers["ETag"] == f'"{hex_md5(copied)}"'
    assert answer.element("LastModified") == "2026-11-24T14:00:00.000Z"
    assert content == copied


def test_a_copied_part_needs_its_source_its_conditions_its_upload_and_both_rights(
    copy_part, begin, rules, oss_client, may
):
    ended = begin()
    ended.abort()
    both = may("oss:GetObject", "oss:PutObject")
    oss_client.call("PUT", "u/cold", b"x", headers={"x-oss-storage-class": "Archive"})
    for said, asked in (
        ("404 NoSuchKey", {"source": "/examplebucket/none"}),
        ("404 NoSuchBucket", {"source": "/another/u/source"}),
        ("403 InvalidObjectState", {"source": "/examplebucket/u/cold"}),
        ("412 PreconditionFailed", {"if_match": '"0"'}),
        (f"{GONE} 0042-00000311", {"upload": ended}),
        (NOT_PERMITTED, {"key": may("oss:PutObject")}),
        (NOT_PERMITTED, {"key": may("oss:GetObject")}),
    ):
        answer, content = copy_part(**asked)
        assert answer.said.startswith(said)
        assert not content
    assert copy_part(key=both)[1] == b"abc"
    rules(absence_told_to_listers_only=True)
    assert copy_part(key=both, source="/examplebucket/u/none")[0].said == NOT_PERMITTED


@pytest.fixture
def uploads():
    return Uploads()


def is_known(uploads, key, upload_id):
    def hold():
        with uploads.held(key, upload_id, NO_UPLOAD):
            pass

    return refusal_of(hold) == ""


def test_a_call_waiting_for_a_completion_sees_the_upload_ended(uploads):
    upload, outcome = uploads.begin("a", VIDEO, OSS_NOW, is_sequential=False), []
    with uploads.held("a", upload.id, NO_UPLOAD) as held:
        waiting = threading.Thread(target=lambda: outcome.append(is_known(uploads, "a", upload.id)))
        waiting.start()
        waiting.join(0.05)
        assert outcome == []
        uploads.end(held)
    waiting.join(5)
    assert outcome == [False]


def test_the_latest_completion_responses_are_kept(uploads, monkeypatch):
    monkeypatch.setattr("local.oss.uploads.ANSWERS_KEPT", 2)
    begun = [uploads.begin("a", VIDEO, OSS_NOW, is_sequential=False) for _ in range(3)]
    for number, upload in enumerate(begun):
        uploads.end(upload, Answer(200 + number))
    kept = [uploads.answer_of("a", upload.id) for upload in begun]
    assert [answer and answer.status for answer in kept] == [None, 201, 202]
    assert uploads.answer_of("b", begun[2].id) is None
