import pytest

from local.wechat.server import WechatServer


@pytest.fixture
def wechat_server(clock):
    """A local WeChat at 14:00 UTC on 24 November 2026."""
    server = WechatServer("wx0123456789abcdef", "wechat-secret", now=clock).start()
    yield server
    server.stop()
