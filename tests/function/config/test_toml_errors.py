"""A file that is no TOML: its line, and the slip that is usual there, in both languages."""

import json
import tomllib
from pathlib import Path

import pytest

from function.config.profiles import read_profiles
from function.config.toml_errors import message_of
from ops.terminal.messages import in_both

CASES = json.loads(Path(__file__).with_name("test_toml_errors.json").read_text("utf-8"))


@pytest.mark.parametrize(("text", "line", "named"), CASES)
def test_the_line_is_shown_with_its_usual_slip(text, line, named):
    with pytest.raises((ValueError, RecursionError)) as caught:
        tomllib.loads(text)
    message = message_of("profiles.toml", text, caught.value)
    assert message.values["line"] == line
    assert str(message.values["text"]) in text
    assert ("why" in message.values["why"].values) == named.startswith(("Expected", "Found"))
    for language in in_both(message.values["why"]):
        assert named in language


@pytest.mark.parametrize(("length", "shown"), [(55, f"{'b' * 54}…"), (54, "b" * 54)])
def test_a_long_line_is_cut_and_one_of_secrets_is_not_shown(length, shown):
    text = f"[a]\nkey = {'b' * length}"
    _, (problem,) = read_profiles(text, default_signature="v4")
    assert problem.sentence.values["text"] == f"key = {shown}"
    error = ValueError("Invalid value (at line 2, column 7)")
    assert message_of("callers.toml", text, error, is_secret=True).values["text"] == "…"


@pytest.mark.parametrize(
    ("text", "line"), [("x = " + "[" * 100_000, 1), (f"[a]\nb = {'9' * 5000}\n\n# end\n", 2)]
)
def test_nesting_and_numbers_beyond_measure_have_a_line_too(text, line):
    _, (problem,) = read_profiles(text, default_signature="v4")
    assert problem.sentence.values["line"] == line
