"""Buckets of profiles: nothing of one bucket is valid in another."""

import json
from base64 import b64decode
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from function.app import load_settings
from function.auth.signed_tokens import PARTS, TICKET, issue_token, read_token
from function.config.profile import NOWHERE, BucketLocation
from function.context import RequestContext
from function.errors import Misconfigured, UploadError
from function.http.gateway import Request
from function.oss.client import oss_clients
from function.request_log import LogLine
from function.sts.session_policy import OBJECTS, UPLOADS, role_policies
from tests.conftest import SDK_ADAPTER, sts_reply
from tests.docs.openapi import check_answer
from tests.support.memory_oss import UNHEARD
from tests.support.world import World

STS_URL = "https://sts.cn-hangzhou.aliyuncs.com/"
SECRET = "token-secret-canary-0123456789abcdef"
HOME = BucketLocation("b", "cn-hangzhou", "https://h", "https://e", "https://r", "acs:ram::1:role/a")
OWN_ROLE = "acs:ram::1234567890123456:role/contracts"
OWN_HOST = "https://contracts.oss-cn-shanghai.aliyuncs.com"
HOME_ROLE = "acs:ram::1234567890123456:role/upload"
DIGEST = sha256(b"x").hexdigest()
PLACE = f"""
bucket = "contracts"
region = "cn-shanghai"
role = "{OWN_ROLE}"
"""
USUAL = 'max_size = "1MiB"\ncontent_types = ["image/png"]\nconfirm = true'
PROFILES = f"""
[default]
key = "uploads/{{owner}}/{{id}}{{ext}}"
{USUAL}
read = "callers"
[contract]
key = "contracts/{{owner}}/{{id}}{{ext}}"
{USUAL}
read = "callers"
parts = true
{PLACE}
[same]
key = "same/{{owner}}/{{sha256}}{{ext}}"
{USUAL}
{PLACE}
[plain]
key = "plain/{{owner}}/{{sha256}}{{ext}}"
{USUAL}
[page]
key = "page/{{filename}}"
max_size = "1MiB"
content_types = ["*/*"]
{PLACE}
host = "https://files.example.com"
[wall]
key = "wall/{{owner}}/{{id}}{{ext}}"
max_size = "1MiB"
content_types = ["image/png"]
acl = "public-read"
read = "callers"
{PLACE}
"""


# --- what a place is ---


OF_C, OWN_OF_C, OWN_OF_U = (f"https://{name}" for name in ("c.oss-cn-hangzhou.aliyuncs.com", "c.io", "u.io"))
ROLE_OF_C = "acs:ram::1:role/c"


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({}, {}),
        ({"bucket": None, "region": None, "host": None, "role": None}, {}),
        ({"bucket": "c"}, {"bucket": "c"} | dict.fromkeys(("host", "oss_endpoint", "read_origin"), OF_C)),
        (
            {"bucket": "c", "region": "cn-shanghai", "host": OWN_OF_C, "role": ROLE_OF_C},
            {"bucket": "c", "region": "cn-shanghai", "role_arn": ROLE_OF_C}
            | dict.fromkeys(("host", "oss_endpoint", "read_origin"), OWN_OF_C),
        ),
        ({"host": OWN_OF_U}, {"host": OWN_OF_U}),
        ({"role": ROLE_OF_C}, {"role_arn": ROLE_OF_C}),
        ({"bucket": "b", "region": "cn-hangzhou"}, {}),
    ],
    ids=["nothing", "nothing said", "a bucket", "all of its own", "a domain", "a role", "the same bucket"],
)
def test_a_profile_has_the_location_of_the_settings_but_for_its_options(options, changes):
    assert HOME.override(options) == HOME._replace(**changes)
    assert (NOWHERE.override({}), set(NOWHERE)) == (NOWHERE, {""})


def test_a_session_is_named_by_purpose_bucket_and_role():
    moved = HOME._replace(host="https://u", oss_endpoint="https://u", read_origin="https://u")
    assert moved.session(UPLOADS) == HOME.session(UPLOADS) == (UPLOADS, "b", "acs:ram::1:role/a")
    others = (HOME._replace(bucket="c"), HOME._replace(role_arn="acs:ram::1:role/c"))
    assert len({HOME.session(OBJECTS), *(one.session(UPLOADS) for one in (HOME, *others))}) == 4


# --- settings with such profiles ---


@pytest.fixture
def settings(environment, profiles_file):
    environment |= {"PROFILES_FILE": profiles_file(PROFILES), "TOKEN_SECRET": SECRET}
    return load_settings(environment)


def test_each_session_reaches_one_bucket(settings):
    buckets = {session: buckets_of(policy) for session, policy in settings.session_policies.items()}
    assert buckets == {
        (purpose, bucket, role): {bucket}
        for bucket, role in (("my-bucket", HOME_ROLE), ("contracts", OWN_ROLE))
        for purpose in (UPLOADS, OBJECTS)
    }


def buckets_of(policy):
    return {resource.removeprefix("acs:oss:*:*:").split("/")[0] for resource in resources_of(policy)}


def resources_of(policy):
    return [resource for statement in json.loads(policy)["Statement"] for resource in statement["Resource"]]


def test_a_role_allows_its_sessions_in_every_bucket(settings):
    policies = role_policies(settings.profiles.values())
    allowed = {role: resources_of(policy) for role, policy in policies.items()}
    assert set(allowed) == {HOME_ROLE, OWN_ROLE}
    assert buckets_of(policies[OWN_ROLE]) == {"contracts"}
    one_role = [
        profile._replace(location=profile.location._replace(role_arn=HOME_ROLE))
        for profile in settings.profiles.values()
    ]
    (policy,) = role_policies(one_role).values()
    assert sorted(resources_of(policy)) == sorted(allowed[HOME_ROLE] + allowed[OWN_ROLE])


def test_settings_at_another_location_have_only_its_profiles(settings):
    place = settings.profiles["contract"].location
    there = settings.at(place)
    assert (there.home, there.bucket, there.host) == (place, "contracts", OWN_HOST)
    assert set(there.profiles) == {"contract", "same", "wall"}
    assert there.token_secrets == settings.token_secrets
    assert set(settings.at(settings.home).profiles) == {"default", "plain"}


def test_a_missing_region_is_one_problem(environment, profiles_file):
    """One profile says where its bucket is, the other leaves that to the setting: one problem, not two."""
    lines = 'max_size = 1\ncontent_types = ["*/*"]\nbucket = "contracts"\n'
    text = f'[a]\nkey = "a/{{id}}"\n{lines}region = "cn-shanghai"\n[b]\nkey = "b/{{id}}"\n{lines}'
    environment |= {"PROFILES_FILE": profiles_file(text), "OSS_REGION": ""}
    with pytest.raises(Misconfigured) as raised:
        load_settings(environment)
    assert [problem.setting for problem in raised.value.problems] == ["OSS_REGION"]


# --- a function that knows two buckets ---


@pytest.fixture
def world_of(environment, clock, profiles_file):
    def build(profiles=PROFILES, **changes):
        changed = {**environment, "PROFILES_FILE": profiles_file(profiles), "TOKEN_SECRET": SECRET, **changes}
        environ = {name: value for name, value in changed.items() if value is not None}
        world = World(environ, clock, life=timedelta(hours=1), check=check_answer)
        world.add_bucket("contracts", "cn-shanghai")
        return world

    return build


@pytest.fixture
def world(world_of):
    return world_of()


def conditions_of(form):
    conditions = json.loads(b64decode(form["formData"]["policy"]))["conditions"]
    return {name: value for each in conditions if isinstance(each, dict) for name, value in each.items()}


def test_a_form_names_the_bucket_and_region_of_its_profile_and_its_host(world):
    form = world.form("contract")
    assert form["url"] == OWN_HOST
    assert form["fileUrl"] == f"{OWN_HOST}/{form['key']}"
    assert conditions_of(form)["bucket"] == "contracts"
    assert "/cn-shanghai/oss/" in form["formData"]["x-oss-credential"]
    at_home = world.form("default")
    assert at_home["url"] == "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert conditions_of(at_home)["bucket"] == "my-bucket"


@pytest.mark.parametrize("name", ["oss-accelerate", "oss-accelerate-overseas"])
def test_a_form_for_an_acceleration_address_is_signed_for_the_region_of_the_bucket(world_of, name):
    host = f"https://my-bucket.{name}.aliyuncs.com"
    form = world_of(OSS_HOST=host).form("default")
    assert (form["url"], form["fileUrl"]) == (host, f"{host}/{form['key']}")
    assert "/cn-hangzhou/oss/" in form["formData"]["x-oss-credential"]


def test_a_page_gets_the_host_of_its_own_bucket(world):
    assert world.form("page")["host"] == "https://files.example.com"


def test_an_upload_is_confirmed_in_its_bucket_and_the_receipt_names_it(world):
    told = world.store("contract")
    assert told["url"] == f"{OWN_HOST}/{told['key']}"
    assert receipt_of(told)["bucket"] == "contracts"
    assert world.hosts == [urlsplit(OWN_HOST).hostname]
    assert receipt_of(world.store("default"))["bucket"] == "my-bucket"


def receipt_of(told):
    receipt = told["receipt"]
    body = receipt.split(".")[1]
    return json.loads(b64decode(body + "=" * (-len(body) % 4), altchars=b"-_"))


def test_a_ticket_is_refused_after_its_profile_moved_to_another_bucket(world, world_of):
    form = world.form("contract")
    assert world.buckets["contracts"].post(form["formData"], "bytes") == 200
    moved = world_of(PROFILES.replace('"contracts"', '"contracts-2"'))
    refused = moved.ask("confirm", ticket=form["ticket"])
    assert (refused.status, refused.json["error"]["code"]) == (403, "forbidden")
    assert world.ask("confirm", ticket=form["ticket"]).status == 200


def for_another_bucket(ticket, audience, now):
    claims = {**read_token(ticket, audience=audience, secrets=[SECRET], now=now), "bucket": "my-bucket"}
    return issue_token(claims, audience=audience, secrets=[SECRET], now=now, life=timedelta(hours=1))


def test_a_ticket_for_the_bucket_of_the_settings_is_refused(world, clock):
    ticket = for_another_bucket(world.form("contract")["ticket"], TICKET, clock())
    assert world.ask("confirm", ticket=ticket).status == 403


def test_a_large_file_goes_to_its_bucket_in_parts(world):
    begun = world.ask("multipart", profile="contract", filename="a.png", size=1000)
    assert begun.status == 200
    assert begun.json["fileUrl"] == f"{OWN_HOST}/{begun.json['key']}"
    assert begun.json["parts"][0]["url"].startswith(f"{OWN_HOST}/contracts/")
    again = world.ask("multipart-parts", ticket=begun.json["ticket"]).json
    assert again["parts"][0]["url"].startswith(f"{OWN_HOST}/contracts/")
    assert world.ask("multipart-abort", ticket=begun.json["ticket"]).json == {"state": "aborted"}
    assert (world.buckets["contracts"].begun, world.oss.begun) == (1, 0)


def test_a_multipart_ticket_for_another_bucket_is_refused(world, clock):
    begun = world.ask("multipart", profile="contract", filename="a.png", size=1000).json
    ticket = for_another_bucket(begun["ticket"], PARTS, clock())
    for route in ("multipart-parts", "multipart-complete", "multipart-abort"):
        assert world.ask(route, ticket=ticket).status == 403


def test_read_urls_are_signed_for_the_bucket_of_each_key(world):
    keys = [world.store(profile)["key"] for profile in ("default", "contract")]
    items = world.ask("read", items=[{"key": key} for key in keys]).json["items"]
    at_home, there = (urlsplit(item["url"]) for item in items)
    assert at_home.hostname == "my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert there.hostname == urlsplit(OWN_HOST).hostname
    credential = parse_qs(there.query)["x-oss-credential"][0]
    assert "/cn-shanghai/oss/" in credential
    for item, oss in zip(items, (world.oss, world.buckets["contracts"]), strict=True):
        assert oss.send("GET", item["url"], budget_seconds=1).status == 200


def test_read_logs_a_new_session_of_any_bucket(world, clock, log_lines):
    keys = [world.form(profile)["key"] for profile in ("default", "contract")]
    world.ask("read", key=keys[1])
    world.ask("read", items=[{"key": key} for key in keys])
    world.ask("read", items=[{"key": key} for key in keys])
    assert [line["stsRefreshed"] for line in log_lines()[-3:]] == [True, True, False]


def test_a_public_object_has_the_plain_url_of_its_bucket(world):
    key = world.form("wall")["key"]
    assert world.ask("read", key=key).json["url"] == f"{OWN_HOST}/{key}"


def test_existing_bytes_are_found_in_the_bucket_of_the_profile(world):
    wanted = {"sha256": DIGEST, "size": 1, "filename": "a.png"}
    both = [{"profile": profile, **wanted} for profile in ("same", "plain")]
    same, plain = world.ask("upload-params", files=both).json["uploads"]
    assert (
        world.buckets["contracts"].post(same["formData"], "x")
        == world.oss.post(plain["formData"], "x")
        == 200
    )
    same, plain = world.ask("upload-params", files=both).json["uploads"]
    assert (same["exists"], plain["exists"]) == (True, True)
    assert same["fileUrl"] == f"{OWN_HOST}/{same['key']}"
    assert receipt_of(same)["bucket"] == "contracts"


def test_a_bucket_that_does_not_respond_does_not_hide_objects_of_another(world):
    wanted = {"sha256": DIGEST, "size": 1, "filename": "a.png"}
    files = [{"profile": profile, **wanted} for profile in ("same", "same", "plain")]
    forms = world.ask("upload-params", files=files).json["uploads"]
    assert world.oss.post(forms[2]["formData"], "x") == 200
    world.buckets["contracts"].asked.clear()
    world.buckets["contracts"].fail("HeadObject", UNHEARD, UNHEARD)
    told = world.ask("upload-params", files=files).json["uploads"]
    assert ["exists" in each for each in told] == [False, False, True]
    # Nor is it asked about each of its files.
    assert world.buckets["contracts"].asked == ["HeadObject"] * 2


# --- one session each ---


@pytest.fixture
def sts_of(clock):
    """STS that knows each role by its ARN, and is asked for what it is asked; ``down`` do not get any."""
    with responses.RequestsMock(target=SDK_ADAPTER, assert_all_requests_are_fired=False) as stub:
        stub.asked, stub.down = [], set()

        def answer(request):
            query = parse_qs(urlsplit(request.url).query)
            role = query["RoleArn"][0]
            stub.asked.append((role, query["Policy"][0]))
            if role in stub.down:
                return 403, {}, json.dumps({"Code": "NoPermission", "Message": "no", "RequestId": "r"})
            return 200, {}, json.dumps(sts_reply(clock() + timedelta(hours=1)))

        stub.add_callback("POST", STS_URL, callback=answer)
        yield stub


@pytest.fixture
def function(instance, profiles_file):
    return instance(PROFILES_FILE=profiles_file(PROFILES), TOKEN_SECRET=SECRET)


def ask_for(function, *profiles):
    return function.ask(body={"files": [{"profile": each, "filename": "a.png"} for each in profiles]})


def test_an_instance_starts_with_the_session_of_its_first_profile(function, sts_of):
    function.function.initialize(None)
    assert [role for role, _ in sts_of.asked] == [HOME_ROLE]
    assert function.ask(body={"filename": "a.png"}).status == 200
    assert len(sts_of.asked) == 1


def test_a_session_is_assumed_with_the_role_of_its_bucket_when_first_needed(function, sts_of):
    assert ask_for(function, "contract", "wall", "contract").status == 200
    assert ask_for(function, "contract").status == 200
    ((role, policy),) = sts_of.asked
    assert role == OWN_ROLE
    assert buckets_of(policy) == {"contracts"}


def test_files_for_two_buckets_are_signed_by_two_sessions(function, sts_of, log_lines):
    answer = ask_for(function, "contract", "default")
    assert [form["url"] for form in answer.json["uploads"]] == [
        OWN_HOST,
        "https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
    ]
    assert [role for role, _ in sts_of.asked] == [OWN_ROLE, HOME_ROLE]
    assert log_lines()[-1]["stsRefreshed"] is True


@pytest.mark.parametrize("order", [("default", "contract"), ("contract", "default")])
def test_no_form_is_signed_when_one_of_two_sessions_fails(function, sts_of, order):
    sts_of.down.add(OWN_ROLE)
    answer = ask_for(function, *order)
    assert (answer.status, answer.json["error"]["code"]) == (502, "sts_rejected")
    assert ask_for(function, "default").status == 200


def test_a_long_form_renews_the_session_of_its_bucket_early(instance, profiles_file, sts_of, clock):
    text = PROFILES.replace("[contract]", "[contract]\nexpires_in = 3000", 1)
    function = instance(PROFILES_FILE=profiles_file(text), TOKEN_SECRET=SECRET)
    assert ask_for(function, "default", "contract").status == 200
    clock.tick(seconds=1800)
    assert ask_for(function, "default").status == 200
    assert len(sts_of.asked) == 2
    assert ask_for(function, "contract").status == 200
    assert [role for role, _ in sts_of.asked] == [HOME_ROLE, OWN_ROLE, OWN_ROLE]


# --- the function's own calls ---


def test_a_new_session_of_any_client_is_logged(world, clock):
    ready = world.function.ready()
    own = ready.settings.profiles["contract"].location
    ready.credentials_for(own.session(OBJECTS), None, clock(), [clock()])
    request = Request("POST", "/", {}, {}, b"", "", None, "")
    call = RequestContext(request, ready, LogLine("r"))
    assert not any(map(failed, oss_clients(call, [ready.settings.home, own]).values()))
    assert call.line.sts_refreshed is True


def failed(bucket):
    return isinstance(bucket, UploadError)


def test_the_buckets_of_a_request_share_ten_seconds(world, clock):
    ready = world.function.ready()
    call = RequestContext(Request("POST", "/", {}, {}, b"", "", None, ""), ready, LogLine("r"))
    places = [ready.settings.home, ready.settings.profiles["contract"].location]
    home, own = oss_clients(call, places).values()
    assert 4.9 < home.seconds_left() == own.seconds_left() == 5
    (alone,) = oss_clients(call, places[:1] * 2).values()
    assert 9 < alone.seconds_left() <= 10
    assert [client.seconds_left() for client in oss_clients(call, places, seconds=1).values()] == [0.5, 0.5]
    # The budget begins before the credentials of the second bucket are there.
    ready.monotonic = iter([0, *[7] * 9]).__next__
    assert [client.seconds_left() for client in oss_clients(call, places).values()] == [3, 3]
