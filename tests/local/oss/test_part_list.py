"""The list of parts that Complete brings, and the ETag of what becomes of them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.oss.attributes import Attributes
from local.oss.errors import OssError
from local.oss.part_list import chosen_parts, etag_of, part_number, read_part_list
from local.oss.uploads import Part, Upload
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

DIGESTS = json.loads((Path(__file__).parents[2] / "vectors" / "presigned_v4.json").read_text("utf-8"))[
    "digests"
]
NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)


def document(*parts):
    listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


def upload_of(*sizes, numbers=None):
    attributes = Attributes("video/mp4", None, "Standard", forbid_overwrite=False)
    upload = Upload("U", "k", attributes, NOW)
    for number, size in zip(numbers or range(1, len(sizes) + 1), sizes, strict=True):
        upload.parts[number] = Part(number, size, f"E{number}", NOW, Path("unused"))
    return upload


def refusal_of(function, *args):
    with pytest.raises(OssError) as refused:
        function(*args)
    return refused.value


def test_etags_are_read_with_and_without_quotes_and_numbers_with_gaps():
    assert read_part_list(document((1, '"AB"'), (3, "CD"), (10000, "&#34;EF&#34;"))) == [
        (1, "AB"),
        (3, "CD"),
        (10000, "EF"),
    ]
    assert read_part_list(document()) == []


def test_other_elements_of_a_part_do_not_matter():
    text = document((1, "AB")).replace(b"</Part>", b"<Size>5</Size></Part>")
    assert read_part_list(text.replace(b"<Complete", b'<Complete xmlns="urn:x"', 0)) == [(1, "AB")]


@pytest.mark.parametrize("numbers", [(2, 1), (1, 1), (1, 3, 2)])
def test_the_order_is_ascending(numbers):
    refused = refusal_of(read_part_list, document(*((number, "A") for number in numbers)))
    assert (refused.refusal.code, refused.refusal.ec) == ("InvalidPartOrder", "0042-00000209")


@cases("text")
def test_an_invalid_part_list_is_malformed_xml(text):
    assert refusal_of(read_part_list, text).refusal.code == "MalformedXML"


@pytest.mark.parametrize("listed", [[(2, "E2")], [(1, "E2")], [(1, "e1")], [(1, "undefined")]])
def test_a_part_that_is_not_there_or_has_changed_is_refused(listed):
    refused = refusal_of(chosen_parts, upload_of(5), listed, 1)
    assert refused.refusal.code == "InvalidPart"
    assert refused.details == {"ETag": listed[0][1], "PartNumber": str(listed[0][0]), "UploadId": "U"}


def test_only_the_last_part_may_be_small():
    listed = [(1, "E1"), (2, "E2"), (3, "E3")]
    assert [part.number for part in chosen_parts(upload_of(100, 100, 5), listed, 100)] == [1, 2, 3]
    refused = refusal_of(chosen_parts, upload_of(100, 99, 100), listed, 100)
    assert (refused.refusal.code, refused.refusal.ec) == ("EntityTooSmall", "0042-00000213")
    told = {"MinSizeAllowed": "100", "ProposedSize": "99", "PartNumber": "2", "ETag": "E2"}
    assert refused.details == told
    # What is last in the list counts, not what is last among what was sent.
    assert len(chosen_parts(upload_of(100, 99, 100), listed[:2], 100)) == 2


def test_the_etag_of_the_object_is_the_published_one():
    parts = [Part(p["partNumber"], p["size"], p["etag"], NOW, Path("unused")) for p in DIGESTS["parts"]]
    assert etag_of(parts) == DIGESTS["object"]["etag"]
    assert etag_of([]) == "D41D8CD98F00B204E9800998ECF8427E-0"


@pytest.mark.parametrize("text", ["0", "10001", "-1", "1.0", "", "x", "١", "1" * 30])
def test_a_number_that_no_part_has_is_refused(text):
    refused = refusal_of(part_number, text, 10_000)
    assert (refused.refusal.code, refused.refusal.ec) == ("InvalidArgument", "0017-00000220")
    assert refused.details["ArgumentName"] == "PartNumber"


def test_the_first_and_the_last_number_are_numbers():
    assert [part_number(text, 10_000) for text in ("1", "10000")] == [1, 10_000]
