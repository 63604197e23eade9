"""hints: what a deployment needs of others, which no file shows."""

import re
from pathlib import Path

import pytest

from ops.deploy.hints import profile_hints
from ops.deploy.profile_lines import profiles_in
from tests.ops.deploy.project import CONFIGURED, check
from tests.ops.words import in_english

PLAIN = (
    '[default]\nkey = "uploads/{owner}/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\nconfirm = true\n'
)
POST = PLAIN.replace("default", "post").replace("uploads/", "posts/")


@pytest.mark.parametrize("text", [PLAIN, "no = [TOML", None])
def test_plain_profiles_in_one_bucket_give_no_hint(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "profiles.toml"
    if text is not None:
        file.write_text(text, "utf-8")
    assert list(profile_hints(profiles_in(file))) == []


@pytest.mark.parametrize(
    "option",
    ['bucket = "my-contracts"', 'host = "https://files.example.com"', 'role = "acs:ram::1:role/contracts"'],
)
def test_a_profile_with_its_own_bucket_gets_a_setup_hint(tmp_path: Path, option: str) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(f"{PLAIN}{POST}{option}\n", "utf-8")
    (hint,) = in_english(profile_hints(profiles_in(file)))
    assert hint.startswith("[post]: ") and "manage.py setup" in hint


def test_a_profile_with_hold_gets_a_setup_hint(project: Path) -> None:
    note = POST.replace("post", "note") + 'hold = ["commit"]\nhold_days = 3\n'
    (project / "profiles.toml").write_text(PLAIN + POST + 'hold = ["commit"]\n' + note, "utf-8")
    report = check(project / "s.yaml", CONFIGURED)
    (hint,) = [hint for hint in report.hints if hint.startswith("[post], [note]: ")]
    assert all(name in hint for name in ("manage.py setup", "manage.py doctor"))
    (limits,) = [hint for hint in report.hints if "hold_days" in hint]
    assert all(name in limits for name in ("[post] 1 day,", "[note] 3 days;", "`expired`"))
    assert not any("wechat-events" in hint for hint in report.hints)


@pytest.mark.parametrize(
    ("more", "variables", "told"),
    [
        ("", {}, []),
        ("", {"AI_LABEL_CODE": "001191330100MA0000000X20001"}, ["AI_LABEL_CODE"]),
        ("ai_label = true\n", {"AI_LABEL_CODE": "001191330100MA0000000X20001"}, ["AI_LABEL_CODE"]),
        ('hold = ["commit"]\nstrip = true\n', {}, ["[post]: strip"]),
        (
            'hold = ["commit"]\nstrip = true\nai_label = true\n',
            {"AI_LABEL_CODE": "001191330100MA0000000X20001"},
            [],
        ),
    ],
)
def test_an_unused_code_and_removed_labels_are_hints(project, more, variables, told):
    (project / "profiles.toml").write_text(PLAIN + POST + more, "utf-8")
    report = check(project / "s.yaml", {**CONFIGURED, **variables})
    hints = [hint for hint in report.hints if "ai_label" in hint]
    assert [hint[: len(each)] for hint, each in zip(hints, told, strict=True)] == told


HELD = 'hold = ["commit"]\nhold_days = 9\n'


@pytest.mark.parametrize(
    ("more", "variables", "days"),
    [
        ("", {"TOKEN_SECRET": "two"}, ["TOKEN_SECRET", "2"]),
        (HELD, {"TOKEN_SECRET": "two"}, ["TOKEN_SECRET", "11"]),
        ("parts = true\nparts_within = 604800\n", {"TOKEN_SECRET": "two"}, ["TOKEN_SECRET", "9"]),
        ("parts = true\nparts_within = 604800\n", {"RECEIPT_SECRET": "two"}, ["RECEIPT_SECRET", "2"]),
        (HELD, {"RECEIPT_SECRET": "two"}, ["RECEIPT_SECRET", "11"]),
        (HELD, {"RECEIPT_SECRET": "one", "TOKEN_SECRET": "two"}, ["TOKEN_SECRET", "2"]),
        (HELD, {}, []),
    ],
)
def test_an_old_secret_stays_as_long_as_what_it_vouches_for_and_two_days(
    project: Path, more: str, variables: dict[str, str], days: list[str]
) -> None:
    (project / "profiles.toml").write_text(PLAIN + POST + more, "utf-8")
    lists = {"one": "a" * 40, "two": f"{'b' * 40},{'c' * 40}"}
    report = check(
        project / "s.yaml", {**CONFIGURED, **{name: lists[which] for name, which in variables.items()}}
    )
    hints = [hint for hint in report.hints if "_SECRET" in hint]
    assert [re.findall(r"[A-Z]+_SECRET|[0-9]+", hint) for hint in hints] == [days] * bool(days)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, []),
        ({"ERASE": "true"}, ["setup"]),
        ({"ERASE_ON": "user_authorization_revoke"}, ["/wechat-events"]),
    ],
)
def test_erasing_gets_hints_about_rights_push_and_timer(
    project: Path, variables: dict[str, str], named: list[str]
) -> None:
    report = check(project / "s.yaml", {**CONFIGURED, **variables})
    hints = [hint for hint in report.hints if hint.startswith("ERASE")]
    assert [name in hint for hint, name in zip(hints, named, strict=True)] == [True] * len(named)


def test_a_profile_with_check_gets_a_push_hint(tmp_path: Path) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(PLAIN + POST + 'hold = ["commit", "check"]\n', "utf-8")
    held, limits, checked = in_english(profile_hints(profiles_in(file)))
    assert "[post] 7 days" in limits
    assert held.startswith("[post]: ") and checked.startswith("[post]: ")
    assert "/wechat-events" in checked and "/wechat-events" not in held


def test_a_check_by_aliyun_gets_a_hint_about_activation_and_none_about_the_push(tmp_path: Path) -> None:
    file = tmp_path / "profiles.toml"
    file.write_text(PLAIN + POST + 'hold = ["commit", "check"]\ncheck_by = ["aliyun"]\n', "utf-8")
    _, _, checked = in_english(profile_hints(profiles_in(file)))
    assert checked.startswith("[post]: ") and "manage.py setup" in checked
    assert "/wechat-events" not in checked
