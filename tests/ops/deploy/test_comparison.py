"""comparison: what is live against what is to come, before ``manage.py deploy`` changes anything."""

import pytest

from ops.deploy import deploy, rollback, target
from ops.deploy.callers import callers_of, entries_in
from ops.deploy.cloud_keys import KEY_NAMES
from ops.deploy.comparison import (
    changes_of_callers,
    changes_of_profiles,
    changes_of_settings,
    profiles_of,
)
from tests.ops.deploy.control_plane import S_YAML, ControlPlane, run_in
from tests.ops.words import in_english

OLD, NEW = "old-secret-0123456789abcdef012345", "new-secret-0123456789abcdef012345"
ENV = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "TOKEN_SECRET": OLD}
REST = 'max_size = "1MiB"\ncontent_types = ["image/*"]\n'
POST = f'[post]\nkey = "posts/{{owner}}/{{id}}{{ext}}"\n{REST}'
HELD = f'{POST}confirm = true\nhold = ["commit", "check"]\n'


@pytest.mark.parametrize(("before", "after", "said"), [
    (POST, POST, []),
    (POST, POST.replace("1MiB", "2MiB") + '[more]\nkey = "more/{id}"\n' + REST, []),
    (POST + f'[old]\nkey = "old/{{id}}"\n{REST}', POST, ["[old]"]),
    (POST, POST.replace("posts/{owner}/", "photos/{owner}/"), ["[post] key"]),
    (POST, POST + 'bucket = "other"\n', ["[post] bucket"]),
    (POST, HELD, []),
    (HELD, POST, ["[post] hold", "[post] hold_days"]),
    (HELD, HELD.replace(', "check"', ""), ["[post] hold", "[post] hold_days"]),
    (HELD, HELD + "hold_days = 30\n", []),
    (HELD, HELD + "hold_days = 6\n", ["[post] hold_days"]),
])  # fmt: skip
def test_a_loss_of_stored_objects_is_named(before, after, said):
    (old, none), (new, _) = (profiles_of(each, {"OSS_BUCKET": "photos"}) for each in (before, after))
    found = in_english(changes_of_profiles(old, new))
    assert [each.startswith(wanted) for each, wanted in zip(found, said, strict=True)] == [True] * len(said)
    assert none == []


@pytest.mark.parametrize(("before", "after", "said"), [
    (ENV, ENV, []),
    (ENV, {**ENV, "TOKEN_SECRET": f"{NEW},{OLD}"}, []),
    (ENV, {**ENV, "TOKEN_SECRET": NEW, "OWNER_SECRET": OLD}, []),
    (ENV, {**ENV, "TOKEN_SECRET": NEW}, ["TOKEN_SECRET"]),
    ({**ENV, "TOKEN_SECRET": f"{NEW},{OLD}"}, {**ENV, "TOKEN_SECRET": NEW}, ["TOKEN_SECRET"]),
    (ENV, {**ENV, "OWNER_SECRET": NEW}, ["OWNER_SECRET"]),
    ({**ENV, "CALLER_AUTH": "anonymous"}, {**ENV, "OWNER_SECRET": NEW}, []),
    (ENV, {**ENV, "RECEIPT_SECRET": f"{NEW},{OLD}"}, []),
    (ENV, {**ENV, "RECEIPT_SECRET": NEW}, ["RECEIPT_SECRET"]),
    ({**ENV, "RECEIPT_SECRET": OLD}, {**ENV, "RECEIPT_SECRET": NEW}, []),
    ({}, ENV, []),
])  # fmt: skip
def test_a_loss_of_owners_and_receipts_is_named(before, after, said):
    found = in_english(changes_of_settings(before, after))
    assert [name in each for each, name in zip(found, said, strict=True)] == [True] * len(said)
    assert not any(secret in each for each in found for secret in (OLD, NEW))


WX, TT, SITE = "wechat:wx0123456789abcdef", "douyin:tt1", "jwt:https://id.example"
MAIN = '[main]\nkind = "wechat"\nappid = "wx0123456789abcdef"\n'
DOUYIN = '[tt]\nkind = "douyin"\nappid = "tt1"\n'
ISSUER = '[site]\nkind = "jwt"\nissuer = "https://id.example"\n'
OTHERS = '[other]\nkind = "jwt"\nissuer = "https://other.example"\n'
UNNAMED = 'owners = "unnamed"\n'
JWT, OPEN = {"CALLER_AUTH": "jwt"}, {"CALLER_AUTH": "anonymous"}


@pytest.mark.parametrize(("before", "after", "moved", "gone"), [
    (ENV, ENV, [], []),
    (ENV, {**ENV, "WECHAT_APPID": "wx1"}, [WX], []),
    (ENV, OPEN, [WX], []),
    (OPEN, ENV, [], []),
    (JWT, {**JWT, "JWT_ISSUER": "https://id.example"}, [], []),
    ({**JWT, "JWT_ISSUER": "a"}, {**JWT, "JWT_ISSUER": "b"}, [], []),
    # From one to several.
    (ENV, MAIN + UNNAMED + DOUYIN, [], []),
    (ENV, MAIN + DOUYIN, [WX], []),
    (ENV, MAIN + DOUYIN + UNNAMED, [WX], []),
    (JWT, OTHERS + ISSUER + UNNAMED, [], []),
    ({**JWT, "JWT_ISSUER": "https://a.example"}, MAIN + ISSUER + UNNAMED, ["jwt:https://a.example"], []),
    # And back.
    (MAIN + UNNAMED + DOUYIN, ENV, [], [TT]),
    (MAIN + DOUYIN + UNNAMED, ENV, [WX, TT], []),
    (ISSUER + UNNAMED + MAIN, JWT, [], [WX]),
    # One is added, removed, or renamed in the file.
    (MAIN + DOUYIN, MAIN + DOUYIN + ISSUER, [], []),
    (MAIN + DOUYIN + ISSUER, MAIN + DOUYIN, [], [SITE]),
    (MAIN + DOUYIN, MAIN.replace("[main]", "[shop]") + DOUYIN, [], []),
    (MAIN + UNNAMED + DOUYIN, MAIN + DOUYIN, [WX], []),
    (MAIN + UNNAMED + DOUYIN, DOUYIN, [WX], []),
    (MAIN, DOUYIN, [], [WX]),
    (MAIN + DOUYIN + '[open]\nkind = "anonymous"\n', MAIN + DOUYIN, [], []),
    ("[", MAIN, [], []),
])  # fmt: skip
def test_callers_with_moved_owners_and_removed_ones_are_named(before, after, moved, gone):
    several = {"CALLER_AUTH": "several"}
    callers = [
        callers_of(several, entries_in(each)) if isinstance(each, str) else callers_of(each, {})
        for each in (before, after)
    ]
    for wanted, found in zip((moved, gone), changes_of_callers(*callers), strict=True):
        assert [id in each for id, each in zip(wanted, in_english(found), strict=True)] == [True] * len(
            wanted
        )


@pytest.fixture
def plane(tmp_path, monkeypatch):
    """Function Compute behind the tool, in a project with own profiles."""
    (tmp_path / "s.yaml").write_text(S_YAML, "utf-8")
    (tmp_path / "s").touch()
    (tmp_path / ".env").write_text(f"TOKEN_SECRET={OLD}\n", "utf-8")
    (tmp_path / "profiles.toml").write_text(POST, "utf-8")
    for name in KEY_NAMES:
        monkeypatch.setenv(name, "1234567890123456")
    plane = ControlPlane()
    plane.folder = tmp_path
    monkeypatch.setattr(target, "Cli", lambda *_: plane)
    return plane


def run(plane, *options, command=deploy):
    plane.has_changed, plane.calls[:] = True, []
    return run_in(plane.folder, *options, command=command)


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_deployment_that_would_lose_objects_changes_nothing(plane, capsys, is_readable):
    assert run(plane) == 0
    if is_readable:
        plane.package["1"] = (POST, ENV)
        # Then the copy is not looked at.
        for copy in plane.folder.glob("build/live/*"):
            copy.write_text("[", "utf-8")
    (plane.folder / "profiles.toml").write_text(POST.replace("posts/", "photos/"), "utf-8")
    assert run(plane) == 2
    assert plane.changes == [] and plane.versions == ["1"]
    said = capsys.readouterr().err
    assert "[post] key" in said and "ANYWAY=1" in said and OLD not in said
    assert run(plane, "--anyway") == 0
    assert plane.live() == ("2", {}, "before: 1") and "[post] key" in capsys.readouterr().out


def test_profiles_are_compared_with_the_version_that_is_live(plane):
    run(plane)
    (plane.folder / "profiles.toml").write_text(HELD, "utf-8")
    assert run(plane) == 0
    assert run(plane, command=rollback) == 0
    (plane.folder / "profiles.toml").write_text(POST, "utf-8")
    assert run(plane) == 0


def test_settings_are_those_of_the_live_version_or_of_the_last_deployment(plane, capsys):
    run(plane)
    plane.package["1"] = (POST, {**ENV, "WECHAT_APPID": "", "OWNER_SECRET": NEW})
    assert run(plane) == 2
    assert "TOKEN_SECRET" in capsys.readouterr().err
    plane.package.clear()
    plane.settings = {**ENV, "WECHAT_APPID": "", "TOKEN_SECRET": NEW}
    assert run(plane) == 2
    assert "TOKEN_SECRET" in capsys.readouterr().err


def test_each_thing_that_cannot_be_compared_is_one_line(plane, capsys):
    run(plane)
    for copy in plane.folder.glob("build/live/*"):
        copy.unlink()
    plane.settings = {}
    capsys.readouterr()
    assert run(plane) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "Not compared" in line]
    assert ["fc:GetFunctionCode" in lines[0], "fc:GetFunction)" in lines[1], len(lines)] == [True, True, 2]
    plane.package["2"] = (POST + "[odd]\nkey = 1\n", {**ENV, "WECHAT_APPID": ""})
    assert run(plane) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "Not compared" in line]
    assert line.endswith(": odd.")


def test_callers_are_compared_with_those_of_the_live_version_or_its_copy(plane, capsys):
    (plane.folder / ".env").write_text(f"TOKEN_SECRET={OLD}\n", "utf-8")
    s_yaml = S_YAML.replace("CALLER_AUTH: wechat", "CALLER_AUTH: several")
    (plane.folder / "s.yaml").write_text(s_yaml, "utf-8")
    own = plane.folder / "callers.toml"
    own.write_text(MAIN + UNNAMED + DOUYIN, "utf-8")
    plane.settings = {"CALLER_AUTH": "several", "TOKEN_SECRET": OLD}
    assert run(plane) == 0
    own.write_text(MAIN + UNNAMED, "utf-8")
    assert run(plane) == 0 and TT in capsys.readouterr().out
    own.write_text(MAIN, "utf-8")
    assert run(plane) == 2 and WX in capsys.readouterr().err
    plane.package["2"] = (POST, plane.settings)
    assert run(plane) == 0 and "callers.toml" in capsys.readouterr().out
