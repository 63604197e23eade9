"""holding.records: one name and one spelling in every version."""

import json

import pytest

from function.errors import OssUnavailable
from function.holding import records
from function.oss.client import oss_client

UPLOAD_ID = "A" * 22


@pytest.fixture
def call(house):
    return house.call()


@pytest.fixture
def bucket(call):
    return oss_client(call, call.settings.home)


@pytest.mark.parametrize(("copy", "end"), [(0, ""), (2, "-c2")])
def test_each_copy_has_its_own_record_of_a_fetch(copy, end):
    assert records.fetched_key(UPLOAD_ID, copy) == f"held/.fetched/{UPLOAD_ID}{end}"


@pytest.mark.parametrize("name", ["", ".", "../decided/x", "a/b", "a.b", "é", "a\n", "a" * 129])
def test_no_name_reaches_another_folder(name):
    assert not records.is_name(name)
    with pytest.raises(AssertionError):
        records.decision_key(name)


def test_a_record_is_compact_private_json_with_its_time(house, call, bucket):
    records.put(bucket, records.review_key(UPLOAD_ID), {"errcode": -1, "text": "é"}, call.now)
    stored = house.oss.objects[f"held/.review/{UPLOAD_ID}"]
    assert stored.body == b'{"errcode":-1,"text":"\\u00e9","at":"2026-11-24T14:00:00Z"}'
    assert stored.acl == "private"


def test_only_the_first_request_creates_a_record(call, bucket):
    name = records.decision_key(UPLOAD_ID)
    assert records.create(bucket, name, {"by": "first"}, call.now) is True
    assert records.create(bucket, name, {"by": "second"}, call.now) is False
    assert records.get(bucket, name) == {"by": "first", "at": "2026-11-24T14:00:00Z"}


COPY = {"key": "held/.clean/a/b", "etag": "E", "type": "image/jpeg", "size": 3}
DECIDED = {
    "decision": "expire",
    "by": "time",
    "finding": {"reason": "label", "by": "wechat", "label": 20001},
    "copied": "2026-11-24T13:00:00Z",
    "reviewer": "Li",
    "copy": COPY,
    "state": "review",
    "due": "check",
    "labelled": True,
    "label": {"label": 3, "source": "reviewed"},
    "etag": "E",
    "receipt": "a.b.c",
}


def test_a_decision_is_read_as_it_was_written(call, bucket):
    name = records.decision_key(UPLOAD_ID)
    records.put(bucket, name, DECIDED, call.now)
    assert records.get_decision(bucket, UPLOAD_ID).fields == DECIDED
    least = {field: DECIDED[field] for field in ("by", "etag")}
    for each in ("publish", "reject", "discard"):
        records.put(bucket, name, {**least, "decision": each, "state": 7}, call.now)
        assert records.get_decision(bucket, UPLOAD_ID) == records.Decision(each, "time", "", "E", call.now)
    records.put(bucket, name, {**least, "decision": "delete"}, call.now)
    with pytest.raises(OssUnavailable):
        records.get_decision(bucket, UPLOAD_ID)


@pytest.mark.parametrize("number", [1, 2])
def test_a_check_is_read_as_it_was_written(call, bucket, number):
    for stored_at in (call.now, None):
        check = records.Check("a.b.c", stored_at, number, copy=3)
        records.put(bucket, records.check_key("60f96f1d-1"), check.fields, call.now)
        assert records.get_check(bucket, "60f96f1d-1") == check


@pytest.mark.parametrize(
    "copy",
    [
        *(None, "x", {**COPY, "key": "posts/a"}, {**COPY, "key": COPY["key"] + "\ud800"}),
        *({**COPY, "size": -1}, {**COPY, "size": 10**15}, {**COPY, "etag": 5}, {**COPY, "type": "\ud800"}),
    ],
    ids=repr,
)
def test_a_clean_copy_that_is_invalid_is_unavailable(copy):
    assert records.shown_in("n", {"copy": {**COPY, "size": 0}}).key == COPY["key"]
    with pytest.raises(OssUnavailable):
        records.shown_in("n", {"copy": copy})


def test_a_label_that_is_no_unicode_spoils_no_batch(house):
    """Only somebody with keys of the bucket writes one."""
    odd, other = house.store("word"), house.store("word")
    label = {"label": "\ud800x", "labels": ["\ud800x", "y"], "by": "aliyun"}
    finding = {"finding": {"reason": "label", **label}}
    made = {"decision": "publish", "by": "check", "at": "2026-11-24T14:00:00Z"}
    record = {**made, "etag": odd["etag"], "receipt": odd["receipt"], **finding}
    house.oss.store(f"held/.decided/{odd['uploadId']}", json.dumps(record).encode())
    receipts = [odd["receipt"], other["receipt"]]
    answer = house.ask("commit", house.backend(), receipts=receipts, decision="publish")
    assert [each["state"] for each in answer.json["results"]] == ["published"] * 2
    assert answer.json["results"][0]["labels"] == ["?x", "y"]
    assert [event.get("label") for event in house.events] == ["?x", None]


def test_a_number_is_whole_from_its_least_value_to_before_its_end():
    assert [records.number_in("n", value, 1, 3) for value in (1, 2)] == [1, 2]
    for value in (0, 3, 1.5, "1"):
        with pytest.raises(OssUnavailable):
            records.number_in("n", value, 1, 3)
