"""The key pair with which the operator's commands ask the cloud."""

from ops.deploy.cloud_keys import KEY_NAMES
from tests.ops.account.stubs import SECRET, run


def test_setup_without_keys_names_the_variables_of_the_deployment_tool(cloud, monkeypatch, capsys):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert run(cloud, "--yes") == 2
    printed = capsys.readouterr().err
    assert all(name in printed for name in KEY_NAMES)


def test_takes_the_keys_that_the_deployment_tool_reads(cloud, monkeypatch):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    monkeypatch.setenv("AccessKeyID", "LTAIother")
    monkeypatch.setenv("AccessKeySecret", SECRET)
    assert run(cloud, "--yes") == 0
    assert {query["AccessKeyId"] for _, query in cloud.ram.calls} == {"LTAIother"}
