"""costs: what strangers and callers can cost, for eight deployments worked out by hand."""

import json
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from function.config.profiles import read_profiles
from ops.deploy.costs import cost_hints, prices
from ops.deploy.features import FEATURES
from ops.deploy.new_files import CALLER_KINDS, Answers, profiles_text
from ops.deploy.profile_lines import profiles_in
from tests.docs.markdown import both, page, tables
from tests.ops.deploy.project import ROOT

CASES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
SENTENCES = ("public", "checks", "day")
# Figures, months, profiles, folders and checkers: what differs between two deployments.
NAMED = r"\d{4}-\d\d|\d+(?:,\d{3})*(?:\.\d+)?|\[\w+\]|\b[a-z]+/|\baliyun\b|\bwechat\b"
REMEDIES = {"public": "read =", "checks": "files_per_day"}


def written(case, file):
    """The profiles of a case as a file."""
    lines = []
    for name, options in case["profiles"].items():
        plain = {"key": f"{name}/{{owner}}/{{id}}", "max_size": "1MiB", "content_types": ["image/*"]}
        lines.append(f"[{name}]")
        for option, value in {**plain, "confirm": True, **options}.items():
            lines.append(f"{option} = {json.dumps(value)}")
    file.write_text("\n".join(lines), "utf-8")
    return file


def sentences(case, tmp_path):
    settings = {"CALLER_AUTH": "wechat", **case.get("settings", {})}
    return [*cost_hints(settings, profiles_in(written(case, tmp_path / "profiles.toml")))]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("language", [0, 1], ids=["en", "zh"])
def test_the_sentences_name_what_was_worked_out_by_hand(name, language, tmp_path):
    case = CASES[name]
    for sentence, about in zip(sentences(case, tmp_path), SENTENCES, strict=True):
        said = sentence[language].split("docs/")[0]
        assert sorted(re.findall(NAMED, said)) == sorted(case[about]), about
        if about in REMEDIES:
            assert (REMEDIES[about] in said) == (about in case["open"])


def shipped():
    """What ships, with what its comments offer, and what ``init`` writes for each kind of caller."""
    example = (ROOT / "profiles.example.toml").read_text("utf-8").replace('# acl = "public-read"', "")
    yield re.sub(r"(?m)^# (?=\[|\w+ = )", "", example[example.index("\n[default]") :])
    for kind in CALLER_KINDS:
        answers = Answers("my-bucket", "cn-hangzhou", kind, "", "", [*FEATURES])
        yield profiles_text(answers, "en")


def test_shipped_profiles_are_private_with_short_addresses_and_variants():
    for text in shipped():
        profiles, problems = read_profiles(text, default_signature="v4")
        assert not problems and len(profiles) >= 4
        read = [one for one in profiles.values() if one.read]
        assert {one.acl for one in profiles.values()} == {"default"}
        assert max(one.read_for for one in read) <= timedelta(minutes=10)
        assert [one.name for one in read if not one.variants] == []


@pytest.mark.parametrize("name", both("docs/costs.md"))
def test_the_page_has_each_price_with_its_month(name):
    shown = [(float(re.match(r"[\d.]+", row[1])[0]), row[2]) for row in tables(page(name))[0]]
    assert shown == [(one["cny"], one["read"]) for one in prices().values()]
