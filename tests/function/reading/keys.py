"""Profiles that can be read in each way, and keys of theirs: of the caller ``me`` and of another."""

from urllib.parse import parse_qsl, urlsplit

from function.auth import owner_of
from tests.support.cases import profile_toml

OWNER_SECRET = "owner-secret-0123456789abcdef-xyz"
JWT_KEY = "k" * 32
ID = "AbCdEfGhIjKlMnOpQrSt_A"
MINE, THEIRS = (owner_of(name, OWNER_SECRET) for name in ("me", "them"))
PROFILES = (
    profile_toml(
        "default",
        "uploads",
        "{owner}/{yyyy}/{mm}/{dd}/{id}{ext}",
        max_size=9,
        read="owner",
        variants={"thumb": "image/resize,m_fill,w_200,h_200/format,jpg"},
    )
    + profile_toml(
        "wall", "墙", max_size=9, read="callers", read_for=60, variants={"large": "image/resize,w_1600"}
    )
    + profile_toml(
        "shown",
        end="{id}{ext}",
        max_size=9,
        acl="public-read",
        read="callers",
        variants={"small": "image/resize,w_100/watermark,text_5Zu+"},
    )
    + profile_toml("secret", max_size=9)
)
KEY = f"uploads/{MINE}/2026/11/24/{ID}.jpg"
THEIR_KEY = KEY.replace(MINE, THEIRS)
WALL, SHOWN = f"墙/{THEIRS}/{ID}.jpg", f"shown/{ID}.jpg"
ORIGIN = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
