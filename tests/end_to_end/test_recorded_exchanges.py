"""Every response is, byte for byte, the recorded one; only the sentences for people may become plainer."""

import json
from itertools import product
from pathlib import Path

import pytest
import yaml

from function import errors
from tests.support.exchanges import RECORDINGS, replay, without_sentences

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
SCENARIOS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RECORDINGS.glob("*.json"))}
STEPS = [step for scenario in SCENARIOS.values() for step in scenario["steps"]]


@pytest.mark.parametrize("name", SCENARIOS)
def test_responses_calls_and_log_lines_are_the_recorded_ones(name, tmp_path):
    for step, recorded, played in replay(SCENARIOS[name], tmp_path):
        assert without_sentences(played) == without_sentences(recorded), step


def test_the_recording_covers_the_contract():
    codes = {step["played"]["log"]["code"] for step in STEPS}
    declared = {error.code for error in vars(errors).values() if hasattr(error, "code")}
    assert codes == declared | {None}
    answered = {(step["played"]["log"]["route"], step["played"]["log"]["code"] is None) for step in STEPS}
    routes = [path[1:] for path in yaml.safe_load(DOCUMENT.read_text("utf-8"))["paths"]]
    assert {*product(routes, (True, False))} - answered == {("health", False)}
    assert sum("wsgi" in step for step in STEPS) >= 60 <= sum("event" in step for step in STEPS)
