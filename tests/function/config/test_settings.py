"""settings: the environment read strictly, each invalid setting reported by name."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from function.app import load_settings
from function.auth import all_settings, anonymous
from function.auth.signed_tokens import scope_of
from function.config.setting_table import new_entry
from function.config.settings import DEFAULT_PROFILES_FILE, Settings, read_settings
from function.config.types import Rate, names_a_host
from function.context import Dependencies
from function.errors import Misconfigured
from function.sts.session_policy import session_policies
from ops.terminal.messages import in_both
from tests.ops.words import in_english
from tests.support.cases import cases_beside, table_beside

ROOT = Path(__file__).parents[3]

cases = cases_beside(__file__)
STORES = table_beside(__file__)["STORES"]
SECRET = "token-secret-0123456789-abcdefghi"
NEW_SECRET = "another-secret-0123456789-abcdefg"
STORE_PASSWORD = "StorePasswordSecretCanary0001"
WECHAT = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "s"}
WECHAT |= {"TOKEN_SECRET": SECRET}
PUSH = {"WECHAT_PUSH_TOKEN": "PushToken3", "WECHAT_PUSH_AES_KEY": "PushCanary" + "a1" * 16 + "b"}


def problems_of(environ):
    """The problems of an environment; each has a sentence in both languages."""
    with pytest.raises(Misconfigured) as raised:
        load_settings(environ)
    problems = raised.value.problems
    assert len(in_english(in_both(problem.sentence) for problem in problems)) == len(problems)
    return problems


def refused(environ):
    """The settings of the problems of an environment."""
    return [problem.setting for problem in problems_of(environ)]


def test_required_settings_suffice_and_others_have_the_published_defaults(environment):
    del environment["CALLER_RATE"]
    settings = load_settings(environment)
    host = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert settings._replace(profiles={}, session_policies={}) == Settings(
        bucket="my-bucket",
        region="cn-hangzhou",
        host=host,
        oss_endpoint=host,
        read_origin=host,
        sign_part_length=True,
        profiles={},
        role_arn="acs:ram::1234567890123456:role/upload",
        sts_endpoint="https://sts.cn-hangzhou.aliyuncs.com",
        session_life=timedelta(seconds=3600),
        session_policies={},
        caller_auth="anonymous",
        caller_kind=anonymous.KIND,
        callers=(only := new_entry("anonymous", anonymous.KIND, {}),),
        only=only,
        token_secrets=(),
        receipt_secrets=(),
        owner_secret="",
        token_life=timedelta(seconds=7200),
        callback_url=None,
        public_url=None,
        callback_key_origin="https://gosspublic.alicdn.com",
        upload_webhook_url=None,
        green_endpoint="https://green-cip.cn-hangzhou.aliyuncs.com",
        caller_rate=Rate(60, 60),
        login_rate=Rate(30, 60),
        read_rate=Rate(600, 60),
        quota_url=None,
        quota_when_down=None,
        quota_utc_offset=timedelta(hours=8),
        client_address_header=None,
        ai_label_code=None,
        erase=False,
        erase_on=frozenset(),
        allowed_origins=frozenset(),
        log_level="INFO",
    )
    plain = tomllib.loads(Path(environment["PROFILES_FILE"]).read_text("utf-8"))
    assert set(settings.profiles) == set(plain)
    assert {profile.signature_version for profile in settings.profiles.values()} == {"v4"}


@pytest.mark.parametrize(
    ("name", "field", "seconds"),
    [
        ("STS_SESSION_SECONDS", "session_life", (900, 43200)),
        ("TOKEN_SECONDS", "token_life", (60, 2592000)),
    ],
)
def test_a_life_is_a_number_with_bounds(environment, name, field, seconds):
    for good in seconds:
        assert getattr(load_settings({**environment, name: str(good)}), field).total_seconds() == good
    for bad in (seconds[0] - 1, seconds[1] + 1, "90_0"):
        (problem,) = problems_of({**environment, name: str(bad)})
        assert (problem.setting, problem.sentence.values["value"]) == (name, str(bad))
        assert problem.sentence.values["allowed"].values == {"least": seconds[0], "most": seconds[1]}


@pytest.mark.parametrize(
    ("written", "rate"),
    [("5/s", (5, 1)), ("60/min", (60, 60)), ("7/h", (7, 3600)), ("999999999/s", (999999999, 1))],
)
@pytest.mark.parametrize("name", ["CALLER_RATE", "LOGIN_RATE", "READ_RATE"])
def test_a_rate_is_a_number_over_a_unit(environment, name, written, rate):
    assert getattr(load_settings({**environment, name: written}), name.lower()) == rate


@pytest.mark.parametrize("name", ["CALLER_RATE", "LOGIN_RATE", "READ_RATE"])
def test_a_rate_of_another_form_is_refused(environment, name):
    for written in ("60", "0/min", "1_0/min", "1000000000/s", "60/day"):
        assert refused({**environment, name: written}) == [name], written


@pytest.mark.parametrize("url", STORES)
def test_quotas_are_stored_in_redis_or_in_this_instance(environment, url):
    settings = load_settings({**environment, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"})
    assert (settings.quota_url, settings.quota_when_down) == (url, "deny")
    assert STORE_PASSWORD not in repr(settings)


@cases("url")
def test_other_stores_are_refused_without_showing_the_password(environment, url):
    (problem,) = problems_of({**environment, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"})
    assert problem.setting == "QUOTA_URL"
    assert url not in problem.sentence.partition(" must be ")[0]
    assert STORE_PASSWORD not in problem.sentence


@pytest.mark.parametrize("url", STORES[1:])
def test_redis_needs_quota_when_down(environment, url):
    environment |= {"QUOTA_URL": url}
    assert refused(environment) == ["QUOTA_WHEN_DOWN"]
    # An invalid value is not missing as well.
    assert refused({**environment, "QUOTA_WHEN_DOWN": "maybe"}) == ["QUOTA_WHEN_DOWN"]
    assert load_settings({**environment, "QUOTA_URL": "memory:"}).quota_when_down is None


@cases("written", "hours")
def test_quota_days_begin_at_quarters_of_an_hour(environment, written, hours):
    settings = load_settings({**environment, "QUOTA_UTC_OFFSET": written})
    assert settings.quota_utc_offset == timedelta(hours=hours)


@cases("written")
def test_an_offset_between_quarters_or_too_far_is_refused(environment, written):
    assert refused({**environment, "QUOTA_UTC_OFFSET": written}) == ["QUOTA_UTC_OFFSET"]


def test_the_region_defaults_to_the_function_s_own(environment):
    del environment["OSS_REGION"]
    environment["FC_REGION"] = "cn-shanghai"
    assert load_settings(environment).region == "cn-shanghai"
    del environment["FC_REGION"]
    (problem,) = problems_of(environment)
    assert (problem.setting, set(problem.sentence.values)) == ("OSS_REGION", {"name", "allowed"})


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("cn-beijing", "https://green-cip.cn-beijing.aliyuncs.com"),
        ("cn-zhangjiakou", "https://green-cip.cn-shanghai.aliyuncs.com"),
        ("ap-southeast-1", "https://green-cip.ap-southeast-1.aliyuncs.com"),
        ("cn-hongkong", None),
        ("ap-northeast-1", None),
    ],
)
def test_content_moderation_stays_in_the_region_or_in_the_mainland(environment, region, address):
    assert load_settings({**environment, "OSS_REGION": region}).green_endpoint == address


def test_all_missing_settings_are_reported_at_once():
    assert {"OSS_BUCKET", "OSS_REGION", "STS_ROLE_ARN", "CALLER_AUTH"} <= set(refused({}))


@pytest.mark.parametrize("name", ["", "nobody"])
def test_caller_auth_has_no_default_and_its_kinds_are_listed(environment, name):
    (problem,) = problems_of({**environment, "CALLER_AUTH": name})
    assert problem.setting == "CALLER_AUTH"
    assert problem.sentence.values["allowed"].values == {
        "names": "wechat, several, jwt, douyin, anonymous, alipay"
    }


@cases("name", "value", "settings")
def test_an_invalid_value_is_reported_at_its_setting(environment, name, value, settings):
    assert refused({"TOKEN_SECRET": SECRET, **environment, name: value}) == [*settings]


def test_the_callback_address_ends_with_its_path_and_has_no_query(environment):
    host = "fn.example.com"
    https = ("", "/other", "/callback?a=1", "/a%2Fb/callback")
    for url in (*(f"https://{host}{rest}" for rest in https), f"http://{host}/callback", f"{host}/callback"):
        assert refused({"TOKEN_SECRET": SECRET, **environment, "CALLBACK_URL": url}) == ["CALLBACK_URL"], url


@cases("name", "value")
def test_allowed_values_are_accepted(environment, name, value):
    load_settings({"TOKEN_SECRET": SECRET, **environment, name: value})


@cases("changes", "setting", "values")
def test_one_wrong_value_is_one_problem(environment, changes, setting, values):
    (problem,) = problems_of({**environment, **changes})
    assert (problem.setting, problem.needs) == (setting, "")
    assert problem.sentence.startswith(setting)
    assert {**problem.sentence.values, "allowed": None} == {**dict(values), "allowed": None}


@cases("name", "field", "value")
def test_a_setting_is_used(environment, name, field, value):
    environment |= {"TOKEN_SECRET": SECRET, name: value}
    assert getattr(load_settings(environment), field) == value


def test_an_address_without_a_host_or_with_a_port_too_high_is_none():
    assert [names_a_host(f"https://{rest}") for rest in ("", "a.example:65536")] == [False, False]


def test_stray_commas_between_origins_are_ignored_and_only_wrong_ones_are_shown(environment):
    environment["ALLOWED_ORIGINS"] = " https://a.example,, http://localhost:5173 ,"
    assert load_settings(environment).allowed_origins == {"https://a.example", "http://localhost:5173"}
    environment["ALLOWED_ORIGINS"] = "https://a.example,*,b.example"
    (problem,) = problems_of(environment)
    assert (problem.setting, problem.sentence.values["part"]) == ("ALLOWED_ORIGINS", "*, b.example")


@pytest.mark.parametrize(("value", "secrets"), [(f"{SECRET},", 1), (f" ,{SECRET} , {NEW_SECRET}", 2)])
def test_stray_commas_between_secrets_are_ignored(environment, value, secrets):
    assert len(load_settings({**environment, "TOKEN_SECRET": value}).token_secrets) == secrets


@pytest.mark.parametrize("name", ["TOKEN_SECRET", "RECEIPT_SECRET"])
@pytest.mark.parametrize(
    "secret", [",", "0123456789abcdef" * 2, "s" * 32, "0" * 64, f"{NEW_SECRET},{'s' * 40}"]
)
def test_a_secret_has_32_bytes_that_are_not_all_the_same(environment, name, secret):
    environment |= {"TOKEN_SECRET": SECRET, name: secret}
    if secret.startswith("0123"):
        assert getattr(load_settings(environment), f"{name.lower()}s") == (secret,)
        environment[name] = secret[1:]
    assert refused(environment) == [name]


def test_a_default_that_contains_a_wrong_value_is_not_reported(environment):
    environment["OSS_BUCKET"] = "My_Bucket"
    assert refused(environment) == ["OSS_BUCKET"]
    assert refused({**environment, "OSS_HOST": "https://upload.example.com"}) == ["OSS_BUCKET"]
    assert refused({**environment, "OSS_HOST": "http://upload.example.com"}) == ["OSS_BUCKET", "OSS_HOST"]


def test_secret_settings_are_marked():
    assert {row.name for row in all_settings() if row.is_secret} == {
        *("WECHAT_SECRET", "JWT_KEY", "TOKEN_SECRET", "RECEIPT_SECRET", "OWNER_SECRET"),
        *("ALIPAY_KEY", "DOUYIN_SECRET"),
        *("UPLOAD_WEBHOOK_URL", "QUOTA_URL"),
        *("WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY", "WECHAT_PUSH_FORWARD_URL"),
    }


def test_the_message_push_shows_no_setting(environment):
    environment |= {**WECHAT, **PUSH}
    push = load_settings(environment).callers[0].settings.push
    assert push == (PUSH["WECHAT_PUSH_TOKEN"], PUSH["WECHAT_PUSH_AES_KEY"], None)
    environment["WECHAT_PUSH_FORWARD_URL"] = "https://shop.example/push?for=PushCanary"
    push = load_settings(environment).callers[0].settings.push
    assert push.forward_url == "https://shop.example/push?for=PushCanary"
    assert repr(push) == f"{push}" == "WechatPush(…)"


@cases("name", "value")
def test_settings_of_the_message_push_have_the_form_of_the_console(environment, name, value):
    environment |= {**WECHAT, **PUSH, name: value}
    (problem,) = problems_of(environment)
    assert problem.setting == name
    assert set(problem.sentence.values) == {"name", "allowed"}
    # Other caller kinds do not read it.
    assert load_settings(environment | {"CALLER_AUTH": "anonymous"}).callers[0].settings is None


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"CALLER_AUTH": "wechat"}, {"WECHAT_APPID", "WECHAT_SECRET", "TOKEN_SECRET"}),
        ({"CALLER_AUTH": "jwt"}, {"JWT_KEY", "JWT_ALGORITHM", "TOKEN_SECRET"}),
        ({"CALLBACK_URL": "https://f.example/callback"}, {"TOKEN_SECRET"}),
    ],
)
def test_all_that_a_caller_kind_needs_is_reported(environment, changes, names):
    assert set(refused({**environment, **changes})) == names


def test_no_repr_and_no_problem_shows_a_secret(environment):
    canary = "canary-canary-canary-canary-canary"
    environment |= {
        **WECHAT,
        "WECHAT_SECRET": canary,
        "TOKEN_SECRET": canary,
        "OWNER_SECRET": canary + "2",
        "RECEIPT_SECRET": canary + "4",
        "UPLOAD_WEBHOOK_URL": f"https://business.example/{canary}",
    }
    settings = load_settings(environment)
    assert repr(settings) == "Settings(my-bucket)"
    assert repr(settings.callers[0].settings) == "WechatApp(wx0123456789abcdef)"
    for shown in (settings, settings.callers[0].settings, {"a": settings}, Dependencies(environment)):
        assert canary not in repr(shown) + f"{shown}"
    del environment["WECHAT_APPID"], environment["WECHAT_SECRET"]
    environment |= {"CALLER_AUTH": "jwt", "JWT_KEY": canary + "3", "JWT_ALGORITHM": "HS256"}
    assert repr(load_settings(environment).callers[0].settings) == "BusinessJwt(HS256)"
    short = {"TOKEN_SECRET": canary[:20], "RECEIPT_SECRET": canary[:22], "OWNER_SECRET": canary[:21]}
    environment |= {**short, "UPLOAD_WEBHOOK_URL": canary}
    text = " ".join(problem.sentence for problem in problems_of(environment))
    assert canary[:20] not in text


def test_the_first_token_secret_signs_and_the_last_keys_the_owners(environment):
    environment["TOKEN_SECRET"] = f"{NEW_SECRET}, {SECRET}"
    settings = load_settings(environment)
    assert settings.token_secrets == settings.receipt_secrets == (NEW_SECRET, SECRET)
    assert settings.owner_secret == SECRET


def test_receipts_can_have_their_own_secrets(environment):
    environment |= {"TOKEN_SECRET": SECRET, "RECEIPT_SECRET": f"{NEW_SECRET},{NEW_SECRET}2"}
    settings = load_settings(environment)
    assert settings.token_secrets == (SECRET,)
    assert settings.receipt_secrets == (NEW_SECRET, f"{NEW_SECRET}2")
    assert settings.owner_secret == SECRET


def test_a_relative_profiles_file_is_found_beside_the_function(environment):
    environment |= WECHAT | {"PROFILES_FILE": "profiles.toml"}
    assert load_settings(environment).profiles["avatar"].read == "callers"


def test_a_profiles_file_that_is_not_utf_8_is_refused(environment, tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_bytes(b"\xff\xfe")
    (problem,) = problems_of({**environment, "PROFILES_FILE": str(path)})
    assert (problem.setting, problem.sentence.values["path"]) == ("PROFILES_FILE", str(path))
    assert "UTF-8" in problem.sentence.values["why"]


def test_the_token_scope_is_the_bucket_and_the_mini_program(environment):
    assert scope_of(load_settings(environment).only.app, "b") == {"bucket": "b"}
    scope = scope_of(load_settings(environment | WECHAT).only.app, "b")
    assert scope == {"app": "wx0123456789abcdef", "bucket": "b"}


def test_a_valid_caller_kind_imports_no_other(environment):
    class Kinds(dict):
        def __iter__(self):
            raise AssertionError("lists all caller kinds")

    kinds = Kinds(anonymous=anonymous.KIND)
    settings = read_settings(environment, kinds, session_policies, lambda path: path.read_text("utf-8"))
    assert settings.only.kind is anonymous.KIND


def test_profiles_default_to_the_signature_version_of_the_settings(environment):
    profiles = load_settings({**environment, "OSS_SIGNATURE_VERSION": "v1"}).profiles
    assert {profile.signature_version for profile in profiles.values()} == {"v1"}
    assert refused({**environment, "OSS_SIGNATURE_VERSION": "v2"}) == ["OSS_SIGNATURE_VERSION"]


def test_the_shipped_profiles_are_refused_with_the_remedy_for_callers_who_own_nothing(environment):
    environment |= {"PROFILES_FILE": str(ROOT / "profiles.example.toml"), "TOKEN_SECRET": SECRET}
    problems = problems_of(environment)
    assert [problem.sentence.values["profile"] for problem in problems] == ["default", "video"]
    clauses = [problem.sentence.values["clause"].values for problem in problems]
    assert [(each["option"], each["other"]) for each in clauses] == [("read", "callers")] * 2


def test_a_reason_names_no_section_where_there_is_one_caller(environment):
    assert load_settings(environment).only.placed("why") == "why"


def test_the_profiles_are_those_of_profiles_toml_by_default(environment):
    text = Path(environment.pop("PROFILES_FILE")).read_text("utf-8")
    read = []
    load_settings(environment, lambda path: read.append(path.name) or text)
    assert read == ["profiles.toml"]
    # As the import made it: the tests put another in its place.
    assert DEFAULT_PROFILES_FILE == ROOT / "profiles.toml"
