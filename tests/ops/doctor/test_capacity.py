"""capacity: the phones that a deployment carries, by what Function Compute grants."""

import json
import re
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from function.sts.credentials import AccessKeys
from ops.doctor.capacity import BURST, LIMITS, PLAIN, limits_of, phones
from tests.ops.account.stubs import SDK_ADAPTER


@pytest.mark.parametrize(
    ("kind", "limit", "region", "expected"),
    [
        (PLAIN, 100, "cn-hangzhou", (90, 9_000)),
        (BURST, 100, "cn-hangzhou", (1_800, 27_000)),
        (BURST, 300, "cn-shenzhen", (5_400, 81_000)),
        # Where 100 may start at once, no more are there for those who come at one instant.
        (PLAIN, 300, "cn-hongkong", (100, 10_000)),
        (PLAIN, 100, "ap-southeast-1", (90, 9_000)),
    ],
)
def test_nine_tenths_of_the_account_s_instances_carry_phones(kind, limit, region, expected):
    assert phones(kind, limit, region) == expected


class CloudMonitor:
    """STS and CloudMonitor at their addresses; ``codes`` maps an action to the code of its refusal."""

    def __init__(self, points, codes):
        self.points, self.codes, self.asked = points, codes, []

    def __call__(self, request):
        (action,) = parse_qs(urlsplit(request.url).query)["Action"]
        self.asked.append(action)
        if code := self.codes.get(action):
            return 403, {}, json.dumps({"Code": code, "Message": "no"})
        return 200, {}, json.dumps({"AccountId": "1234567890123456", "Datapoints": json.dumps(self.points)})


@pytest.mark.parametrize(
    ("points", "codes", "expected"),
    [
        ([{"timestamp": 2, "Value": 500}, {"timestamp": 1, "Value": 7}], {}, (500,)),
        ([], {}, LIMITS),
        ([], {"DescribeMetricLast": "Forbidden.RAM"}, LIMITS),
        ([], {"GetCallerIdentity": "InvalidAccessKeyId.NotFound"}, LIMITS),
    ],
    ids=["known", "no data", "no right", "unknown keys"],
)
def test_the_account_s_limit_is_read_where_cloudmonitor_tells_it(points, codes, expected):
    service = CloudMonitor(points, codes)
    settings = SimpleNamespace(region="cn-hangzhou", sts_endpoint="https://sts.cn-hangzhou.aliyuncs.com")
    with responses.RequestsMock(target=SDK_ADAPTER, assert_all_requests_are_fired=False) as network:
        network.add_callback(
            "POST", re.compile(r"https://(sts|metrics\.cn-hangzhou)\.aliyuncs\.com/"), service
        )
        assert limits_of(settings, AccessKeys("LTAItest", "secret", None)) == expected
        asked = list(service.asked)
        # Neither without keys, nor of a local cloud.
        assert limits_of(settings, None) == LIMITS
        settings.sts_endpoint = "http://127.0.0.1:9"
        assert limits_of(settings, AccessKeys("LTAItest", "secret", None)) == LIMITS
    assert service.asked == asked and asked[0] == "GetCallerIdentity"
