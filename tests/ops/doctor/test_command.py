"""``manage.py doctor`` as a whole: its order, its screen, its exit status."""

import argparse
import io

import pytest

from local.cloud import FUNCTION_KEY
from ops.doctor import command as doctor
from ops.doctor.examination import Visit, examine
from ops.doctor.findings import State
from ops.terminal.screen import GREEN, RED, Screen

REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens there


def test_a_correct_deployment_is_good_in_every_line(here):
    findings = here.examine()
    assert {one.state for one in findings} == {State.GOOD}
    names = [one.check.en for one in findings]
    assert names == [
        "Settings", "Clock", "Bucket", "WeChat login", "Caller's keys", "AssumeRole", "Upload [default]",
        "Upload [avatar]", "Upload [video]", "Upload [album]", "Upload [post]", "Upload [note]",
        "Upload [legacy]",
        "A changed key, A public file of [legacy]",
        "Confirm [default], Read [default]",
        "Keys behind forms, Published [post], Hold [post], List of what is due, Deletion session",
        "Removal",
        "Callback, Message push, Timer", "Deployed function, Phones at one instant",
    ]  # fmt: skip


def test_doctor_removes_its_uploads(here):
    files = {path for path in here.folder.rglob("*") if path.is_file()}
    here.cloud.oss.faults.plan("status_500", times=1, on=["PostObject"])
    assert len(here.examine().of("Upload", State.GOOD)) == len(here.profiles) - 1
    assert {path for path in here.folder.rglob("*") if path.is_file()} == files


def test_no_uploads_option_uploads_nothing(here):
    names = [one.check.en for one in here.examine(uploads=False)]
    assert not any(name.startswith(("Upload", "Removal", "Another")) for name in names)
    assert "AssumeRole" in names


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(here, language="en", stream=None, url=None, environ=None, **changes):
    stream = stream or io.StringIO()
    environ = {**(environ or here.environ), **changes}
    url = here.gateway.origin if url is None else url
    code = doctor.show(
        examine(environ, Visit(url)), environ, url, Screen(stream, {"TERM": "xterm"}), language
    )
    return code, stream.getvalue()


def test_doctor_exits_1_on_any_bad_finding(here):
    assert shown(here)[0] == 0
    assert shown(here, STS_ROLE_ARN="acs:ram::1000000000000001:role/nobody")[0] == 1


def test_each_of_two_buckets_has_its_lines_below_it(here):
    code, text = shown(here, environ=here.both)
    assert code == 0
    lines = text.splitlines()
    [own, other] = [at for at, line in enumerate(lines) if line.startswith("local-")]
    assert lines[own].startswith("local-bucket, cn-hangzhou: [default], ")
    assert lines[other] == "local-archive, cn-shanghai: [contract]"
    after = lines.index(next(line for line in lines if line.startswith("✓ Callback")))
    assert {line[:4] for at in (own, other) for line in lines[at + 1 : other if at == own else after]} == {
        "  ✓ "
    }
    assert all(line.startswith("✓ ") for line in lines[:own])


def test_a_bucket_s_problem_is_printed_below_it_with_the_remedy(here):
    here.cloud.archive.faults.plan("status_500", times=1, on=["PostObject"])
    code, text = shown(here, environ=here.both)
    assert code == 1
    below = text.partition("local-archive, cn-shanghai: [contract]\n")[2].splitlines()
    assert below[0].startswith("  ✗ Upload [contract]: HTTP 500")
    assert below[1].startswith("      → ")


def test_lines_are_green_and_red_on_a_terminal_only(here):
    _, coloured = shown(here, stream=Terminal(), url=REFUSED)
    assert f"\x1b[{GREEN}m✓ Settings" in coloured
    assert f"\x1b[{RED}m✗ Deployed function" in coloured
    _, plain = shown(here, url=REFUSED)
    assert "\x1b" not in plain


def test_fits_one_screen_with_the_profiles_that_ship_and_has_a_line_for_each_more(here):
    _, text = shown(here)
    shipped = 5
    assert len(text.splitlines()) <= 24 + len(here.profiles) - shipped


def test_speaks_chinese_throughout(here):
    code, text = shown(here, "zh", STS_ROLE_ARN="acs:ram::1000000000000001:role/nobody")
    assert code == 1
    for line in text.splitlines():
        if line[:1] in {"✓", "✗", "!", "→"}:
            assert any("\u4e00" <= mark <= "\u9fff" for mark in line) or "AssumeRole" in line, line


@pytest.mark.parametrize("language", ["en", "zh"])
def test_prints_no_secret(here, language):
    here.cloud.sts.faults.plan("drop", times=1)
    _, text = shown(here, language)
    here.cloud.oss.faults.plan("expired_form")
    _, more = shown(here, language)
    secrets = [FUNCTION_KEY.access_key_secret, here.environ["TOKEN_SECRET"], here.environ["WECHAT_SECRET"]]
    for secret in secrets:
        assert secret not in text + more
    assert "CAIS" not in text + more
    assert "Signature=" not in text + more


def run(monkeypatch, *options):
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    return doctor.run(parser.parse_args([*options, "--env-file", "/does/not/exist/.env"]))


def test_the_command_reads_the_environment(here, monkeypatch, capsys):
    for name, value in here.environ.items():
        monkeypatch.setenv(name, value)
    assert run(monkeypatch, "--url", here.gateway.origin, "--lang", "en") == 0


def test_the_command_exits_1_when_nothing_is_set(monkeypatch, capsys):
    for name in ("OSS_BUCKET", "OSS_REGION", "STS_ROLE_ARN", "CALLER_AUTH", "CALLBACK_URL"):
        monkeypatch.delenv(name, raising=False)
    assert run(monkeypatch, "--lang", "en") == 1
    assert "OSS_BUCKET" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["api.example.com", "ftp://x/", "https://x.example.com/?a=1"])
def test_the_command_exits_2_for_an_address_that_is_none(monkeypatch, capsys, url):
    assert run(monkeypatch, "--url", url, "--lang", "en") == 2
    assert "--url" in capsys.readouterr().err


def test_the_command_examines_a_local_cloud_of_its_own():
    import subprocess
    import sys
    from pathlib import Path

    code = (
        "import argparse, sys; from ops.doctor import command as doctor; p = argparse.ArgumentParser();"
        "doctor.add_arguments(p); sys.exit(doctor.run(p.parse_args(['--local', '--lang', 'zh'])))"
    )
    root = Path(doctor.__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
