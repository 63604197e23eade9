"""ai_label: declarations, and what receipts, states and events tell of a label."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from tests.function.holding.conftest import FORBIDDEN, PROFILES, refused
from tests.support.world import PART

MORE = """
[art]
key = "art/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
ai_label = true
[film]
key = "films/{owner}/{id}{ext}"
max_size = "9MiB"
content_types = ["video/mp4"]
parts = true
part_size = "100KiB"
ai_label = true
"""
BAD = (400, "bad_request")
DECLARED = {"label": 2, "source": "declared"}


@pytest.fixture
def labels(house_of):
    return house_of(PROFILES + MORE)


def claims_of(token):
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


def ask_form(house, **fields):
    return house.ask("upload-params", house.session(), **{"profile": "art", "filename": "a.png", **fields})


def test_a_declaration_is_signed_into_the_ticket_of_the_form_of_each_file_and_of_parts(labels):
    assert claims_of(ask_form(labels, aiDeclared=True).json["ticket"])["aiDeclared"] is True
    files = [{"profile": "art", "filename": "a.png", "aiDeclared": each} for each in (True, False, None)]
    forms = labels.ask("upload-params", labels.session(), files=files).json["uploads"]
    assert [claims_of(form["ticket"]).get("aiDeclared") for form in forms] == [True, None, None]
    begun = labels.ask(
        "multipart", labels.session(), profile="film", filename="a.mp4", size=PART, aiDeclared=True
    )
    assert claims_of(begun.json["ticket"])["aiDeclared"] is True


@pytest.mark.parametrize(
    "fields",
    [
        *({"aiDeclared": value} for value in ("true", 1, 0, "", [], {})),
        {"ai_declared": True},
        {"aideclared": True},
        {"profile": "default", "aiDeclared": True},
    ],
    ids=str,
)
def test_a_declaration_is_true_or_false_of_a_profile_that_reads_labels(labels, fields):
    assert refused(ask_form(labels, **fields)) == BAD
    file = {"profile": "art", "filename": "a.png"}
    assert refused(labels.ask("upload-params", labels.session(), files=[file, {**file, **fields}])) == BAD


def test_parts_of_a_profile_that_reads_no_labels_take_no_declaration(house_of):
    house = house_of(MORE.replace("ai_label = true", ""))
    fields = {"profile": "film", "filename": "a.mp4", "size": PART}
    assert refused(house.ask("multipart", house.session(), **fields, aiDeclared=True)) == BAD
    assert house.ask("multipart", house.session(), **fields, aiDeclared=False).status == 200


@pytest.mark.parametrize("value", ["true", "false", "1"])
def test_a_query_takes_no_declaration(labels, value):
    query = {"profile": "art", "filename": "a.png", "aiDeclared": value}
    headers = {"Authorization": f"Bearer {labels.session()}"}
    assert refused(labels.ask_event(method="GET", query=query, headers=headers)) == BAD


def test_a_declaration_can_be_neither_added_nor_taken_from_a_ticket(labels, oss):
    for declared in (True, False):
        form = ask_form(labels, aiDeclared=declared).json
        assert oss.post(form["formData"], "bytes") == 200
        head, body, signature = form["ticket"].split(".")
        claims = {**json.loads(urlsafe_b64decode(body + "==")), "aiDeclared": not declared}
        forged = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        assert refused(labels.ask("confirm", ticket=f"{head}.{forged}.{signature}")) == FORBIDDEN
