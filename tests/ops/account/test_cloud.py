"""The operator's clients of the cloud: who answers them must show a certificate."""

import dataclasses
import socket
import ssl

import pytest

from function.sts.credentials import AccessKeys
from ops.account.cloud import Account, CloudError
from tests.support.broken_server import answers, serving

KEYS = AccessKeys("LTAIoperator", "operator-secret", None)
FORGED = dataclasses.replace(answers(200, b'{"AccountId": "6666666666666666"}'), certificate="unknown")


def ask(origin):
    return Account(KEYS, "cn-hangzhou").ask((origin, "Sts", "2015-04-01"), "GetCallerIdentity", {})


@pytest.fixture
def forger():
    """A server that answers well, with a certificate of its own making."""
    with serving(FORGED) as origin:
        yield origin


def test_the_forger_works_without_certificate_verification(forger):
    host, _, port = forger.removeprefix("https://").partition(":")
    context = ssl._create_unverified_context()
    with context.wrap_socket(socket.create_connection((host, int(port)))) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"6666666666666666" in connection.recv(65536)


# The SDK asks for a protocol by its old name, and leaves the socket of a failed handshake open.
@pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS:DeprecationWarning", "ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("value", [None, "", "/nowhere/ca.pem"])
def test_an_untrusted_certificate_is_refused_whatever_the_environment_names(monkeypatch, forger, value):
    if value is None:
        monkeypatch.delenv("ALIBABA_CLOUD_CA_BUNDLE", raising=False)
    else:
        monkeypatch.setenv("ALIBABA_CLOUD_CA_BUNDLE", value)
    with pytest.raises(CloudError) as refused:
        ask(forger)
    assert refused.value.code == "NoAnswer"
