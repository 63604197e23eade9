"""Ways to a deployed function, and to OSS with its form."""

import responses

from ops.client.form_upload import post_form
from ops.client.function_client import FunctionAtUrl


def test_an_address_keeps_the_prefix_of_a_custom_domain():
    with responses.RequestsMock() as stub:
        stub.post("https://api.example.com/uploads/v1/login", json={"token": "t"})
        assert FunctionAtUrl("https://api.example.com/uploads/v1/").ask("login", {}, "").status == 200


def test_of_a_form_the_fields_come_first_and_the_file_last():
    with responses.RequestsMock() as stub:
        # A redirect that would be followed leads to an address that the stub does not know.
        elsewhere = {"X-Oss-Ec": "1", "Location": "https://elsewhere.example.com/"}
        stub.post("https://oss.example.com/", status=307, body="<Error/>", headers=elsewhere)
        answer = post_form("https://oss.example.com/", {"key": "a/é", "policy": "p=="}, ("a.png", b"x" * 9))
        sent = stub.calls[0].request.body.decode()
    assert (answer.status, answer.text, answer.headers["x-oss-ec"]) == (307, "<Error/>", "1")
    assert sent.index('name="key"\r\n\r\na/é') < sent.index('name="policy"') < sent.index('name="file"')
    assert 'filename="a.png"' in sent and f"\r\n\r\n{'x' * 9}\r\n--" in sent
