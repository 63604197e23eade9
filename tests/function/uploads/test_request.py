"""uploads.request: the bounds of each field, and the type and size that a profile admits."""

import json

import pytest

from function.errors import BadRequest, TooLarge, UnsupportedType
from function.http.json_body import read_json_object
from function.uploads.request import (
    UploadRequest,
    choose_content_type,
    choose_size_range,
    read_fields,
    read_files,
    read_query,
)
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)
TABLE = table_beside(__file__)


@cases("body", "named")
def test_a_bad_field_is_named(instance, body, named):
    fields = {"filename": "a.png", **body} if "filename" not in body and "files" not in body else body
    answer = instance().ask(body=fields)
    status, _, field = named.partition(" ")
    assert answer.status == int(status)
    assert field in answer.json["error"]["message"]


@pytest.mark.parametrize("size", ["", "5"])
def test_query_values_work_like_those_of_a_body(instance, good_sts, size):
    body = instance().ask(method="GET", query={"filename": "a.png", "size": size, "_": "1"}).json
    assert body["maxSize"] == (5 if size else 10 * 1024**2)


@pytest.mark.parametrize("size", ["-1", "1.5", "٣", " 5", "1_0", "5,6", "x"])
def test_a_size_in_a_query_must_be_plain_digits(instance, size):
    answer = instance().ask(method="GET", query={"filename": "a.png", "size": size})
    assert answer.status == 400
    assert "size" in answer.json["error"]["message"]


@pytest.mark.parametrize(("field", "ours"), [("fileName", "filename"), ("content_type", "contentType")])
def test_a_field_misspelt_in_its_letters_case_or_with_underscores_is_named(instance, field, ours):
    one = instance().ask(body={"filename": "a.png", field: "x"})
    several = instance().ask(body={"files": [{"filename": "a.png"}, {field: "x"}]})
    for answer in (one, several):
        assert answer.json["error"]["code"] == "bad_request"
        assert {field, ours} <= {
            *answer.json["error"]["message"].replace("files[1].", "").rstrip(".").split()
        }


def test_any_other_field_is_ignored(instance, good_sts):
    assert instance().ask(body={"filename": "a.png", "duration": 5}).status == 200


def wanted_of(body):
    fields = read_json_object(body)
    return read_files(fields["files"]) if "files" in fields else read_fields(fields)


@cases("field", "longest")
def test_the_longest_text_is_taken_and_one_character_more_is_not(field, longest):
    assert read_query({field: longest})
    with pytest.raises(BadRequest, match=f"^{field} "):
        read_query({field: longest + "x"})


@pytest.mark.parametrize("mark", ["\x00", "\x1f", "\x7f", "\ud800", "\udfff"])
def test_no_name_holds_a_control_character_or_half_a_pair(mark):
    with pytest.raises(BadRequest, match="^filename "):
        read_query({"filename": f"a{mark}.png"})


@pytest.mark.parametrize("name", [" a b.png", "a\u3000b c.png", "a \u200d.png", "\ud7ff", "\ue000"])
def test_a_name_may_hold_all_other_marks_that_do_not_print(name):
    assert read_query({"filename": name}).filename == name


@pytest.mark.parametrize(("files", "are_taken"), [(0, False), (1, True), (20, True), (21, False)])
def test_one_request_asks_for_1_to_20_files(files, are_taken):
    if are_taken:
        assert len(read_files([{}] * files)) == files
        return
    with pytest.raises(BadRequest, match="^files "):
        read_files([{}] * files)


@pytest.mark.parametrize("empty", [b'""', b"null"])
def test_an_empty_text_is_as_good_as_none(empty):
    body = b'{"profile": _, "filename": _, "contentType": _, "aiDeclared": null}'
    assert wanted_of(body.replace(b"_", empty)) == UploadRequest()


@pytest.mark.parametrize(("size", "is_taken"), [("0", True), ("1", True), ("-1", False)])
def test_a_size_begins_with_zero(size, is_taken):
    body = b'{"size": %s}' % size.encode()
    if is_taken:
        assert wanted_of(body).size_bytes == int(size)
        return
    with pytest.raises(BadRequest, match="^size "):
        wanted_of(body)


@cases("body", "field")
def test_the_field_that_is_wrong_is_named_first(body, field):
    with pytest.raises(BadRequest, match=f"^{field} "):
        wanted_of(body)


@pytest.mark.parametrize("value", ["x", "[]"])
def test_files_in_a_query_are_refused_and_not_overlooked(value):
    with pytest.raises(BadRequest, match="^files "):
        read_query({"files": value})


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize("context", [*TABLE["good contexts"], nested(100)])
def test_a_context_is_repeated_unchanged(context):
    assert read_fields({"context": context}).context == context
    assert read_query({"context": json.dumps(context)}).context == context


@pytest.mark.parametrize("context", [*TABLE["bad contexts"], nested(100000)])
def test_any_other_context_is_refused_and_named(context):
    with pytest.raises(BadRequest, match=r"^files\[3\]\.context "):
        read_fields({"context": context}, "files[3].")


@pytest.mark.parametrize("written", ["", "{", "[1]", '{"a":1,"a":2}', '{"a":NaN}'])
def test_a_context_in_a_query_is_as_strict_as_one_in_a_body(written):
    if not written:  # as any other empty value
        assert read_query({"context": written}).context is None
        return
    with pytest.raises(BadRequest, match="^context "):
        read_query({"context": written})


def test_no_context_is_none_and_null_is_no_context():
    assert read_fields({}).context is read_fields({"context": None}).context is None
    assert read_query({"context": "null"}).context is None


DIGEST = "0123456789abcdefABCDEF" + "0" * 42


def test_a_digest_is_written_in_lower_case():
    assert read_fields({"sha256": DIGEST, "size": 0}).sha256 == DIGEST.lower()
    assert read_query({"sha256": DIGEST, "size": "0"}).sha256 == DIGEST.lower()
    assert read_fields({"size": 0}).sha256 is read_fields({"size": 0, "sha256": ""}).sha256 is None


@pytest.mark.parametrize(
    "digest", [DIGEST[:-1], DIGEST + "0", DIGEST[:-1] + "g", DIGEST[:-1] + "\n", "٣" * 64, 5], ids=ascii
)
def test_a_digest_is_64_hexadecimal_digits_or_is_named(digest):
    with pytest.raises(BadRequest, match=r"^files\[0\]\.sha256 "):
        read_fields({"sha256": digest, "size": 1}, "files[0].")


def test_a_digest_without_a_size_is_a_bad_request():
    with pytest.raises(BadRequest, match="^sha256 "):
        read_fields({"sha256": DIGEST})


@pytest.mark.parametrize(
    ("size", "outcome"),
    [(None, (2, 10)), (2, (2, 2)), (10, (10, 10)), (1, BadRequest), (11, TooLarge), (0, BadRequest)],
)
def test_the_bounds_of_the_profile_are_inclusive(profile, size, outcome):
    wanted, rule = UploadRequest(size_bytes=size), profile(least=2, most=10)
    if isinstance(outcome, tuple):
        assert choose_size_range(wanted, rule) == outcome
        return
    with pytest.raises(outcome):
        choose_size_range(wanted, rule)


@cases("types", "filename", "kind")
def test_a_missing_type_is_the_only_one_of_the_profile_or_refused(profile, types, filename, kind):
    wanted = UploadRequest(filename=filename)
    if kind:
        assert choose_content_type(wanted, profile(types=types)) == kind
        return
    with pytest.raises(BadRequest):
        choose_content_type(wanted, profile(types=types))


def test_the_profile_s_only_type_does_not_override_a_known_extension(profile):
    with pytest.raises(UnsupportedType) as raised:
        choose_content_type(UploadRequest(filename="a.jpg"), profile(types=("image/png",)))
    assert "image/jpeg" in raised.value.message and "image/png" in raised.value.message
