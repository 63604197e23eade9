"""routes: the table has what is published, and what it names is there."""

from function.config.profile import Profile
from function.routes import ERASE, HEALTH, LOGIN, PUSH, ROUTES, function_of
from function.wechat import WechatApp
from tests.docs.openapi import document


def test_each_route_has_its_published_methods_a_function_and_a_feature_that_exists():
    published = {path[1:]: {*item} & {"get", "post"} for path, item in document()["paths"].items()}
    assert {name: {method.lower() for method in route.methods} for name, route in ROUTES.items()} == published
    for route in (route for name, route in ROUTES.items() if name != HEALTH):
        assert callable(function_of(route))
        assert route.feature in ("", LOGIN, ERASE, PUSH) or hasattr(Profile, route.feature)
    assert hasattr(WechatApp, PUSH)


def test_a_callback_is_answered_before_oss_gives_up():
    """OSS waits five seconds."""
    assert ROUTES["callback"].seconds < 5
