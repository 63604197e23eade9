"""The key pair with which the operator's commands ask the cloud."""

from tests.ops.account.stubs import SECRET, run


def test_setup_without_keys_names_the_missing_variable(cloud, monkeypatch, capsys):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert run(cloud, "--yes") == 2
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in capsys.readouterr().err


def test_takes_the_keys_that_the_deployment_tool_reads(cloud, monkeypatch):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    monkeypatch.setenv("AccessKeyID", "LTAIother")
    monkeypatch.setenv("AccessKeySecret", SECRET)
    assert run(cloud, "--yes") == 0
    assert {query["AccessKeyId"] for _, query in cloud.ram.calls} == {"LTAIother"}
