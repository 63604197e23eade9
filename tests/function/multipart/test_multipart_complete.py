"""multipart.lifecycle: the whole file or none, and one receipt however often it is asked for."""

import json
from dataclasses import replace

import jwt
import pytest

from function.auth.signed_tokens import RECEIPT
from function.http.client import HttpResponse
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LOST, UNHEARD, Part, Stored

PART = 100 * 1024
SECRET = "token-secret-canary-0123456789abcdef"


def names_in(oss, key):
    return [part.name for part in oss.objects[key].parts]


@pytest.fixture
def sent(phone):
    """An upload whose parts are all there."""
    begun = phone.begin(context={"post": 7})
    assert set(phone.send(begun)) == {200}
    return begun


def test_the_answer_is_that_of_a_confirmation(phone, oss, sent, clock):
    answer = phone.complete(sent["ticket"])
    assert answer.status == 200
    told = answer.json
    receipt = told.pop("receipt")
    facts = {"key": sent["key"], "size": 2 * PART + 1, "etag": oss.objects[sent["key"]].etag}
    facts["mimeType"] = "video/mp4"
    about = {"url": sent["fileUrl"], "width": None, "height": None, "uploadId": sent["uploadId"]}
    assert told == {"status": "ok", **facts, **about, "state": "stored"}
    options = {"verify_iat": False, "verify_exp": False}
    claims = jwt.decode(receipt, SECRET, algorithms=["HS256"], audience=RECEIPT, options=options)
    who = {"sub": "public", "owner": "public", "bucket": "my-bucket", "profile": "video"}
    about = {"jti": sent["uploadId"], "seen": True, "context": {"post": 7}}
    begun_at = int(clock().timestamp())
    times = {"aud": "oss-direct-upload/receipt", "iat": begun_at, "exp": begun_at + 3600 + 86400}
    assert claims == {**facts, **who, **about, **times}


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("count", [1, 1000, 1001, 10_000])
def test_a_file_of_any_number_of_parts_becomes_one_object(phone_of, oss, count):
    text = f'[many]\nkey = "many/{{id}}"\nmax_size = {10_000 * PART}\ncontent_types = ["video/*"]\n'
    phone = phone_of(profiles=f'{text}parts = true\npart_size = "100KiB"\n')
    size = count * PART - 1
    begun = phone.begin(profile="many", size=size)
    (upload,) = oss.uploads.values()
    upload.parts = {number: Part(f"p{number}", PART) for number in range(1, count)}
    upload.parts[count] = Part(f"p{count}", PART - 1)
    answer = phone.complete(begun["ticket"])
    assert (answer.status, answer.json["size"]) == (200, size)
    assert answer.json["etag"].endswith(f"-{count}")
    assert oss.asked.count("ListParts") == -(-count // 1000)


def test_complete_lists_missing_parts_and_completes_nothing(phone, oss):
    begun = phone.begin()
    phone.send(begun, begun["parts"][1:2])
    answer = phone.complete(begun["ticket"])
    assert answer.outcome == (409, "incomplete")
    assert answer.json["error"]["missing"] == [1, 3]
    assert "CompleteMultipartUpload" not in oss.asked
    assert oss.objects == {}
    # Nothing is lost: what lacks is sent, and it goes on.
    phone.send(begun, [part for part in begun["parts"] if part["number"] != 2])
    assert phone.complete(begun["ticket"]).status == 200


def test_complete_lists_at_most_twenty_missing_parts(phone):
    begun = phone.begin(size=50 * PART)
    phone.send(begun, begun["parts"][:3])
    assert phone.complete(begun["ticket"]).json["error"]["missing"] == list(range(4, 24))


@pytest.mark.parametrize(("number", "size"), [(1, PART - 1), (2, PART + 1), (3, 2), (1, 0)])
def test_a_part_of_another_size_is_missing(phone_of, oss, number, size):
    phone = phone_of(SIGN_PART_LENGTH="false")
    begun = phone.begin()
    phone.send(begun)
    oss.put(begun["parts"][number - 1], begun["headers"], "x", size)
    answer = phone.complete(begun["ticket"])
    assert (answer.outcome, answer.json["error"]["missing"]) == ((409, "incomplete"), [number])
    assert oss.objects == {}


def test_an_unexpected_part_does_not_become_part_of_the_object(phone, oss, sent):
    """Who has keys of the bucket can send one; the file stays what its ticket says."""
    next(iter(oss.uploads.values())).parts[4] = Part("stranger", PART)
    assert phone.complete(sent["ticket"]).json["size"] == 2 * PART + 1
    assert names_in(oss, sent["key"]) == ["a1", "a2", "a3"]


def test_complete_is_idempotent_byte_for_byte(phone, phone_of, sent, clock):
    first = phone.complete(sent["ticket"])
    clock.tick(minutes=59)
    assert phone.complete(sent["ticket"]).text == first.text
    assert phone_of().complete(sent["ticket"]).text == first.text


@pytest.mark.parametrize("fault", [LOST, BROKEN_AFTER])
def test_complete_gives_the_same_receipt_after_a_lost_response(phone, phone_of, oss, sent, fault):
    oss.fail("CompleteMultipartUpload", fault)
    lost = phone.complete(sent["ticket"])
    assert lost.outcome == (503, "oss_unavailable")
    assert "Retry-After" in lost.headers
    assert list(oss.objects) == [sent["key"]]
    again = phone_of().complete(sent["ticket"])
    assert (again.status, again.json["etag"]) == (200, oss.objects[sent["key"]].etag)
    assert phone.complete(sent["ticket"]).text == again.text
    # The second one did not complete anything again.
    assert oss.asked.count("CompleteMultipartUpload") == 1


@pytest.mark.parametrize(
    ("call", "silent"),
    [("ListParts", [UNHEARD, LOST]), ("CompleteMultipartUpload", [UNHEARD]), ("HeadObject", [LOST, BROKEN])],
)
def test_a_refusal_or_silence_of_oss_has_its_code_and_can_be_retried(phone, oss, sent, call, silent):
    for faults, expected in (([DENIED], (502, "oss_rejected")), (silent, (503, "oss_unavailable"))):
        oss.fail(call, *faults)
        answer = phone.complete(sent["ticket"])
        assert answer.outcome == expected
        assert "canary" not in answer.text
    assert phone.complete(sent["ticket"]).status == 200


@pytest.mark.parametrize("moment", ["ListParts", "CompleteMultipartUpload", "HeadObject"])
@pytest.mark.parametrize("profile", ["video", "kept"])
def test_two_completions_at_once_give_one_object_and_one_receipt(
    phone, phone_of, oss, clock, moment, profile
):
    begun = phone.begin(profile=profile)
    phone.send(begun)
    others = []

    def complete_later():
        clock.tick(seconds=1)
        others.append(phone_of().complete(begun["ticket"]))

    oss.between[moment] = complete_later
    mine = phone.complete(begun["ticket"])
    assert mine.status == 200
    assert [other.text for other in others] == [mine.text]
    assert list(oss.objects) == [begun["key"]]


def test_two_concurrent_completions_give_one_receipt_in_either_oss_order(phone, phone_of, oss, sent):
    """Which of the two it says to the slower one is nowhere documented."""

    def complete_elsewhere():
        others.append(phone_of().complete(sent["ticket"]).text)
        name = next(iter(oss.objects))
        # As if the upload were still listed when the second completion came.
        oss.uploads[oss_id] = upload
        assert name == sent["key"]

    others = []
    ((oss_id, upload),) = oss.uploads.items()
    oss.between["CompleteMultipartUpload"] = complete_elsewhere
    mine = phone.complete(sent["ticket"])
    assert mine.status == 200
    assert others == [mine.text]


def swapping(phone, oss, begun, times):
    """Part 1 is sent again between the list and the completion, so many times."""
    left = [f"swapped{number}" for number in range(times)]

    def swap():
        oss.put(begun["parts"][0], begun["headers"], left.pop(0), PART)
        if left:
            oss.between["CompleteMultipartUpload"] = swap

    oss.between["CompleteMultipartUpload"] = swap


def test_a_part_that_is_swapped_meanwhile_is_listed_once_more(phone, oss, sent):
    swapping(phone, oss, sent, 1)
    assert phone.complete(sent["ticket"]).status == 200
    assert oss.asked.count("ListParts") == 2
    assert names_in(oss, sent["key"]) == ["swapped0", "a2", "a3"]


def test_a_part_that_is_swapped_again_is_waited_for_no_longer(phone, oss, sent, log_lines):
    swapping(phone, oss, sent, 2)
    answer = phone.complete(sent["ticket"])
    assert answer.outcome == (503, "oss_unavailable")
    assert "Retry-After" in answer.headers
    assert log_lines()[-1]["reason"] == ("CompleteMultipartUpload: parts changed while they were completed")
    assert oss.objects == {}
    assert oss.asked.count("CompleteMultipartUpload") == 2
    assert phone.complete(sent["ticket"]).status == 200


def test_complete_fails_after_an_abort(phone, oss, sent):
    phone.abort(sent["ticket"])
    assert phone.complete(sent["ticket"]).outcome == (410, "upload_gone")
    assert oss.objects == {}


def test_an_object_that_was_deleted_is_gone(phone, oss, sent):
    phone.complete(sent["ticket"])
    oss.objects.clear()
    assert phone.complete(sent["ticket"]).outcome == (410, "upload_gone")


STRANGERS = {
    "of another upload": {"x-oss-meta-upload-id": "BBBBBBBBBBBBBBBBBBBBBB"},
    "of another type": {"content-type": "text/html"},
}


def stranger(oss, key, parts=None, **changes):
    """What somebody with keys of their own stored under the name: as like ours as can be, but for this."""
    headers = {"content-type": "video/mp4", "x-oss-meta-upload-id": key.split("/")[-1].partition(".")[0]}
    headers = {name: value for name, value in {**headers, **changes}.items() if value is not None}
    pieces = parts or (Part("s1", PART), Part("s2", PART), Part("s3", 1))
    oss.objects[key] = Stored(tuple(pieces), headers, "private")


@pytest.mark.parametrize("case", STRANGERS)
@pytest.mark.parametrize("route", ["multipart-parts", "multipart-complete"])
def test_a_foreign_object_of_the_same_key_gets_no_receipt(phone, oss, sent, case, route):
    oss.uploads.clear()
    stranger(oss, sent["key"], **STRANGERS[case])
    assert phone.ask(route, ticket=sent["ticket"]).outcome == (410, "upload_gone")


def test_an_object_that_proves_to_be_the_upload_s_gets_its_receipt(phone, oss, sent):
    """The same as the strangers but for what makes them strangers."""
    oss.uploads.clear()
    stranger(oss, sent["key"])
    assert phone.complete(sent["ticket"]).status == 200


def test_a_foreign_object_is_not_overwritten_and_the_parts_expire(phone, oss, sent, clock):
    stranger(oss, sent["key"], **{"x-oss-meta-upload-id": "B" * 22})
    before = replace(oss.objects[sent["key"]])
    assert phone.complete(sent["ticket"]).outcome == (409, "already_exists")
    assert oss.objects == {sent["key"]: before}
    clock.tick(days=1)
    oss.age(days=1)
    assert oss.uploads == {}


WEBHOOK = "https://shop.example.com/hooks/uploads"


def test_the_webhook_gets_the_receipt(phone_of, oss, log_lines):
    phone = phone_of(UPLOAD_WEBHOOK_URL=WEBHOOK)
    told = []

    def send(_method, url, **options):
        assert url == WEBHOOK
        told.append(options["body"])
        return HttpResponse(204, b"")

    phone.others["shop.example.com"] = send
    begun = phone.begin()
    phone.send(begun)
    done = phone.complete(begun["ticket"])
    assert list(map(json.loads, told)) == [{"event": "uploaded", "receipt": done.json["receipt"]}]
    assert log_lines()[-1]["webhook"] == "ok"
    assert phone.complete(begun["ticket"]).text == done.text
    assert len(told) == 1
