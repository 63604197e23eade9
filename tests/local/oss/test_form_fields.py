"""What a PostObject form says beyond its file: which place counts, and what may stand there."""

from dataclasses import replace

import pytest

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_the_acl_header_counts_when_the_form_has_none(oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, block_public_access=False)
    header = {"x-oss-object-acl": "public-read"}
    assert oss_client.post(oss_client.v4_form(), headers=header).status == 204
    assert oss.objects["u/42/a.jpg"].acl == "public-read"
    assert oss_client.post(oss_client.v4_form({"x-oss-object-acl": "private"}), headers=header).status == 204
    assert oss.objects["u/42/a.jpg"].acl == "private"


@cases("field", "value")
def test_a_value_that_means_nothing_or_too_much_is_refused(oss, oss_client, field, value):
    answer = oss_client.post(oss_client.v1_form({field: value}))
    assert answer.refusal[:2] == (400, "InvalidArgument")
    assert answer.element("ArgumentName") in (field, "Content-Type", "x-oss-meta-")
    assert len(oss.objects) == 0


def test_user_metadata_may_have_8_kilobytes(oss, oss_client):
    assert oss_client.post(oss_client.v1_form({"x-oss-meta-a": "x" * 8191})).status == 204


@cases("fields", "part_type", "stored")
def test_the_content_type_comes_from_the_first_of_three_sources(oss, oss_client, fields, part_type, stored):
    assert oss_client.post(oss_client.v1_form(fields), content_type=part_type).status == 204
    assert oss.objects["u/42/a.jpg"].content_type == stored


def test_a_content_type_condition_is_met_by_the_field_or_else_the_file_part(oss, oss_client):
    condition = [["in", "$content-type", ["image/jpeg", "image/png"]]]
    assert oss_client.post(oss_client.v1_form(None, condition), content_type="image/png").status == 204
    refused = oss_client.post(oss_client.v1_form(None, condition), content_type="text/html")
    assert refused.refusal == (403, "AccessDenied", "0006-00000227")
    assert (
        oss_client.post(oss_client.v1_form(None, condition), content_type=None).element("EC")
        == "0006-00000226"
    )
    form = oss_client.v1_form({"Content-Type": "text/html"}, condition)
    assert oss_client.post(form, content_type="image/png").status == 403


def test_a_policy_that_pins_only_content_type_shows_its_hole(oss, oss_client):
    condition = [["in", "$content-type", ["image/jpeg"]]]
    form = oss_client.v1_form({"x-oss-content-type": "text/html"}, condition)
    assert oss_client.post(form).status == 204
    assert oss.objects["u/42/a.jpg"].content_type == "text/html"
    oss.bucket.rules = replace(oss.bucket.rules, content_type_sees_override=True)
    assert oss_client.post(form).refusal == (403, "AccessDenied", "0006-00000227")


@pytest.mark.parametrize(
    ("wanted", "status"), [("200", 200), ("204", 204), ("201", 201), ("404", 204), ("", 204), (None, 204)]
)
def test_success_action_status_sets_the_status(oss, oss_client, wanted, status):
    fields = {} if wanted is None else {"success_action_status": wanted}
    answer = oss_client.post(oss_client.v4_form(fields))
    assert answer.status == status
    assert answer.headers["x-oss-request-id"]
    if status == 201:
        assert answer.headers["Content-Type"] == "application/xml"
        assert answer.element("Bucket") == "examplebucket"
        assert answer.element("Key") == "u/42/a.jpg"
        assert answer.element("Location") == f"{oss.origin}/u/42/a.jpg"
        assert answer.element("ETag") == answer.headers["ETag"]
    else:
        assert answer.body == b""


def test_success_can_redirect_and_failure_does_not(oss, oss_client):
    target = "https://example.com/完成?a=1"
    answer = oss_client.post(oss_client.v4_form({"success_action_redirect": target}))
    assert answer.status == 303
    assert answer.headers["Location"].encode("latin-1").decode() == target
    form = oss_client.v4_form({"success_action_redirect": target}) | {"key": "u/b"}
    assert oss_client.post(form).refusal[0] == 403


def test_encryption_is_confirmed(oss, oss_client):
    answer = oss_client.post(oss_client.v4_form({"x-oss-server-side-encryption": "AES256"}))
    assert answer.headers["x-oss-server-side-encryption"] == "AES256"
