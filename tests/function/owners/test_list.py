"""``/list``: an owner's objects of one profile, page by page, and nobody else's."""

from datetime import timedelta

import pytest

from function.auth.signed_tokens import issue_token
from function.owners.listing import MAX_PAGES
from tests.function.owners.conftest import (
    BAD,
    ELSEWHERE,
    MINE,
    OWNER,
    THEIRS,
    THEM,
    key,
    number,
    one_more,
    store,
)

CURSOR = "oss-direct-upload/cursor"
SECRET = ("token-secret-canary-0123456789abcdef",)


def ask(house, subject=OWNER, **fields):
    return house.ask("list", house.session(subject), **{"profile": "picture", **fields})


def keys_of(answer):
    assert answer.status == 200, answer.text
    return [item["key"] for item in answer.json["items"]]


def pages(house, between=lambda: None, **fields):
    """The keys of each page until the last."""
    cursor = None
    while True:
        answer = ask(house, cursor=cursor, **fields)
        yield keys_of(answer)
        cursor = answer.json["cursor"]
        if cursor is None:
            return
        between()


def prefixes(oss):
    return [request.query["prefix"] for request in oss.requests if "list-type" in request.query]


def test_an_owner_s_objects_are_listed_in_key_order_with_their_urls(house, oss, clock):
    store(oss, key("picture", 2), key("picture", 1), key("picture", 1, THEIRS))
    answer = ask(house)
    assert keys_of(answer) == [key("picture", 1), key("picture", 2)]
    first = answer.json["items"][0]
    read = house.ask("read", house.session(), key=first["key"]).json
    facts = {"size": 7, "etag": oss.objects[first["key"]].etag, "lastModified": "2026-11-24T14:00:00Z"}
    url = {"url": read["url"], "expiresAt": read["expiresAt"]}
    assert (first, answer.json["cursor"]) == ({"key": key("picture", 1), **facts, **url}, None)
    thumb = house.ask("read", house.session(), key=first["key"], variant="thumb").json
    assert ask(house, variant="thumb").json["items"][0]["url"] == thumb["url"]


def test_an_object_is_listed_by_the_profile_that_made_its_key(house, oss):
    """Of two prefixes that begin alike neither lists what is the other's, or another owner's."""
    ours = {profile: key(profile) for profile in ("tight", "tighta", "picture")}
    store(oss, *ours.values(), *(key(profile, owner=THEIRS) for profile in ours))
    store(
        oss, f"pictures/{MINE}/deep/{number(1)}.png", f"pictures/{MINE}/{number(1)}x.png", f"pictures/{MINE}"
    )
    for profile, only in ours.items():
        assert keys_of(ask(house, profile=profile)) == [only]


def test_a_key_that_fits_a_profile_without_list_as_well_is_not_listed(house, oss):
    store(oss, key("shared"))
    assert keys_of(ask(house, profile="shared")) == []


@pytest.mark.parametrize("limit", [1, 3, 4, 100])
@pytest.mark.parametrize("longest_page", [1, 1000])
def test_pages_hold_every_key_once_in_order(house, oss, limit, longest_page):
    wanted = [key("picture", count) for count in range(10)]
    strangers = [f"pictures/{MINE}/{number(count)}.not.png" for count in (0, 1, 2, 7)]
    store(oss, *wanted, f"pictures/{MINE}/", *strangers)
    oss.longest_page = longest_page
    found = list(pages(house, limit=limit))
    assert [each for page in found for each in page] == wanted
    assert all(len(page) <= limit for page in found)
    # Short pages of OSS, or strangers, never end a list; neither do they make a request endless.
    assert oss.asked.count("ListObjectsV2") <= MAX_PAGES * len(found)


def test_one_request_looks_at_ten_pages_of_strangers(house, oss):
    store(oss, *(f"pictures/{MINE}/{number(count)}.not.png" for count in range(12)), key("picture", 20))
    answer = ask(house, limit=1)
    assert (keys_of(answer), oss.asked) == ([], ["ListObjectsV2"] * 10)
    assert keys_of(ask(house, limit=1, cursor=answer.json["cursor"])) == [key("picture", 20)]
    # A token says where its page begins.
    queries = [request.query for request in oss.requests]
    assert not any("start-after" in query and "continuation-token" in query for query in queries)


def test_a_page_that_oss_fills_is_one_call(house, oss):
    store(oss, *(key("picture", count) for count in range(5)))
    assert len(ask(house, limit=3).json["items"]) == 3
    assert oss.asked == ["ListObjectsV2"]


def test_a_list_holds_what_stays_while_others_upload_and_delete(house, oss):
    stays = [key("picture", count) for count in range(0, 300, 2)]
    store(oss, *stays, *(key("picture", count) for count in range(1, 300, 4)))
    turns = iter(range(1, 300, 4))

    def others():
        count = next(turns)
        oss.objects.pop(key("picture", count))
        store(oss, key("picture", count + 2))

    found = [each for page in pages(house, others, limit=7) for each in page]
    assert found == sorted(set(found)) and set(stays) <= set(found)


@pytest.mark.parametrize(
    "fields",
    [
        *({"limit": limit} for limit in (0, 101, -1, True, "5", 1.0, [])),
        *({"cursor": cursor} for cursor in ("", 7, "x", "a.b.c", "x" * 5000)),
        *({"profile": profile} for profile in (None, "", 7, ["picture"])),
        # Pages, profiles without an owner, and those without the option.
        *({"profile": profile} for profile in ("page", "plain", "receipt", "closed")),
        *({"variant": variant} for variant in ("none", 7, "")),
        {"profile": "tight", "variant": "thumb"},
    ],
    ids=str,
)
def test_a_malformed_list_is_refused_before_oss_is_called(house, oss, fields):
    answer = ask(house, **fields)
    assert answer.outcome == BAD
    assert answer.json["error"]["message"].split()[0] == [*fields][-1]
    assert oss.asked == []


def test_an_unknown_profile_is_named_as_such(house):
    assert ask(house, profile="none").outcome == (400, "unknown_profile")


def test_a_list_needs_a_session(house):
    for token in ("", "x.y.z", house.backend()):
        assert house.ask("list", token, profile="picture").outcome == (401, "unauthorized")


def cursor_of(clock, audience=CURSOR, secrets=SECRET, life=timedelta(hours=1), **claims):
    mine = {"list": [MINE, "picture", "my-bucket"], "after": key("picture", 5)}
    return issue_token({**mine, **claims}, audience=audience, secrets=secrets, now=clock(), life=life)


@pytest.mark.parametrize(
    "forged",
    [
        *({"list": [*whose, "my-bucket"]} for whose in ((THEIRS, "picture"), (MINE, "tight"))),
        *({"list": odd} for odd in ([MINE, "picture", "other-bucket"], {})),
        *({"after": 7}, {"after": ""}, {"life": timedelta(0)}),
        *({"audience": "oss-direct-upload/session"}, {"secrets": ("another-secret-0123456789abcdef-xyz",)}),
    ],
    ids=str,
)
def test_a_forged_or_foreign_cursor_is_refused_before_oss_is_called(house, oss, clock, forged, log_lines):
    assert ask(house, cursor=cursor_of(clock, **forged)).outcome == BAD
    assert log_lines()[-1]["reason"]
    assert oss.asked == []


def test_a_cursor_is_good_for_an_hour_and_for_no_other_route(house, oss, clock):
    store(oss, *(key("picture", count) for count in range(3)))
    cursor = ask(house, limit=1).json["cursor"]
    assert ask(house, THEM, cursor=cursor).outcome == BAD
    assert house.ask("list", cursor, profile="picture").outcome == (401, "unauthorized")
    assert house.ask("confirm", ticket=cursor).outcome == (403, "forbidden")
    clock.tick(minutes=59)
    assert keys_of(ask(house, cursor=cursor)) == [key("picture", 1), key("picture", 2)]
    clock.tick(minutes=1)
    assert ask(house, cursor=cursor).outcome == BAD


def test_oss_lists_the_caller_s_prefix_alone(house, oss, clock):
    foreign = cursor_of(clock, after="pictures/")
    for cursor in (None, foreign, cursor_of(clock, after=f"pictures/{THEIRS}/")):
        assert set(keys_of(ask(house, cursor=cursor))) <= {key("picture")}
    assert set(prefixes(oss)) == {f"pictures/{MINE}/"}


def test_a_page_counts_as_one_read(house_of, oss):
    house = house_of(READ_RATE="3/min")
    store(oss, *(key("picture", count) for count in range(5)))
    statuses = [ask(house).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert ask(house, THEM).status == 200
    assert house.ask("read", house.session(), key=key("picture")).status == 429


def test_a_list_is_of_its_profile_s_bucket(house_of, oss):
    # With read or delete the two could not share a folder.
    # The last one makes the keys of the first in the other bucket, and lists nothing.
    places = {"here": "list = true\n", "there": f"list = true\n{ELSEWHERE}", "shut": ELSEWHERE}
    every = [one_more(name, lines, "pictures") for name, lines in places.items()]
    house = house_of("".join(every))
    other = house.add_bucket("other-bucket", "cn-hangzhou")
    for count, bucket in enumerate((oss, other)):
        bucket.store(f"pictures/{MINE}/{number(count)}", b"x", content_type="image/png")
    assert keys_of(ask(house, profile="here")) == [f"pictures/{MINE}/{number(0)}"]
    assert keys_of(ask(house, profile="there")) == []


def test_the_log_has_owner_and_profile_of_a_list(house, log_lines):
    ask(house)
    (line,) = log_lines()
    assert (line["route"], line["owner"], line["profile"], line["key"]) == ("list", MINE, "picture", None)


def test_urls_are_given_only_where_the_profile_has_read(house, oss):
    store(oss, key("tight"))
    assert set(ask(house, profile="tight").json["items"][0]) == {"key", "size", "etag", "lastModified"}
