"""Each fuzz target for a moment, and that a target misses a parser that lets through what it must not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.torture import fuzz_pushes, fuzz_targets
from tests.support import stage
from tests.support.canaries import Watch


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    profiles = tmp_path_factory.mktemp("fuzz") / "profiles.toml"
    profiles.write_text(stage.PROFILES, "utf-8")
    return fuzz_targets.Bench(Watch(), str(profiles))


@pytest.mark.parametrize("name", fuzz_targets.SEEDS)
def test_seeds_and_any_bytes_raise_nothing_undocumented(bench, name):
    target = bench.targets()[name]

    @settings(max_examples=60, deadline=None)
    @given(st.sampled_from(fuzz_targets.SEEDS[name]) | st.binary(max_size=200))
    def try_it(data):
        target(data)

    try_it()
    assert bench.watch.found == []


def test_a_push_that_is_opened_wrongly_is_detected(monkeypatch):
    monkeypatch.setattr(fuzz_pushes, "open_push", lambda *_, **__: b"another")
    for how in (fuzz_pushes.ANY_BODY, fuzz_pushes.ANY_MESSAGE):
        with pytest.raises(AssertionError):
            fuzz_pushes.PushTarget()(bytes([how]) + b"{}")


def test_a_receipt_for_another_object_is_detected(bench, monkeypatch):
    """Every input that is refused at the door would prove nothing."""
    verified = fuzz_targets.verify_callback
    monkeypatch.setattr(
        fuzz_targets, "verify_callback", lambda *given: verified(*given)._replace(key="uploads/b.png")
    )
    with pytest.raises(AssertionError):
        for data in (bytes(90), b"\x01" * 7):
            bench.targets()["callbacks"](data)
