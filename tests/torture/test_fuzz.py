"""Each fuzz target for a moment, with inputs of hypothesis and of the blind fuzzer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torture import blind_fuzz, fuzz_targets, stage
from torture.canaries import Watch

INPUTS = 400


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    profiles = tmp_path_factory.mktemp("fuzz") / "profiles.toml"
    profiles.write_text(stage.PROFILES, "utf-8")
    return fuzz_targets.Bench(Watch(), str(profiles))


@pytest.mark.parametrize("name", fuzz_targets.SEEDS)
def test_seeds_changed_at_random_raise_nothing_undocumented(bench, name):
    target = bench.targets()[name]
    assert blind_fuzz.run(name, target, fuzz_targets.SEEDS[name], INPUTS, bench.watch) == []
    assert bench.watch.found == []


@pytest.mark.parametrize("name", fuzz_targets.SEEDS)
def test_any_bytes_raise_nothing_undocumented(bench, name):
    target = bench.targets()[name]

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=200))
    def try_it(data):
        target(data)

    try_it()


def test_an_escape_is_reported_with_the_input_that_led_to_it():
    def target(data):
        if b"NaN" in data:
            raise KeyError("missing")

    (found,) = blind_fuzz.run("x", target, [b"NaN"], 50, Watch())
    assert "KeyError" in found
    assert "NaN" in found


def test_the_targets_reach_what_they_are_for(bench, monkeypatch):
    """A target whose inputs are all refused at the door would prove nothing."""
    reached = set()
    monkeypatch.setattr(bench, "_plan", lambda wanted: reached.add("plan"))
    bench.targets()["JSON bodies"](b'{"filename": "a.png"}')
    receipts = []
    monkeypatch.setattr(bench.watch, "search", lambda text, where: receipts.append(where))
    bench.targets()["callbacks"](bytes(90))
    bench.targets()["callbacks"](b"\x01" * 7)
    monkeypatch.setattr(bench, "_check_session", lambda claims: reached.add(claims["sub"]))
    bench.targets()["tokens"](bytes([2, 0, 0, 0, 0, 1, 0, 13]))
    assert reached == {"plan", "x"}
    assert "response" in receipts
