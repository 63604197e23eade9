"""Profiles that can be read in each way, and keys of theirs: of the caller ``me`` and of another."""

from urllib.parse import parse_qsl, urlsplit

from function.auth import owner_of

OWNER_SECRET = "owner-secret-0123456789abcdef-xyz"
JWT_KEY = "k" * 32
ID = "AbCdEfGhIjKlMnOpQrSt_A"
MINE, THEIRS = (owner_of(name, OWNER_SECRET) for name in ("me", "them"))
PROFILES = """
[default]
key = "uploads/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}"
max_size = 9
content_types = ["image/*"]
read = "owner"
[default.variants]
thumb = "image/resize,m_fill,w_200,h_200/format,jpg"
[wall]
key = "墙/{owner}/{id}{ext}"
max_size = 9
content_types = ["image/*"]
read = "callers"
read_for = 60
[wall.variants]
large = "image/resize,w_1600"
[shown]
key = "shown/{id}{ext}"
max_size = 9
content_types = ["image/*"]
acl = "public-read"
read = "callers"
[shown.variants]
small = "image/resize,w_100/watermark,text_5Zu+"
[secret]
key = "secret/{owner}/{id}{ext}"
max_size = 9
content_types = ["image/*"]
"""
KEY = f"uploads/{MINE}/2026/11/24/{ID}.jpg"
THEIR_KEY = KEY.replace(MINE, THEIRS)
WALL, SHOWN = f"墙/{THEIRS}/{ID}.jpg", f"shown/{ID}.jpg"
ORIGIN = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
