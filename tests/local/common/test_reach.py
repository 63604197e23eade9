"""Who gets into the local cloud: this machine by its own names, and by one more address who was let in."""

import functools
import http.client
import json
import sys
from contextlib import ExitStack

import pytest

from local.cloud import LocalCloud
from local.common.accounts import Accounts
from local.common.http_server import Handler
from local.common.reach import HERE_ONLY, Reach
from local.common.service import Service
from local.fc.gateway import FcGateway
from local.fc.gateway import _GatewayHandler as FcHandler
from local.oss.handler import OssHandler
from local.oss.rules import OssRules
from local.oss.server import OssServer
from local.playground.server import _Handler as PlaygroundHandler
from local.sts.server import _Handler as StsHandler
from local.wechat.server import _Handler as WechatHandler
from tests.local.site import exchange
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

# On Linux the whole of 127/8 is this machine: these play an address in a network, and one in another.
NETWORK, OTHER_NETWORK = "127.0.0.2", "127.0.0.3"
PHONES, CHOSEN = Reach(NETWORK, NETWORK), Reach("192.168.1.5", NETWORK)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")


class Greeter(Handler):
    def do_GET(self):
        self.answer_json(200, {"is_foreign": self.is_of_foreign_page()})

    def do_PUT(self):
        if not self.turns_away_strangers():
            self.answer_json(200, {})

    def do_POST(self):
        raise RuntimeError(self.headers["Authorization"])


@pytest.fixture
def serve(started):
    return lambda reach: started(Service(functools.partial(Greeter), reach=reach))


def port_of(service):
    return service.origin.rpartition(":")[2]


def send(service, at="127.0.0.1", method="GET", target="/", body=None, **headers):
    """Status, headers and body of the answer to a call of one of this machine's addresses."""
    return exchange(f"{at}:{port_of(service)}", method, target, body, headers)


@on_linux
def test_a_service_is_local_unless_phones_are_allowed_and_other_networks_are_dropped(serve):
    with pytest.raises(ConnectionRefusedError):
        send(serve(HERE_ONLY), NETWORK)
    service = serve(PHONES)
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        send(service, OTHER_NETWORK, Host=NETWORK)
    assert send(service, NETWORK)[0] == send(service)[0] == 200


def test_a_request_that_fails_is_named_without_what_it_sent(serve, capsys):
    with pytest.raises(http.client.RemoteDisconnected):
        send(serve(HERE_ONLY), method="POST", Authorization="a secret")
    assert capsys.readouterr().err == "Server: a request ended in RuntimeError\n"


@cases("host", "here", "chosen")
def test_a_service_answers_to_its_own_names_alone(serve, host, here, chosen):
    for reach, expected in ((HERE_ONLY, here), (CHOSEN, chosen)):
        status, headers, body = send(serve(reach), Host=host)
        told = status == 200 or (headers["Connection"], reach.name in json.loads(body)["error"])
        assert (status, told) == (expected, True if expected == 200 else ("close", True))
    # Every service but the bucket does.
    assert not any(each.has_any_name for each in (FcHandler, StsHandler, WechatHandler, PlaygroundHandler))
    assert OssHandler.has_any_name


@cases("origin", "is_foreign")
def test_a_page_at_the_chosen_address_is_none_of_a_stranger(serve, origin, is_foreign):
    service = serve(CHOSEN)
    assert json.loads(send(service, Origin=origin)[2]) == {"is_foreign": is_foreign}
    # A request to close the connection is confirmed.
    assert send(service, Connection="close")[1].get_all("Connection") == ["close"]
    assert send(service)[1]["Connection"] is None


@on_linux
@cases("at", "headers", "status")
def test_phones_cannot_use_the_control_api(serve, at, headers, status):
    """A phone, by whatever name it calls; and a page that it has open, sent by a browser of this machine."""
    assert send(serve(PHONES), at, "PUT", **headers)[0] == status


@on_linux
def test_a_phone_neither_plans_faults_at_the_bucket_nor_lets_days_pass(tmp_path, started):
    oss = started(OssServer(Accounts(), "bucket", "cn-hangzhou", tmp_path, reach=PHONES))
    for call in (("PUT", "/-/faults", '{"kind": "slow"}'), ("PUT", "/-/lifecycle", '{"days": 1}')):
        assert [send(oss, at, *call)[0] for at in ("127.0.0.1", NETWORK)] == [200, 403]


@pytest.fixture
def start_cloud(tmp_path):
    """Start a local cloud with this reach; its function answers with the OSS that it was given."""
    with ExitStack() as running:

        def start(reach, **options):
            def answers(event, context):
                others = [cloud.archive.origin, f"{cloud.oss.origin}0"]
                form = {"url": cloud.environment()["OSS_HOST"], "formData": {"key": "a"}, "others": others}
                return {"statusCode": 200, "body": json.dumps(form)}

            gateway = FcGateway(answers, reach=reach)
            running.callback(gateway.stop)
            return (cloud := running.enter_context(LocalCloud(gateway, tmp_path, **options)))

        yield start


@on_linux
def test_a_phone_has_one_form_fail_through_the_playground(start_cloud):
    cloud = start_cloud(PHONES)
    page = {"Origin": cloud.playground.outer_origin}
    assert send(cloud.playground, NETWORK, "POST", "/fault.json", b'{"kind": "drop"}', **page)[0] == 200
    assert cloud.oss.faults.take("PostObject").kind == "drop"


def test_a_form_names_each_oss_that_a_phone_can_call(start_cloud):
    cloud = start_cloud(CHOSEN)
    cloud.gateway.start()
    _, headers, body = send(cloud.gateway, method="POST", target="/upload-params", body=b"{}")
    said, archive = json.loads(body), cloud.addresses()["buckets"][1]["oss"]
    assert (said["url"], said["formData"]) == (cloud.addresses()["oss"], {"key": "a"})
    # A port that only begins like one of theirs is another's.
    assert said["others"] == [archive, f"{cloud.oss.origin}0"]
    assert len(body) == int(headers["Content-Length"])


def test_phones_get_network_addresses_and_the_function_sts_and_wechat_loopback_ones(start_cloud):
    cloud = start_cloud(CHOSEN, rules=OssRules(public_endpoint_forbidden=True))
    inner, outer = cloud.environment(), cloud.addresses()
    assert all("192.168.1.5" not in value for name, value in inner.items() if name != "ALLOWED_ORIGINS")
    assert f"http://192.168.1.5:{port_of(cloud.playground)}" in inner["ALLOWED_ORIGINS"].split(",")
    for name, service in (("function", cloud.gateway), ("oss", cloud.oss), ("playground", cloud.playground)):
        assert outer[name] == f"http://192.168.1.5:{port_of(service)}" == service.outer_origin
    of_buckets = [f"http://192.168.1.5:{port_of(service)}" for service in (cloud.oss, cloud.archive)]
    assert [bucket["oss"] for bucket in outer["buckets"]] == of_buckets
    assert {name: cloud.page_config()[name] for name in ("function", "oss")}.items() <= outer.items()
    assert cloud.signed_url("a").startswith(outer["oss"] + "/a?")
    assert cloud.signed_url("a", "local-archive").startswith(of_buckets[1] + "/a?")
    assert cloud.sts.reach == cloud.wechat.reach == HERE_ONLY
    # The chosen address counts as the default host.
    for host, is_default in (("192.168.1.5", True), ("127.0.0.1", True), ("localhost", False)):
        body = send(cloud.oss, target="/a", Host=f"{host}:{port_of(cloud.oss)}")[2]
        assert (b"<Code>PublicEndpointForbidden<" in body, b"<Code>AccessDenied<" in body) == (
            is_default,
            not is_default,
        )
