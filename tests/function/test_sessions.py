"""Two sessions: one signs forms, the other the function's own calls and the URLs of ``/read``."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from function.errors import StsUnavailable
from function.sts.session_policy import OBJECTS, UPLOADS

STS_URL = "https://sts.cn-hangzhou.aliyuncs.com/"
TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
PROFILE = '[default]\nkey = "a/{owner}/{id}"\nmax_size = 9\nexpires_in = 60\ncontent_types = ["image/png"]\n'
ABROAD = 'bucket = "abroad"\nregion = "cn-shanghai"\nrole = "acs:ram::1:role/abroad"\nread_for = 900\n'


def actions_asked_for(sts):
    """Of each AssumeRole so far, what the session may do."""
    policies = [json.loads(parse_qs(urlsplit(call.request.url).query)["Policy"][0]) for call in sts.calls]
    return [policy["Statement"][0]["Action"] for policy in policies]


def obtain(ready, now, ends, purpose=OBJECTS):
    """Credentials of a session, of the objects session by default."""
    return ready.credentials_for(ready.settings.home.session(purpose), None, now, ends)


def asked_after_some_forms(function, sts):
    function.function.initialize(None)
    for _ in range(3):
        assert function.ask(body={"filename": "a.png"}).status == 200
    return actions_asked_for(sts)


PUT = ["oss:PutObject", "oss:PutObjectAcl"]


def test_a_deployment_without_options_has_one_session(instance, good_sts):
    function = instance()
    assert asked_after_some_forms(function, good_sts) == [PUT]
    ready = function.function.ready()
    assert set(ready.credentials) == {ready.settings.home.session(UPLOADS)}


@pytest.mark.parametrize("option", ["confirm = true", 'read = "callers"'])
def test_the_objects_session_is_assumed_when_first_needed(instance, good_sts, profiles_file, clock, option):
    function = instance(PROFILES_FILE=profiles_file(PROFILE + option), TOKEN_SECRET=TOKEN_SECRET)
    assert asked_after_some_forms(function, good_sts) == [PUT]
    ready = function.function.ready()
    first, again = (obtain(ready, clock(), [clock()]) for _ in range(2))
    assert (first.are_new, again.are_new) == (True, False)
    assert actions_asked_for(good_sts) == [PUT, ["oss:GetObject"]]


@pytest.mark.parametrize(("purpose", "seconds"), [(OBJECTS, 3600 - 2 * 600 - 60 - 2 * 30), (UPLOADS, 2700)])
def test_a_session_is_replaced_while_it_still_covers_what_it_signs(
    instance, good_sts, profiles_file, clock, purpose, seconds
):
    """Two early tries, half a minute apart, before a URL that is promised two windows would outlive it."""
    another = PROFILE.replace("[default]", "[other]") + 'read = "callers"\nread_for = 1\n'
    abroad = another.replace("[other]", "[abroad]").replace("a/", "b/").replace("read_for = 1\n", ABROAD)
    function = instance(PROFILES_FILE=profiles_file(f'{PROFILE}read = "callers"\n{another}{abroad}'))
    function.ask(body={"filename": "a.png"})
    ready = function.function.ready()
    obtain(ready, clock(), [clock()], purpose)
    clock.tick(seconds=seconds - 1)
    assert not obtain(ready, clock(), [clock()], purpose).are_new
    clock.tick(seconds=1)
    assert obtain(ready, clock(), [clock()], purpose).are_new


@pytest.mark.parametrize("public", [False, True])
def test_the_objects_session_is_replaced_no_earlier_without_signed_urls(
    instance, good_sts, profiles_file, clock, public
):
    read = 'acl = "public-read"\nread = "callers"\n' if public else ""
    text = f"{PROFILE}confirm = true\n{read}"
    ready = instance(PROFILES_FILE=profiles_file(text), TOKEN_SECRET=TOKEN_SECRET).function.ready()
    obtain(ready, clock(), [clock()])
    clock.tick(seconds=2699)
    assert not obtain(ready, clock(), [clock()]).are_new
    clock.tick(seconds=1)
    assert obtain(ready, clock(), [clock()]).are_new


def test_a_failure_of_one_session_leaves_the_other(instance, good_sts, profiles_file, clock):
    function = instance(PROFILES_FILE=profiles_file(f"{PROFILE}confirm = true"), TOKEN_SECRET=TOKEN_SECRET)
    function.ask(body={"filename": "a.png"})
    good_sts.replace("POST", STS_URL, status=503)
    with pytest.raises(StsUnavailable):
        obtain(function.function.ready(), clock(), [clock()])
    assert function.ask(body={"filename": "a.png"}).status == 200


WECHAT_CHECKS = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "s"}
WECHAT_CHECKS |= {"WECHAT_PUSH_TOKEN": "PushToken3", "WECHAT_PUSH_AES_KEY": "a1" * 21 + "b"}
WECHAT_CHECKS |= {"TOKEN_SECRET": TOKEN_SECRET, "STS_SESSION_SECONDS": "5400"}


@pytest.mark.parametrize("changes", ["", 'read = "callers"\nread_for = 60\n'])
def test_urls_for_checks_are_signed_by_a_session_that_lives_another_hour(
    instance, sts, profiles_file, clock, reply, changes
):
    sts.add("POST", STS_URL, json=reply(clock() + timedelta(seconds=5400)))
    text = f'{PROFILE}confirm = true\nhold = ["check"]\n{changes}'
    ready = instance(PROFILES_FILE=profiles_file(text), **WECHAT_CHECKS).function.ready()
    url_ends = timedelta(hours=1)
    assert obtain(ready, clock(), [clock() + url_ends]).are_new
    # Two early tries, half a minute apart, before the hour would outlive the session.
    clock.tick(seconds=5400 - 3600 - 60 - 2 * 30 - 1)
    assert not obtain(ready, clock(), [clock() + url_ends]).are_new
    sts.add("POST", STS_URL, json=reply(clock() + timedelta(seconds=5400)))
    clock.tick(seconds=1)
    assert obtain(ready, clock(), [clock() + url_ends]).are_new
