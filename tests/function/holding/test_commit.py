"""``POST /commit``: the next step, and decisions of a backend."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from function.auth.signed_tokens import RECEIPT, issue_token
from function.http.client import ExchangeFailed, HttpResponse
from function.oss.client import BUDGET_SECONDS, FIRST_TRY_SECONDS
from tests.function.holding.conftest import FORBIDDEN, PROFILES, RECEIPT_SECRET, later, names, refused, there
from tests.support.cases import cases_beside, table_beside
from tests.support.memory_oss import DENIED, MemoryOss, Part
from tests.support.world import WEBHOOK

cases = cases_beside(__file__)


# --- publishing ---


def test_the_published_object_has_the_acl_and_class_of_its_profile(house, word):
    held = house.oss.objects[f"held/{word['key']}"]
    assert held.acl == "private"
    house.commit(word["receipt"])
    published = house.oss.objects[word["key"]]
    assert (published.acl, published.headers["x-oss-storage-class"]) == ("public-read", "IA")
    assert published.parts == held.parts
    assert published.headers["x-oss-meta-upload-id"] == word["uploadId"]
    assert published.headers["content-type"] == "image/png"


def test_a_repeated_commit_has_the_same_response_and_no_effect(house, word):
    first = house.commit(word["receipt"])
    told = {"key": word["key"], "state": "published", "url": word["fileUrl"]}
    assert (first.json, names(house, word)) == ({**told, **there(word)}, ["key"])
    house.oss.asked.clear()
    assert house.commit(word["receipt"]).text == first.text
    # What waits; the decision; what is held, and published.
    assert house.oss.asked == ["HeadObject", "GetObject", "HeadObject", "HeadObject"]
    assert house.events == [{"event": "published", "receipt": word["receipt"], **there(word)}]


@pytest.mark.parametrize("is_other_upload", [False, True])
def test_only_the_bytes_of_the_receipt_are_published(house, is_other_upload, word):
    headers = house.oss.objects[f"held/{word['key']}"].headers
    other = {"headers": {**headers, "x-oss-meta-upload-id": "B" * 22}}
    house.oss.replace_object(
        f"held/{word['key']}", **(other if is_other_upload else {"parts": (Part("others", 1),)})
    )
    assert house.status(word["receipt"]) == "gone"
    assert refused(house.commit(word["receipt"])) == (404, "not_uploaded")
    assert names(house, word) == ["held"]
    assert not [name for name in house.oss.objects if name.startswith("held/.")]


def test_a_commit_begins_the_check_once(house, post):
    assert house.status(post["receipt"]) == "held"
    assert house.wechat.submitted == {}
    for _ in range(3):
        answer = house.commit(post["receipt"])
        assert answer.json == {"key": post["key"], "state": "checking", "url": None}
        assert len(house.wechat.submitted) == 1
    assert names(house, post) == ["held"]


def test_a_plain_commit_during_which_the_bytes_come_back_asks_no_checker(house, log_lines, word):
    held = f"held/{word['key']}"
    first = house.oss.objects[held]
    house.oss.replace_object(held, parts=(Part("others", 1),))
    house.oss.between["GetObject"] = lambda: house.oss.objects.update({held: first})
    assert refused(house.commit(word["receipt"])) == (503, "oss_unavailable")
    assert log_lines()[-1]["reason"] == "the held object was stored meanwhile"
    assert (house.wechat.checks, house.due()) == ([], [])
    assert house.resume(word["receipt"]) == "published"


# --- by hand ---


@pytest.mark.parametrize("profile", ["word", "face"])
def test_a_backend_may_publish_or_reject_by_hand_and_that_is_final(house, profile):
    stored = house.store(profile)
    answer = house.commit(stored["receipt"], decision="publish")
    made = {"by": "backend", "reviewer": None, "at": "2026-11-24T14:00:00Z"}
    published = {"key": stored["key"], "state": "published", "url": stored["fileUrl"]}
    assert answer.json == {**published, **there(stored), "decision": {"action": "publish", **made}}
    assert names(house, stored) == ["key"]
    stored = house.store(profile)
    answer = house.commit(stored["receipt"], decision="reject")
    rejected = {"key": stored["key"], "state": "rejected", "url": None}
    assert answer.json == {**rejected, "decision": {"action": "reject", **made}}
    assert names(house, stored) == []
    assert house.commit(stored["receipt"]).json["state"] == "rejected"
    assert house.commit(stored["receipt"], decision="publish").json["state"] == "rejected"
    assert house.status(stored["receipt"]) == "rejected"
    assert house.told == ["rejected"]
    assert not [each for each in house.oss.requests if each.method == "DELETE" and "/.review/" in each.key]


def test_a_rejection_leaves_evidence(house, word):
    house.commit(word["receipt"], decision="reject")
    evidence = {"by": "backend", "key": word["key"], "receipt": word["receipt"]}
    evidence["at"] = "2026-11-24T14:00:00Z"
    assert house.oss.records()[f"rejected/{word['uploadId']}"] == evidence


@pytest.mark.parametrize("profile", ["word", "default"])
def test_a_published_object_cannot_be_rejected(house, profile):
    stored = house.store(profile)
    house.commit(stored["receipt"])
    assert refused(house.commit(stored["receipt"], decision="reject")) == (409, "already_published")
    assert names(house, stored) == ["key"]


def test_a_rejected_object_that_is_stored_again_is_deleted_again(house, word):
    house.commit(word["receipt"], decision="reject")
    assert house.oss.post(word["formData"], "bytes") == 200
    assert house.resume(word["receipt"]) == "rejected"
    assert names(house, word) == []


# --- who may ---


@cases("subject", "fields", "reason")
def test_other_owners_and_decisions_of_owners_are_refused(house, log_lines, subject, fields, reason, note):
    answer = house.ask("commit", house.session(subject), receipt=note["receipt"], **fields)
    assert refused(answer) == FORBIDDEN
    assert log_lines()[-1]["reason"] == reason
    assert refused(house.ask("commit", receipt=note["receipt"])) == (401, "unauthorized")
    assert names(house, note) == ["held"]


@pytest.mark.parametrize("profile", ["word", "face", "default"])
def test_an_owner_may_not_commit_where_only_a_backend_may(house, profile, log_lines):
    stored = house.store(profile)
    before = dict(house.oss.objects)
    for fields in ({"receipt": stored["receipt"]}, {"receipts": [stored["receipt"]]}):
        assert refused(house.ask("commit", house.session(), **fields)) == FORBIDDEN
        assert log_lines()[-1]["reason"] == "no token of a backend"
    assert house.oss.objects == before


def test_anonymous_callers_own_nothing(house_of):
    profiles = PROFILES.partition("[note]")[0] + 'hold = ["commit"]\n'
    house = house_of(profiles, CALLER_AUTH="anonymous", WECHAT_PUSH_TOKEN=None, WECHAT_PUSH_AES_KEY=None)
    receipt = house.store("default")["receipt"]
    for route in ("commit", "discard"):
        assert refused(house.ask(route, receipt=receipt)) == (401, "unauthorized")
        assert refused(house.ask(route, "a.b.c", receipt=receipt)) == FORBIDDEN
    assert house.commit(receipt).json["state"] == "published"


def test_a_token_counts_in_either_header(house, word):
    headers = {"X-Upload-Token": house.backend(), "Authorization": "Signed by a gateway"}
    answer = house.ask_event(body={"receipt": word["receipt"]}, path="/commit", headers=headers)
    assert answer.json["state"] == "published"


# --- several, and what is malformed ---


def test_each_of_several_receipts_has_its_own_result(house, log_lines):
    good, gone, other = house.store("word"), house.store("word"), house.store("default")
    del house.oss.objects[f"held/{gone['key']}"]
    receipts = [good["receipt"], gone["receipt"], "a.b.c", other["receipt"], good["receipt"]]
    answer = house.ask("commit", house.backend(), receipts=receipts)
    assert answer.status == 200
    published, missing, forged, plain, again = answer.json["results"]
    assert published == again
    assert published == {"key": good["key"], "state": "published", "url": good["fileUrl"], **there(good)}
    assert (missing.keys(), missing["error"].keys()) == ({"error"}, {"code", "message"})
    codes = [published["state"], missing["error"]["code"], forged["error"]["code"], plain["state"]]
    assert codes == ["published", "not_uploaded", "forbidden", "published"]
    line = log_lines()[-1]
    assert line["state"] == [*codes, "published"]
    assert line["uploadId"] == [good["uploadId"], gone["uploadId"], other["uploadId"], good["uploadId"]]
    assert line["profile"] == ["word", "word", "default", "word"]
    assert line["key"] == [good["key"], gone["key"], other["key"], good["key"]]
    assert line["owner"]


def test_a_batch_of_an_owner_refuses_the_uploads_of_others(house):
    mine, theirs = house.store("note"), house.store("note", subject="openid-2")
    word = house.store("word")
    receipts = [mine["receipt"], theirs["receipt"], word["receipt"]]
    answer = house.ask("commit", house.session(), receipts=receipts)
    codes = [result.get("error", {}).get("code") for result in answer.json["results"]]
    assert codes == [None, "forbidden", "forbidden"]
    assert names(house, theirs) == names(house, word) == ["held"]


RECEIPTS_NEEDED = "Send one receipt, or receipts with a list of 1 to 20."


@pytest.mark.parametrize("fields", table_beside(__file__)["MALFORMED"], ids=str)
def test_a_malformed_request_is_refused(house, fields):
    answer = house.ask("commit", house.backend(), **fields)
    assert refused(answer) == (400, "bad_request")
    about = "decision must be publish or reject." if "decision" in fields else RECEIPTS_NEEDED
    assert answer.json["error"]["message"] == about
    assert house.oss.asked == []


def test_the_log_names_no_upload_of_an_invalid_receipt(house, log_lines):
    assert refused(house.ask("commit", house.backend(), receipt="a.b.c")) == FORBIDDEN
    answer = house.ask("commit", house.backend(), receipts=["a.b.c"] * 20)
    assert [result["error"]["code"] for result in answer.json["results"]] == ["forbidden"] * 20
    for line in log_lines()[-2:]:
        assert not {"profile", "owner", "key", "uploadId"} & {name for name in line if line[name] is not None}
    # Without a valid receipt OSS is not called, and no session is fetched.
    assert house.oss.asked == []


# --- how often ---


def test_neither_clients_nor_owners_use_up_the_limit_of_a_backend(house):
    """Otherwise whoever uploaded something bad could prevent its rejection."""
    stored = house.store("note")
    for _ in range(61):
        house.ask("commit", house.session("openid-2"), receipt=stored["receipt"])
        house.ask("status", receipt=stored["receipt"])
    assert refused(house.ask("status", receipt=stored["receipt"])) == (429, "too_many_requests")
    assert house.commit(stored["receipt"], decision="reject").json["state"] == "rejected"
    stored = house.store("note")
    house.oss.fail("HeadObject", *[DENIED] * 60)
    statuses = [house.ask("commit", house.session(), receipt=stored["receipt"]).status for _ in range(61)]
    assert statuses == [502] * 60 + [429]
    assert house.commit(stored["receipt"], decision="reject").json["state"] == "rejected"


@pytest.mark.not_for_coverage
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


@pytest.mark.parametrize(
    ("takes", "waited", "reason", "is_due"),
    [
        # After the first attempt that fails the others are due at once.
        (9.0, [1.5], "timed out", 20),
        (0.5, [1.5, 1.5, 1.0, 0.5], "out of time", 16),
        (0.0, [1.5] * 20, "ok", 0),
    ],
)
@pytest.mark.not_for_coverage
def test_a_slow_webhook_makes_no_commit_fail_and_no_response_late(
    house, log_lines, takes, waited, reason, is_due
):
    elapsed, given = 0.0, []

    def slow(*_request, budget_seconds, **_options):
        nonlocal elapsed
        elapsed += min(takes, budget_seconds)
        given.append(budget_seconds)
        if takes > budget_seconds:
            raise ExchangeFailed("timed out")
        return HttpResponse(200, b"")

    *receipts, another = [house.store("note")["receipt"] for _ in range(21)]
    house.others[urlsplit(WEBHOOK).hostname] = slow
    house.monotonic = lambda: elapsed
    house.hosts.clear()
    house.budgets.clear()
    answer = house.ask("commit", house.backend(), receipts=receipts)
    assert [each["state"] for each in answer.json["results"]] == ["published"] * 20
    assert (given, log_lines()[-1]["webhook"]) == (waited, reason)
    assert elapsed <= 2.0
    due = [name for name in house.oss.objects if name.startswith("held/.due/")]
    assert len(due) == is_due
    # The calls to OSS about the uploads have their ten seconds for themselves.
    calls = zip(house.hosts, house.budgets, strict=True)
    left = 4.0 - elapsed
    seconds = {seconds for host, seconds in calls if "aliyuncs" in host}
    assert seconds == {FIRST_TRY_SECONDS, BUDGET_SECONDS} | ({left} if is_due else set())
    # Another request has seconds of its own.
    given.clear()
    assert house.commit(another).status == 200
    assert given == [1.5]


# --- several buckets ---


def commit_both(two_buckets):
    stored = [two_buckets.store(profile) for profile in ("word", "deed")]
    house = two_buckets
    return stored, lambda: house.ask("commit", house.backend(), receipts=[one["receipt"] for one in stored])


def test_receipts_of_two_buckets_are_published_in_their_own(two_buckets):
    (word, deed), commit = commit_both(two_buckets)
    results = [(each["state"], each["url"]) for each in commit().json["results"]]
    assert results == [("published", word["fileUrl"]), ("published", deed["fileUrl"])]
    assert two_buckets.oss.names() == {word["key"]}
    assert two_buckets.buckets["abroad"].names() == {deed["key"]}


def test_a_bucket_without_a_session_does_not_affect_the_others(two_buckets):
    (word, _deed), commit = commit_both(two_buckets)
    two_buckets.without_sessions(two_buckets.buckets["abroad"])
    first, second = commit().json["results"]
    assert (first["state"], second["error"]["code"]) == ("published", "sts_rejected")
    assert two_buckets.oss.names() == {word["key"]}
    two_buckets.without_sessions(two_buckets.oss)
    for answer in (commit(), two_buckets.commit(word["receipt"])):
        assert refused(answer) == (502, "sts_rejected")


@pytest.mark.parametrize("order", [("deed", "word"), ("deed", "deed", "word")])
def test_a_bucket_that_hangs_leaves_the_others_their_time(two_buckets, order, monkeypatch):
    stored = [two_buckets.store(profile) for profile in order]
    two_buckets.hangs(two_buckets.buckets["abroad"], monkeypatch)
    house = two_buckets
    answer = house.ask("commit", house.backend(), receipts=[one["receipt"] for one in stored])
    told = [result.get("state") or result["error"]["code"] for result in answer.json["results"]]
    assert told == [{"word": "published", "deed": "oss_unavailable"}[profile] for profile in order]


TOLD = """
[told]
key = "told/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
CALLBACK
bucket = "abroad"
region = "cn-shanghai"
"""


def receipt_with(claims, now):
    life = timedelta(days=1)
    return issue_token(claims, audience=RECEIPT, secrets=[RECEIPT_SECRET], now=now, life=life)


@pytest.fixture
def called_back(house_of, clock):
    """A world with an upload that a callback confirmed, in a bucket without holds; its receipt."""

    def build(option="callback = true"):
        url = "https://fc.example.com/callback"
        house = house_of(PROFILES + TOLD.replace("CALLBACK", option), CALLBACK_URL=url)
        abroad = MemoryOss("abroad", "cn-shanghai", clock)
        house.others["abroad.oss-cn-shanghai.aliyuncs.com"] = abroad.send
        abroad.give_sessions(house.function, timedelta(hours=2))
        form = house.form("default")
        assert house.oss.post(form["formData"], "bytes") == 200
        key = form["key"].replace("uploads/", "told/")
        abroad.objects[key] = house.oss.objects.pop(form["key"])
        etag = abroad.objects[key].etag
        said = {"jti": "a" * 22, "key": key, "etag": etag, "owner": "o", "profile": "told"}
        said |= {"sub": "o", "size": 1, "mimeType": "image/png", "bucket": "abroad"}
        return house, abroad, receipt_with(said, clock())

    return build


def test_a_receipt_of_a_bucket_without_holds_is_valid(called_back):
    house, abroad, receipt = called_back()
    held = house.store("word")
    answer = house.ask("commit", house.backend(), receipts=[receipt, held["receipt"]])
    assert [result["state"] for result in answer.json["results"]] == ["published"] * 2
    assert house.status(receipt) == "published"
    assert house.discard(receipt).json["state"] == "gone"
    assert abroad.names() == set()


def test_a_receipt_of_a_profile_without_receipts_fails_alone(called_back):
    house, _, receipt = called_back("callback = false")
    held = house.store("word")
    first, second = house.ask("commit", house.backend(), receipts=[receipt, held["receipt"]]).json["results"]
    assert (first["error"]["code"], second["state"]) == ("forbidden", "published")


def test_requests_over_the_limit_do_not_reach_sts(two_buckets):
    """While a role cannot be assumed every call may try, and STS limits the whole account."""
    (word, _deed), _ = commit_both(two_buckets)
    asked = two_buckets.without_sessions(two_buckets.oss)
    answers = [two_buckets.commit(word["receipt"]).status for _ in range(62)]
    assert (answers, len(asked)) == ([502] * 60 + [429] * 2, 60)


def test_a_publication_replaces_no_object_although_the_profile_overwrites(house_of):
    """What may be replaced is what is held, by the same form."""
    house = house_of(PROFILES.replace("storage_class", "overwrite = true\nstorage_class"))
    stored = house.store("word")
    house.oss.store(stored["key"], b"others", content_type="image/png")
    assert refused(house.commit(stored["receipt"])) == (409, "already_exists")
    assert house.oss.objects[stored["key"]].body == b"others"


def test_an_upload_is_committed_sixty_times_a_minute(house):
    stored, other = house.store("word"), house.store("word")
    statuses = [house.commit(stored["receipt"]).status for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert house.commit(other["receipt"]).status == 200
    assert later(house, seconds=60).commit(stored["receipt"]).status == 200
