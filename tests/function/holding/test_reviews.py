"""``POST /reviews``: what waits for a human, oldest first; and who decided, for backends alone."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from function.auth.signed_tokens import issue_token
from function.config.profile import CHECK_URL_LIFE
from function.holding.review_list import URL_LIFE
from function.moderation.finding import Outcome
from tests.function.holding.conftest import ABROAD, COMMIT, FORBIDDEN, PROFILES, TOKEN_SECRET, later, profile
from tests.function.holding.test_decision import kill
from tests.support.memory_oss import BROKEN, DENIED, Part

BAD = (400, "bad_request")
STRIPPED = profile("clean", COMMIT, "strip = true")


def wait(house, clock, count=1, profile="face", seconds=60):
    """Uploads that WeChat leaves to a human, one a minute."""
    waiting = []
    for _ in range(count):
        stored = house.store(profile)
        trace = [*house.wechat.submitted][-1]
        assert house.verdict(Outcome.REVIEW, trace, label=20002)
        waiting.append(stored)
        clock.tick(seconds=seconds)
    house.events.clear()
    return waiting


@pytest.fixture
def waiting(house, clock):
    """An upload that has waited for a human for a minute."""
    return wait(house, clock)[0]


def ask(house, token=None, **fields):
    return house.ask("reviews", house.backend() if token is None else token, **fields)


def keys_of(answer):
    assert answer.status == 200, answer.text
    return [item["key"] for item in answer.json["items"]]


def listed(oss):
    """The names of the records that stand for what waits."""
    return [name.removeprefix("review/") for name in oss.records() if name.startswith("review/202611")]


def test_the_soonest_end_comes_first_with_the_finding_of_its_check(house, clock):
    first, second = wait(house, clock, 2)
    answer = ask(house)
    assert keys_of(answer) == [first["key"], second["key"]]
    item = answer.json["items"][0]
    url = item.pop("url")
    assert item == {
        "key": first["key"],
        "profile": "face",
        "receipt": first["receipt"],
        "reason": "label",
        "by": "wechat",
        "labels": [20002],
        "since": "2026-11-24T14:00:00Z",
        "heldUntil": "2026-11-25T14:00:00Z",
        "hoursLeft": 23,
        "size": 1,
        "contentType": "image/png",
    }
    assert house.oss.send("GET", url, budget_seconds=1).status == 200
    assert (answer.json["cursor"], answer.json["serverTime"]) == (None, "2026-11-24T14:02:00Z")


def test_the_url_ends_after_ten_minutes(house, clock):
    wait(house, clock)
    url = ask(house).json["items"][0]["url"]
    clock.tick(minutes=9)
    assert house.oss.send("GET", url, budget_seconds=1).status == 200
    clock.tick(minutes=1, seconds=1)
    assert house.oss.send("GET", url, budget_seconds=1).status == 403
    assert URL_LIFE < CHECK_URL_LIFE


JPG = "image/format,jpg"


@pytest.mark.parametrize(
    ("mime_type", "process"),
    [("image/heic", JPG), ("image/heif", JPG), ("image/tiff", JPG), ("image/png", None)],
)
def test_a_type_that_browsers_do_not_show_is_processed(house, mime_type, process):
    form = house.form("face", contentType=mime_type, filename=f"a.{mime_type[6:]}")
    assert house.oss.post(form["formData"], "bytes") == 200
    house.ask("confirm", ticket=form["ticket"])
    house.verdict(Outcome.REVIEW)
    (item,) = ask(house).json["items"]
    assert item["contentType"] == mime_type
    assert dict(parse_qsl(urlsplit(item["url"]).query)).get("x-oss-process") == process


def test_a_refused_check_names_its_code(house):
    house.wechat.answers = [61010]
    house.store("face")
    (item,) = ask(house).json["items"]
    assert (item["reason"], item["by"], item["labels"], item["errcode"]) == ("errcode", "wechat", [], 61010)


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("limit", [1, 2, 5, 100])
@pytest.mark.parametrize("longest_page", [1, 1000])
def test_pages_hold_each_once_in_order(house, clock, limit, longest_page):
    wanted = [stored["key"] for stored in wait(house, clock, 5)]
    house.oss.longest_page = longest_page
    found, cursor = [], None
    while True:
        answer = ask(house, limit=limit, cursor=cursor)
        assert len(answer.json["items"]) <= limit
        found += keys_of(answer)
        cursor = answer.json["cursor"]
        if cursor is None:
            break
    assert found == wanted


@pytest.mark.parametrize("decision", ["publish", "reject"])
def test_a_decision_by_hand_takes_it_off_the_list(house, clock, decision):
    decided, other = wait(house, clock, 2)
    house.commit(decided["receipt"], decision=decision)
    assert listed(house.oss) == [f"20261125140100-{other['uploadId']}"]
    assert keys_of(ask(house)) == [other["key"]]


ENDS = {
    "verdict": lambda house, stored: house.verdict(Outcome.RISKY),
    "owner": lambda house, stored: house.discard(stored["receipt"], house.session()),
    "time": lambda house, stored: later(house, days=1),
    "loss": lambda house, stored: house.oss.objects.pop(f"held/{stored['key']}"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_upload_that_ended_otherwise_is_taken_off_by_the_next_list(house, end, waiting):
    end(house, waiting)
    assert len(listed(house.oss)) == 1
    assert keys_of(ask(house)) == []
    assert listed(house.oss) == []


def test_other_bytes_are_not_shown_and_the_first_may_return(house, waiting):
    held = f"held/{waiting['key']}"
    house.oss.replace_object(held, parts=(Part("others", 1),))
    assert keys_of(ask(house)) == []
    house.oss.replace_object(held, parts=(Part("bytes", 1),))
    assert keys_of(ask(house)) == [waiting["key"]]


@pytest.mark.parametrize(
    "record",
    [
        *(b"{", b"[]", b"{}", b'{"receipt": 7, "at": "2026-11-24T14:00:00Z"}', b'{"receipt": "a.b.c"}'),
        *({"at": at} for at in (None, 7, "yesterday")),
    ],
    ids=str,
)
def test_a_record_without_an_upload_or_a_time_hides_no_other(house, record, waiting):
    if isinstance(record, dict):
        record = json.dumps({"receipt": waiting["receipt"], **record}).encode()
    house.oss.store("held/.review/20261124135900-x", record, content_type="application/json")
    assert keys_of(ask(house)) == [waiting["key"]]
    house.discard(waiting["receipt"])
    assert keys_of(ask(house)) == []


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("review/20261124135900-x", b"x" * 17_000),
        ("decided/{id}", b"{"),
        ("decided/{id}", b'{"decision": "x"}'),
    ],
    ids=["too large", "not JSON", "no decision"],
)
def test_a_record_that_cannot_be_read_hides_no_other(house, clock, name, body):
    broken, other = wait(house, clock, 2)
    name = f"held/.{name.format(id=broken['uploadId'])}"
    house.oss.store(name, body, content_type="application/json")
    assert keys_of(ask(house))[-1:] == [other["key"]]
    answer = ask(house, limit=1)
    rest = keys_of(ask(house, cursor=answer.json["cursor"])) if answer.json["cursor"] else []
    assert [*keys_of(answer), *rest][-1:] == [other["key"]]


def test_an_id_that_begins_like_a_time_is_on_the_list_a_single_time(house, clock):
    house.restart(random_bytes=lambda _size: urlsafe_b64decode("2026A4567890123456789A=="))
    (stored,) = wait(house, clock)
    assert stored["uploadId"] == "2026A4567890123456789A"
    assert keys_of(ask(house)) == [stored["key"]]
    house.commit(stored["receipt"], decision="publish")
    assert keys_of(ask(house)) == []
    assert f"review/{stored['uploadId']}" in house.oss.records()


def test_a_desk_is_not_empty_because_oss_fails(house, clock):
    wait(house, clock)
    house.oss.fail("HeadObject", BROKEN, BROKEN)
    assert ask(house).outcome == (503, "oss_unavailable")
    house.oss.fail("HeadObject", DENIED)
    assert ask(house).outcome == (502, "oss_rejected")


def test_a_record_that_disappears_meanwhile_hides_no_other(house, clock):
    first, second = wait(house, clock, 2)
    name = f"held/.review/20261125140000-{first['uploadId']}"
    serve = house.oss.serve

    def after_the_list(*args, **kwargs):
        answer = serve(*args, **kwargs)
        house.oss.objects.pop(name, None)
        return answer

    house.oss.serve = after_the_list
    assert keys_of(ask(house)) == [second["key"]]


def test_all_buckets_are_listed_by_time(two_buckets, clock):
    keys = [wait(two_buckets, clock, profile=name)[0]["key"] for name in ("view", "face", "view")]
    answer = ask(two_buckets, limit=2)
    assert keys_of(answer) == keys[:2]
    assert keys_of(ask(two_buckets, cursor=answer.json["cursor"])) == keys[2:]
    for item in answer.json["items"]:
        bucket = two_buckets.buckets["abroad" if item["profile"] == "view" else "my-bucket"]
        assert bucket.send("GET", item["url"], budget_seconds=1).status == 200


def test_a_list_reads_no_bucket_without_reviews(house_of):
    house = house_of(PROFILES + ABROAD.partition("[view]")[0])
    abroad = house.add_bucket("abroad", "cn-shanghai")
    assert keys_of(ask(house)) == abroad.asked == []


@pytest.mark.parametrize(("seconds", "count"), [(2.5, 2), (2.6, 1)])
def test_a_page_ends_early_rather_than_late(house, clock, seconds, count):
    wanted = [stored["key"] for stored in wait(house, clock, 4)]
    elapsed = 0.0
    serve = house.oss.serve

    def slow(*args, **kwargs):
        nonlocal elapsed
        elapsed += seconds
        return serve(*args, **kwargs)

    house.oss.serve = slow
    house.monotonic = lambda: elapsed
    # A list, then three calls for each.
    answer = ask(house)
    assert keys_of(answer) == wanted[:count]
    assert keys_of(ask(house, cursor=answer.json["cursor"])) == wanted[count : 2 * count]


def test_a_page_has_one_at_least(house, clock):
    wanted = [stored["key"] for stored in wait(house, clock, 2)]
    elapsed = 0.0
    serve = house.oss.serve

    def slow(method, url, *args, **kwargs):
        nonlocal elapsed
        elapsed += 11.0 if "list-type" in url else 0.0
        return serve(method, url, *args, **kwargs)

    house.oss.serve = slow
    house.monotonic = lambda: elapsed
    answer = ask(house)
    assert keys_of(answer) == wanted[:1]
    assert keys_of(ask(house, cursor=answer.json["cursor"])) == wanted[1:]


# --- who may ask ---


def test_only_a_backend_gets_the_list(house, clock):
    wait(house, clock)
    assert house.ask("reviews").outcome == (401, "unauthorized")
    for token in (
        house.session(),
        "a.b.c",
        house.backend(aud="oss-direct-upload/erasure"),
        house.backend(exp=1),
    ):
        assert ask(house, token).outcome == FORBIDDEN


def test_without_a_check_there_is_no_such_route(house_of):
    house = house_of(PROFILES.replace('"check"', '"commit"').replace('"commit", "commit"', '"commit"'))
    assert ask(house).outcome == (404, "not_found")


def test_a_picture_that_cannot_be_cleaned_waits_until_it_is_rejected(house_of):
    house = house_of(STRIPPED, WECHAT_PUSH_TOKEN=None, WECHAT_PUSH_AES_KEY=None)
    stored = house.store("clean")
    assert house.commit(stored["receipt"]).json["state"] == "review"
    (item,) = ask(house).json["items"]
    assert (item["key"], item["reason"], item["by"]) == (stored["key"], "metadata", None)
    assert house.commit(stored["receipt"], decision="reject").json["state"] == "rejected"
    assert listed(house.oss) == []


@pytest.mark.parametrize(
    "fields",
    [
        *({"limit": limit} for limit in (0, 101, True, "5", 1.0)),
        *({"cursor": cursor} for cursor in ("", 7, "x", "a.b.c", "x" * 5000)),
    ],
    ids=str,
)
def test_a_malformed_request_is_refused_before_oss_is_called(house, fields):
    assert ask(house, **fields).outcome == BAD
    assert house.oss.asked == []


@pytest.mark.parametrize(
    "forged",
    [
        {"list": ["owner", "picture", "my-bucket"]},
        {"list": "reviews"},
        {"after": 7},
        {"audience": "oss-direct-upload/session"},
        {"secrets": ["another-secret-0123456789abcdef-xyz"]},
        {"life": timedelta(0)},
    ],
    ids=str,
)
def test_a_forged_cursor_is_refused_before_oss_is_called(house, clock, forged):
    made = {"list": ["reviews"], "after": "held/.review/20261124140000-x"} | {
        name: forged[name] for name in ("list", "after") if name in forged
    }
    cursor = issue_token(
        made,
        audience=forged.get("audience", "oss-direct-upload/cursor"),
        secrets=forged.get("secrets", [TOKEN_SECRET]),
        now=clock(),
        life=forged.get("life", timedelta(hours=1)),
    )
    assert ask(house, cursor=cursor).outcome == BAD
    assert house.oss.asked == []


def test_lists_are_limited_to_sixty_a_minute(house, clock):
    assert [ask(house).status for _ in range(61)] == [200] * 60 + [429]
    clock.tick(minutes=1)
    assert ask(house).status == 200


# --- cut off, and repeated ---


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_tick_lists_what_a_crash_left_out(house, house_of, clock, after):
    """Under the same name, by the end of its hold."""
    cut_off = 0
    for at in range(1, 20):
        house.oss.objects.clear()
        stored, end = house.store("face"), clock() + timedelta(days=1)
        trace = [*house.wechat.submitted][-1]
        was_cut = kill(
            house, lambda trace=trace: house.verdict(Outcome.REVIEW, trace, label=20002), at=at, after=after
        )
        if not was_cut:
            break
        cut_off += 1
        is_recorded = f"review/{stored['uploadId']}" in house.oss.records()
        clock.tick(minutes=2)
        other = house_of()
        other.tick()
        assert listed(house.oss) == [f"{end:%Y%m%d%H%M%S}-{stored['uploadId']}"] * is_recorded
        assert keys_of(ask(other)) == [stored["key"]] * is_recorded
    assert cut_off >= 4


@pytest.mark.parametrize(
    ("at", "since"),
    [*((at, "14:01:00") for at in (None, 7, "yesterday")), ("2026-11-24T14:00:30Z", "14:00:30")],
)
def test_a_tick_lists_a_record_as_of_its_time_or_of_now(house, at, since, waiting):
    id, receipt = waiting["uploadId"], waiting["receipt"]
    house.oss.objects.pop(f"held/.review/20261125140000-{id}")
    announced = {
        f"review/{id}": {"reason": "label", "receipt": receipt, "at": at},
        f"due/202611241401/decision--{id}-review": {"what": "review", "receipt": receipt},
    }
    for name, fields in announced.items():
        house.oss.store(f"held/.{name}", json.dumps(fields).encode(), content_type="application/json")
    house.tick()
    assert listed(house.oss) == [f"20261125140000-{id}"]
    assert [item["since"] for item in ask(house).json["items"]] == [f"2026-11-24T{since}Z"]
    assert house.told == ["review"]
    assert house.due() == []


def test_a_removal_that_fails_changes_no_response(house, log_lines, waiting):
    house.oss.fail("DeleteObject", "", "", BROKEN, BROKEN)
    answer = house.commit(waiting["receipt"], decision="publish")
    assert (answer.json["state"], len(listed(house.oss))) == ("published", 1)
    assert log_lines()[-1]["reason"].startswith("review: ")
    assert keys_of(ask(house)) == []


def test_a_review_of_an_earlier_version_is_decided_as_ever(house, waiting):
    """Its record has no receipt and stands on no list."""
    house.oss.objects.pop(f"held/.review/20261125140000-{waiting['uploadId']}")
    name = f"held/.review/{waiting['uploadId']}"
    house.oss.store(name, b'{"label": 20002}', content_type="application/json")
    assert keys_of(ask(house)) == []
    assert house.commit(waiting["receipt"], decision="reject").json["state"] == "rejected"


# --- who decided ---


def decision(action, by="backend", reviewer=None, at="2026-11-24T14:01:00Z"):
    return {"action": action, "by": by, "reviewer": reviewer, "at": at}


FOUND = {"reason": "label", "by": "wechat", "labels": [20002]}


def test_a_second_reviewer_learns_who_decided_and_when(house, waiting):
    first = house.commit(waiting["receipt"], decision="reject", reviewer="小红 🌸")
    made = decision("reject", reviewer="小红 🌸")
    assert (first.json["decision"], {name: first.json[name] for name in FOUND}) == (made, FOUND)
    second = later(house, minutes=1).commit(waiting["receipt"], decision="publish", reviewer="小明")
    assert (second.json["state"], second.json["decision"]) == ("rejected", made)
    evidence = house.oss.records()[f"rejected/{waiting['uploadId']}"]
    assert (evidence["by"], evidence["reviewer"]) == ("backend", "小红 🌸")


def test_status_has_labels_for_a_backend_alone(house, waiting):
    usual = {"key", "state", "url", "heldUntil"}
    asked = house.ask("status", house.backend(), receipt=waiting["receipt"]).json
    assert set(asked) == usual | set(FOUND)
    assert {name: asked[name] for name in FOUND} == FOUND
    for token in ("", house.session(), house.backend(exp=1)):
        assert set(house.ask("status", token, receipt=waiting["receipt"]).json) == usual


def test_a_verdict_of_a_check_is_a_decision_of_the_check(house, face):
    house.verdict(Outcome.RISKY, label=20006)
    answer = house.ask("status", house.backend(), receipt=face["receipt"]).json
    assert answer["decision"] == decision("reject", by="check", at="2026-11-24T14:00:00Z")
    assert answer["labels"] == [20006]


USUAL = {"key", "state", "url", "etag", "size", "mimeType"}


def test_a_commit_without_a_decision_tells_of_none(house, word, note):
    assert set(house.commit(word["receipt"]).json) == USUAL
    assert set(house.ask("commit", house.session(), receipt=note["receipt"]).json) == USUAL


def test_a_backend_costs_no_call_for_a_review_or_decision_that_cannot_be(house, word, plain):
    house.oss.asked.clear()
    asked = house.ask("status", house.backend(), receipt=word["receipt"])
    assert (house.oss.asked.count("GetObject"), asked.json["state"]) == (2, "held")
    house.oss.asked.clear()
    asked = house.ask("status", house.backend(), receipt=plain["receipt"])
    assert (house.oss.asked, set(asked.json)) == (["HeadObject"], USUAL)


@pytest.mark.parametrize("reviewer", ["", "x" * 65, 7, ["x"], "a\nb", "\x7f", "\ud800"], ids=repr)
def test_a_malformed_reviewer_is_refused(house, reviewer, word):
    assert house.commit(word["receipt"], decision="publish", reviewer=reviewer).outcome == BAD
    assert house.status(word["receipt"]) == "held"


def test_a_reviewer_needs_a_decision_and_a_backend(house, note):
    assert house.commit(note["receipt"], reviewer="小红").outcome == BAD
    fields = {"receipt": note["receipt"], "decision": "publish", "reviewer": "小红"}
    assert house.ask("commit", house.session(), **fields).outcome == FORBIDDEN
    assert house.commit(note["receipt"], decision="publish", reviewer="x" * 64).status == 200


def test_without_a_limit_a_page_has_twenty(house, clock):
    wait(house, clock, 21, seconds=1)
    assert len(ask(house).json["items"]) == 20
