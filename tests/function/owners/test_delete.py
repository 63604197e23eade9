"""``/delete``: objects by their keys, each fails alone, and nobody deletes what is another's."""

import pytest

from function.errors import StsRejected
from function.sts.session_policy import DELETIONS
from tests.function.owners.conftest import (
    BAD,
    ELSEWHERE,
    FORBIDDEN,
    MINE,
    OWNER,
    PROFILES,
    THEIRS,
    THEM,
    key,
    number,
    one_more,
    store,
)
from tests.support.memory_oss import BROKEN, DENIED, LOST, UNHEARD

UNKNOWN = (401, "unauthorized")
OWN = ("picture", "held", "same", "tight", "tighta")


def ask(house, *keys, token=None, subject=OWNER):
    return house.ask("delete", house.session(subject) if token is None else token, keys=list(keys))


def outcomes(answer):
    assert answer.status == 200, answer.text
    return [each.get("state") or each["error"]["code"] for each in answer.json["results"]]


@pytest.mark.parametrize("name", OWN)
def test_an_owner_deletes_own_objects_and_may_repeat_it(house, oss, name):
    store(oss, key(name), key(name, owner=THEIRS))
    for _ in range(2):
        answer = ask(house, key(name))
        assert answer.json == {"results": [{"key": key(name), "state": "gone"}]}
    assert oss.names() == {key(name, owner=THEIRS)}
    assert house.told == []


NOT_MINE = [
    *(key(name, owner=THEIRS) for name in OWN),
    # Profiles without the option, and none at all.
    *(key(name) for name in ("shared", "closed", "receipt", "plain", "page")),
    f"held/{key('held')}",
    f"held/.decided/{number(1)}",
    *("held/", "x", "pictures/", f"pictures/{MINE}/", f"pictures/{MINE}/../{THEIRS}/{number(0)}.png"),
    f"{key('picture')}\n",
    f" {key('picture')}",
    f"tight/{MINE}b-{number(0)}",
    f"pictures/{MINE}/{number(0)}.png/{number(0)}.png",
    "\ud800",
]


def test_a_request_deletes_up_to_twenty_keys(house, oss):
    keys = [key("picture", count) for count in range(20)]
    store(oss, *keys)
    assert outcomes(ask(house, *keys)) == ["gone"] * 20
    assert oss.names() == set()


@pytest.mark.parametrize("foreign", NOT_MINE, ids=ascii)
def test_a_foreign_key_fails_alone(house, oss, foreign):
    store(oss, *(each for each in NOT_MINE if each != "\ud800"), key("picture"))
    before = oss.names()
    answer = ask(house, foreign, key("picture"))
    assert outcomes(answer) == ["forbidden", "gone"]
    assert [each["key"] for each in answer.json["results"]] == [foreign, key("picture")]
    assert oss.names() == before - {key("picture")}


@pytest.mark.parametrize(
    "keys",
    [None, [], {}, "x", [""], [7], [None], ["x" * 1024], ["图" * 342], [key("picture")] * 21, [["x"]]],
    ids=lambda keys: ascii(keys)[:30],
)
def test_malformed_keys_are_refused_for_all(house, oss, keys):
    assert house.ask("delete", house.session(), keys=keys).outcome == BAD
    if isinstance(keys, list) and len(keys) == 1:
        assert house.ask("delete", house.session(), keys=[key("picture"), *keys]).outcome == BAD
    assert oss.asked == []


def test_a_backend_deletes_what_is_an_owner_s_or_has_a_receipt(house, oss):
    ours = [*(key(name) for name in (*OWN, "shared", "page", "receipt")), key("picture", owner=THEIRS)]
    store(oss, *ours, key("plain"), f"held/.decided/{number(1)}")
    answer = ask(house, *ours, key("plain"), f"held/.decided/{number(1)}", token=house.backend())
    assert outcomes(answer) == [*["gone"] * len(ours), "forbidden", "forbidden"]
    assert oss.names() == {key("plain")} and f"held/.decided/{number(1)}" in oss.objects


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        *((text, UNKNOWN) for text in ("", "x.y.z")),
        ({"secret": "another-secret-0123456789abcdef-xyz"}, FORBIDDEN),
        ({"exp": 0}, FORBIDDEN),
        *(({"aud": f"oss-direct-upload/{kind}"}, UNKNOWN) for kind in ("receipt", "cursor", "erasure")),
        ({"aud": ["oss-direct-upload/backend", "oss-direct-upload/erasure"]}, FORBIDDEN),
    ],
    ids=str,
)
def test_a_token_of_another_kind_deletes_nothing(house, oss, token, expected):
    text = token if isinstance(token, str) else house.backend(**token)
    assert ask(house, key("picture"), token=text).outcome == expected
    assert oss.asked == []


def test_without_a_profile_with_delete_there_is_no_such_route(house_of):
    house = house_of(PROFILES.replace('delete = "owner"', ""))
    assert ask(house, key("picture")).outcome == (404, "not_found")
    assert ask(house, key("picture"), token=house.backend()).outcome == (404, "not_found")


@pytest.mark.parametrize(
    ("faults", "expected", "is_there"),
    [
        ((UNHEARD,), "gone", False),
        ((LOST,), "gone", False),
        ((UNHEARD, UNHEARD), "oss_unavailable", True),
        ((LOST, BROKEN), "oss_unavailable", False),
        ((DENIED,), "oss_rejected", True),
    ],
    ids=str,
)
def test_gone_needs_the_confirmation_of_oss(house, oss, faults, expected, is_there):
    store(oss, key("picture"), key("picture", 1))
    oss.fail("DeleteObject", *faults)
    assert outcomes(ask(house, key("picture"), key("picture", 1))) == [expected, "gone"]
    assert (key("picture") in oss.objects) is is_there
    assert outcomes(ask(house, key("picture"))) == ["gone"]


def test_the_session_that_deletes_is_assumed_when_it_is_needed(house, oss):
    ready = house.function.ready()
    cache = ready.credentials[ready.settings.home.session(DELETIONS)]
    store(oss, key("picture"))

    def refuse(*_, **__):
        raise StsRejected("STS refused.", reason="no")

    cache.assume_role, real = refuse, cache.assume_role
    assert ask(house, key("picture", owner=THEIRS)).status == 200
    assert house.form("picture") and house.ask("read", house.session(), key=key("picture")).status == 200
    assert ask(house, key("picture")).outcome == (502, "sts_rejected")
    cache.assume_role = real
    assert outcomes(ask(house, key("picture"))) == ["gone"]


def test_keys_count_as_forms_do_and_those_of_backends_by_themselves(house_of, oss):
    house = house_of(CALLER_RATE="4/min")
    assert ask(house, key("picture"), key("picture"), key("picture")).status == 200
    assert ask(house, key("picture"), key("picture")).status == 429
    assert ask(house, key("picture"), token=house.backend()).status == 200
    assert house.form("picture")
    assert house.ask("upload-params", house.session(), profile="picture", filename="a.png").status == 429
    assert ask(house, *[key("picture")] * 5, token=house.backend()).outcome == BAD
    assert ask(house, *[key("picture")] * 4, token=house.backend()).status == 429
    assert ask(house, key("picture", owner=THEIRS), subject=THEM).status == 200


def test_a_key_of_two_buckets_is_deleted_in_neither(house_of, oss):
    both = [one_more(name, place, "both") for name, place in (("here", ""), ("there", ELSEWHERE))]
    house = house_of(PROFILES + "".join(both))
    house.add_bucket("other-bucket", "cn-hangzhou")
    assert outcomes(ask(house, f"both/{MINE}/{number(0)}", token=house.backend())) == ["forbidden"]


def test_the_log_has_what_became_of_each_key_the_caller_may_delete(house, log_lines):
    ask(house, key("picture"), key("picture", owner=THEIRS))
    ask(house, key("picture"), token=house.backend())
    owners, backends = log_lines()
    assert (owners["owner"], owners["key"]) == (MINE, [key("picture")])
    assert owners["state"] == ["gone", "forbidden"]
    assert (backends["owner"], backends["state"]) == (None, ["gone"])
