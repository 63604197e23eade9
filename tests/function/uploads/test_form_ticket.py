"""uploads.tickets, uploads.plan: the ticket of a form and the callback that it pins."""

import json
from base64 import b64decode
from datetime import timedelta

import pytest

from function.app import load_settings
from function.auth import Caller
from function.auth.signed_tokens import TICKET
from function.config.profiles import read_profiles
from function.errors import Misconfigured
from function.oss.post_form import UploadRule, prepare
from function.uploads.plan import callback_field, plan_upload, ticket_of
from function.uploads.request import UploadRequest
from tests.function.uploads.conftest import BUSINESS, business_token, claims_of

pytestmark = pytest.mark.usefixtures("good_sts")


def conditions(policy):
    return json.loads(b64decode(policy))["conditions"]


def ask(function, **body):
    return function.ask(body={"filename": "a.png", **body}).json


def test_asks_for_the_documented_variables_and_our_ticket(ask_upload):
    asked = ask_upload()
    assert set(asked.parameter) == {"callbackUrl", "callbackBody", "callbackBodyType", "callbackSNI"}
    assert asked.parameter["callbackUrl"] == "https://upload.example.com/callback"
    assert asked.parameter["callbackBodyType"] == "application/x-www-form-urlencoded"
    assert asked.parameter["callbackSNI"] is True
    told = {name: f"${{{name}}}" for name in ("bucket", "object", "etag", "size", "mimeType", "reqId")}
    image = {name: f"${{imageInfo.{name}}}" for name in ("width", "height", "format")}
    body = dict(pair.split("=", 1) for pair in asked.template.split("&"))
    assert body == {**told, **image, "ticket": asked.ticket}


@pytest.mark.parametrize("profile", ["default", "page"])
def test_the_form_pins_it_so_the_client_can_neither_drop_change_nor_double_it(function, profile):
    form = ask(function, profile=profile)
    form = form.get("formData", form)
    pins = [pin for pin in conditions(form["policy"]) if "callback" in json.dumps(pin)[:20]]
    assert pins in ([{"callback": form["callback"]}], [["eq", "$callback", form["callback"]]])


def test_a_profile_without_callback_has_no_such_field(function):
    form = ask(function, profile="quiet")["formData"]
    assert "callback" not in form
    assert "callback" not in json.dumps(conditions(form["policy"]))


def test_the_ticket_names_the_upload_and_outlives_the_form_by_an_hour(function, ask_upload, clock):
    asked = ask_upload()
    now = int(clock().timestamp())
    file = {"bucket": "my-bucket", "key": asked.key, "type": "image/png", "sizes": [10, 10 * 1024**2]}
    who = {"jti": asked.key.rpartition("/")[2].partition(".")[0], "sub": "public", "owner": "public"}
    token = {"aud": TICKET, "profile": "default", "iat": now, "exp": now + 300 + 3600}
    assert claims_of(asked.ticket, clock, TICKET) == {**file, **who, **token}


def test_a_page_s_ticket_names_the_folder(ask_upload, clock):
    asked = ask_upload("page", "a.png")
    claims = claims_of(asked.ticket, clock, TICKET)
    assert (claims["folder"], claims["type"], claims["sizes"]) == ("test/", "", [1, 1024**2])
    assert "key" not in claims


LONGEST_TYPE = f"{'a' * 127}/{'b' * 127}"
LONG_SUBJECT = "\x01" * 255  # a control character takes six characters in JSON


def test_a_key_too_long_for_a_callback_is_named_before_oss_refuses_the_form(
    instance, profiles_file, clock, log_lines
):
    text = f'[default]\nkey = "{"图" * 320}/{{id}}"\nmax_size = 9\ncontent_types = ["*/*"]\ncallback = true'
    callback = {"CALLBACK_URL": "https://upload.example.com/callback", "PROFILES_FILE": profiles_file(text)}
    asked = {"body": {"contentType": LONGEST_TYPE}, "headers": business_token(clock, LONG_SUBJECT)}
    assert instance(**BUSINESS, **callback).ask(**asked).code == "misconfigured"
    assert "[default]: its key is too long for callback" in log_lines()[-1]["reason"]


@pytest.fixture
def field(function, clock):
    """The callback field of a key of this many characters."""
    settings, end = load_settings(function.environ), clock() + timedelta(seconds=60)
    text = '[p]\nkey = "a/{id}"\nmax_size = 1\nexpires_in = 60\ncallback = true\ncontent_types = ["*/*"]\n'
    profile = read_profiles(text, default_signature="v4")[0]["p"]

    def make(length):
        rule = UploadRule("my-bucket", "cn-hangzhou", "v4", "a/" + "k" * (length - 2), 1, 1, end, prepare({}))
        ticket = ticket_of(profile, rule, "i", Caller("u", "owner", settings.only), UploadRequest(), clock())
        return callback_field(settings, profile, ticket.issue(settings, profile))

    return make


def test_a_field_of_5_kb_is_sent_and_a_longer_one_is_misconfigured(field):
    lengths = {}
    for length in range(1700, 2600):
        try:
            lengths[len(field(length))] = length
        except Misconfigured:
            break
    # base64 comes in steps of four characters, so this is the last that fits.
    assert max(lengths) == 5120
    with pytest.raises(Misconfigured):
        field(length + 1)


def test_a_form_ticket_leaves_room_for_its_receipt(function, clock):
    settings, end = load_settings(function.environ), clock() + timedelta(seconds=60)
    text = '[p]\nkey = "a/{id}"\nmax_size = 1\nexpires_in = 60\nconfirm = true\ncontent_types = ["*/*"]\n'
    profile = read_profiles(text, default_signature="v4")[0]["p"]

    def length_of(characters):
        rule = UploadRule("my-bucket", "cn-hangzhou", "v4", "k" * characters, 1, 1, end, prepare({}))
        ticket = ticket_of(profile, rule, "i", Caller("u", "o", settings.only), UploadRequest(), clock())
        return len(ticket.issue(settings, profile))

    longest = 0
    with pytest.raises(Misconfigured):
        for characters in range(2500, 3000):
            longest = length_of(characters)
    assert longest == 4096 - 256


def test_a_key_that_is_too_long_by_itself_is_not_blamed_on_what_it_replaces(function, clock):
    settings, file = load_settings(function.environ), UploadRequest(filename="a.png", replaces="a/b")
    text = f'[p]\nkey = "{"é" * 490}/{{id}}"\nmax_size = 9\ncontent_types = ["image/png"]\nconfirm = true\n'
    profile = read_profiles(text, default_signature="v4")[0]["p"]
    with pytest.raises(Misconfigured):
        plan_upload(Caller("u", "o", settings.only), file, profile, settings, "i" * 22, clock())


def test_the_field_is_json_without_a_blank(field):
    assert b" " not in b64decode(field(20)).replace(b"application/x-www-form-urlencoded", b"")
    json.loads(b64decode(field(20)))
