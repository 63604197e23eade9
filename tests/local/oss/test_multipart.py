"""Uploads in parts over HTTP, each rule of OSS by name."""

import base64
import hashlib
import http.client
import threading
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from local.common.accounts import AccessKey

KEY = "u/42/视频 一+1.mp4"
SMALLEST = 100 * 1024
NO_UPLOAD = (404, "NoSuchUpload")
EXISTS = (409, "FileAlreadyExists", "0026-00000002")
NOT_PERMITTED = (403, "AccessDenied", "0003-00000301")


def md5(content):
    return hashlib.md5(content).hexdigest().upper()


@pytest.fixture
def session(oss, oss_client):
    def allow(*actions):
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "acs:oss:*:*:examplebucket/u/*"}
        name = f"STS.{'-'.join(actions)}"
        end = oss.bucket.now() + timedelta(hours=1)
        policy = {"Version": "1", "Statement": [statement]}
        access_key = AccessKey(name, "secret", f"token-{name}", end, (policy,))
        oss_client.keys = {**oss_client.keys, name: access_key}
        oss.bucket.accounts.add(access_key)
        return name

    return allow


def test_parts_become_the_object_that_was_begun(begin, oss, oss_client):
    upload = begin(
        Content_Type="video/mp4",
        Cache_Control="no-store",
        Content_Disposition="inline",
        x_oss_meta_owner="42",
        x_oss_storage_class="IA",
    )
    assert (upload.begun.headers["Content-Type"], upload.begun.element("Key")) == ("application/xml", KEY)
    assert upload.begun.element("Bucket") == oss.bucket.name
    contents = [b"a" * SMALLEST, b"b" * SMALLEST, b"hello"]
    answers = [upload.part(number, content) for number, content in enumerate(contents, 1)]
    etags = [answer.headers["ETag"] for answer in answers]
    assert etags == [f'"{md5(content)}"' for content in contents]
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


def test_parts_may_have_gaps_come_in_any_order_and_be_left_out(begin, oss_client):
    upload = begin()
    for number in (7, 2, 5):
        upload.part(number, str(number).encode() * SMALLEST)
    assert upload.complete((2, md5(b"2" * SMALLEST)), (7, md5(b"7" * SMALLEST))).status == 200
    assert oss_client.call("GET", KEY).body == b"2" * SMALLEST + b"7" * SMALLEST


def test_the_same_number_again_replaces_the_part(begin, oss_client):
    upload = begin()
    first = upload.part(1, b"old").headers["ETag"]
    upload.part(1, b"new")
    assert upload.complete((1, first)).refusal[:2] == (400, "InvalidPart")
    assert upload.complete_all().status == 200
    assert oss_client.call("GET", KEY).body == b"new"


def test_no_parts_make_an_empty_object(begin, oss):
    assert begin().complete().status == 200
    assert oss.objects[KEY].size == 0


def test_two_uploads_of_one_name_do_not_touch_each_other_and_the_last_one_wins(begin, oss_client):
    first, second = begin(), begin()
    first.part(1, b"first"), second.part(1, b"second")
    assert first.complete_all().status == second.complete_all().status == 200
    assert oss_client.call("GET", KEY).body == b"second"


def test_any_key_with_permission_can_continue_an_upload(begin, session, oss_client):
    upload = begin()
    upload.key = session("oss:PutObject")
    assert upload.part(1, b"x").status == upload.complete_all().status == 200


def test_a_part_through_a_url_has_exactly_the_length_that_was_signed(begin, oss_client):
    upload = begin()
    signed = {"content-type": "application/octet-stream", "content-length": "5"}
    url = oss_client.presigned(
        *("PUT", KEY, "account"),
        headers=signed,
        additional=["content-length"],
        partNumber="1",
        uploadId=upload.id,
    )
    headers = {"Content-Type": "application/octet-stream"}
    assert oss_client.request("PUT", url, b"hello", headers).status == 200
    for body in (b"hell", b"hello!"):
        assert oss_client.request("PUT", url, body, headers).refusal[:2] == (403, "SignatureDoesNotMatch")
    assert oss_client.request("PUT", url, b"hello").refusal[:2] == (403, "SignatureDoesNotMatch")
    chunked = {**headers, "Transfer-Encoding": "chunked"}
    answer = oss_client.request("PUT", url, iter([b"hello"]), chunked)
    assert answer.refusal == (400, "InvalidArgument", "0002-00000078")
    other = url.replace("partNumber=1", "partNumber=2")
    assert oss_client.request("PUT", other, b"hello", headers).refusal[:2] == (403, "SignatureDoesNotMatch")


def test_a_chunked_part_without_a_length_is_refused(begin, oss_client):
    upload = begin()
    url = oss_client.presigned("PUT", KEY, "account", partNumber="1", uploadId=upload.id)
    answer = oss_client.request("PUT", url, iter([b"hello"]), {"Transfer-Encoding": "chunked"})
    assert answer.refusal[:2] == (411, "MissingContentLength")


def test_a_part_is_held_against_its_digest(begin):
    upload = begin()
    right = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    assert upload.part(1, b"jello", Content_MD5=right).refusal[:2] == (400, "InvalidDigest")
    answer = upload.part(1, b"hello", Content_MD5=right)
    assert (answer.status, answer.headers["Content-MD5"]) == (200, right)
    assert answer.headers["x-oss-hash-crc64ecma"] == "11177612005948864433"


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", ""])
def test_a_part_has_a_number_from_1_to_10000(number, begin):
    upload = begin()
    assert upload.part(number, b"x").refusal == (400, "InvalidArgument", "0017-00000220")
    assert upload.part(10000, b"x").status == 200


def test_a_part_without_a_number_or_with_encryption_is_refused(begin, oss_client):
    upload = begin()
    for answer in (
        oss_client.call("PUT", KEY, b"x", uploadId=upload.id),
        upload.part(1, b"x", x_oss_server_side_encryption="AES256"),
    ):
        assert answer.refusal[:2] == (400, "InvalidArgument")


def test_the_type_sent_with_a_part_is_not_the_object_s(begin, oss):
    upload = begin(Content_Type="video/mp4")
    upload.part(1, b"x", Content_Type="application/json")
    upload.complete_all(Content_Type="application/xml")
    assert oss.objects[KEY].content_type == "video/mp4"


def test_small_parts_are_found_out_only_in_the_end(begin):
    upload = begin()
    assert [upload.part(number, b"x").status for number in (1, 2)] == [200, 200]
    assert upload.complete_all().refusal == (400, "EntityTooSmall", "0042-00000213")
    assert upload.part(1, b"x" * SMALLEST).status == upload.complete_all().status == 200


def test_each_wrong_list_has_its_refusal_and_the_upload_goes_on(begin, oss):
    upload = begin()
    etag = upload.part(1, b"x").headers["ETag"]
    for answer, code in (
        (upload.complete((1, "undefined")), "InvalidPart"),
        (upload.complete((2, etag)), "InvalidPart"),
        (upload.complete((1, etag), (1, etag)), "InvalidPartOrder"),
        (upload.complete(document=b""), "MalformedXML"),
        (upload.complete(document=b"<a>" * 1000), "MalformedXML"),
        (upload.complete((1, etag), Content_MD5="AAAA"), "InvalidDigest"),
        (upload.complete((1, etag), Content_MD5=base64.b64encode(b"0" * 16).decode()), "InvalidDigest"),
        (upload.complete((1, etag), x_oss_object_acl="secret"), "InvalidArgument"),
        (upload.complete((1, etag), x_oss_complete_all="yes"), "InvalidArgument"),
    ):
        assert answer.refusal[:2] == (400, code)
    assert upload.complete((1, etag), x_oss_object_acl="public-read").refusal[:2] == (403, "AccessDenied")
    assert upload.complete((1, etag), x_oss_callback="e30=").refusal[:2] == (501, "NotImplemented")
    assert KEY not in oss.objects
    assert upload.complete((1, etag)).status == 200


def test_all_and_a_list_at_once_are_refused_in_oss_s_own_words(begin):
    answer = begin().complete(x_oss_complete_all="yes")
    assert answer.refusal == (400, "InvalidArgument", "0042-00000216")
    assert answer.element("ArgumentName") == "x-oss-complete-all"


def test_a_list_of_parts_has_a_length(begin, oss):
    oss.bucket.rules = replace(oss.bucket.rules, max_document_bytes=100)
    assert begin().complete(document=b"<" + b"a" * 100 + b"/>").refusal[:2] == (400, "MalformedXML")


def test_overwriting_is_forbidden_at_the_beginning_and_at_the_end(begin, oss_client):
    early, late = begin(x_oss_forbid_overwrite="true"), begin()
    for upload in (early, late):
        upload.part(1, b"parts")
    oss_client.call("PUT", KEY, b"there first")
    assert begin(x_oss_forbid_overwrite="true").begun.refusal == EXISTS
    assert late.complete_all(x_oss_forbid_overwrite="true").refusal == EXISTS
    assert oss_client.call("GET", KEY).body == b"there first"
    # Named at the beginning alone, it does not hold at the end.
    assert early.complete_all().status == 200
    assert oss_client.call("GET", KEY).body == b"parts"


def test_one_of_many_concurrent_completions_succeeds(begin, oss):
    uploads = [begin() for _ in range(4)]
    for upload in uploads:
        upload.part(1, upload.id.encode())
    statuses = []

    def complete(upload):
        statuses.append(upload.complete_all(x_oss_forbid_overwrite="true").status)

    threads = [threading.Thread(target=complete, args=(upload,)) for upload in uploads]
    [thread.start() for thread in threads]
    [thread.join(10) for thread in threads]
    assert sorted(statuses) == [200, 409, 409, 409]


@pytest.mark.parametrize("repeats", [False, True])
def test_a_second_completion_is_unknown_or_the_first_answer(repeats, begin, oss):
    oss.bucket.rules = replace(oss.bucket.rules, second_complete_repeats=repeats)
    upload = begin()
    upload.part(1, b"x")
    first = upload.complete_all()
    second = upload.complete_all()
    if repeats:
        assert (second.status, second.body) == (200, first.body)
    else:
        assert second.refusal == (*NO_UPLOAD, "0017-00000244")
        assert second.element("UploadId") == upload.id


def test_a_completion_with_a_lost_response_is_done(begin, oss):
    upload = begin()
    upload.part(1, b"x")
    oss.faults.plan("answer_lost", times=1, on=["CompleteMultipartUpload"])
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        upload.complete_all()
    assert oss.objects[KEY].size == 1
    assert upload.complete_all().refusal[:2] == NO_UPLOAD


def test_an_aborted_upload_is_gone_with_its_parts(begin, oss):
    upload = begin()
    upload.part(1, b"x")
    assert upload.abort().status == 204
    assert upload.abort().refusal == (*NO_UPLOAD, "0042-00000002")
    assert upload.part(1, b"x").refusal == (*NO_UPLOAD, "0042-00000104")
    assert upload.complete_all().refusal == (*NO_UPLOAD, "0017-00000244")
    assert upload.list().refusal == (*NO_UPLOAD, "0042-00000002")
    assert (len(oss.objects), list(oss.bucket.uploads)) == (0, [])


def test_an_upload_is_of_its_own_key_only(begin):
    upload = begin()
    upload.name = "u/42/another.mp4"
    assert upload.part(1, b"x").refusal[:2] == NO_UPLOAD
    assert upload.complete_all().refusal[:2] == upload.abort().refusal[:2] == NO_UPLOAD


def test_no_page_of_another_origin_aborts(begin, oss_client):
    upload = begin()
    url = oss_client.presigned("DELETE", KEY, "account", uploadId=upload.id)
    assert oss_client.request("DELETE", url, headers={"Origin": "https://evil.example"}).status == 403
    assert oss_client.request("DELETE", url).status == 204


@pytest.mark.parametrize(
    ("actions", "allowed"),
    [
        (["oss:PutObject"], {"initiate", "part", "complete"}),
        (["oss:ListParts"], {"list"}),
        (["oss:AbortMultipartUpload"], {"abort"}),
        (["oss:GetObject", "oss:PutObjectAcl"], set()),
    ],
)
def test_each_call_needs_its_own_right(actions, allowed, begin, session):
    upload, key = begin(), session(*actions)
    upload.key = key
    answers = {
        "initiate": begin(key=key).begun,
        "part": upload.part(1, b"x"),
        "list": upload.list(),
        "complete": upload.complete_all(),
    }
    again = begin()
    again.key = key
    answers["abort"] = again.abort()
    assert {name for name, answer in answers.items() if answer.status in (200, 204)} == allowed
    assert {a.refusal for name, a in answers.items() if name not in allowed} <= {NOT_PERMITTED}


def test_naming_an_acl_at_the_end_needs_its_right(begin, session):
    upload = begin()
    upload.key = session("oss:PutObject")
    assert upload.complete_all(x_oss_object_acl="private").refusal == NOT_PERMITTED
    upload.key = session("oss:PutObject", "oss:PutObjectAcl")
    assert upload.complete_all(x_oss_object_acl="private").status == 200


def test_every_multipart_call_needs_a_signature(begin, oss_client):
    upload = begin()
    for method, target in (
        ("POST", "/u/1?uploads"),
        ("PUT", f"/{quote(KEY)}?partNumber=1&uploadId={upload.id}"),
        ("GET", f"/{quote(KEY)}?uploadId={upload.id}"),
        ("POST", f"/{quote(KEY)}?uploadId={upload.id}"),
        ("DELETE", f"/{quote(KEY)}?uploadId={upload.id}"),
        ("GET", "/?uploads"),
    ):
        assert oss_client.request(method, target, b"").refusal == (403, "AccessDenied", "0003-00000001")


@pytest.mark.parametrize("takes", [False, True])
def test_the_acl_named_at_the_beginning_counts_or_not(takes, begin, oss, session):
    oss.bucket.rules = replace(oss.bucket.rules, initiate_takes_acl=takes)
    begin(x_oss_object_acl="private").complete()
    assert oss.objects[KEY].acl == ("private" if takes else "default")
    begin(x_oss_object_acl="private").complete(x_oss_object_acl="default")
    assert oss.objects[KEY].acl == "default"
    begun = begin(key=session("oss:PutObject"), x_oss_object_acl="private").begun
    assert begun.status == (403 if takes else 200)


def test_a_sequential_upload_takes_parts_in_order_and_has_a_digest(begin, oss, oss_client):
    upload = begin(sequential=True)
    assert upload.part(2, b"x").refusal[:2] == (400, "PartNotSequential")
    for number, content in ((1, b"a" * SMALLEST), (1, b"b" * SMALLEST), (2, b"c")):
        assert upload.part(number, content).status == 200
    assert upload.part(1, b"d").refusal[:2] == (400, "PartNotSequential")
    upload.complete_all()
    digest = base64.b64encode(hashlib.md5(b"b" * SMALLEST + b"c").digest()).decode()
    assert oss_client.call("HEAD", KEY).headers["Content-MD5"] == digest
    oss.bucket.rules = replace(oss.bucket.rules, sequential_mode=False)
    assert begin(sequential=True).part(2, b"x").status == 200


def test_a_copy_of_an_object_in_parts_has_its_etag_or_that_of_its_bytes(begin, oss, oss_client):
    upload = begin()
    upload.part(1, b"hello")
    upload.complete_all()
    source = {"x-oss-copy-source": f"/examplebucket/{quote(KEY)}"}
    for keeps, etag in ((False, md5(b"hello")), (True, oss.objects[KEY].etag)):
        oss.bucket.rules = replace(oss.bucket.rules, copy_keeps_multipart_etag=keeps)
        copied = oss_client.call("PUT", "u/copy", headers=source)
        assert copied.headers["ETag"] == f'"{etag}"' == f'"{oss.objects["u/copy"].etag}"'


def test_encoding_type_url_encodes_names(oss_client, begin):
    answer = oss_client.call("POST", KEY, uploads=None, **{"encoding-type": "url"})
    assert (answer.element("EncodingType"), answer.element("Key")) == ("url", quote(KEY, safe=""))
    answer = oss_client.call("POST", KEY, uploads=None, **{"encoding-type": "base64"})
    assert answer.refusal[:2] == (400, "InvalidArgument")
