"""settings_validation: rules that relate settings and profiles."""

import re

import pytest

from function.app import load_settings
from function.errors import Misconfigured
from function.session_policy import UPLOADS
from tests.function.config.named import named

SECRET = "token-secret-0123456789-abcdefghi"
NEW_SECRET = "another-secret-0123456789-abcdefg"


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(Misconfigured) as raised:
        load_settings(environ)
    return tuple(problem.sentence for problem in raised.value.problems)


@pytest.mark.parametrize(("session", "is_enough"), [("1261", True), ("1260", False)])
def test_a_form_with_its_margin_must_end_before_the_session(environment, profiles_file, session, is_enough):
    environment["STS_SESSION_SECONDS"] = session
    environment["PROFILES_FILE"] = profiles_file(
        '[long]\nkey = "a/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\nexpires_in = 1200\n'
    )
    if is_enough:
        load_settings(environment)
        return
    (problem,) = problems_of(environment)
    assert "[long]" in problem
    assert "STS_SESSION_SECONDS" in problem


def test_a_session_policy_over_the_limit_of_sts_is_refused(environment, profiles_file):
    environment["PROFILES_FILE"] = profiles_file(
        "\n".join(
            f'[p{i}]\nkey = "folder-number-{i}/{{id}}"\nmax_size = 1\ncontent_types = ["*/*"]'
            for i in range(60)
        )
    )
    (problem,) = problems_of(environment)
    assert "2048" in problem


def policy_of_uploads(environment):
    settings = load_settings(environment)
    return settings.session_policies[settings.home.session(UPLOADS)]


@pytest.mark.parametrize(("length", "is_taken"), [(2048, True), (2049, False)])
def test_a_session_policy_may_have_2048_characters(environment, profiles_file, length, is_taken):
    def write(last_folder):
        folders = [*(f"{number}-{'f' * 200}" for number in range(7)), last_folder]
        return profiles_file(
            "\n".join(
                f'[p{number}]\nkey = "{folder}/{{id}}"\nmax_size = 1\ncontent_types = ["*/*"]'
                for number, folder in enumerate(folders)
            )
        )

    environment["PROFILES_FILE"] = write("x")
    missing = length - len(policy_of_uploads(environment))
    environment["PROFILES_FILE"] = write("x" * (1 + missing))
    if is_taken:
        assert len(policy_of_uploads(environment)) == length
        return
    (problem,) = problems_of(environment)
    assert f"a session policy of {length} characters; STS takes 2048" in problem


def test_a_callback_profile_needs_a_callback_url(environment, profiles_file):
    environment["PROFILES_FILE"] = profiles_file(
        '[p]\nkey = "a/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\ncallback = true\n'
    )
    with pytest.raises(Misconfigured) as raised:
        load_settings(environment)
    (problem,) = raised.value.problems
    assert (problem.setting, problem.needs) == ("profiles.toml", "CALLBACK_URL")
    environment |= {"CALLBACK_URL": "https://fn.example.com/callback", "TOKEN_SECRET": SECRET}
    assert load_settings(environment).profiles["p"].callback


def test_the_settings_that_mislead_the_sdk_are_named_for_programs_as_well(environment):
    with pytest.raises(Misconfigured) as raised:
        load_settings({**environment, "ALIYUN_ACCESS_KEY_SECRET": "x", "DEBUG": "SDK"})
    assert [problem.setting for problem in raised.value.problems] == ["ALIYUN_ACCESS_KEY_ID", "DEBUG"]


@pytest.mark.parametrize(
    ("token", "receipt"),
    [
        (SECRET, SECRET),
        (f"{NEW_SECRET},{SECRET}", SECRET),
        (SECRET, f"{NEW_SECRET},{SECRET}"),
    ],
    ids=["the same", "one that is on its way out", "one to come"],
)
def test_a_receipt_secret_that_signs_sessions_as_well_is_refused(environment, token, receipt):
    """Whom it is given to, to verify receipts, could log in as anybody."""
    with pytest.raises(Misconfigured) as raised:
        load_settings({**environment, "TOKEN_SECRET": token, "RECEIPT_SECRET": receipt})
    assert [problem.setting for problem in raised.value.problems] == ["RECEIPT_SECRET"]


@pytest.fixture
def problems_with(environment, profiles_file):
    """What is wrong with a profile that has these options, under these settings."""

    def problems(options, **changes):
        text = f'[p]\nkey = "a/{{owner}}/{{id}}"\nmax_size = 1\ncontent_types = ["*/*"]\n{options}\n'
        environ = {**environment, "PROFILES_FILE": profiles_file(text), **changes}
        try:
            load_settings(environ)
        except Misconfigured as error:
            return [named(problem.sentence) for problem in error.problems]
        return []

    return problems


JWT = {"CALLER_AUTH": "jwt", "JWT_KEY": "k" * 32, "JWT_ALGORITHM": "HS256", "TOKEN_SECRET": SECRET}


def test_confirming_needs_a_secret_whoever_calls(problems_with):
    assert problems_with("confirm = true") == ["confirm TOKEN_SECRET"]
    assert problems_with("confirm = true", TOKEN_SECRET=SECRET) == []
    assert problems_with("confirm = false") == []


def test_uploads_in_parts_need_a_secret_whoever_calls(problems_with):
    assert problems_with("parts = true") == ["parts TOKEN_SECRET"]
    assert problems_with("parts = true", TOKEN_SECRET=SECRET) == []


def test_only_callers_who_are_told_apart_have_what_is_their_own_to_read(problems_with):
    assert problems_with('read = "owner"', TOKEN_SECRET=SECRET) == ["read CALLER_AUTH"]
    assert problems_with('read = "owner"', **JWT) == []
    assert problems_with('read = "callers"') == []
    # Who may ask is not known, so there is nothing to say of it but that.
    (missing,) = problems_with('read = "owner"', CALLER_AUTH="")
    assert missing == "CALLER_AUTH"


@pytest.mark.parametrize(("read_for", "is_enough"), [(419, True), (420, False), (43200, False)])
def test_two_windows_of_reading_and_the_margin_are_less_than_a_session(problems_with, read_for, is_enough):
    options = f'read = "callers"\nread_for = {read_for}'
    assert problems_with(options, STS_SESSION_SECONDS="900") == ["read_for STS_SESSION_SECONDS"] * (
        not is_enough
    )


def test_a_window_that_nobody_reads_in_needs_no_session(problems_with):
    assert problems_with("expires_in = 60", STS_SESSION_SECONDS="900") == []


def test_the_policy_of_each_session_is_held_to_the_limit(environment, profiles_file):
    def write(last_folder):
        folders = [*(f"{number}-{'f' * 200}" for number in range(7)), last_folder]
        return profiles_file(
            "\n".join(
                f'[p{number}]\nkey = "{folder}/{{id}}"\nmax_size = 1\n'
                'content_types = ["*/*"]\nread = "callers"'
                for number, folder in enumerate(folders)
            )
        )

    environment["PROFILES_FILE"] = write("x")
    policies = load_settings(environment).session_policies
    lengths = {purpose: len(policy) for (purpose, *_), policy in policies.items()}
    assert set(lengths) == {"uploads", "objects"}
    environment["PROFILES_FILE"] = write("x" * (2050 - lengths["objects"]))
    of_uploads = 2049 + lengths["uploads"] - lengths["objects"]
    assert [re.search("policy of ([0-9]+)", problem)[1] for problem in problems_of(environment)] == [
        str(of_uploads),
        "2049",
    ]


@pytest.mark.parametrize("option", ["files_per_day = 5", "bytes_per_day = 5"])
def test_a_quota_needs_a_place_to_count_in(problems_with, option):
    name = option.partition(" ")[0]
    assert problems_with(option) == [f"{name} QUOTA_URL"]
    assert problems_with(option, QUOTA_URL="memory:") == []


def test_a_quota_that_lacks_its_place_is_named_for_programs_as_well(environment, profiles_file):
    text = '[p]\nkey = "a/{owner}/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\nfiles_per_day = 1\n'
    with pytest.raises(Misconfigured) as raised:
        load_settings({**environment, "PROFILES_FILE": profiles_file(text)})
    (problem,) = raised.value.problems
    assert (problem.setting, problem.needs) == ("profiles.toml", "QUOTA_URL")


# --- what is held back ---

WECHAT = {
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "s",
    "TOKEN_SECRET": SECRET,
}
PUSH = {"WECHAT_PUSH_TOKEN": "PushToken3", "WECHAT_PUSH_AES_KEY": "a1" * 21 + "b"}


@pytest.fixture
def problems_of_hold(environment, profiles_file):
    """What is wrong with pictures that are held back for these steps, under these settings."""

    def problems(options, **changes):
        text = f'[p]\nkey = "a/{{owner}}/{{id}}"\nmax_size = 1\ncontent_types = ["image/*"]\n{options}\n'
        environ = {**environment, "PROFILES_FILE": profiles_file(text), **changes}
        try:
            load_settings(environ)
        except Misconfigured as error:
            return [named(problem.sentence) for problem in error.problems]
        return []

    return problems


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("confirm", "confirm TOKEN_SECRET"),
        ("parts", "parts TOKEN_SECRET"),
        ("callback", "TOKEN_SECRET CALLBACK_URL"),
    ],
)
def test_holding_back_needs_a_secret_whoever_calls_and_whichever_way_the_receipt_comes(
    problems_of_hold, way, told
):
    options = f'hold = ["commit"]\n{way} = true'
    changes = {"CALLBACK_URL": "https://fn.example.com/callback"} if way == "callback" else {}
    assert problems_of_hold(options, **changes) == [told]
    assert problems_of_hold(options, TOKEN_SECRET=SECRET, **changes) == []


def test_only_callers_who_are_told_apart_commit_themselves(problems_of_hold):
    options = 'confirm = true\nhold = ["commit"]\ncommit_by = "owner"'
    assert problems_of_hold(options, TOKEN_SECRET=SECRET) == ["commit_by CALLER_AUTH"]
    assert problems_of_hold(options, **JWT) == []
    assert problems_of_hold(options, **WECHAT) == []


CHECKED = 'confirm = true\nhold = ["check"]'


@pytest.mark.parametrize("session", ["5400", "43200"])
def test_a_check_needs_users_of_a_mini_program_the_push_and_a_long_session(problems_of_hold, session):
    assert problems_of_hold(CHECKED, **WECHAT, **PUSH, STS_SESSION_SECONDS=session) == []


@pytest.mark.parametrize("changes", [JWT, {"TOKEN_SECRET": SECRET}], ids=["jwt", "anonymous"])
def test_wechat_checks_for_its_own_users_only(problems_of_hold, changes):
    assert problems_of_hold(CHECKED, **changes, **PUSH, STS_SESSION_SECONDS="5400") == ["hold CALLER_AUTH"]


@pytest.mark.parametrize("name", PUSH)
def test_a_check_whose_verdicts_could_not_come_is_refused(problems_of_hold, name):
    push = {**PUSH, name: ""}
    assert problems_of_hold(CHECKED, **WECHAT, **push, STS_SESSION_SECONDS="5400") == [f"hold {name}"]


@pytest.mark.parametrize("session", ["3600", "5399"])
def test_the_address_for_wechat_is_good_for_an_hour_so_the_session_lives_longer(problems_of_hold, session):
    assert problems_of_hold(CHECKED, **WECHAT, **PUSH, STS_SESSION_SECONDS=session) == [
        "hold STS_SESSION_SECONDS"
    ]


def test_what_a_check_lacks_is_said_to_programs_by_name(environment, profiles_file):
    text = f'[p]\nkey = "a/{{id}}"\nmax_size = 1\ncontent_types = ["image/*"]\n{CHECKED}'
    with pytest.raises(Misconfigured) as raised:
        load_settings({**environment, **WECHAT, "PROFILES_FILE": profiles_file(text)})
    assert [problem.needs for problem in raised.value.problems] == ["STS_SESSION_SECONDS", *PUSH]


def test_that_only_users_of_wechat_are_checked_is_said_to_programs_by_name(environment, profiles_file):
    text = f'[p]\nkey = "a/{{id}}"\nmax_size = 1\ncontent_types = ["image/*"]\n{CHECKED}'
    changes = {"TOKEN_SECRET": SECRET, "PROFILES_FILE": profiles_file(text)}
    with pytest.raises(Misconfigured) as raised:
        load_settings({**environment, **changes})
    assert [problem.needs for problem in raised.value.problems] == ["CALLER_AUTH"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("CALLER_AUTH", ""),
        ("CALLER_AUTH", "nobody"),
        ("WECHAT_PUSH_TOKEN", "no token"),
        ("WECHAT_PUSH_AES_KEY", "short"),
        ("STS_SESSION_SECONDS", "1"),
    ],
)
@pytest.mark.parametrize("options", [CHECKED, 'confirm = true\nhold = ["commit"]\ncommit_by = "owner"'])
def test_of_a_setting_that_is_wrong_itself_holding_back_says_nothing(problems_of_hold, options, name, wrong):
    given = {**WECHAT, **PUSH, "STS_SESSION_SECONDS": "5400", name: wrong}
    (problem,) = problems_of_hold(options, **given)
    assert problem.startswith(name)


@pytest.mark.parametrize(
    "given",
    [
        {"WECHAT_PUSH_TOKEN": "PushToken3"},
        {"WECHAT_PUSH_AES_KEY": "a1" * 21 + "b"},
        {"WECHAT_PUSH_FORWARD_URL": "https://shop.example/push"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_half_a_message_push_is_none(problems_of_hold, given):
    environ = {**WECHAT, **given}
    found = [problem.partition(" ")[0] for problem in problems_of_hold("confirm = true", **environ)]
    assert found == [name for name in PUSH if name not in given]
    assert problems_of_hold("confirm = true", **{**environ, **PUSH}) == []
