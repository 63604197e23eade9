"""settings: everything the function is told from outside, checked at once and by name."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from function.app import load_settings
from function.auth import all_settings, anonymous
from function.config.settings import Settings
from function.config.types import Rate
from function.context import Dependencies
from function.errors import Misconfigured, Problem
from ops.terminal.messages import in_both
from tests.ops.words import in_english

ROOT = Path(__file__).parents[3]
SECRET = "token-secret-0123456789-abcdefghi"
NEW_SECRET = "another-secret-0123456789-abcdefg"


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as raised:
        load_settings(environ)
    return tuple(in_english(in_both(problem.sentence) for problem in raised.value.problems))


def test_the_required_ones_are_enough_and_the_others_default_to_what_is_published(environment):
    del environment["CALLER_RATE"]
    settings = load_settings(environment)
    assert settings._replace(profiles={}, session_policies={}) == Settings(
        bucket="my-bucket",
        region="cn-hangzhou",
        host="https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
        oss_endpoint="https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
        read_origin="https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
        sign_part_length=True,
        profiles={},
        role_arn="acs:ram::1234567890123456:role/upload",
        sts_endpoint="https://sts.cn-hangzhou.aliyuncs.com",
        session_life=timedelta(seconds=3600),
        session_policies={},
        caller_auth="anonymous",
        caller_kind=anonymous.KIND,
        caller_settings=None,
        app=None,
        token_secrets=(),
        receipt_secrets=(),
        owner_secret="",
        token_life=timedelta(seconds=7200),
        callback_url=None,
        callback_key_origin="https://gosspublic.alicdn.com",
        upload_webhook_url=None,
        caller_rate=Rate(60, 60),
        login_rate=Rate(30, 60),
        read_rate=Rate(600, 60),
        quota_url=None,
        quota_when_down=None,
        quota_utc_offset=timedelta(hours=8),
        client_address_header=None,
        allowed_origins=frozenset(),
        log_level="INFO",
    )
    shipped = tomllib.loads((ROOT / "profiles.toml").read_text("utf-8"))
    assert set(settings.profiles) == set(shipped)
    assert {profile.signature_version for profile in settings.profiles.values()} == {"v4"}


def test_wechat_is_asked_at_its_own_address(environment):
    environment |= {
        "CALLER_AUTH": "wechat",
        "WECHAT_APPID": "wx0123456789abcdef",
        "WECHAT_SECRET": "s",
        "TOKEN_SECRET": SECRET,
    }
    app = load_settings(environment).caller_settings
    assert app == ("wx0123456789abcdef", "s", "https://api.weixin.qq.com", None)


def test_a_business_token_s_issuer_and_audience_are_open_unless_set(environment):
    environment |= {
        "CALLER_AUTH": "jwt",
        "TOKEN_SECRET": SECRET,
        "JWT_ALGORITHM": "HS256",
        "JWT_KEY": "k" * 32,
    }
    assert load_settings(environment).caller_settings == ("k" * 32, "HS256", None, None)
    environment |= {"JWT_ISSUER": "shop", "JWT_AUDIENCE": "upload"}
    assert load_settings(environment).caller_settings == ("k" * 32, "HS256", "shop", "upload")
    assert load_settings({**environment, "JWT_AUDIENCE": "*"}).caller_settings.audience is None


@pytest.mark.parametrize(
    ("name", "field", "seconds"),
    [
        ("STS_SESSION_SECONDS", "session_life", (900, 43200)),
        ("TOKEN_SECONDS", "token_life", (60, 2592000)),
    ],
)
def test_a_life_has_its_bounds(environment, name, field, seconds):
    for good in seconds:
        assert getattr(load_settings({**environment, name: str(good)}), field).total_seconds() == good
    for bad in (seconds[0] - 1, seconds[1] + 1):
        (problem,) = problems_of({**environment, name: str(bad)})
        assert problem == f"{name} = '{bad}' must be whole seconds from {seconds[0]} to {seconds[1]}"


@pytest.mark.parametrize(
    ("written", "rate"),
    [("5/s", (5, 1)), ("60/min", (60, 60)), ("7/h", (7, 3600)), ("999999999/s", (999999999, 1))],
)
@pytest.mark.parametrize(
    ("name", "field"),
    [("CALLER_RATE", "caller_rate"), ("LOGIN_RATE", "login_rate"), ("READ_RATE", "read_rate")],
)
def test_a_rate_is_a_number_over_a_unit(environment, name, field, written, rate):
    assert getattr(load_settings({**environment, name: written}), field) == rate


STORE_PASSWORD = "StorePasswordSecretCanary0001"
STORES = [
    "memory:",
    "redis://127.0.0.1",
    "redis://r-bp1example.redis.rds.aliyuncs.com:6379",
    f"redis://:{STORE_PASSWORD}@host:6379/0",
    f"rediss://user:{STORE_PASSWORD}%40@host.example.com:6380/15",
    "redis://[fd00::1]:6379/1",
    f"rediss://:{STORE_PASSWORD}@host?ssl_ca_certs=ApsaraDB-CA-Chain.pem",
]


@pytest.mark.parametrize("url", STORES)
def test_the_store_of_the_quotas_is_a_redis_or_this_instance(environment, url):
    settings = load_settings({**environment, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"})
    assert (settings.quota_url, settings.quota_when_down) == (url, "deny")
    assert STORE_PASSWORD not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "memory",
        "memory:x",
        "http://host",
        "redis://",
        "redis://host:port",
        f"redis://{STORE_PASSWORD}@host",
        f"redis://:{STORE_PASSWORD}@host/db",
        f"redis://:{STORE_PASSWORD}@host?protocol=3",
        f"redis://:{STORE_PASSWORD}@host?ssl_ca_certs=x",
        f"rediss://:{STORE_PASSWORD}@host?ssl_cert_reqs=none",
        f"rediss://:{STORE_PASSWORD}@host?ssl_ca_certs=x&ssl_cert_reqs=none",
        f"redis://:{STORE_PASSWORD}@host#x",
        f"unix://:{STORE_PASSWORD}@/tmp/redis.sock",
        f"redis://:{STORE_PASSWORD}@one,two",
    ],
)
def test_no_other_store_is_taken_and_its_password_is_not_shown(environment, url):
    (problem,) = problems_of({**environment, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"})
    assert problem == (
        "QUOTA_URL must be memory:, redis://[user:password@]host[:port][/database], or the same with"
        " rediss: for TLS"
    )


def test_what_happens_while_redis_is_away_must_be_said(environment):
    for url in STORES[1:]:
        assert problems_of({**environment, "QUOTA_URL": url}) == (
            "QUOTA_WHEN_DOWN is missing; with Redis it must be deny or allow",
        )
    with pytest.raises(Misconfigured) as raised:
        load_settings({**environment, "QUOTA_URL": STORES[1]})
    assert [problem.setting for problem in raised.value.problems] == ["QUOTA_WHEN_DOWN"]
    assert load_settings({**environment, "QUOTA_URL": "memory:"}).quota_when_down is None
    wrong = {**environment, "QUOTA_URL": STORES[1], "QUOTA_WHEN_DOWN": "maybe"}
    assert problems_of(wrong) == ("QUOTA_WHEN_DOWN = 'maybe' must be one of deny, allow",)


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("8", 8),
        ("0", 0),
        ("-12", -12),
        ("14", 14),
        ("5.5", 5.5),
        ("5.75", 5.75),
        ("+5.50", 5.5),
        ("-3.5", -3.5),
    ],
)
def test_the_day_of_a_quota_begins_some_quarters_of_an_hour_from_utc(environment, written, hours):
    settings = load_settings({**environment, "QUOTA_UTC_OFFSET": written})
    assert settings.quota_utc_offset == timedelta(hours=hours)


@pytest.mark.parametrize("written", ["14.25", "-12.25", "5.1", "nan", "inf", "east", "8:00", "1e9"])
def test_no_other_offset_is_taken(environment, written):
    assert problems_of({**environment, "QUOTA_UTC_OFFSET": written}) == (
        f"QUOTA_UTC_OFFSET = '{written}' must be hours from -12 to 14, in quarters, such as 8 or 5.5",
    )


def test_the_length_of_a_part_is_signed_unless_that_is_switched_off(environment):
    for written, value in {"true": True, "false": False}.items():
        assert load_settings({**environment, "SIGN_PART_LENGTH": written}).sign_part_length is value
    for wrong in ("True", "yes", "1"):
        assert problems_of({**environment, "SIGN_PART_LENGTH": wrong}) == (
            f"SIGN_PART_LENGTH = '{wrong}' must be true or false",
        )


def test_the_region_defaults_to_the_function_s_own(environment):
    del environment["OSS_REGION"]
    environment["FC_REGION"] = "cn-shanghai"
    assert load_settings(environment).region == "cn-shanghai"


def test_reports_everything_missing_at_once_and_by_name():
    text = " ".join(problems_of({}))
    for name in ("OSS_BUCKET", "OSS_REGION", "STS_ROLE_ARN", "CALLER_AUTH"):
        assert name in text


def test_who_may_ask_has_no_default(environment):
    del environment["CALLER_AUTH"]
    (problem,) = problems_of(environment)
    assert "CALLER_AUTH is missing" in problem
    assert "wechat, jwt, anonymous" in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OSS_BUCKET", "My_Bucket"),
        ("OSS_BUCKET", "ab"),
        ("OSS_BUCKET", "桶"),
        ("OSS_REGION", "oss-cn-hangzhou"),
        ("OSS_REGION", "cn_hangzhou"),
        ("OSS_HOST", "http://bucket.example.com"),
        ("OSS_HOST", "https://bucket.example.com/"),
        ("OSS_HOST", "bucket.example.com"),
        ("OSS_SIGNATURE_VERSION", "v2"),
        ("STS_ROLE_ARN", "acs:ram::x:role/upload"),
        ("STS_ROLE_ARN", "upload"),
        ("STS_ENDPOINT", "sts.cn-hangzhou.aliyuncs.com"),
        ("STS_ENDPOINT", "http://sts.cn-hangzhou.aliyuncs.com"),
        ("STS_ENDPOINT", "http://127.0.0.1.evil.example"),
        ("STS_SESSION_SECONDS", "899"),
        ("STS_SESSION_SECONDS", "43201"),
        ("STS_SESSION_SECONDS", "1h"),
        ("CALLER_AUTH", "open"),
        ("TOKEN_SECONDS", "0"),
        ("TOKEN_SECRET", "short"),
        ("TOKEN_SECRET", f"{SECRET},short"),
        ("OWNER_SECRET", "short"),
        ("CALLBACK_URL", "https://fn.example.com/callback?a=1"),
        ("CALLBACK_URL", "http://fn.example.com/callback"),
        ("CALLBACK_URL", "https://fn.example.com/other"),
        ("CALLBACK_URL", "fn.example.com/callback"),
        ("CALLBACK_URL", "https://fn.example.com"),
        ("CALLBACK_URL", "https://fn.example.com/a%2Fb/callback"),
        ("CALLBACK_KEY_ORIGIN", "https://evil.example/path"),
        ("UPLOAD_WEBHOOK_URL", "http://business.example/hook"),
        ("UPLOAD_WEBHOOK_URL", "https://business.example"),
        ("UPLOAD_WEBHOOK_URL", "https://business.example/hook#x"),
        ("RECEIPT_SECRET", "short"),
        ("CLIENT_ADDRESS_HEADER", "X_Real_Ip"),
        ("CLIENT_ADDRESS_HEADER", "X-Real-Ip: 1"),
        ("CLIENT_ADDRESS_HEADER", "x" * 65),
        ("CALLER_RATE", "60"),
        ("CALLER_RATE", "0/min"),
        ("LOGIN_RATE", "60/day"),
        ("READ_RATE", "600"),
        ("QUOTA_WHEN_DOWN", "maybe"),
        ("OSS_ENDPOINT", "http://my-bucket.oss-cn-hangzhou-internal.aliyuncs.com"),
        ("READ_ORIGIN", "https://files.example.com/"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://a.example/path"),
        ("LOG_LEVEL", "verbose"),
        ("PROFILES_FILE", "/nowhere/profiles.toml"),
        ("ALIYUN_ACCESS_KEY_ID", "LTAI"),
        ("ALIYUN_ACCESS_KEY_SECRET", "half a pair"),
        ("DEBUG", "sdk"),
    ],
)
def test_refuses_a_malformed_value_and_names_it(environment, name, value):
    environment |= {"TOKEN_SECRET": SECRET, name: value}
    assert any(name in problem for problem in problems_of(environment))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OSS_HOST", "https://upload.example.com"),
        ("OSS_HOST", "http://127.0.0.1:9003"),
        ("STS_ENDPOINT", "https://sts-vpc.cn-hangzhou.aliyuncs.com"),
        ("STS_ENDPOINT", "http://localhost:9001"),
        ("CALLBACK_URL", "https://fn.example.com/api/callback"),
        ("CALLBACK_URL", "http://127.0.0.1:9000/callback"),
        ("ALLOWED_ORIGINS", "https://a.example, http://localhost:5173"),
        ("CALLER_RATE", "5/s"),
        ("LOGIN_RATE", "1000/h"),
        ("CLIENT_ADDRESS_HEADER", "x" * 64),
        ("RECEIPT_SECRET", NEW_SECRET),
        ("STS_ROLE_ARN", "acs:ram::1:role/Upload.Role@x-1_2"),
        ("OWNER_SECRET", "o" * 32),
        ("UPLOAD_WEBHOOK_URL", "https://business.example/hook?token=x"),
    ],
)
def test_takes_what_is_allowed(environment, name, value):
    environment |= {"TOKEN_SECRET": SECRET, name: value}
    load_settings(environment)


# Each wrong value is one problem, and no other problem follows from it.
SENTENCES = {
    "LOG_LEVEL = 'verbose' must be one of DEBUG, INFO, WARNING, ERROR": {"LOG_LEVEL": "verbose"},
    "LOG_LEVEL must be plain ASCII": {"LOG_LEVEL": "详细"},
    "OSS_BUCKET is missing; it must be 3 to 63 lower-case letters, digits and hyphens": {"OSS_BUCKET": ""},
    "OSS_REGION is missing; it must be a region id such as cn-hangzhou": {"OSS_REGION": ""},
    "STS_ROLE_ARN = 'x' must be acs:ram::<account>:role/<name>": {"STS_ROLE_ARN": "x"},
    "STS_SESSION_SECONDS = '1h' must be whole seconds from 900 to 43200": {"STS_SESSION_SECONDS": "1h"},
    "CALLER_RATE = '60/day' must be a number over s, min or h, such as 60/min": {"CALLER_RATE": "60/day"},
    "TOKEN_SECRET must be at least 32 random bytes in each comma-separated part": {"TOKEN_SECRET": "s" * 31},
    "OWNER_SECRET must be at least 32 bytes": {"TOKEN_SECRET": SECRET, "OWNER_SECRET": "o" * 31},
    "TOKEN_SECRET is missing; CALLBACK_URL needs it. It must be at least 32 random bytes in each"
    " comma-separated part": {"CALLBACK_URL": "https://fn.example.com/callback"},
    "TOKEN_SECRET is missing; CALLER_AUTH=wechat needs it. It must be at least 32 random bytes in each"
    " comma-separated part": {
        "CALLER_AUTH": "wechat",
        "WECHAT_APPID": "wx0123456789abcdef",
        "WECHAT_SECRET": "s",
    },
    "TOKEN_SECRET is missing; CALLER_AUTH=jwt needs it. It must be at least 32 random bytes in each"
    " comma-separated part": {
        "CALLER_AUTH": "jwt",
        "CALLBACK_URL": "https://fn.example.com/callback",
        "JWT_ALGORITHM": "HS256",
        "JWT_KEY": "k" * 32,
    },
    "JWT_KEY is missing; it must be the HS256 secret or the public key in PEM": {
        "CALLER_AUTH": "jwt",
        "TOKEN_SECRET": SECRET,
        "JWT_ALGORITHM": "RS256",
        "JWT_AUDIENCE": "*",
    },
    "JWT_ALGORITHM is missing; it must be one of HS256, RS256, ES256, EdDSA": {
        "CALLER_AUTH": "jwt",
        "TOKEN_SECRET": SECRET,
        "JWT_KEY": "k" * 32,
    },
    "PROFILES_FILE = '/nowhere/x.toml' cannot be read: No such file or directory": {
        "PROFILES_FILE": "/nowhere/x.toml"
    },
}


@pytest.mark.parametrize(("sentence", "changes"), SENTENCES.items(), ids=SENTENCES)
def test_one_wrong_value_is_one_sentence_that_says_what_is_allowed(environment, sentence, changes):
    with pytest.raises(Misconfigured) as raised:
        load_settings({**environment, **changes})
    assert raised.value.problems == (Problem(sentence.split()[0], sentence),)


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("UPLOAD_WEBHOOK_URL", "upload_webhook_url", "https://business.example/hook?token=x"),
        ("CALLBACK_URL", "callback_url", "https://fn.example.com/api/callback"),
        ("OWNER_SECRET", "owner_secret", "o" * 32),
        ("OWNER_SECRET", "owner_secret", f"{'o' * 16}\n{'p' * 16}"),
        ("LOG_LEVEL", "log_level", "ERROR"),
        ("STS_ENDPOINT", "sts_endpoint", "https://sts-vpc.cn-hangzhou.aliyuncs.com"),
        ("OSS_HOST", "host", "https://upload.example.com"),
        ("OSS_ENDPOINT", "oss_endpoint", "https://my-bucket.oss-cn-hangzhou-internal.aliyuncs.com"),
        ("READ_ORIGIN", "read_origin", "https://files.example.com"),
        ("CALLBACK_KEY_ORIGIN", "callback_key_origin", "http://127.0.0.1:9003"),
    ],
)
def test_what_is_set_is_what_is_used(environment, name, field, value):
    environment |= {"TOKEN_SECRET": SECRET, name: value}
    assert getattr(load_settings(environment), field) == value


def test_calls_and_reading_go_to_the_host_of_the_forms_unless_they_have_one_of_their_own(environment):
    settings = load_settings({**environment, "OSS_HOST": "https://upload.example.com"})
    assert {settings.host, settings.oss_endpoint, settings.read_origin} == {"https://upload.example.com"}


def test_the_version_of_signatures_is_that_of_every_profile_that_names_none(environment):
    profiles = load_settings({**environment, "OSS_SIGNATURE_VERSION": "v1"}).profiles
    assert {profile.signature_version for profile in profiles.values()} == {"v1"}


def test_the_session_may_write_to_the_bucket_that_is_set(environment):
    (policy,) = load_settings({**environment, "OSS_BUCKET": "another"}).session_policies.values()
    assert "acs:oss:*:*:another/" in policy


def test_of_several_origins_stray_commas_do_not_count_and_only_the_wrong_ones_are_shown(environment):
    environment["ALLOWED_ORIGINS"] = " https://a.example,, http://localhost:5173 ,"
    assert load_settings(environment).allowed_origins == {"https://a.example", "http://localhost:5173"}
    environment["ALLOWED_ORIGINS"] = "https://a.example,*,b.example"
    (problem,) = problems_of(environment)
    assert problem.startswith("ALLOWED_ORIGINS has '*, b.example';")


@pytest.mark.parametrize(("value", "secrets"), [(f"{SECRET},", 1), (f" ,{SECRET} , {NEW_SECRET}", 2)])
def test_of_several_secrets_stray_commas_do_not_count(environment, value, secrets):
    assert len(load_settings({**environment, "TOKEN_SECRET": value}).token_secrets) == secrets


def test_a_secret_of_the_least_length_will_do(environment):
    least = "0123456789abcdef" * 2
    assert load_settings({**environment, "TOKEN_SECRET": least}).token_secrets == (least,)
    assert problems_of({**environment, "TOKEN_SECRET": least[1:]})


def test_a_comma_alone_is_no_secret(environment):
    (problem,) = problems_of({**environment, "TOKEN_SECRET": ","})
    assert "TOKEN_SECRET must be at least 32 random bytes" in problem


def test_what_is_made_from_a_wrong_value_is_not_judged_but_what_is_set_is(environment):
    environment["OSS_BUCKET"] = "My_Bucket"
    assert len(problems_of(environment)) == 1
    assert len(problems_of({**environment, "OSS_HOST": "https://upload.example.com"})) == 1
    (bucket, host) = problems_of({**environment, "OSS_HOST": "http://upload.example.com"})
    assert bucket.startswith("OSS_BUCKET = ") and host.startswith("OSS_HOST = ")


def test_what_another_mode_needs_is_not_looked_at(environment):
    environment |= {"WECHAT_APPID": "!", "WECHAT_ENDPOINT": "!", "JWT_ALGORITHM": "none"}
    environment |= {"JWT_ISSUER": "店", "JWT_AUDIENCE": "店", "JWT_KEY": "店", "WECHAT_SECRET": "店"}
    settings = load_settings(environment)
    assert settings.caller_settings is None


def test_a_secret_that_is_wrong_is_not_missing_as_well(environment):
    environment |= {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx", "WECHAT_SECRET": "s"}
    assert problems_of({**environment, "TOKEN_SECRET": "short"}) == (
        "TOKEN_SECRET must be at least 32 random bytes in each comma-separated part",
    )


def test_what_is_a_secret_is_said_of_it():
    assert {row.name for row in all_settings() if row.is_secret} == {
        *("WECHAT_SECRET", "JWT_KEY", "TOKEN_SECRET", "RECEIPT_SECRET", "OWNER_SECRET"),
        *("UPLOAD_WEBHOOK_URL", "QUOTA_URL"),
        *("UPLOAD_WEBHOOK_URL", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY", "WECHAT_PUSH_FORWARD_URL"),
    }


PUSH = {"WECHAT_PUSH_TOKEN": "PushToken3", "WECHAT_PUSH_AES_KEY": "PushCanary" + "a1" * 16 + "b"}
WECHAT = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "s"}


def test_the_message_push_is_two_settings_and_perhaps_a_third_and_shows_none(environment):
    environment |= {**WECHAT, "TOKEN_SECRET": SECRET, **PUSH}
    push = load_settings(environment).caller_settings.push
    assert push == (PUSH["WECHAT_PUSH_TOKEN"], PUSH["WECHAT_PUSH_AES_KEY"], None)
    environment["WECHAT_PUSH_FORWARD_URL"] = "https://shop.example/push?for=PushCanary"
    push = load_settings(environment).caller_settings.push
    assert push.forward_url == "https://shop.example/push?for=PushCanary"
    assert repr(push) == f"{push}" == "WechatPush(…)"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WECHAT_PUSH_TOKEN", "ab", "the Token of the message push: 3 to 32 letters and digits"),
        ("WECHAT_PUSH_TOKEN", "a" * 33, "the Token of the message push: 3 to 32 letters and digits"),
        ("WECHAT_PUSH_TOKEN", "a-b", "the Token of the message push: 3 to 32 letters and digits"),
        ("WECHAT_PUSH_AES_KEY", "a" * 42, "the EncodingAESKey of the message push: 43 letters and digits"),
        ("WECHAT_PUSH_AES_KEY", "a" * 44, "the EncodingAESKey of the message push: 43 letters and digits"),
        ("WECHAT_PUSH_AES_KEY", "=" * 43, "the EncodingAESKey of the message push: 43 letters and digits"),
        ("WECHAT_PUSH_FORWARD_URL", "http://shop.example/push", "an https address with a path"),
    ],
)
def test_what_belongs_to_the_message_push_is_as_wechat_s_console_gives_it(environment, name, value, says):
    environment |= {**WECHAT, "TOKEN_SECRET": SECRET, **PUSH, name: value}
    assert problems_of(environment) == (f"{name} must be {says}",)
    # Without users of a mini-program nobody pushes, and nothing is said of it.
    environment |= {"CALLER_AUTH": "anonymous"}
    assert load_settings(environment).caller_settings is None


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"CALLER_AUTH": "wechat"}, {"WECHAT_APPID", "WECHAT_SECRET", "TOKEN_SECRET"}),
        ({"CALLER_AUTH": "jwt"}, {"JWT_KEY", "JWT_ALGORITHM", "TOKEN_SECRET"}),
        ({"CALLBACK_URL": "https://f.example/callback"}, {"TOKEN_SECRET"}),
    ],
)
def test_each_mode_names_all_it_needs(environment, changes, names):
    text = " ".join(problems_of({**environment, **changes}))
    assert {name for name in names if f"{name} is missing" in text} == names


def test_secrets_show_in_no_repr_and_no_problem(environment):
    canary = "canary-canary-canary-canary-canary"
    environment |= {
        "CALLER_AUTH": "wechat",
        "WECHAT_APPID": "wx0123456789abcdef",
        "WECHAT_SECRET": canary,
        "TOKEN_SECRET": canary,
        "OWNER_SECRET": canary + "2",
        "RECEIPT_SECRET": canary + "4",
        "UPLOAD_WEBHOOK_URL": f"https://business.example/{canary}",
    }
    settings = load_settings(environment)
    assert repr(settings) == "Settings(my-bucket)"
    assert repr(settings.caller_settings) == "WechatApp(wx0123456789abcdef)"
    for shown in (settings, settings.caller_settings, {"a": settings}, Dependencies(environment)):
        assert canary not in repr(shown) + f"{shown}"
    del environment["WECHAT_APPID"], environment["WECHAT_SECRET"]
    environment |= {"CALLER_AUTH": "jwt", "JWT_KEY": canary + "3", "JWT_ALGORITHM": "HS256"}
    assert repr(load_settings(environment).caller_settings) == "BusinessJwt(HS256)"
    short = {"TOKEN_SECRET": canary[:20], "RECEIPT_SECRET": canary[:22], "OWNER_SECRET": canary[:21]}
    environment |= {**short, "UPLOAD_WEBHOOK_URL": canary}
    text = " ".join(problems_of(environment))
    assert canary[:20] not in text


def test_the_first_token_secret_signs_and_the_last_keys_the_owners(environment):
    environment["TOKEN_SECRET"] = f"{NEW_SECRET}, {SECRET}"
    settings = load_settings(environment)
    assert settings.token_secrets == settings.receipt_secrets == (NEW_SECRET, SECRET)
    assert settings.owner_secret == SECRET


def test_receipts_have_secrets_of_their_own_when_they_are_set(environment):
    environment |= {"TOKEN_SECRET": SECRET, "RECEIPT_SECRET": f"{NEW_SECRET},{NEW_SECRET}2"}
    settings = load_settings(environment)
    assert settings.token_secrets == (SECRET,)
    assert settings.receipt_secrets == (NEW_SECRET, f"{NEW_SECRET}2")
    assert settings.owner_secret == SECRET


@pytest.mark.parametrize("name", ["TOKEN_SECRET", "RECEIPT_SECRET"])
@pytest.mark.parametrize("secret", ["s" * 32, "0" * 64, f"{NEW_SECRET},{'s' * 40}"])
def test_a_secret_of_one_repeated_character_is_refused(environment, name, secret):
    (problem,) = problems_of({**environment, name: secret})
    assert problem == f"{name} must be at least 32 random bytes in each comma-separated part"


def test_the_name_of_the_proxy_s_header_is_read_in_any_case(environment):
    environment["CLIENT_ADDRESS_HEADER"] = "Ali-Cdn-Real-Ip"
    assert load_settings(environment).client_address_header == "ali-cdn-real-ip"


def test_a_relative_profiles_file_is_looked_for_beside_the_function(environment):
    environment["PROFILES_FILE"] = "profiles.toml"
    assert "avatar" in load_settings(environment).profiles


def test_a_profiles_file_that_is_not_utf_8_is_named(environment, tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_bytes(b"\xff\xfe")
    environment["PROFILES_FILE"] = str(path)
    (problem,) = problems_of(environment)
    assert "UTF-8" in problem


def test_tokens_are_good_for_one_bucket_and_with_wechat_for_one_mini_program(environment):
    assert load_settings(environment).token_scope("b") == {"bucket": "b"}
    environment |= {
        "CALLER_AUTH": "wechat",
        "WECHAT_APPID": "wx0123456789abcdef",
        "WECHAT_SECRET": "app-secret",
        "TOKEN_SECRET": SECRET,
    }
    assert load_settings(environment).token_scope("b") == {"app": "wx0123456789abcdef", "bucket": "b"}
