"""What ``doctor`` says of the Redis that quotas are counted in."""

from itertools import count
from types import SimpleNamespace

import pytest

from function.app import load_settings
from ops.doctor.findings import State
from ops.doctor.quotas import check_quotas
from tests.function.limits.requests_to_stores import Canned, numbers
from tests.support.cases import cases_beside, text_beside

cases = cases_beside(__file__)

PASSWORD = "RedisPasswordSecretCanary0001"
COUNTED = numbers(0, 0, 0, 1_795_529_600)
PROFILES = text_beside(__file__)


@pytest.fixture
def found(environment, profiles_file, monkeypatch):
    """The finding about this store; quotas on these profiles; ``took`` seconds for each answer."""

    def find(url, when_down="deny", quotas="", took=0.001):
        clock = SimpleNamespace(perf_counter=count(0, took).__next__)
        monkeypatch.setattr("ops.doctor.quotas.time", clock)
        text = PROFILES
        for name in quotas:
            text = text.replace(f"[{name}]\n", f"[{name}]\nfiles_per_day = 5\n")
        environ = {**environment, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": when_down}
        settings = load_settings({**environ, "PROFILES_FILE": profiles_file(text)})
        return list(check_quotas(settings))

    return find


@pytest.fixture
def answering():
    servers = []

    def serve(*answers):
        servers.append(Canned(*answers))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


def test_a_redis_that_answers_is_measured_and_nothing_is_counted(found, answering):
    server = answering(*[COUNTED] * 6)
    (finding,) = found(server.url, quotas="ab")
    assert finding.state is State.GOOD
    assert all("[a], [b]" in said and "deny" in said for said in (finding.said.en, finding.said.zh))
    assert len(server.received) == 6
    assert all(b"{my-bucket/doctor}:request:" in asked for asked in server.received)
    assert not any(b":day:" in asked or b":rate:" in asked for asked in server.received)


def test_a_redis_far_away_is_doubted(found, answering):
    (finding,) = found(answering(*[COUNTED] * 6).url, took=0.2)
    assert finding.state is State.UNSURE
    assert "300 ms" in finding.remedy.en


@cases("when_down", "quotas", "said")
def test_an_unreachable_quota_store_reports_its_consequence(found, when_down, quotas, said):
    (finding,) = found(f"redis://:{PASSWORD}@127.0.0.1:9", when_down, quotas)
    assert finding.state is State.UNSURE
    assert "ConnectionRefusedError" in finding.said.en and said in finding.said.en
    assert "VPC" in finding.remedy.en
    assert PASSWORD not in repr(finding)


@cases("answer", "kind")
def test_a_redis_that_refuses_must_be_mended(found, answering, answer, kind):
    (finding,) = found(answering(answer).url)
    assert finding.state is State.BAD
    assert kind in finding.said.en
    assert finding.remedy is not None


def test_memory_quotas_give_no_finding(found):
    assert found("memory:") == []
