"""Who gets into the local cloud: this machine, and by one more address who was let in."""

import contextlib
import functools
import http.client
import json
import sys

import pytest

from local.cloud import LocalCloud
from local.common.accounts import Accounts
from local.common.http_server import Handler
from local.common.reach import HERE_ONLY, Reach
from local.common.service import Service
from local.fc.gateway import FcGateway
from local.oss.rules import OssRules
from local.oss.server import OssServer
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

# On Linux the whole of 127/8 is this machine: these play an address in a network, and one in another.
NETWORK, OTHER_NETWORK = "127.0.0.2", "127.0.0.3"
PHONES = Reach(NETWORK, NETWORK)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")


class Greeter(Handler):
    def do_GET(self):
        self.answer_json(200, {"is_foreign": self.is_of_foreign_page()})


@pytest.fixture
def serve():
    with contextlib.ExitStack() as running:

        def start(reach):
            service = Service(functools.partial(Greeter), reach=reach).start()
            running.callback(service.stop)
            return service

        yield start


def ask(service, at="127.0.0.1", **headers):
    port = int(service.origin.rpartition(":")[2])
    with contextlib.closing(http.client.HTTPConnection(at, port, timeout=60)) as connection:
        connection.request("GET", "/", headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@on_linux
def test_a_service_is_local_unless_phones_are_allowed(serve):
    with pytest.raises(ConnectionRefusedError):
        ask(serve(HERE_ONLY), NETWORK)
    assert ask(serve(PHONES), NETWORK)[0] == 200


@on_linux
def test_connections_from_another_network_are_dropped(serve):
    service = serve(PHONES)
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        ask(service, OTHER_NETWORK, Host=NETWORK)
    assert ask(service)[0] == 200


@pytest.mark.parametrize("host", ["192.168.1.5", "192.168.1.5:9000", "127.0.0.1:1", "localhost", "[::1]"])
def test_the_chosen_address_is_an_accepted_host(serve, host):
    assert ask(serve(Reach("192.168.1.5", NETWORK)), Host=host)[0] == 200


@cases("host")
def test_other_hosts_are_refused_even_with_phones_allowed(serve, host):
    status, body = ask(serve(Reach("192.168.1.5", NETWORK)), Host=host)
    assert status == 421
    assert "192.168.1.5" in body["error"]


@cases("origin", "is_foreign")
def test_a_page_at_the_chosen_address_is_none_of_a_stranger(serve, origin, is_foreign):
    body = ask(serve(Reach("192.168.1.5", NETWORK)), Origin=origin)[1]
    assert body == {"is_foreign": is_foreign}


def test_a_service_has_a_loopback_origin_and_an_outer_origin(serve):
    service = serve(Reach("192.168.1.5", NETWORK))
    port = service.origin.removeprefix("http://127.0.0.1:")
    assert service.outer_origin == f"http://192.168.1.5:{port}"
    assert serve(HERE_ONLY).outer_origin.startswith("http://127.0.0.1:")


class ControlApi(Greeter):
    def do_PUT(self):
        if not self.turns_away_strangers():
            self.answer_json(200, {})


@pytest.mark.parametrize(
    ("at", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.0.0.1", {"Host": "localhost:9000"}, 200),
        ("127.0.0.1", {"Origin": "http://127.0.0.1:9004"}, 200),
        # A phone, by whatever name it calls; and a page that it has open, sent by a browser of this machine.
        pytest.param(NETWORK, {}, 403, marks=on_linux),
        pytest.param(NETWORK, {"Host": "127.0.0.1"}, 403, marks=on_linux),
        pytest.param(NETWORK, {"Host": "localhost", "Origin": "http://localhost"}, 403, marks=on_linux),
        ("127.0.0.1", {"Host": NETWORK}, 403),
        ("127.0.0.1", {"Origin": f"http://{NETWORK}:9004"}, 403),
        ("127.0.0.1", {"Origin": "null"}, 403),
    ],
)
def test_phones_cannot_use_the_control_api(at, headers, status):
    service = Service(ControlApi, reach=PHONES).start()
    with contextlib.closing(http.client.HTTPConnection(at, port_of(service), timeout=60)) as connection:
        connection.request("PUT", "/", headers=headers)
        assert connection.getresponse().status == status
    service.stop()


@on_linux
@pytest.mark.parametrize("target", ["/-/faults", "/-/lifecycle"])
def test_a_phone_neither_plans_faults_at_the_bucket_nor_lets_days_pass(tmp_path, target):
    oss = OssServer(Accounts(), "bucket", "cn-hangzhou", tmp_path, reach=PHONES).start()
    statuses = {}
    for at in ("127.0.0.1", NETWORK):
        with contextlib.closing(http.client.HTTPConnection(at, port_of(oss), timeout=60)) as connection:
            connection.request("PUT", target, b'{"kind": "drop"}' if "faults" in target else b'{"days": 1}')
            statuses[at] = connection.getresponse().status
    oss.stop()
    assert statuses == {"127.0.0.1": 200, NETWORK: 403}


@on_linux
def test_a_phone_has_one_form_fail_through_the_playground(tmp_path):
    gateway = FcGateway(lambda event, context: {"statusCode": 200}, reach=PHONES)
    with LocalCloud(gateway, tmp_path) as cloud:
        playground = cloud.playground
        with contextlib.closing(http.client.HTTPConnection(NETWORK, port_of(playground))) as connection:
            headers = {"Origin": playground.outer_origin}
            connection.request("POST", "/fault.json", b'{"kind": "drop"}', headers)
            assert connection.getresponse().status == 200
        planned = cloud.oss.faults
        assert planned.take("GetObject") is None
        assert planned.take("PostObject").kind == "drop"
        assert planned.take("PostObject") is None
    gateway.stop()


@pytest.fixture
def cloud(tmp_path):
    def answers_with_the_oss_it_was_given(event, context):
        form = {"url": cloud.environment()["OSS_HOST"], "formData": {"key": "a"}}
        form["others"] = [cloud.archive.origin, f"{cloud.oss.origin}0"]
        return {"statusCode": 200, "body": json.dumps(form)}

    gateway = FcGateway(answers_with_the_oss_it_was_given, reach=Reach("192.168.1.5", NETWORK))
    with LocalCloud(gateway, tmp_path) as cloud:
        yield cloud
    gateway.stop()


def test_phones_get_network_addresses_and_the_function_loopback_ones(cloud):
    inner = cloud.environment()
    assert all("192.168.1.5" not in value for name, value in inner.items() if name != "ALLOWED_ORIGINS")
    assert f"http://192.168.1.5:{port_of(cloud.playground)}" in inner["ALLOWED_ORIGINS"].split(",")
    outer = cloud.addresses()
    for name, service in (("function", cloud.gateway), ("oss", cloud.oss), ("playground", cloud.playground)):
        assert outer[name] == f"http://192.168.1.5:{port_of(service)}"
    of_buckets = [f"http://192.168.1.5:{port_of(service)}" for service in (cloud.oss, cloud.archive)]
    assert [bucket["oss"] for bucket in outer["buckets"]] == of_buckets
    assert cloud.page_config()["function"] == outer["function"]
    assert cloud.page_config()["oss"] == outer["oss"]
    assert cloud.signed_url("a").startswith(outer["oss"] + "/a?")
    assert cloud.signed_url("a", "local-archive").startswith(of_buckets[1] + "/a?")


def test_sts_and_wechat_stay_with_the_function(cloud):
    assert cloud.sts.reach == cloud.wechat.reach == HERE_ONLY


def test_a_form_names_each_oss_that_a_phone_can_call(cloud):
    cloud.gateway.start()
    with contextlib.closing(http.client.HTTPConnection(cloud.gateway.origin[7:], timeout=60)) as connection:
        connection.request("POST", "/upload-params", body=b"{}")
        answer = connection.getresponse()
        body = answer.read()
    said, archive = json.loads(body), cloud.addresses()["buckets"][1]["oss"]
    assert (said["url"], said["formData"]) == (cloud.addresses()["oss"], {"key": "a"})
    # A port that only begins like one of theirs is another's.
    assert said["others"] == [archive, f"{cloud.oss.origin}0"]
    assert len(body) == int(answer.headers["Content-Length"])


def test_the_chosen_address_counts_as_the_default_host(tmp_path):
    gateway = FcGateway(lambda event, context: {"statusCode": 200}, reach=Reach("192.168.1.5", NETWORK))
    with LocalCloud(gateway, tmp_path, rules=OssRules(public_endpoint_forbidden=True)) as cloud:
        statuses = {host: code_of(cloud.oss, host) for host in ("192.168.1.5", "127.0.0.1", "localhost")}
    gateway.stop()
    forbidden = "PublicEndpointForbidden"
    assert statuses == {"192.168.1.5": forbidden, "127.0.0.1": forbidden, "localhost": "AccessDenied"}


def code_of(service, host):
    with contextlib.closing(http.client.HTTPConnection(service.origin[7:], timeout=60)) as connection:
        connection.request("GET", "/a", headers={"Host": f"{host}:{port_of(service)}"})
        body = connection.getresponse().read().decode()
    return body.partition("<Code>")[2].partition("<")[0]


def port_of(service):
    return service.origin.rpartition(":")[2]
