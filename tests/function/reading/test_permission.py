"""reading.permission: who may read what, by every way there is to write a key."""

from urllib.parse import quote

import pytest

from function.config.key_template import KeyTemplate
from function.errors import Forbidden
from function.reading import UrlRequest, readable
from tests.function.reading.keys import ID, KEY, MINE, PROFILES, SHOWN, THEIR_KEY, THEIRS, WALL, query_of
from tests.support.cases import text_beside


def test_a_caller_reads_only_own_objects(reading, good_sts):
    read = reading()
    assert read(key=THEIR_KEY).status == 403
    assert read(key=THEIR_KEY, who="them").status == 200


def test_every_caller_reads_objects_for_callers(reading, good_sts):
    read = reading()
    assert read(key=WALL).status == 200
    assert read(key=WALL, who="them").status == 200
    assert read(key=WALL, who="anybody else").status == 200


def test_anonymous_callers_read_objects_for_callers(reading, good_sts):
    profiles = PROFILES.replace('read = "owner"', 'read = "callers"')
    read = reading(profiles, CALLER_AUTH="anonymous")
    assert read.function.ask(path="/read", body={"key": WALL}).status == 200


NFD_WALL = WALL.replace("墙", "e\u0301")
# What nobody may read, or no caller but another: each is refused with this status, nothing is signed for it
# and nobody is asked.
ATTACKS = {
    # another owner, or none
    THEIR_KEY: 403,
    KEY.replace(MINE, "public"): 403,
    KEY.replace(MINE, MINE.upper()): 403,
    KEY.replace(MINE, MINE[:-1]): 403,
    KEY.replace(MINE, MINE + "a"): 403,
    KEY.replace(MINE, ""): 403,
    KEY.replace(MINE, "*"): 403,
    KEY.replace(MINE, f"{MINE}/{THEIRS}"): 403,
    KEY.replace(MINE, f"{MINE}/../{THEIRS}"): 403,
    KEY.replace(MINE, f"{MINE}%2F..%2F{THEIRS}"): 403,
    KEY.replace(MINE, f"{MINE}\\..\\{THEIRS}"): 403,
    KEY.replace(MINE, f"{THEIRS}\n{MINE}"): 403,
    f"{KEY}/../{THEIR_KEY}": 403,
    f"{THEIR_KEY}\n{KEY}": 403,
    f"{KEY}\n{THEIR_KEY}": 403,
    f"{KEY},{THEIR_KEY}": 403,
    # another profile, or none
    f"secret/{MINE}/{ID}.jpg": 403,
    f"secret/{THEIRS}/{ID}.jpg": 403,
    f"legacy/{MINE}/a.jpg": 403,
    f"{MINE}/2026/11/24/{ID}.jpg": 403,
    f"upload/{MINE}/2026/11/24/{ID}.jpg": 403,
    f"UPLOADS/{MINE}/2026/11/24/{ID}.jpg": 403,
    f"xuploads/{MINE}/2026/11/24/{ID}.jpg": 403,
    f"uploads/{MINE}": 403,
    "uploads/": 403,
    "/": 403,
    ".": 403,
    "*": 403,
    "?": 403,
    # what is held
    f"held/{KEY}": 403,
    f"held/{WALL}": 403,
    f"held/.checks/{ID}": 403,
    f"held//{KEY}": 403,
    f"HELD/{KEY}": 403,
    # dots, slashes and what decodes to them
    f"uploads/./{MINE}/2026/11/24/{ID}.jpg": 403,
    f"uploads/x/../{MINE}/2026/11/24/{ID}.jpg": 403,
    f"../{KEY}": 403,
    f"./{KEY}": 403,
    f"/{KEY}": 403,
    f"//{KEY}": 403,
    f"{KEY}/": 403,
    f"{KEY}/..": 403,
    KEY.replace("/", "//", 1): 403,
    KEY.replace("/2026/", "//2026/"): 403,
    KEY.replace("/", "%2F"): 403,
    KEY.replace("/", "%2f", 1): 403,
    KEY.replace("/", "\\"): 403,
    KEY.replace("/", "\u2215", 1): 403,
    KEY.replace("/", "\uff0f", 1): 403,
    quote(KEY, safe=""): 403,
    quote(quote(KEY, safe=""), safe=""): 403,
    KEY.replace("u", "%75", 1): 403,
    KEY.replace(".jpg", "%2Ejpg"): 403,
    # queries and fragments
    f"{KEY}?x-oss-process=image/info": 403,
    f"{KEY}&x-oss-process=image/info": 403,
    f"{KEY}#": 403,
    f"{KEY}?acl": 403,
    f"{KEY}?uploads": 403,
    # other forms of Unicode
    quote(WALL): 403,
    NFD_WALL: 403,
    KEY.replace("u", "\uff55", 1): 403,
    KEY.replace("2026", "２０２６"): 403,
    KEY.replace("2026", "٢٠٢٦"): 403,
    KEY.replace("a", "а"): 403,
    f"\ufeff{KEY}": 403,
    f"{KEY}\u200b": 403,
    f"\u202e{KEY}": 403,
    f"{KEY}\u0301": 403,
    # what is no character
    f"{KEY}\x00": 403,
    f"{KEY}\x00.png": 403,
    KEY.replace("/", "\x00", 1): 403,
    f"{KEY}\ud800": 403,
    "\ud800": 403,
    f"{KEY}\n": 403,
    f"{KEY}\r\nX-Injected: 1": 403,
    f"\t{KEY}": 403,
    f" {KEY}": 403,
    f"{KEY} ": 403,
    # no date, id or extension of ours
    KEY.replace("2026", "26"): 403,
    KEY.replace("/11/", "/13/"): 403,
    KEY.replace("/24/", "/32/"): 403,
    KEY.replace(ID, ID[:-1]): 403,
    KEY.replace(ID, ID + "A"): 403,
    KEY.replace(ID, "*" * 22): 403,
    KEY.replace(".jpg", ".JPG"): 403,
    KEY.replace(".jpg", "."): 403,
    KEY.replace(".jpg", ".jpg.exe"): 403,
    KEY.replace(".jpg", ".abcdefghijk"): 403,
    # templates themselves
    "uploads/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}": 403,
    KEY.replace(MINE, "[a-z2-7]{26}"): 403,
    # too long or empty
    "": 400,
    "a" * 1023: 403,
    "a" * 1024: 400,
    "猫" * 341: 403,
    "猫" * 342: 400,
    KEY + "a" * 1024: 400,
}


def test_there_are_more_than_sixty_attacks():
    assert len(ATTACKS) > 60


@pytest.mark.parametrize("key", ATTACKS, ids=ascii)
@pytest.mark.parametrize("variant", [None, "thumb"])
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


def test_the_log_has_the_reason_of_a_forbidden_read(reading, sts, log_lines):
    read = reading()
    for key in (THEIR_KEY, f"secret/{MINE}/{ID}.jpg"):
        read(key=key)
    reasons = [line["reason"] for line in log_lines()]
    assert reasons == ["another owner's key", "no profile with read access matches the key"]


def test_held_keys_are_never_readable(reading, sts):
    profile = next(iter(reading().function.function._ready().settings.profiles.values()))
    held, shown = (
        profile._replace(key=KeyTemplate(f"{folder}/{{id}}"), read="callers") for folder in ("held", "shown")
    )
    key = UrlRequest(f"shown/{ID}", None)
    assert readable([key], MINE, [held, shown]) == [(key, shown)]
    with pytest.raises(Forbidden):
        readable([UrlRequest(f"held/{ID}", None)], MINE, [held, shown])


def test_all_forbidden_reads_have_one_message(reading, sts):
    read = reading()
    answers = [
        read(key=key).json["error"] for key in (THEIR_KEY, f"held/{KEY}", f"secret/{MINE}/{ID}.jpg", "x")
    ]
    assert len({(error["code"], error["message"]) for error in answers}) == 1


SHARED = text_beside(__file__)


@pytest.mark.parametrize(
    ("option", "may"), [('read = "callers"', True), ('read = "owner"', False), ("", False)]
)
def test_of_several_profiles_that_a_key_fits_each_must_let_the_caller_read(reading, good_sts, option, may):
    read = reading(SHARED + option)
    assert read(key=f"s/{THEIRS}/{ID}").status == (200 if may else 403)
    assert read(key=f"s/{MINE}/{ID}").status == 200


def test_the_variant_may_be_of_any_of_them(reading, good_sts):
    read = reading(SHARED + 'read = "callers"\n[other.variants]\nlarge = "image/resize,w_9"')
    for variant, process in (("thumb", "image/resize,w_1"), ("large", "image/resize,w_9")):
        url = read(key=f"s/{THEIRS}/{ID}", variant=variant).json["url"]
        assert query_of(url)["x-oss-process"] == process
    assert read(key=f"s/{THEIRS}/{ID}", variant="neither").status == 400
