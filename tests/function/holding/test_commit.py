"""``POST /commit``: the next step, and decisions of a backend."""

from datetime import timedelta

import pytest

from function.auth.tokens import RECEIPT, issue_token, read_token
from function.wechat.verdict import Outcome
from tests.function.holding.conftest import PROFILES, RECEIPT_SECRET
from tests.support.cases import cases_beside, text_beside
from tests.support.memory_oss import DENIED, MemoryOss, Part, Stored

cases = cases_beside(__file__)


def refused(answer):
    return answer.status, answer.code


def names(house, stored):
    """Where its bytes are: ``held``, ``key``, both or nowhere."""
    places = {"held": f"held/{stored['key']}", "key": stored["key"]}
    return [name for name, key in places.items() if key in house.oss.objects]


# --- publishing ---


def test_a_commit_publishes_what_needs_nothing_else(house):
    stored = house.store("word")
    answer = house.commit(stored["receipt"])
    assert answer.status == 200
    assert answer.json == {"key": stored["key"], "state": "published", "url": stored["fileUrl"]}
    assert names(house, stored) == ["key"]


def test_the_object_has_the_acl_and_the_class_of_its_profile_and_all_that_it_was_stored_with(house):
    stored = house.store("word")
    held = house.oss.objects[f"held/{stored['key']}"]
    assert held.acl == "private"
    house.commit(stored["receipt"])
    published = house.oss.objects[stored["key"]]
    assert (published.acl, published.headers["x-oss-storage-class"]) == ("public-read", "IA")
    assert published.parts == held.parts
    assert published.headers["x-oss-meta-upload-id"] == stored["uploadId"]
    assert published.headers["content-type"] == "image/png"


def test_a_repeated_commit_says_the_same_and_writes_nothing(house):
    stored = house.store("word")
    first = house.commit(stored["receipt"])
    house.oss.asked.clear()
    assert house.commit(stored["receipt"]).text == first.text
    assert set(house.oss.asked) == {"GetObject", "HeadObject"}


def test_the_business_is_told_once(house):
    stored = house.store("word")
    for _ in range(2):
        house.commit(stored["receipt"])
    assert house.events == [{"event": "published", "receipt": stored["receipt"]}]


def test_another_object_of_the_name_is_left_alone(house):
    stored = house.store("word")
    stranger = Stored((Part("theirs", 9),), {"content-type": "image/png"}, "private", "Normal")
    house.oss.objects[stored["key"]] = stranger
    assert refused(house.commit(stored["receipt"])) == (409, "already_exists")
    assert refused(house.ask("status", receipt=stored["receipt"])) == (409, "already_exists")
    assert house.oss.objects[stored["key"]] is stranger
    del house.oss.objects[stored["key"]]
    assert house.status(stored["receipt"]) == "published"


def test_other_bytes_than_the_receipt_s_are_not_published(house):
    stored = house.store("word")
    house.oss.replace_object(f"held/{stored['key']}", parts=(Part("others", 1),))
    assert refused(house.commit(stored["receipt"])) == (404, "not_uploaded")
    assert names(house, stored) == ["held"]


def test_nor_does_a_receipt_of_other_bytes_say_that_they_wait_or_decide_about_them(house):
    stored = house.store("word")
    house.oss.replace_object(f"held/{stored['key']}", parts=(Part("others", 1),))
    assert house.status(stored["receipt"]) == "gone"
    assert refused(house.commit(stored["receipt"])) == (404, "not_uploaded")
    assert not [name for name in house.oss.objects if name.startswith("held/.")]


def test_nor_are_those_of_another_upload_of_the_same_name(house):
    stored = house.store("word")
    held = house.oss.objects[f"held/{stored['key']}"]
    others = {**held.headers, "x-oss-meta-upload-id": "B" * 22}
    house.oss.replace_object(f"held/{stored['key']}", headers=others)
    assert refused(house.commit(stored["receipt"])) == (404, "not_uploaded")


def test_what_is_neither_held_nor_published_cannot_be_committed(house):
    stored = house.store("word")
    del house.oss.objects[f"held/{stored['key']}"]
    assert refused(house.commit(stored["receipt"])) == (404, "not_uploaded")
    assert house.oss.records() == {}


def test_what_was_stored_without_being_held_is_published_already(house):
    stored = house.store("default")
    assert house.commit(stored["receipt"]).json["state"] == "published"
    del house.oss.objects[stored["key"]]
    assert refused(house.commit(stored["receipt"])) == (404, "not_uploaded")


def test_where_a_check_follows_a_commit_begins_it(house):
    stored = house.store("post")
    assert house.status(stored["receipt"]) == "held"
    assert house.wechat.submitted == {}
    answer = house.commit(stored["receipt"])
    assert answer.json == {"key": stored["key"], "state": "checking", "url": None}
    assert len(house.wechat.submitted) == 1
    assert names(house, stored) == ["held"]


def test_a_commit_that_is_repeated_submits_nothing_twice(house):
    stored = house.store("post")
    states = [house.commit(stored["receipt"]).json["state"] for _ in range(3)]
    assert states == ["checking"] * 3
    assert len(house.wechat.submitted) == 1


def test_a_commit_is_remembered_though_wechat_cannot_be_asked(house):
    stored = house.store("post")
    house.wechat.answers = [None, -1]
    assert house.commit(stored["receipt"]).json["state"] == "held"
    assert house.status(stored["receipt"]) == "held"
    assert house.status(stored["receipt"]) == "checking"
    assert len(house.wechat.submitted) == 1


def test_where_no_commit_is_needed_none_is_remembered(house):
    """The operator may demand one later; then only what was committed then counts."""
    house.wechat.answers = [None]
    stored = house.store("face")
    assert house.commit(stored["receipt"]).json["state"] == "checking"
    assert f"committed/{stored['uploadId']}" not in house.oss.records()


# --- by hand ---


@pytest.mark.parametrize("profile", ["word", "note", "post", "face"])
def test_a_backend_may_publish_by_hand_whatever_is_lacking(house, profile):
    stored = house.store(profile)
    answer = house.commit(stored["receipt"], decision="publish")
    assert answer.json == {"key": stored["key"], "state": "published", "url": stored["fileUrl"]}
    assert names(house, stored) == ["key"]


@pytest.mark.parametrize("profile", ["word", "note", "post", "face"])
def test_a_backend_may_reject_by_hand_and_that_is_final(house, profile):
    stored = house.store(profile)
    answer = house.commit(stored["receipt"], decision="reject")
    assert answer.json == {"key": stored["key"], "state": "rejected", "url": None}
    assert names(house, stored) == []
    assert house.commit(stored["receipt"]).json["state"] == "rejected"
    assert house.commit(stored["receipt"], decision="publish").json["state"] == "rejected"
    assert house.status(stored["receipt"]) == "rejected"
    assert house.told == ["rejected"]


def test_a_rejection_leaves_for_people_what_was_rejected_and_by_whom(house):
    stored = house.store("word")
    house.commit(stored["receipt"], decision="reject")
    said = house.oss.records()[f"rejected/{stored['uploadId']}"]
    assert said == {
        "by": "backend",
        "key": stored["key"],
        "receipt": stored["receipt"],
        "at": "2026-11-24T14:00:00Z",
    }


def test_a_backend_ends_a_review_by_hand(house):
    stored = house.store("post")
    house.commit(stored["receipt"])
    house.verdict(Outcome.REVIEW, label=20002)
    assert house.commit(stored["receipt"]).json["state"] == "review"
    assert house.commit(stored["receipt"], decision="publish").json["state"] == "published"


@pytest.mark.parametrize("profile", ["word", "default"])
def test_it_is_too_late_to_reject_what_is_published(house, profile):
    stored = house.store(profile)
    house.commit(stored["receipt"])
    refusal = house.commit(stored["receipt"], decision="reject")
    assert refused(refusal) == (409, "already_published")
    assert names(house, stored) == ["key"]


def test_what_was_rejected_and_stored_again_by_the_same_form_is_deleted_again(house):
    stored = house.store("word")
    house.commit(stored["receipt"], decision="reject")
    assert house.oss.post(stored["formData"], "bytes") == 200
    assert house.status(stored["receipt"]) == "rejected"
    assert names(house, stored) == []


# --- who may ---


def test_an_owner_may_commit_where_the_profile_says_so(house):
    stored = house.store("note")
    answer = house.ask("commit", house.session(), receipt=stored["receipt"])
    assert answer.json["state"] == "published"


def test_another_owner_may_not(house, log_lines):
    stored = house.store("note")
    refusal = house.ask("commit", house.session("openid-2"), receipt=stored["receipt"])
    assert refused(refusal) == (403, "forbidden")
    assert log_lines()[-1]["reason"] == "another owner's receipt"
    assert names(house, stored) == ["held"]


@pytest.mark.parametrize("profile", ["word", "post", "face", "default"])
def test_nor_may_the_owner_where_only_a_backend_may(house, profile, log_lines):
    stored = house.store(profile)
    before = dict(house.oss.objects)
    for fields in ({"receipt": stored["receipt"]}, {"receipts": [stored["receipt"]]}):
        assert refused(house.ask("commit", house.session(), **fields)) == (403, "forbidden")
        assert log_lines()[-1]["reason"] == "no token of a backend"
    assert house.oss.objects == before


@pytest.mark.parametrize("decision", ["publish", "reject"])
def test_an_owner_decides_nothing_by_hand(house, decision, log_lines):
    stored = house.store("note")
    refusal = house.ask("commit", house.session(), receipt=stored["receipt"], decision=decision)
    assert refused(refusal) == (403, "forbidden")
    assert log_lines()[-1]["reason"] == "a decision without a backend's token"
    assert names(house, stored) == ["held"]


def test_without_a_token_nobody_may(house):
    stored = house.store("note")
    assert refused(house.ask("commit", receipt=stored["receipt"])) == (401, "unauthorized")


def test_a_session_that_is_none_is_told_apart_from_one_of_another(house):
    note, word = house.store("note"), house.store("word")
    assert refused(house.ask("commit", "a.b.c", receipt=note["receipt"])) == (401, "unauthorized")
    assert refused(house.ask("commit", "a.b.c", receipt=word["receipt"])) == (403, "forbidden")


def test_callers_who_are_not_told_apart_own_nothing(house_of):
    profiles = """
[default]
key = "u/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit"]
"""
    house = house_of(profiles, CALLER_AUTH="anonymous", WECHAT_PUSH_TOKEN=None, WECHAT_PUSH_AES_KEY=None)
    form = house.ask("upload-params", filename="a.png").json
    house.oss.post(form["formData"], "bytes")
    receipt = house.ask("confirm", ticket=form["ticket"]).json["receipt"]
    for route in ("commit", "discard"):
        assert refused(house.ask(route, receipt=receipt)) == (401, "unauthorized")
        assert refused(house.ask(route, "a.b.c", receipt=receipt)) == (403, "forbidden")
    assert house.commit(receipt).json["state"] == "published"


def test_a_token_counts_in_the_other_header_as_well(house):
    stored = house.store("word")
    headers = {"X-Upload-Token": house.backend(), "Authorization": "Signed by a gateway"}
    answer = house.ask_event(body={"receipt": stored["receipt"]}, path="/commit", headers=headers)
    assert answer.json["state"] == "published"


# --- several, and what is malformed ---


def test_each_of_several_is_answered_by_itself(house, log_lines):
    good, gone, other = house.store("word"), house.store("word"), house.store("default")
    del house.oss.objects[f"held/{gone['key']}"]
    receipts = [good["receipt"], gone["receipt"], "a.b.c", other["receipt"], good["receipt"]]
    answer = house.ask("commit", house.backend(), receipts=receipts)
    assert answer.status == 200
    published, missing, forged, plain, again = answer.json["results"]
    assert published == again == {"key": good["key"], "state": "published", "url": good["fileUrl"]}
    message = "OSS has no such upload, or not yet."
    assert missing == {"error": {"code": "not_uploaded", "message": message}}
    assert forged["error"]["code"] == "forbidden"
    assert plain["state"] == "published"
    line = log_lines()[-1]
    assert line["state"] == ["published", "not_uploaded", "forbidden", "published", "published"]
    assert line["uploadId"] == [good["uploadId"], gone["uploadId"], other["uploadId"], good["uploadId"]]
    assert line["profile"] == ["word", "word", "default", "word"]
    assert line["key"] == [good["key"], gone["key"], other["key"], good["key"]]
    assert line["owner"]


def test_an_owner_s_batch_has_each_upload_that_is_not_theirs_refused(house):
    mine, theirs = house.store("note"), house.store("note", subject="openid-2")
    word = house.store("word")
    receipts = [mine["receipt"], theirs["receipt"], word["receipt"]]
    answer = house.ask("commit", house.session(), receipts=receipts)
    codes = [result.get("error", {}).get("code") for result in answer.json["results"]]
    assert codes == [None, "forbidden", "forbidden"]
    assert names(house, theirs) == names(house, word) == ["held"]


def test_what_may_be_asked_again_says_when(house):
    stored = house.store("word")
    house.oss.fail("HeadObject", "unheard", "unheard")
    answer = house.ask("commit", house.backend(), receipts=[stored["receipt"]])
    (result,) = answer.json["results"]
    assert (result["error"]["code"], result["error"]["retryAfter"]) == ("oss_unavailable", 2)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"receipt": ""},
        {"receipt": 7},
        {"receipt": None},
        {"receipt": ["a.b.c"]},
        {"receipt": {"a": 1}},
        {"receipts": []},
        {"receipts": "a.b.c"},
        {"receipts": {"0": "a.b.c"}},
        {"receipts": ["a.b.c", 7]},
        {"receipts": ["a.b.c", ""]},
        {"receipts": ["a.b.c", None]},
        {"receipts": [["a.b.c"]]},
        {"receipts": ["a.b.c"] * 21},
        {"receipt": "a.b.c", "receipts": ["a.b.c"]},
        {"receipt": "a.b.c", "decision": "delete"},
        {"receipt": "a.b.c", "decision": True},
        {"receipt": "a.b.c", "decision": ["publish"]},
        {"receipt": "a.b.c", "decision": {"publish": 1}},
        {"receipt": "a.b.c", "decision": ""},
    ],
    ids=str,
)
def test_what_is_malformed_is_a_bad_request(house, fields):
    assert refused(house.ask("commit", house.backend(), **fields)) == (400, "bad_request")
    assert house.oss.asked == []


@cases("fields", "message")
def test_a_bad_request_is_told_what_it_must_say(house, fields, message):
    assert house.ask("commit", house.backend(), **fields).json["error"]["message"] == message


def test_of_receipts_that_are_none_the_log_names_no_upload(house, log_lines):
    assert refused(house.ask("commit", house.backend(), receipt="a.b.c")) == (403, "forbidden")
    assert house.ask("commit", house.backend(), receipts=["a.b.c"]).status == 200
    for line in log_lines()[-2:]:
        assert not {"profile", "owner", "key", "uploadId"} & {name for name in line if line[name] is not None}


def test_twenty_receipts_are_not_too_many(house):
    answer = house.ask("commit", house.backend(), receipts=["a.b.c"] * 20)
    assert [result["error"]["code"] for result in answer.json["results"]] == ["forbidden"] * 20
    # None of them was any good, so nobody asked OSS, or for a session to ask it with.
    assert house.oss.asked == []


# --- how often ---


def test_an_upload_is_committed_sixty_times_a_minute(house, clock):
    stored, other = house.store("word"), house.store("word")
    statuses = [house.commit(stored["receipt"]).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert house.commit(other["receipt"]).status == 200
    clock.tick(seconds=60)
    assert house.commit(stored["receipt"]).status == 200


def test_no_client_uses_up_what_its_backend_may_ask(house):
    """Else whoever uploaded something bad could see to it that nobody rejects it."""
    stored = house.store("note")
    for _ in range(61):
        house.ask("commit", house.session("openid-2"), receipt=stored["receipt"])
        house.ask("status", receipt=stored["receipt"])
    assert refused(house.ask("status", receipt=stored["receipt"])) == (429, "too_many_requests")
    assert house.commit(stored["receipt"], decision="reject").json["state"] == "rejected"


def test_nor_does_its_owner(house):
    stored = house.store("note")
    house.oss.fail("GetObject", *[DENIED] * 60)
    statuses = [house.ask("commit", house.session(), receipt=stored["receipt"]).status for _ in range(61)]
    assert statuses == [502] * 60 + [429]
    assert house.commit(stored["receipt"], decision="reject").json["state"] == "rejected"


def test_an_owner_commits_and_discards_six_hundred_times_a_minute(house):
    """Both together, over all uploads; a backend as often as it likes."""
    receipts = [house.store("note")["receipt"] for _ in range(20)]
    owner = house.session()
    for route in ("discard", "commit") * 15:
        answer = house.ask(route, owner, receipts=receipts)
        assert "too_many_requests" not in answer.text
    for route in ("commit", "discard"):
        assert refused(house.ask(route, owner, receipt=receipts[0])) == (429, "too_many_requests")
        answer = house.ask(route, house.backend(), receipts=receipts)
        assert "too_many_requests" not in answer.text
    assert house.status(receipts[0]) == "gone"
    other = house.store("note", subject="openid-2")["receipt"]
    assert house.ask("commit", house.session("openid-2"), receipt=other).json["state"] == "published"


# --- several buckets ---


def commit_both(two_buckets):
    stored = [two_buckets.store(profile) for profile in ("word", "deed")]
    house = two_buckets
    return stored, lambda: house.ask("commit", house.backend(), receipts=[one["receipt"] for one in stored])


def test_receipts_of_two_buckets_are_each_published_in_their_own(two_buckets):
    (word, deed), commit = commit_both(two_buckets)
    results = commit().json["results"]
    assert [(each["state"], each["url"]) for each in results] == [
        ("published", word["fileUrl"]),
        ("published", deed["fileUrl"]),
    ]
    assert two_buckets.oss.names() == {word["key"]}
    assert two_buckets.buckets["abroad"].names() == {deed["key"]}


def test_a_bucket_without_a_session_costs_the_others_nothing(two_buckets):
    (word, _deed), commit = commit_both(two_buckets)
    two_buckets.without_sessions(two_buckets.buckets["abroad"])
    first, second = commit().json["results"]
    assert first["state"] == "published"
    assert second["error"]["code"] == "sts_rejected"
    assert two_buckets.oss.names() == {word["key"]}


def test_without_any_session_none_is_answered(two_buckets):
    (word, _deed), commit = commit_both(two_buckets)
    two_buckets.without_sessions(two_buckets.buckets["abroad"])
    two_buckets.without_sessions(two_buckets.oss)
    for answer in (commit(), two_buckets.commit(word["receipt"])):
        assert (answer.status, answer.json["error"]["code"]) == (502, "sts_rejected")


@pytest.mark.parametrize("bucket", ["my-bucket", "abroad-2", ""])
def test_a_receipt_that_names_another_bucket_than_its_profile_s_opens_nothing(two_buckets, bucket, clock):
    stored = two_buckets.store("deed")
    claims = read_token(stored["receipt"], audience=RECEIPT, secrets=[RECEIPT_SECRET], now=clock())
    forged = issue_token(
        {**claims, "bucket": bucket},
        audience=RECEIPT,
        secrets=[RECEIPT_SECRET],
        now=clock(),
        life=timedelta(days=1),
    )
    for route in ("commit", "discard", "status"):
        answer = two_buckets.ask(route, two_buckets.backend(), receipt=forged)
        assert (answer.status, answer.json["error"]["code"]) == (403, "forbidden")
    assert two_buckets.buckets["abroad"].names() == {f"held/{stored['key']}"}


@pytest.mark.parametrize("order", [("deed", "word"), ("deed", "deed", "word")])
def test_a_bucket_that_hangs_leaves_the_others_their_time(two_buckets, order, monkeypatch):
    stored = [two_buckets.store(profile) for profile in order]
    two_buckets.hangs(two_buckets.buckets["abroad"], monkeypatch)
    house = two_buckets
    answer = house.ask("commit", house.backend(), receipts=[one["receipt"] for one in stored])
    told = [result.get("state") or result["error"]["code"] for result in answer.json["results"]]
    assert told == [{"word": "published", "deed": "oss_unavailable"}[profile] for profile in order]


TOLD = text_beside(__file__)


@pytest.fixture
def told(house_of, clock):
    """A house with one upload of which its callback told, in a bucket where nothing is held; its receipt."""

    def told(option="callback = true"):
        url = "https://fc.example.com/callback"
        house = house_of(PROFILES + TOLD.replace("CALLBACK", option), CALLBACK_URL=url)
        abroad = MemoryOss("abroad", "cn-shanghai", clock)
        house.others["abroad.oss-cn-shanghai.aliyuncs.com"] = abroad.send
        abroad.give_sessions(house.function, timedelta(hours=2))
        form = house.form("default")
        assert house.oss.post(form["formData"], "bytes") == 200
        abroad.objects["told/a.png"] = house.oss.objects.pop(form["key"])
        etag = abroad.objects["told/a.png"].etag
        said = {"jti": "a" * 22, "key": "told/a.png", "etag": etag, "owner": "o", "profile": "told"}
        said |= {"sub": "o", "size": 1, "mimeType": "image/png"}
        claims, life = {**said, "bucket": "abroad"}, timedelta(days=1)
        receipt = issue_token(claims, audience=RECEIPT, secrets=[RECEIPT_SECRET], now=clock(), life=life)
        return house, abroad, receipt

    return told


def test_a_receipt_of_a_bucket_where_nothing_is_held_is_answered_like_any(told):
    house, abroad, receipt = told()
    held = house.store("word")
    answer = house.ask("commit", house.backend(), receipts=[receipt, held["receipt"]])
    assert [result["state"] for result in answer.json["results"]] == ["published"] * 2
    assert house.status(receipt) == "published"
    assert house.discard(receipt).json["state"] == "gone"
    assert abroad.names() == set()


def test_a_receipt_of_a_profile_that_gives_none_any_more_costs_the_others_nothing(told):
    house, _, receipt = told("callback = false")
    held = house.store("word")
    first, second = house.ask("commit", house.backend(), receipts=[receipt, held["receipt"]]).json["results"]
    assert (first["error"]["code"], second["state"]) == ("forbidden", "published")


def test_who_asks_too_often_has_sts_asked_no_more(two_buckets):
    """Which may have to be asked each time, while a role cannot be taken; and its rate is the account's."""
    (word, _deed), _ = commit_both(two_buckets)
    house, asked = two_buckets, two_buckets.without_sessions(two_buckets.oss)
    answers = [house.commit(word["receipt"]).status for _ in range(62)]
    assert (answers, len(asked)) == ([502] * 60 + [429] * 2, 60)
