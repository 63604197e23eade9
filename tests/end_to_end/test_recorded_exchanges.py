"""Every response is, byte for byte, the recorded one; only the sentences for people may become plainer."""

import json

import pytest

from function import errors
from tests.support.exchanges import RECORDINGS, replay, without_sentences

SCENARIOS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(RECORDINGS.glob("*.json"))}
STEPS = [step for scenario in SCENARIOS.values() for step in scenario["steps"]]


@pytest.mark.parametrize("name", SCENARIOS)
def test_responses_calls_and_log_lines_are_the_recorded_ones(name, tmp_path):
    for step, recorded, played in replay(SCENARIOS[name], tmp_path):
        assert without_sentences(played) == without_sentences(recorded), step


def test_the_recording_covers_the_contract():
    codes = {step["played"]["log"]["code"] for step in STEPS} - {None}
    declared = {error.code for error in vars(errors).values() if hasattr(error, "code")}
    assert len(STEPS) >= 250
    assert codes == declared
    assert sum("wsgi" in step for step in STEPS) >= 100 <= sum("event" in step for step in STEPS)
