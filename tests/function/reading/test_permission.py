"""reading: who may read what, by every way there is to write a key."""

import pytest

from function.config.key_template import KeyTemplate
from function.errors import Forbidden
from function.reading import UrlRequest, readable
from tests.function.reading.keys import ID, KEY, MINE, SHOWN, THEIR_KEY, THEIRS, WALL
from tests.support.cases import profile_toml, table_beside


def test_a_caller_reads_only_own_objects(reading, good_sts):
    read = reading()
    assert read(key=THEIR_KEY).status == 403
    assert read(key=THEIR_KEY, who="them").status == 200


def test_every_caller_reads_objects_for_callers(reading, good_sts):
    read = reading()
    assert read(key=WALL).status == 200
    assert read(key=WALL, who="them").status == 200
    assert read(key=WALL, who="anybody else").status == 200


TABLE = table_beside(__file__)


def filled(key):
    return key.replace("{mine}", MINE).replace("{theirs}", THEIRS).replace("{id22}", ID)


# What nobody may read, or no caller but another: each is refused with this status, nothing is signed for it
# and nobody is asked.
ATTACKS = {filled(key): 403 for key in TABLE["forbidden"]} | {filled(key): 400 for key in TABLE["malformed"]}


@pytest.mark.parametrize("key", ATTACKS, ids=ascii)
@pytest.mark.parametrize("variant", [None, "thumb"])
@pytest.mark.not_for_coverage
def test_a_key_that_is_not_the_caller_s_to_read_is_refused_before_anything_is_signed(
    reading, sts, key, variant, log_lines
):
    read = reading()
    status = ATTACKS[key]
    code = {400: "bad_request", 403: "forbidden"}[status]
    one = read(key=key, variant=variant)
    several = read(items=[{"key": KEY}, {"key": SHOWN}, {"key": key, "variant": variant}])
    for answer in (one, several):
        assert answer.outcome == (status, code)
        assert set(answer.json) == {"error"}
        assert "x-oss-" not in answer.text
    assert all(line["key"] is None and line["stsRefreshed"] is None for line in log_lines())


def test_held_keys_are_never_readable(reading, sts):
    profile = next(iter(reading().function.function.ready().settings.profiles.values()))
    held, shown = (
        profile._replace(key=KeyTemplate(f"{folder}/{{id}}"), read="callers") for folder in ("held", "shown")
    )
    key = UrlRequest(f"shown/{ID}", None)
    assert readable([key], MINE, [held, shown]) == [(key, shown)]
    with pytest.raises(Forbidden):
        readable([UrlRequest(f"held/{ID}", None)], MINE, [held, shown])


SHARED = profile_toml("default", "s", "{owner}/{id}", max_size=9, read="callers") + profile_toml(
    "other", "s", "{owner}/{id}", max_size=9
)


@pytest.mark.parametrize(
    ("option", "may"), [('read = "callers"', True), ('read = "owner"', False), ("", False)]
)
def test_every_profile_matching_a_key_must_allow_reading(reading, good_sts, option, may):
    read = reading(SHARED + option)
    assert read(key=f"s/{THEIRS}/{ID}").status == (200 if may else 403)
    assert read(key=f"s/{MINE}/{ID}").status == 200


def test_the_log_has_the_reason_of_a_forbidden_read(reading, sts, log_lines):
    read = reading()
    for key in (THEIR_KEY, f"secret/{MINE}/{ID}.jpg"):
        read(key=key)
    reasons = [line["reason"] for line in log_lines()]
    assert reasons == ["another owner's key", "no profile with read access matches the key"]
