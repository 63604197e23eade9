"""Attacks and decisions name tests that exist; SECURITY has each secret and answers the standard."""

import re

import pytest

from function.auth import all_settings
from quality.attacks import table, text
from tests.docs.markdown import ROOT, page, tables

ATTACKS, REQUIREMENTS = table()["attack"], table()["requirement"]
PARTS_OF_A_DECISION = ["Context", "Decision", "Consequences", "Kept by"]
NAMED_TEST = re.compile(r"`(test_\w+)`")
ASVS = (
    "5.1.1 5.2.1 5.2.2 5.2.3 5.2.4 5.2.5 5.2.6 5.3.1 5.3.2 5.3.3 5.4.1 5.4.2 5.4.3"
    " 9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4"
).split()


@pytest.fixture(scope="module")
def names():
    """Names of Python tests, and titles of the client's."""
    paths = [path for folder in ("tests", "quality/tests") for path in (ROOT / folder).rglob("test_*.py")]
    found = {name for path in paths for name in re.findall(r"def (test_\w+)\(", path.read_text("utf-8"))}
    clients = [*(ROOT / "miniprogram/test").glob("*.test.js"), *(ROOT / "tests/ops/deploy").glob("*.test.js")]
    for path in clients:
        titles = re.findall(
            r"^(?:test|on[A-Z]\w+)\('(.+?)', ", path.read_text("utf-8").replace("\\'", "’"), flags=re.M
        )
        found |= {title.replace("’", "'") for title in titles}
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_names_tests_that_exist(attack, names):
    assert ATTACKS[attack]["tests"]
    assert set(ATTACKS[attack]["tests"]) - names == set()
    assert f"{attack}: {ATTACKS[attack]['what']}\n" in text()


def test_each_requirement_of_the_standard_is_answered_and_one_that_is_met_names_a_test(names):
    assert list(REQUIREMENTS) == ASVS
    for number, one in REQUIREMENTS.items():
        assert one["answer"] in ("met", "in part", "not met", "not applicable"), number
        assert one["answer"] != "met" or NAMED_TEST.findall(one["how"]), number
        assert set(NAMED_TEST.findall(one["how"])) - names == set()


@pytest.mark.parametrize("name", ["SECURITY.md", "docs/zh-CN/SECURITY.md"])
def test_every_secret_has_its_row_and_every_named_test_exists(name, names):
    rows = " ".join(row[0] for row in tables(page(name))[0])
    secrets = {row.name for row in all_settings() if row.is_secret} - {"UPLOAD_WEBHOOK_URL"}
    assert secrets
    assert [secret for secret in secrets if secret not in rows] == []
    assert set(NAMED_TEST.findall(page(name))) - names == set()


@pytest.mark.parametrize("name", ["docs/speed.md", "docs/testing.md", "docs/oss-open-points.md"])
def test_every_test_that_a_page_of_makers_names_exists(name, names):
    assert set(NAMED_TEST.findall(page(name))) - names == set()


def test_each_decision_has_a_number_four_parts_and_tests_that_exist(names):
    _, *decisions = re.split(r"^## ", page("docs/decisions.md"), flags=re.M)
    assert [int(text.partition(".")[0]) for text in decisions] == list(range(1, len(decisions) + 1))
    for decision in decisions:
        assert re.findall(r"^- \*\*(.+?)[.*]", decision, flags=re.M) == PARTS_OF_A_DECISION
        named = NAMED_TEST.findall(decision.rpartition("**Kept by**")[2])
        assert named and set(named) <= names
