"""WeChat's server APIs: access token, content check and message push."""

from function.annotations import NamedTuple
from function.errors import Misconfigured, Problem
from function.messages import Message


class WechatPush(NamedTuple):
    """
    The message push of the mini-program, secure mode.

    Args:
        aes_key: EncodingAESKey, 43 characters.
        forward_url: gets the events that are not for this function; ``None`` without a forwarder.
    """

    token: str
    aes_key: str
    forward_url: str | None

    def __repr__(self) -> str:
        return "WechatPush(…)"


class WechatApp(NamedTuple):
    """The mini-program, as WeChat's APIs know it; ``endpoint`` is an origin."""

    appid: str
    secret: str
    endpoint: str
    push: WechatPush | None = None

    def __repr__(self) -> str:
        return f"WechatApp({self.appid})"


def wrong_appid(reason: str, errcode: str) -> Misconfigured:
    """Return the error for an AppID that WeChat does not know."""
    sentence = Message("WeChat does not recognise WECHAT_APPID ({reason})", reason=reason)
    return Misconfigured([Problem("WECHAT_APPID", sentence)], upstream=errcode)


def wrong_secret(reason: str, errcode: str) -> Misconfigured:
    """Return the error for a secret of another AppID."""
    sentence = Message("WECHAT_SECRET does not belong to WECHAT_APPID ({reason})", reason=reason)
    return Misconfigured([Problem("WECHAT_SECRET", sentence)], upstream=errcode)
