"""What is written for assistants names files, commands, options and settings that are there."""

import re
import subprocess

import pytest

from function.auth import all_settings
from function.config.option_table import OPTION_NAMES
from tests.docs.llms import FILES
from tests.docs.markdown import ROOT, code_blocks, headings, links, names_in, page, table_of, without_code

SKILL = "docs/skill/SKILL.md"
FOR_ASSISTANTS = [SKILL, "docs/agents.md"]
TAG = ROOT / "miniprogram/example/utils/oss-direct-upload/uploader/uploader.js"


@pytest.mark.parametrize("name", FILES)
def test_a_file_for_assistants_is_what_its_program_makes(name):
    # Otherwise: python -m tests.docs.llms
    assert page(name) == FILES[name]()


def test_the_whole_has_each_page_with_links_that_lead_somewhere():
    text = page("llms-full.txt")
    names = re.findall(r"^<!-- (\S+) -->$", text, re.M)
    assert len(names) == len(set(names)) > 20
    assert [name for name in names if headings(page(name))[0][1] not in text] == []
    listed = [*links(page("llms.txt")), *links(text)]
    assert [target for target, _ in listed if not (ROOT / target).exists()] == []


@pytest.mark.parametrize("name", FOR_ASSISTANTS)
def test_every_path_that_is_named_exists(name):
    said = [word for text in names_in(without_code(page(name))) for word in text.split()]
    paths = [word for word in said if re.fullmatch(r"[\w-]+(/[\w.-]+)+|[\w-]+\.(txt|md|toml)", word)]
    generated = {"profiles.toml", "AGENTS.md"}
    assert (
        len(paths) > 2
        and [path for path in paths if path not in generated and not (ROOT / path).exists()] == []
    )
    backends = [word for word in said if re.fullmatch(r"\w+\.js", word)]
    assert [file for file in backends if not (ROOT / "docs/backends" / file).exists()] == []


def test_the_skill_is_copied_as_the_page_says(tmp_path):
    ((_, lines),) = [block for block in code_blocks(page("docs/agents.md")) if block[0] == "sh"]
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "docs").symlink_to(ROOT / "docs")
    subprocess.run(["bash", "-euc", lines], cwd=tmp_path / "clone", timeout=60, check=True)
    (copied,) = (tmp_path / "my-app").rglob("SKILL.md")
    assert copied.read_text("utf-8") == page(SKILL)
    assert re.search(rf"^name: {copied.parent.name}$", page(SKILL), re.M)


def test_each_wish_names_options_settings_and_attributes_that_are_there():
    rows = table_of(page(SKILL), "thumbnails in lists")
    assert len(rows) > 12
    settings, attributes = {row.name for row in all_settings()}, TAG.read_text("utf-8")
    for _, how in rows:
        for text in names_in(how):
            name = re.split(r"[ =]", text)[0]
            if re.fullmatch(r"[a-z_]+", name) and name not in ("replaces", "variant", "compress"):
                assert name in OPTION_NAMES, name
            elif re.fullmatch(r"[A-Z_]+", name):
                assert name in settings, name
            elif re.fullmatch(r"[a-z]+-[a-z]+(=.*)?", text):
                first, second = text.partition("=")[0].split("-")
                assert f"{first}{second.capitalize()}:" in attributes, text
