"""uploads.tickets: what any instance goes on with, and what nobody can make, change or use elsewhere."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta

import jwt
import pytest

from function.app import load_settings
from function.auth import signed_tokens
from function.auth.signed_tokens import issue_token
from function.errors import Misconfigured
from function.multipart.part_urls import check_ticket_length
from function.uploads.tickets import MultipartTicket
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

SECRET = "token-secret-canary-0123456789abcdef"
OTHER_SECRET = "another-secret-canary-0123456789abcd"
ROUTES = ("multipart-parts", "multipart-complete", "multipart-abort")
EVERY_ROUTE = pytest.mark.parametrize("route", ROUTES)
FORBIDDEN = (403, "forbidden")


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_a_multipart_ticket_has_the_published_claims(phone, oss, clock):
    begun = phone.begin(size=300_000, context={"post": 7})
    now = int(clock().timestamp())
    ids = {"jti": begun["uploadId"], "upload": next(iter(oss.uploads)), "bucket": "my-bucket"}
    file = {"key": begun["key"], "size": 300_000, "part": 102_400, "type": "video/mp4"}
    who = {"profile": "video", "sub": "public", "owner": "public", "context": {"post": 7}}
    token = {"aud": "oss-direct-upload/parts", "iat": now, "exp": now + 3600}
    assert claims_of(begun["ticket"]) == {**ids, **file, **who, **token}


def altered(ticket, **changes):
    """The ticket with other claims, signed by somebody who does not have the secret."""
    header, _, signature = ticket.split(".")
    payload = json.dumps({**claims_of(ticket), **changes}).encode()
    return f"{header}.{signed_tokens._base64url(payload)}.{signature}"


def signed(secret=SECRET, audience=signed_tokens.PARTS, **claims):
    how = {"audience": audience, "secrets": (secret,), "life": timedelta(hours=1)}
    return lambda ticket, now: issue_token({**claims_of(ticket), **claims}, now=now, **how)


FORGERIES = {
    "none": lambda ticket, now: "a.b.c",
    "too long": lambda ticket, now: ticket + "x" * 4096,
    "another signature": lambda ticket, now: ticket[:-4] + ("AAAA" if ticket[-4:] != "AAAA" else "BBBB"),
    "a larger file": lambda ticket, now: altered(ticket, size=2**40),
    "a later end": lambda ticket, now: altered(ticket, exp=2**40),
    "another secret": signed(OTHER_SECRET),
    "a session": signed(audience=signed_tokens.SESSION),
    "a form's ticket": signed(audience=signed_tokens.TICKET),
    "a receipt": signed(audience=signed_tokens.RECEIPT),
    "another bucket": signed(bucket="other-bucket"),
    "another app": signed(app="wxanother"),
    "a profile that is gone": signed(profile="gone"),
    "a profile without parts": signed(profile="default"),
}


@EVERY_ROUTE
@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.not_for_coverage
def test_a_forged_ticket_is_forbidden(phone, oss, clock, log_lines, route, forgery):
    begun = phone.begin()
    phone.send(begun)
    asked = list(oss.asked)
    assert phone.ask(route, ticket=FORGERIES[forgery](begun["ticket"], clock())).outcome == FORBIDDEN
    assert log_lines()[-1]["reason"].startswith("ticket: ")
    # OSS was not even asked, and the true ticket is as good as before.
    assert oss.asked == asked
    assert phone.complete(begun["ticket"]).status == 200


@EVERY_ROUTE
def test_a_ticket_ends_with_the_time_that_the_profile_gives(phone, clock, route):
    begun = phone.begin()
    phone.send(begun)
    clock.tick(seconds=3600)
    assert phone.ask(route, ticket=begun["ticket"]).outcome == FORBIDDEN
    clock.tick(seconds=-1)
    assert phone.ask(route, ticket=begun["ticket"]).status == 200


WECHAT = {"CALLER_AUTH": "wechat", "WECHAT_SECRET": "s", "WECHAT_APPID": "wx0123456789abcdef"}


def test_a_ticket_of_another_mini_program_with_the_same_secret_is_refused(phone_of, oss, clock):
    ours = phone_of(**WECHAT)
    begun = ours.ask("multipart", ours.session("oUser"), profile="video", filename="a.mp4", size=9).json
    assert claims_of(begun["ticket"]).items() >= {"app": WECHAT["WECHAT_APPID"], "sub": "oUser"}.items()
    for route in ROUTES:
        other = phone_of(**{**WECHAT, "WECHAT_APPID": "wxfedcba9876543210"})
        assert other.ask(route, ticket=begun["ticket"]).outcome == FORBIDDEN
        assert phone_of().ask(route, ticket=begun["ticket"]).outcome == FORBIDDEN
    ours.send(begun)
    assert ours.complete(begun["ticket"]).status == 200


# Each of these takes six characters in a token.
LONG_SUBJECT = "\x01" * 255
JWT = {"CALLER_AUTH": "jwt", "JWT_KEY": "k" * 32, "JWT_ALGORITHM": "HS256"}


def long_profiles(folder):
    """One profile, whose objects go into this folder."""
    return (
        f'[video]\nkey = "{folder}/{{owner}}/{{id}}{{ext}}"\nmax_size = "8MiB"\n'
        'content_types = ["video/*"]\nparts = true\n'
    )


@cases("folder", "context", "expected")
def test_a_ticket_over_length_is_refused_before_oss_begins(phone_of, oss, clock, folder, context, expected):
    phone = phone_of(profiles=long_profiles(folder), **JWT)
    claims = {"sub": LONG_SUBJECT, "exp": int(clock().timestamp()) + 60}
    token = jwt.encode(claims, "k" * 32, algorithm="HS256")
    asked = {"profile": "video", "filename": "a.mp4", "size": 9, "context": context}
    answer = phone.ask("multipart", token=token, **asked)
    assert answer.outcome == expected
    assert oss.begun == (expected[0] == 200)
    if expected[0] == 200:
        phone.send(answer.json)
        receipt = phone.complete(answer.json["ticket"]).json["receipt"]
        assert max(len(answer.json["ticket"]), len(receipt)) <= signed_tokens.MAX_TOKEN_CHARACTERS


def test_a_multipart_ticket_leaves_room_for_its_receipt(environment, profiles_file, clock):
    environment |= {"TOKEN_SECRET": SECRET, "PROFILES_FILE": profiles_file(long_profiles("f"))}
    settings = load_settings(environment)
    end = clock() + timedelta(hours=1)

    def ticket(characters, oss_id=""):
        cut = ("i" * 22, oss_id, "k" * characters, 9, 102_400, "video/mp4")
        return MultipartTicket(*cut, "video", "public", "public", None, None, clock(), end)

    lengths = {number: len(ticket(number, "o" * 64).issue(settings)) for number in range(2300, 2900)}
    fitting = [number for number, length in lengths.items() if length <= 4096 - 128]
    check_ticket_length(ticket(fitting[-1]), settings)
    for replaces in (None, "k"):
        with pytest.raises(Misconfigured):
            check_ticket_length(ticket(fitting[-1] + 3)._replace(replaces=replaces), settings)
