"""Uploads in parts over HTTP, each rule of OSS by name."""

import threading

import pytest

from local.oss.answer import Answer
from local.oss.attributes import Attributes
from local.oss.refusals import NO_UPLOAD
from local.oss.uploads import Uploads
from tests.local.oss.conftest import OSS_NOW, content_md5, hex_md5, refusal_of
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY = "u/42/视频 一+1.mp4"
SMALLEST = 100 * 1024
GONE = "404 NoSuchUpload"
EXISTS = "409 FileAlreadyExists 0026-00000002"
VIDEO = Attributes("video/mp4", None, "Standard", forbid_overwrite=False)


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


def test_a_part_is_held_against_its_digest(begin):
    upload, right = begin(), content_md5(b"hello")
    assert upload.part(1, b"jello", Content_MD5=right).said == "400 InvalidDigest 0017-00000502"
    answer = upload.part(1, b"hello", Content_MD5=right)
    assert (answer.status, answer.headers["Content-MD5"]) == (200, right)
    assert answer.headers["x-oss-hash-crc64ecma"] == "11177612005948864433"


@pytest.mark.parametrize("number", ["0", "10001", "-1", "1.0", "", "x", "١", "1" * 30])
def test_a_part_has_a_number_from_1_to_10000(number, begin, oss_client):
    upload = begin()
    answer = upload.part(number, b"x")
    assert (answer.said, answer.element("ArgumentName")) == (
        "400 InvalidArgument 0017-00000220",
        "PartNumber",
    )
    assert upload.part(10000, b"x").status == 200
    for answer in (
        oss_client.call("PUT", KEY, b"x", uploadId=upload.id),
        upload.part(1, b"x", x_oss_server_side_encryption="AES256"),
        oss_client.call("POST", KEY, uploads=None, **{"encoding-type": "base64"}),
    ):
        assert answer.said.startswith("400 InvalidArgument")


def test_only_the_last_part_of_the_list_may_be_small_and_each_is_named_by_its_etag(begin):
    upload = begin()
    etags = [upload.part(number, b"x").headers["ETag"].strip('"') for number in (1, 2)]
    answer = upload.complete_all()
    assert answer.said == "400 EntityTooSmall 0042-00000213"
    names = ("MinSizeAllowed", "ProposedSize", "PartNumber", "ETag")
    assert [answer.element(name) for name in names] == ["102400", "1", "1", etags[0]]
    for number, etag in ((4, etags[0]), (1, "E2"), (1, etags[0].lower()), (1, "undefined")):
        answer = upload.complete((number, etag))
        assert answer.said.startswith("400 InvalidPart")
        told = [answer.element(name) for name in ("ETag", "PartNumber", "UploadId")]
        assert told == [etag, str(number), upload.id]
    assert upload.part(1, b"x" * SMALLEST).status == upload.complete_all().status == 200


@cases("listed", "refusal")
def test_an_invalid_part_list_is_refused(begin, listed, refusal):
    upload = begin()
    asked = {"document": listed.encode()} if isinstance(listed, str) else {}
    parts = [] if asked else [(number, "A") for number in listed]
    assert upload.complete(*parts, **asked).said.startswith(refusal)


@cases("headers", "refusal")
def test_each_wrong_completion_has_its_refusal_and_the_upload_goes_on(headers, refusal, begin, rules, oss):
    upload = begin()
    etag = upload.part(1, b"x").headers["ETag"]
    assert upload.complete((1, etag), **headers).said.startswith(refusal)
    assert KEY not in oss.objects
    assert upload.complete((1, f"&#34;{etag[1:-1]}&#34;")).status == 200
    rules(max_document_bytes=100)
    assert begin().complete(document=b"<" + b"a" * 100 + b"/>").said.startswith("400 MalformedXML")


def test_overwriting_that_is_forbidden_at_the_beginning_alone_is_not_at_the_end(begin, oss_client):
    early = begin(x_oss_forbid_overwrite="true")
    early.part(1, b"parts")
    oss_client.call("PUT", KEY, b"there first")
    assert begin(x_oss_forbid_overwrite="true").begun.said == EXISTS
    assert early.complete_all().status == 200
    assert oss_client.call("GET", KEY).body == b"parts"


def test_an_aborted_upload_is_gone_with_its_parts_and_one_of_another_key_was_never_there(begin, oss):
    for another, upload in ((None, begin()), ("u/42/another.mp4", begin())):
        upload.part(1, b"x")
        if not another:
            assert upload.abort().status == 204
        upload.name = another or upload.name
        answers = upload.abort(), upload.part(1, b"x"), upload.complete_all(), upload.list()
        codes = ("0042-00000002", "0042-00000104", "0017-00000244", "0042-00000002")
        assert [answer.said for answer in answers] == [f"{GONE} {code}" for code in codes]
    assert (len(oss.objects), [upload.key for upload in oss.bucket.uploads]) == (0, [KEY])


@pytest.mark.parametrize("takes", [False, True])
def test_an_acl_named_at_the_end_or_by_rule_at_the_beginning_needs_its_right(takes, begin, oss, rules, may):
    rules(initiate_takes_acl=takes)
    begin(x_oss_object_acl="private").complete()
    assert oss.objects[KEY].acl == ("private" if takes else "default")
    begin(x_oss_object_acl="private").complete(x_oss_object_acl="default")
    assert oss.objects[KEY].acl == "default"
    begun = begin(key=may("oss:PutObject"), x_oss_object_acl="private").begun
    assert begun.status == (403 if takes else 200)


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


@pytest.fixture
def copy_part(begin, stored, oss_client, oss):
    """Copy ``abc`` of ``u/source``, or a range of it, into an upload; what came back, and the object then."""
    stored("u/source")

    def copy(upload=None, source="/examplebucket/u/source", **headers):
        upload = upload or begin()
        headers = {f"x-oss-copy-source-{name.replace('_', '-')}": value for name, value in headers.items()}
        # SDKs send the digest of the body, and that is empty.
        headers |= {"x-oss-copy-source": source, "Content-MD5": content_md5(b"")}
        answer = oss_client.call("PUT", KEY, headers=headers, partNumber="1", uploadId=upload.id)
        upload.complete_all()
        return answer, oss.objects[KEY].path.read_bytes() if KEY in oss.objects else None

    return copy


def test_a_copied_part_needs_its_source_its_conditions_and_its_upload(copy_part, begin, oss_client):
    ended = begin()
    ended.abort()
    oss_client.call("PUT", "u/cold", b"x", headers={"x-oss-storage-class": "Archive"})
    for said, asked in (
        ("404 NoSuchKey", {"source": "/examplebucket/none"}),
        ("404 NoSuchBucket", {"source": "/another/u/source"}),
        ("403 InvalidObjectState", {"source": "/examplebucket/u/cold"}),
        ("412 PreconditionFailed", {"if_match": '"0"'}),
        (f"{GONE} 0042-00000311", {"upload": ended}),
    ):
        answer, content = copy_part(**asked)
        assert answer.said.startswith(said) and not content


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
