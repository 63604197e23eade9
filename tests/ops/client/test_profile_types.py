"""``manage.py types``: the names of profiles and variants as a file for tsc."""

import argparse

import pytest

from ops.client import profile_types
from ops.terminal.command_line import run_command
from tests.ops.words import chinese_in

TWO = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "1MiB"
read = "owner"
content_types = ["image/*"]
variants = { thumb = "image/resize,w_200", large = "image/resize,w_1600" }
[scan-2]
key = "scans/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["application/pdf"]
[legacy]
key = "test/{owner}/{filename}"
max_size = "1MiB"
"""


def run_on(tmp_path, text=TWO, lang="en", check=False, output=None):
    file = tmp_path / "profiles.toml"
    file.write_text(text, "utf-8")
    args = argparse.Namespace(file=file, output=output, check=check, lang=lang)
    return run_command(profile_types.run, args)


def test_each_profile_has_its_variants_and_pages_of_classic_forms_are_left_out(tmp_path, capsys):
    assert run_on(tmp_path) == 0
    lines = (tmp_path / "profiles.d.ts").read_text("utf-8").splitlines()
    assert lines[-4:] == [
        "export type Profiles = {",
        '  "default": { variants: "thumb" | "large" }',
        '  "scan-2": { variants: never }',
        "}",
    ]
    written, *_ = capsys.readouterr().out.splitlines()
    assert written.startswith(str(tmp_path / "profiles.d.ts")) and ": default, scan-2. " in written


def test_check_tells_whether_the_file_is_of_today_and_writes_nothing(tmp_path, capsys):
    assert run_on(tmp_path, check=True) == 2
    assert not (tmp_path / "profiles.d.ts").exists()
    assert "manage.py types" in capsys.readouterr().err
    run_on(tmp_path)
    assert run_on(tmp_path, check=True) == 0
    assert run_on(tmp_path, TWO.replace("thumb", "tiny"), check=True) == 2
    assert "thumb" in (tmp_path / "profiles.d.ts").read_text("utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_wrong_profiles_are_named_and_not_written(tmp_path, capsys, lang):
    assert run_on(tmp_path, TWO.replace('"1MiB"', '"1M"'), lang) == 2
    error = capsys.readouterr().err
    assert "max_size" in error and bool(chinese_in(error)) is (lang == "zh")
    assert not (tmp_path / "profiles.d.ts").exists()


def test_a_file_that_cannot_be_read_or_written_is_a_sentence(tmp_path, capsys):
    missing = argparse.Namespace(file=tmp_path / "none.toml", output=None, check=False, lang="en")
    assert run_command(profile_types.run, missing) == 2
    assert "none.toml" in capsys.readouterr().err
    assert run_on(tmp_path, lang="zh", output=tmp_path / "none" / "profiles.d.ts") == 2
    assert chinese_in(capsys.readouterr().err)
