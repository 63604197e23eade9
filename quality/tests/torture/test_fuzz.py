"""Each fuzz target for a moment, with inputs of hypothesis and of the blind fuzzer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.torture import fuzz, fuzz_keys, fuzz_pushes, fuzz_targets
from tests.support import stage
from tests.support.canaries import Watch

INPUTS = 400


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    profiles = tmp_path_factory.mktemp("fuzz") / "profiles.toml"
    profiles.write_text(stage.PROFILES, "utf-8")
    return fuzz_targets.Bench(Watch(), str(profiles))


@pytest.mark.parametrize("name", fuzz_targets.SEEDS)
def test_seeds_changed_at_random_raise_nothing_undocumented(bench, name):
    target = bench.targets()[name]
    assert fuzz.blind(name, target, fuzz_targets.SEEDS[name], INPUTS, bench.watch) == []
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
    tried = []

    def target(data):
        tried.append(data)
        raise KeyError("missing")

    (found,) = fuzz.blind("x", target, [b"NaN"], 50, Watch())
    assert len(tried) == 50
    assert "KeyError" in found
    assert found.endswith(f"from {tried[0]!r:.300}")


def test_each_target_reaches_the_code_under_test(bench, monkeypatch):
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
    monkeypatch.setattr(fuzz_keys, "readable", lambda wanted, *_: reached.add(wanted[0].key) or [])
    with pytest.raises(ValueError, match="not enough values"):
        bench.targets()["keys to read"](b"\x04")
    assert reached == {"plan", "x", fuzz_keys.KEYS[-1]}
    assert "response" in receipts


@pytest.mark.parametrize(
    ("number", "profile"), [(0, "own"), (1, None), (2, "all"), (3, None), (4, None), (5, None)]
)
def test_readable_and_unreadable_keys_are_both_reached(monkeypatch, number, profile):
    """A target whose keys are all refused at the door would prove nothing."""
    may, real = [], fuzz_keys.readable

    def noted(*asked):
        may.extend(found := real(*asked))
        return found

    monkeypatch.setattr(fuzz_keys, "readable", noted)
    fuzz_keys.KeysTarget()(bytes([number]))
    assert [one.profile.name for one in may][:1] == ([profile] if profile else [])


def test_an_encrypted_wechat_push_is_read_as_a_verdict(monkeypatch):
    """A target whose pushes are all refused at the door would prove nothing."""
    outcomes, real = [], fuzz_pushes.read_verdict

    def noted(event):
        outcomes.append(verdict := real(event))
        return verdict

    monkeypatch.setattr(fuzz_pushes, "read_verdict", noted)
    for seed in fuzz_pushes.SEEDS:
        fuzz_pushes.PushTarget()(seed)
    assert [verdict and verdict.outcome.name for verdict in outcomes] == ["PASS", "ERROR"]


@pytest.mark.parametrize("verdict", ["refused", "another", "unsigned"])
def test_a_push_that_is_opened_wrongly_is_reported(monkeypatch, verdict):
    def open_push(query, body, **_keys):
        if verdict == "refused":
            raise fuzz_pushes.Forbidden("no")
        return b"another"

    monkeypatch.setattr(fuzz_pushes, "open_push", open_push)
    how = fuzz_pushes.ANY_BODY if verdict == "unsigned" else fuzz_pushes.ANY_MESSAGE
    with pytest.raises(AssertionError):
        fuzz_pushes.PushTarget()(bytes([how]) + b"{}")
