"""WeChat's server APIs: access token, content check and message push."""

from typing import NamedTuple


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
