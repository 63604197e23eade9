"""The documents hold what the code holds, and both languages hold the same."""

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

import errors
from handler import LOG_FIELDS, METHODS
from profiles import OPTIONS
from tokens import RECEIPT, issue_token

ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text("utf-8")
BOTH = pytest.mark.parametrize("readme", [ENGLISH, CHINESE], ids=["en", "zh"])
SECRET = "receipt-secret-0123456789abcdefghij"


def without_code(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def headings(text):
    return re.findall(r"^(#+) ", without_code(text), flags=re.M)


def code_blocks(text):
    return re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.S | re.M)


def tables(text):
    """Each table as the list of its first cells, its header and rule left out."""
    found = re.findall(r"(?:^\|.*\n)+", without_code(text), flags=re.M)
    return [[row.split("|")[1].strip() for row in table.splitlines()[2:]] for table in found]


def setting_names():
    source = (ROOT / "settings.py").read_text("utf-8")
    prefixes = "OSS|STS|CALLER|WECHAT|JWT|TOKEN|OWNER|CALLBACK|UPLOAD|LOGIN|PROFILES|ALLOWED|LOG"
    return set(re.findall(rf'"((?:{prefixes})_[A-Z_]+)"', source))


def error_classes(root=errors.UploadError):
    for kind in root.__subclasses__():
        yield from error_classes(kind)
        if hasattr(kind, "code"):
            yield kind


def strip_comments(code):
    return re.sub(r"\s*(#|//) .*", "", code)


def test_both_languages_have_the_same_headings():
    assert headings(ENGLISH) == headings(CHINESE)


def test_both_languages_have_the_same_tables():
    english, chinese = tables(ENGLISH), tables(CHINESE)
    assert [len(table) for table in english] == [len(table) for table in chinese]
    for row, twin in zip(sum(english, []), sum(chinese, []), strict=True):
        names = re.findall(r"`[^`]+`", row)
        assert names == re.findall(r"`[^`]+`", twin)
        assert row == twin or not twin.isascii()


def test_both_languages_have_the_same_code():
    english, chinese = code_blocks(ENGLISH), code_blocks(CHINESE)
    assert [(kind, strip_comments(code)) for kind, code in english] == [
        (kind, strip_comments(code)) for kind, code in chinese
    ]


@BOTH
def test_the_configuration_table_has_every_setting_and_no_other(readme):
    (table,) = [table for table in tables(readme) if "`OSS_BUCKET`" in table]
    assert {cell.strip("`") for cell in table} == setting_names()


def test_s_yaml_hands_over_every_setting_and_no_other():
    text = (ROOT / "s.yaml").read_text("utf-8")
    block = text[text.index("environmentVariables:") : text.index("triggers:")]
    assert set(re.findall(r"^ +([A-Z][A-Z_]+):", block, flags=re.M)) == setting_names()


@BOTH
def test_the_error_table_has_every_code_with_its_status(readme):
    (table,) = re.findall(r"^\| .+? \| code \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", readme, flags=re.M)
    rows = {tuple(cell.strip(" `") for cell in row.split("|")[1:3]) for row in table.splitlines()}
    assert rows == {(str(int(kind.status)), kind.code) for kind in error_classes()}


def test_every_error_code_has_one_class():
    codes = [kind.code for kind in error_classes()]
    assert len(codes) == len(set(codes)) == 16


@BOTH
def test_the_profile_table_has_every_option(readme):
    (table,) = [table for table in tables(readme) if "`content_types`" in table]
    named = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    assert named == OPTIONS


@BOTH
def test_every_route_is_described(readme):
    for route in METHODS:
        assert f"/{route}" in readme


@BOTH
def test_the_layout_table_has_every_module(readme):
    modules = {path.name for path in ROOT.glob("*.py")}
    assert {name for name in modules if f"`{name}`" not in readme} == set()


@BOTH
def test_every_relative_link_leads_somewhere(readme):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", without_code(readme)):
        assert (ROOT / target).exists(), target


@BOTH
def test_every_anchor_leads_to_a_heading(readme):
    titles = re.findall(r"^#+ (.+)$", without_code(readme), flags=re.M)
    anchors = {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}
    for anchor in re.findall(r"\]\(#([^)]+)\)", without_code(readme)):
        assert anchor in anchors


@BOTH
def test_every_make_target_that_is_named_exists(readme):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)\b(?=[`\s)])", readme)) <= targets | {"and"}


def literal_json(readme):
    return [json.loads(code) for kind, code in code_blocks(readme) if kind == "json"]


@BOTH
def test_the_json_shown_has_the_shape_of_a_real_answer(readme, instance, good_sts):
    real = instance().ask(body={"filename": "a.jpg"}).json
    (shown,) = [value for value in literal_json(readme) if "formData" in value]
    assert set(shown) == set(real)
    assert set(shown["formData"]) == set(real["formData"])


def receipt_of(clock, **changes):
    claims = {"sub": "openid", "jti": "id", "key": "a/图.png", **changes}
    return issue_token(claims, audience=RECEIPT, secrets=[SECRET], now=clock(), life=timedelta(days=36500))


def snippet(language):
    name = {"js": "verifyReceipt", "python": "verify_receipt"}[language]
    return next(code for kind, code in code_blocks(ENGLISH) if kind == language and name in code)


def node_verifies(receipt, secret=SECRET):
    script = (
        snippet("js")
        + "process.stdout.write(JSON.stringify(verifyReceipt(process.env.RECEIPT, process.env.SECRET)))"
    )
    environ = {"PATH": os.environ["PATH"], "RECEIPT": receipt, "SECRET": secret}
    return subprocess.run(
        ["node", "-e", script], env=environ, capture_output=True, text=True, timeout=30, check=False
    )


def test_the_node_snippet_takes_a_receipt_and_nothing_else(clock):
    assert shutil.which("node"), "Node >= 18 is needed"
    good = receipt_of(clock)
    shown = node_verifies(good)
    assert json.loads(shown.stdout)["key"] == "a/图.png", shown.stderr
    head, body, signature = good.split(".")
    other = issue_token({"sub": "x"}, audience="other", secrets=[SECRET], now=clock(), life=timedelta(days=1))
    for bad in (f"{head}.{body}x.{signature}", f"{head}.{body}.", f"{head}.{body}", "", other):
        assert node_verifies(bad).returncode != 0
    assert node_verifies(good, "another-secret-0123456789abcdefghij").returncode != 0


def test_the_python_snippet_takes_a_receipt_and_nothing_else(clock):
    import jwt

    names: dict = {}
    exec(snippet("python"), names)
    assert names["verify_receipt"](receipt_of(clock), SECRET)["sub"] == "openid"
    with pytest.raises(jwt.InvalidTokenError):
        names["verify_receipt"](receipt_of(clock), "another-secret-0123456789abcdefghij")


def test_the_mini_program_snippets_are_ten_lines_of_code_at_most():
    snippets = [code for kind, code in code_blocks(ENGLISH) if kind == "js" and "wx." in code]
    assert snippets
    for code in snippets[:2]:
        assert len([line for line in code.splitlines() if line.strip()]) <= 12


def test_the_log_fields_are_those_of_the_contract():
    assert list(LOG_FIELDS) == (
        "requestId route status code ms profile owner key uploadId stsRefreshed".split()
    )
