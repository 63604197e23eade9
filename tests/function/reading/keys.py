"""Profiles that can be read in each way, and keys of theirs: of the caller ``me`` and of another."""

from urllib.parse import parse_qsl, urlsplit

from function.auth import owner_of
from tests.support.cases import text_beside

OWNER_SECRET = "owner-secret-0123456789abcdef-xyz"
JWT_KEY = "k" * 32
ID = "AbCdEfGhIjKlMnOpQrSt_A"
MINE, THEIRS = (owner_of(name, OWNER_SECRET) for name in ("me", "them"))
PROFILES = text_beside(__file__)
KEY = f"uploads/{MINE}/2026/11/24/{ID}.jpg"
THEIR_KEY = KEY.replace(MINE, THEIRS)
WALL, SHOWN = f"墙/{THEIRS}/{ID}.jpg", f"shown/{ID}.jpg"
ORIGIN = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
