"""A PostObject body as it arrives: its order, its parts, its bounds."""

from dataclasses import replace

import pytest

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_key_must_come_before_the_file(oss, oss_client):
    form = oss_client.v4_form()
    late = [oss_client.part("file", "x", "a.jpg"), oss_client.part("key", form.pop("key"))]
    answer = oss_client.send(oss_client.body([*oss_client.field_parts(form), *late]))
    assert answer.refusal[:2] == (400, "InvalidArgument")


@pytest.fixture
def send_after_the_file(oss, oss_client):
    """Send a good form with this field after its file, where such fields are allowed or not."""

    def send(name, value, *, allowed):
        oss.bucket.rules = replace(oss.bucket.rules, fields_after_file_allowed=allowed)
        parts = [oss_client.part("file", "x"), oss_client.part(name, value)]
        return oss_client.send(oss_client.body([*oss_client.field_parts(oss_client.v4_form()), *parts]))

    return send


def test_a_field_after_the_file_is_refused_unless_allowed_and_then_ignored(oss, send_after_the_file):
    late = ("x-oss-object-acl", "public-read")
    refused = send_after_the_file(*late, allowed=False)
    assert refused.refusal == (400, "MalformedPOSTRequest", "0006-00000104")
    assert len(oss.objects) == 0
    assert send_after_the_file(*late, allowed=True).status == 204
    assert oss.objects["u/42/a.jpg"].acl == "default"


@pytest.mark.parametrize("allowed", [False, True])
def test_two_files_are_refused(oss, send_after_the_file, allowed):
    answer = send_after_the_file("File", "y", allowed=allowed)
    assert answer.refusal[:2] == (400, "IncorrectNumberOfFilesInPOSTRequest")
    assert len(oss.objects) == 0


def test_no_file_is_refused(oss, oss_client):
    answer = oss_client.send(oss_client.body(oss_client.field_parts(oss_client.v4_form())))
    assert answer.refusal == (400, "MalformedPOSTRequest", "0006-00000107")
    assert oss_client.send(f"--{oss_client.boundary}--\r\n".encode()).refusal[1] == "MalformedPOSTRequest"


@pytest.mark.parametrize("field", ["key", "x-oss-content-type", "submit", "policy"])
def test_a_repeated_field_is_refused_only_if_its_values_differ(oss, oss_client, field):
    form = oss_client.v4_form({"x-oss-content-type": "image/jpeg", "submit": "go"})
    file = oss_client.part("file", "x")
    first = oss_client.field_parts(form)
    differing = [*first, oss_client.part(field.title(), "u/42/other"), file]
    assert oss_client.send(oss_client.body(differing)).refusal[:2] == (400, "MalformedPOSTRequest")
    assert len(oss.objects) == 0
    same = [*first, oss_client.part(field.title(), form[field]), file]
    assert oss_client.send(oss_client.body(same)).status == 204


def test_the_file_needs_no_name_and_no_type(oss, oss_client):
    parts = [*oss_client.field_parts(oss_client.v4_form()), oss_client.part("file", b"\0\xff\r\n--\r\n")]
    assert oss_client.send(oss_client.body(parts)).status == 204
    stored = oss.objects["u/42/a.jpg"]
    assert stored.path.read_bytes() == b"\0\xff\r\n--\r\n"
    assert stored.content_type == "application/octet-stream"


def test_an_unknown_header_in_the_file_part_is_refused(oss, oss_client):
    file = oss_client.part("file", "x", "a.jpg", more="X-Custom: 1")
    answer = oss_client.send(oss_client.body([*oss_client.field_parts(oss_client.v4_form()), file]))
    assert answer.status == 400


@pytest.mark.parametrize(
    "disposition", ["form-data", 'form-data; name=""', 'attachment; name="file"', 'form-data; name="\xff"']
)
def test_a_part_without_a_usable_name_is_refused(oss, oss_client, disposition):
    part = f"--{oss_client.boundary}\r\nContent-Disposition: {disposition}\r\n\r\nx\r\n".encode("latin-1")
    assert oss_client.send(oss_client.body([part])).refusal[1] == "MalformedPOSTRequest"


@pytest.mark.parametrize("body", [b"", b"key=value", b"--wrong\r\n\r\n--wrong--\r\n", b"\r\n"])
def test_a_body_that_is_no_form_is_refused(oss, oss_client, body):
    assert oss_client.send(body).refusal[:2] == (400, "MalformedPOSTRequest")


def test_a_form_without_its_closing_boundary_is_refused(oss, oss_client):
    parts = [*oss_client.field_parts(oss_client.v4_form()), oss_client.part("file", "x")]
    assert oss_client.send(b"".join(parts)).refusal == (400, "MalformedPOSTRequest", "0006-00000104")
    assert len(oss.objects) == 0


@cases("content_type", "code")
def test_the_request_must_be_multipart_with_a_boundary(oss, oss_client, content_type, code):
    answer = oss_client.send(b"body", {"Content-Type": content_type})
    assert answer.refusal[:2] == (400, code)


def test_an_empty_file_is_a_file(oss, oss_client):
    assert oss_client.post(oss_client.v4_form(None, [["content-length-range", 0, 8]]), b"").status == 204
    assert oss.objects["u/42/a.jpg"].size == 0


def test_a_field_name_may_have_8_kilobytes(oss, oss_client):
    form = oss_client.v1_form()
    assert oss_client.post({"x" * 8192: "1", **form}).status == 204
    assert oss_client.post({"x" * 8193: "1", **form}).refusal == (400, "FieldItemTooLong", "0006-00000110")


def test_fields_have_a_limit_each_and_together(oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, max_field_value_bytes=1000, max_fields_bytes=4000)
    form = oss_client.v1_form()
    used = sum(len(name) + len(value) for name, value in form.items())
    assert oss_client.post({**form, "a": "x" * 1000}).status == 204
    refused = (400, "MaxPOSTPreDataLengthExceededError", "0006-00000112")
    assert oss_client.post({**form, "a": "x" * 1001}).refusal == refused
    full = {f"f{number}": "x" * 798 for number in range((4000 - used) // 800)}
    rest = 4000 - used - 800 * len(full) - 1
    assert oss_client.post({**form, **full, "r": "x" * rest}).status == 204
    assert oss_client.post({**form, **full, "r": "x" * (rest + 1)}).refusal == refused


def test_a_body_over_the_limit_is_refused(oss, oss_client):
    form = oss_client.v4_form()
    file = oss_client.part("file", b"picture", "a.jpg", "image/jpeg")
    whole = len(oss_client.body([*oss_client.field_parts(form), file]))
    oss.bucket.rules = replace(oss.bucket.rules, max_body_bytes=whole)
    assert oss_client.post(form).status == 204
    oss.bucket.rules = replace(oss.bucket.rules, max_body_bytes=whole - 1)
    assert oss_client.post(form).refusal == (400, "EntityTooLarge", "0006-00000003")
