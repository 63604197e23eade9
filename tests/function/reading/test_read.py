"""routes.read: the addresses of one object or many, all or nothing, each of them counted."""

import pytest

from tests.function.reading.keys import KEY, MINE, ORIGIN, SHOWN, WALL, query_of


def test_the_url_of_one_object(reading, good_sts, log_lines):
    answer = reading()(key=KEY)
    assert answer.status == 200, answer.text
    assert set(answer.json) == {"url", "expiresAt", "serverTime"}
    assert answer.json["url"].startswith(f"{ORIGIN}/{KEY}?")
    query = query_of(answer.json["url"])
    assert set(query) == {
        *("x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-security-token", "x-oss-signature"),
        "x-oss-signature-version",
    }
    assert (query["x-oss-date"], query["x-oss-expires"]) == ("20261124T140000Z", "1200")
    times = answer.json["serverTime"], answer.json["expiresAt"]
    assert times == ("2026-11-24T14:00:00Z", "2026-11-24T14:20:00Z")
    (line,) = log_lines()
    assert (line["route"], line["profile"], line["owner"], line["key"]) == ("read", "default", MINE, KEY)
    assert line["stsRefreshed"] is True
    assert "caller" not in line


def test_several_urls_come_in_order_from_one_session(reading, good_sts, log_lines):
    wanted = [(WALL, "large"), (KEY, None), (SHOWN, None), (KEY, "thumb")]
    answer = reading()(items=[{"key": key, "variant": variant} for key, variant in wanted])
    assert set(answer.json) == {"items", "serverTime"}
    given = [(item["key"], item["variant"], item["expiresAt"]) for item in answer.json["items"]]
    assert given == [
        (WALL, "large", "2026-11-24T14:02:00Z"),
        (KEY, None, "2026-11-24T14:20:00Z"),
        (SHOWN, None, None),
        (KEY, "thumb", "2026-11-24T14:20:00Z"),
    ]
    assert all(set(item) == {"key", "variant", "url", "expiresAt"} for item in answer.json["items"])
    assert len(good_sts.calls) == 1
    (line,) = log_lines()
    assert line["profile"] == ["wall", "default", "shown", "default"]
    assert line["key"] == [WALL, KEY, SHOWN, KEY]


@pytest.mark.parametrize("number", [1, 50])
def test_one_to_fifty_items_are_allowed(reading, good_sts, number):
    assert len(reading()(items=[{"key": KEY}] * number).json["items"]) == number


def test_read_needs_a_valid_token(reading, sts):
    assert reading().function.ask(path="/read", body={"key": KEY}).outcome == (401, "unauthorized")


def test_each_item_counts(reading, good_sts):
    read = reading(READ_RATE="5/min")
    assert read(items=[{"key": KEY}] * 3).status == 200
    over = read(items=[{"key": KEY}] * 3)
    assert over.outcome == (429, "too_many_requests")
    assert int(over.headers["Retry-After"]) == 60
    assert read(items=[{"key": KEY}] * 2).status == 200
    assert read(key=KEY).status == 429
    assert read(key=KEY, who="them").status == 403
