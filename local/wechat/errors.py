"""
The refusals of WeChat's servers that are told here: code and words.

Source: the pages of each call below https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/
"""

from typing import NamedTuple


class WechatError(NamedTuple):
    """An ``errcode`` and the words of ``errmsg`` before its ``rid``."""

    errcode: int
    errmsg: str


SYSTEM_BUSY = WechatError(-1, "system error")
INVALID_CODE = WechatError(40029, "invalid code")
USED_CODE = WechatError(40163, "code been used")
CODE_BLOCKED = WechatError(40226, "code blocked")
# Which limit speaks first, and whether it uses the code up, no page says: here it does not.
RATE_LIMITED = WechatError(45011, "api minute-quota reach limit, mustslower, retry next minute")
# Codes in this group are known from reports, not from the documentation of the login.
INVALID_APPID = WechatError(40013, "invalid appid")
INVALID_SECRET = WechatError(40125, "invalid appsecret")
INVALID_GRANT = WechatError(40002, "invalid grant_type")
GET_REQUIRED = WechatError(43001, "require GET method")
POST_REQUIRED = WechatError(43002, "require POST method")
APPID_MISSING = WechatError(41002, "appid missing")
SECRET_MISSING = WechatError(41004, "appsecret missing")
CODE_MISSING = WechatError(41008, "missing code")
EMPTY_BODY = WechatError(44002, "empty post data")
NOT_JSON = WechatError(47001, "data format error")
# How media_check_async refuses an argument of another type no page says; the code is the platform's own.
INVALID_ARGUMENTS = WechatError(40097, "invalid args")

INVALID_TOKEN = WechatError(
    40001,
    "invalid credential, access_token is invalid or not latest",
)
TOKEN_MISSING = WechatError(41001, "access_token missing")
TOKEN_EXPIRED = WechatError(42001, "access_token expired")
# The address is one of RFC 5737's, which nobody has.
ADDRESS_REFUSED = WechatError(40164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist")
DAILY_QUOTA = WechatError(45009, "reach max api daily quota limit")
MINUTE_QUOTA = WechatError(44991, "api minute quota of the check reached")  # the words are ours

INVALID_OPENID = WechatError(40003, "invalid openid")
INVALID_MEDIA_TYPE = WechatError(40004, "invalid media type")
NOT_SEEN_LATELY = WechatError(61010, "code is expired")
FOREIGN_OPENID = WechatError(43104, "this appid does not have permission")
# What is sent in plain is answered with the first, where the console has API security (API 安全) switched on.
NOT_SIGNED = WechatError(40234, "invalid signature")
NOT_ENCRYPTED = WechatError(40235, "invalid encrypt")
DOWNLOAD_FAILED = WechatError(-1008, "download error")  # the words are ours
REPEATED_TOO_OFTEN = WechatError(87020, "repeated request limit exceeded")  # the words are ours
