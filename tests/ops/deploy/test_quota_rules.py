"""What ``check-deploy`` says of the Redis that quotas are counted in."""

from pathlib import Path

import pytest

from tests.ops.deploy.project import CONFIGURED, FOR_OPTIONAL_BLOCKS, check, switch_on

PASSWORD = "RedisPasswordSecretCanary0001"
TAIR = f"redis://:{PASSWORD}@r-bp1example.redis.rds.aliyuncs.com:6379/0"


def problems(project: Path, url: str, *, is_inside: bool = False) -> list[str]:
    file = project / "s.yaml"
    if is_inside:
        switch_on(project, "vpcConfig:")
    environ = {**CONFIGURED, **FOR_OPTIONAL_BLOCKS, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"}
    found = check(file, environ).problems
    assert PASSWORD not in str(found)
    return [problem.partition("QUOTA_URL ")[2] for problem in found]


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (TAIR, "vpcConfig"),
        (TAIR.replace("redis:", "rediss:"), "vpcConfig"),
        (f"redis://:{PASSWORD}@redis.example.com:6379", "rediss://"),
        (f"rediss://:{PASSWORD}@redis.example.com:6380", None),
    ],
)
def test_quota_url_needs_a_vpc_or_tls(project: Path, url: str, named: str | None) -> None:
    outside = problems(project, url)
    assert [named in problem for problem in outside] == ([True] if named else [])
    assert problems(project, url, is_inside=True) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_redis_of_this_machine_is_none_for_the_function(project: Path, host: str) -> None:
    assert len(problems(project, f"redis://:{PASSWORD}@{host}:6379", is_inside=True)) == 1


def test_a_custom_ca_file_must_be_beside_s_yaml(project: Path) -> None:
    url = f"rediss://:{PASSWORD}@redis.example.com?ssl_ca_certs="
    (project / "ca.pem").write_text("", "utf-8")
    (project.parent / "ca.pem").write_text("", "utf-8")
    assert problems(project, f"{url}ca.pem") == []
    for name in ("other.pem", "../ca.pem", str(project.parent / "ca.pem")):
        (problem,) = problems(project, f"{url}{name}")
        assert name in problem


@pytest.mark.parametrize(
    "url", ["redis://[", "redis://[::::]", "redis://host:65536", "redis://host:0", "redis://redis.."]
)
def test_an_invalid_quota_url_is_reported_once(project: Path, url: str) -> None:
    (found,) = check(project / "s.yaml", {**CONFIGURED, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"}).problems
    assert "QUOTA_URL" in found


@pytest.mark.parametrize("url", ["memory:", ""])
def test_quotas_without_redis_need_nothing(project: Path, url: str) -> None:
    found = check(project / "s.yaml", {**CONFIGURED, "QUOTA_URL": url, "QUOTA_WHEN_DOWN": "deny"}).problems
    assert found == []


def test_quota_url_memory_gets_a_per_instance_hint(project: Path) -> None:
    hints = check(project / "s.yaml", {**CONFIGURED, "QUOTA_URL": "memory:"}).hints
    assert len([hint for hint in hints if hint.startswith("QUOTA_URL = memory:")]) == 1
    assert not any("QUOTA_URL" in hint for hint in check(project / "s.yaml", CONFIGURED).hints)


def test_a_missing_quota_when_down_is_a_problem(project: Path) -> None:
    environ = {**CONFIGURED, "QUOTA_URL": f"rediss://:{PASSWORD}@redis.example.com"}
    (problem,) = check(project / "s.yaml", environ).problems
    assert "QUOTA_WHEN_DOWN" in problem
