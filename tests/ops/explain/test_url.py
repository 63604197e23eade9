"""A signed URL in words, and what is wrong with it."""

import json
from datetime import timedelta

import pytest

from function.credentials import StsCredentials
from function.oss.presign import OssRequest, presign
from tests.ops.explain.pastes import NOW, TOKEN, said
from tests.ops.words import chinese_in

SECRET = "UrlSecretNobodyPrints"
KEYS = StsCredentials("STS.NTreader", SECRET, TOKEN, NOW + timedelta(hours=1))
OWN = StsCredentials("LTAI5tOwn", SECRET, "", NOW + timedelta(hours=1))
KEY = "uploads/q3f/2026/11/24/猫 +1.jpg"
PROCESS = "image/resize,m_fill,w_200,h_200/format,jpg"


def signed(
    query=None,
    *,
    keys=KEYS,
    at=NOW,
    life=timedelta(minutes=20),
    headers=None,
    additional=(),
    origin="https://files.example.com",
):
    request = OssRequest(
        "GET",
        "my-bucket",
        "cn-hangzhou",
        KEY,
        {"x-oss-process": PROCESS} if query is None else query,
        headers or {},
        additional,
    )
    return presign(request, keys, at, origin=origin, expires_in=life)


def test_a_signed_url_is_explained_by_object_expiry_process_and_key():
    text = said(signed())
    for piece in (
        "A signed URL, version 4",
        "host       https://files.example.com\n",
        f"key        {KEY}\n",
        f"x-oss-process {PROCESS}\n",
        "key id     STS.NTreader\n",
        "region     cn-hangzhou\n",
        "expires    2026-11-24 14:22:00 UTC, in 20 min\n",
    ):
        assert piece in text, piece
    assert "What to do" not in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_shows_neither_signature_nor_token_in_either_language(language):
    url = signed(at=NOW - timedelta(hours=1))
    text = said(url, language)
    assert bool(chinese_in(text.replace(KEY, ""))) is (language == "zh")
    for secret in (TOKEN[:40], url.partition("x-oss-signature=")[2][:20], SECRET):
        assert secret not in text


def test_reads_the_answers_of_read_as_they_are():
    one = json.dumps({"url": signed(), "expiresAt": "2026-11-24T14:22:00Z", "serverTime": "x"})
    assert said(one) == said(signed())
    items = [{"key": KEY, "variant": "thumb", "url": signed(), "expiresAt": None}] * 2
    assert said(json.dumps({"items": items, "serverTime": "x"})) == f"{said(signed())}\n\n{said(signed())}"


def test_an_address_without_a_signature_is_for_public_objects():
    text = said(f"https://files.example.com/a/b.jpg?x-oss-process={PROCESS}")
    assert "public-read" in text and PROCESS in text


LIVES = ("-1", "1e3", "٣", "9" * 400, "%20")


def cut(url, name):
    """Without one parameter of the query."""
    head, _, query = url.partition("?")
    return f"{head}?{'&'.join(part for part in query.split('&') if not part.startswith(f'{name}='))}"


@pytest.mark.parametrize(
    ("url", "piece"),
    [
        (signed(at=NOW - timedelta(minutes=21)), "/read"),
        (signed(at=NOW + timedelta(minutes=16)), "16 min"),
        (signed(life=timedelta(hours=12, seconds=1)), "12 h 1 s"),
        (signed(keys=OWN, life=timedelta(days=7, seconds=1)), "7 d"),
        (cut(signed(), "x-oss-security-token"), "token"),
        (cut(signed(), "x-oss-signature"), "x-oss-signature"),
        (cut(signed(), "x-oss-expires"), "x-oss-expires"),
        (signed().replace("x-oss-expires=1200", "x-oss-expires=soon"), "x-oss-expires"),
        (signed().replace("x-oss-date=20261124", "x-oss-date=20261125"), "x-oss-date"),
        (signed().replace("x-oss-date=20261124T", "x-oss-date=today"), "x-oss-date"),
        (signed().replace("x-oss-expires=1200", "x-oss-expires=0"), "0 s"),
        ("https://b.example.com/k?OSSAccessKeyId=LTAI&Expires=1", "Signature"),
        ("https://b.example.com/k?OSSAccessKeyId=STS.a&Expires=1&Signature=x", "token"),
        *(
            (signed().replace("x-oss-expires=1200", f"x-oss-expires={life}"), "x-oss-expires")
            for life in LIVES
        ),
        (signed(at=NOW + timedelta(minutes=15)), None),
        (signed(life=timedelta(hours=12)), None),
        (signed(keys=OWN, life=timedelta(days=7)), None),
        (
            f"https://b.example.com/k?OSSAccessKeyId=LTAI&Expires={int(NOW.timestamp()) + 60}&Signature=x",
            None,
        ),
    ],
)
def test_advises_against_all_that_oss_would_refuse(url, piece):
    _, has_advice, advice = said(url).partition("What to do")
    assert bool(has_advice) is (piece is not None)
    assert piece is None or piece in advice


def test_names_the_part_and_the_headers_that_a_url_is_bound_to():
    url = signed(
        {"partNumber": "3", "uploadId": "0004B9"},
        headers={"content-length": "5"},
        additional=("content-length",),
    )
    text = said(url)
    for piece in ("partNumber 3\n", "uploadId   0004B9\n", "bound to   content-length\n"):
        assert piece in text


def test_a_version_1_url_shows_its_expiry():
    text = said("https://b.example.com/k?OSSAccessKeyId=LTAI&Expires=1795528800&Signature=abcdefgh")
    assert "version 1" in text and "2026-11-24 14:00:00 UTC" in text
    assert "abcdefgh" not in text


@pytest.mark.parametrize("end", ["", "x", "9" * 30, "-9" * 30])
def test_an_end_that_is_no_instant_breaks_nothing(end):
    assert "version 1" in said(f"https://b.example.com/k?OSSAccessKeyId=L&Expires={end}&Signature=x")


def test_prints_no_control_character_of_a_hostile_address():
    text = said("https://b.example.com/a%1b%5b2J%E2%80%AEb?x-oss-process=%9b%07&x-oss-signature=x")
    assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(text)


def test_a_user_and_password_before_the_host_are_not_shown():
    assert "hunter2" not in said("https://me:hunter2@b.example.com/k?x-oss-signature=x")


def test_a_url_of_a_bucket_in_another_region_than_it_was_signed_for_names_where_to_correct_it():
    there = signed(origin="https://my-contracts.oss-cn-shanghai.aliyuncs.com")
    assert "cn-shanghai" in said(there).partition("What to do")[2]
    assert "What to do" not in said(signed(origin="https://my-bucket.oss-cn-hangzhou.aliyuncs.com"))
