"""``manage.py doctor`` as a whole: its order, its screen, its exit status."""

import argparse
import io

import pytest

from local.cloud import FUNCTION_KEY
from ops.doctor import command as doctor
from ops.doctor.examination import Visit, examine
from ops.terminal.command_line import run_command
from ops.terminal.screen import Screen


def test_no_uploads_option_uploads_nothing(here):
    names = [one.check.en for one in here.examine(uploads=False)]
    assert not any(name.startswith(("Upload", "Removal", "Another")) for name in names)
    assert "AssumeRole" in names


def shown(here, language="en", environ=None, **changes):
    stream, url = io.StringIO(), here.gateway.origin
    environ = {**(environ or here.environ), **changes}
    found = examine(environ, Visit(url, here.cloud.wechat.issue_code()))
    code = doctor.show(found, environ, url, Screen(stream, {"TERM": "xterm"}), language)
    return code, stream.getvalue()


def test_a_bucket_s_problem_is_printed_below_it_with_the_remedy(here):
    here.cloud.archive.faults.plan("status_500", times=1, on=["PostObject"])
    code, text = shown(here, environ=here.both)
    assert code == 1
    below = text.partition("local-archive, cn-shanghai: [contract]\n")[2].splitlines()
    (at,) = [at for at, line in enumerate(below) if line.startswith("  ✗ Upload [contract]: HTTP 500")]
    assert below[at + 1].startswith("      → ")


def test_prints_no_secret(here):
    here.cloud.sts.faults.plan("drop", times=1)
    here.cloud.oss.faults.plan("expired_form")
    _, text = shown(here)
    secrets = [FUNCTION_KEY.access_key_secret, here.environ["TOKEN_SECRET"], here.environ["WECHAT_SECRET"]]
    assert [one for one in (*secrets, "CAIS", "Signature=") if one in text] == []


def run(*options):
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    return run_command(
        doctor.run, parser.parse_args(["--env-file", "/does/not/exist/.env", "--lang", "en", *options])
    )


@pytest.mark.parametrize(
    ("options", "is_said"), [(["--timer"], True), (["--content-check"], True), ([], False)]
)
def test_an_examination_that_takes_minutes_says_so_first(monkeypatch, capsys, options, is_said):
    monkeypatch.delenv("OSS_BUCKET", raising=False)
    run(*options)
    assert capsys.readouterr().out.startswith(doctor.WAITS.en) is is_said


@pytest.mark.parametrize(("options", "named"), [
    *((["--url", url], "--url") for url in ("api.example.com", "ftp://x/", "https://x.example.com/?a=1")),
    (["--local", "--rule", "none=true"], "'none'"), (["--report", "x.md"], "--report"),
    (["--rule", "v1_retired=true"], "--rule"), (["--local", "--url", "https://x.example.com/"], "--url"),
    (["--local", "--code", "x"], "--code"), (["--local", "--token", "x"], "--token"),
])  # fmt: skip
def test_the_command_exits_2_for_an_option_that_is_wrong(capsys, options, named):
    assert run(*options) == 2
    assert named in capsys.readouterr().err


def test_the_command_examines_a_local_cloud_of_its_own(capsys, own_process):
    assert run("--local", "--lang", "zh") == 0, capsys.readouterr().out
