"""Both services as stubs, the operator's keys in the environment, and a profiles file."""

import argparse
import re
from contextlib import ExitStack

import pytest
import responses

from tests.ops.account.stubs import (
    BUCKET_HOST,
    CONTRACTS_HOST,
    PROFILES,
    SDK_ADAPTER,
    SECRET,
    StubMetrics,
    StubOss,
    StubRam,
)


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    """Stubs of both services, the operator's keys in the environment, and a profiles file."""
    for name in ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "DEBUG", "STS_ROLE_ARN",
                 "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "STS_SESSION_SECONDS",
                 "FUNCTION_ROLE_NAME", "LOG_PROJECT", "AccessKeyID", "AccessKeySecret", "FUNCTION_NAME",
                 "ALIBABA_CLOUD_SECURITY_TOKEN"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAItest")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET)
    monkeypatch.setenv("OSS_BUCKET", "my-bucket")
    monkeypatch.setenv("OSS_REGION", "cn-hangzhou")
    monkeypatch.setenv("PROFILES_FILE", str(tmp_path / "profiles.toml"))
    monkeypatch.setattr("sys.stdin", None)
    (tmp_path / "profiles.toml").write_text(PROFILES)
    ram, oss, contracts = StubRam(), StubOss(), StubOss("oss-cn-shanghai")
    metrics = StubMetrics()
    with ExitStack() as stack:
        rpc = responses.RequestsMock(target=SDK_ADAPTER, assert_all_requests_are_fired=False)
        http = responses.RequestsMock(assert_all_requests_are_fired=False)
        for stub in (rpc, http):
            stack.enter_context(stub)
        rpc.add_callback("POST", re.compile(r"https://(ram|sts)\.aliyuncs\.com/"), ram)
        rpc.add_callback("POST", re.compile(r"https://metrics\.[\w-]+\.aliyuncs\.com/"), metrics)
        for method in ("GET", "PUT"):
            http.add_callback(method, re.compile(re.escape(BUCKET_HOST)), oss)
            http.add_callback(method, re.compile(re.escape(CONTRACTS_HOST)), contracts)
        profiles = tmp_path / "profiles.toml"
        yield argparse.Namespace(ram=ram, oss=oss, contracts=contracts, metrics=metrics, profiles=profiles)
