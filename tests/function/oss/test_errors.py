"""oss.responses: refusals by code, harmless XML, entity tags."""

import base64
import time

import pytest

from function.http.client import HttpResponse
from function.oss.responses import Refusal, etag_in, name_of, refusal_of, text_in, word, xml_of

ERROR = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>NoSuchKey</Code>\n  <Message>The specified key'
    b" does not exist.</Message>\n  <EC>0026-00000001</EC>\n</Error>\n"
)


EC = {"x-oss-ec": "0026-00000001"}
IN_HEADER = {"x-oss-err": base64.b64encode(ERROR).decode()}


def test_a_refusal_is_read_from_body_header_and_ec_in_this_order():
    answer = HttpResponse(404, ERROR, {**EC, "x-oss-request-id": "5F00"})
    assert refusal_of(answer) == Refusal(404, "NoSuchKey", "0026-00000001", "5F00")
    other = ERROR.replace(b"NoSuchKey", b"NoSuchBucket")
    assert refusal_of(HttpResponse(404, other, {**IN_HEADER, **EC})).code == "NoSuchBucket"
    assert refusal_of(HttpResponse(404, other, IN_HEADER)).code == "NoSuchBucket"
    assert refusal_of(HttpResponse(404, b"", {**IN_HEADER, **EC})).code == "NoSuchKey"


@pytest.mark.parametrize(
    "header", ["", "!", "a", base64.b64encode(b"<Error>").decode(), base64.b64encode(b"\xff").decode(), "é"]
)
def test_after_an_unreadable_header_the_ec_counts(header):
    for ec, code in (("0026-00000001", "NoSuchKey"), ("0015-00000101", "")):
        assert refusal_of(HttpResponse(404, b"", {"x-oss-err": header, "x-oss-ec": ec})).code == code


def error_of(size):
    return base64.b64encode(ERROR.replace(b"<Code>", b" " * (size - len(ERROR)) + b"<Code>")).decode()


def test_a_header_has_16_kib_at_most():
    fits, longer = error_of(16 * 1024 * 3 // 4), error_of(16 * 1024 * 3 // 4 + 3)
    assert (len(fits), len(longer)) == (16 * 1024, 16 * 1024 + 4)
    assert refusal_of(HttpResponse(404, b"", {"x-oss-err": fits})).code == "NoSuchKey"
    assert refusal_of(HttpResponse(404, b"", {"x-oss-err": longer})).code == ""


@pytest.mark.parametrize("text", ["NoSuchKey", "a" * 64])
def test_only_plain_words_are_logged(text):
    assert word(text) == text
    for other in (None, "", "a" * 65, "a b", "a\nb", "http://x", "图", "a\n", "<b>", '"', "a;b"):
        assert word(other) == ""


NAMESPACE = b' xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"'


@pytest.mark.parametrize("namespace", [b"", NAMESPACE])
def test_xml_is_read_with_a_namespace_and_without(namespace):
    root = xml_of(b"<R%s><A>1</A><B/><A>2</A><C><D>3</D></C></R>" % namespace)
    assert name_of(root) == "R"
    assert [text_in(root, name) for name in ("A", "B", "D", "E")] == ["1", "", "", ""]


BOMB = b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)


FILE = b'SYSTEM "file:///etc/passwd"'


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"no xml", b"<R>", b"<R></S>", b"<R/><R/>", b"<R>\xff</R>", b"<R>&e;</R>"),
        *(b"<!DOCTYPE R %b><R/>" % FILE, b"<!DOCTYPE R [<!ENTITY e %b>]><R>&e;</R>" % FILE),
        *(BOMB + b"]><b>&j;</b>", b"<R><!-- --></R>", b"<R><![CDATA[x]]></R>"),
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE R><R/>'.encode("utf-16"),
        "<!DOCTYPE R><R/>".encode("utf-16-le"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE R><R/>',
        b'<?xml version="1.0" encoding="cp037"?><R/>' + "<!DOCTYPE R>".encode("cp037"),
    ],
)
def test_xml_that_oss_never_sends_is_refused(body):
    started = time.thread_time()
    assert xml_of(body) is None
    assert time.thread_time() - started < 1


def test_deeply_nested_xml_is_read_and_freed():
    deep = xml_of(b"<a>" * 10_000 + b"</a>" * 10_000)
    assert name_of(deep) == "a"
    del deep


@pytest.mark.parametrize("etag", ["5B3C1A2E053D763E1B002CC607C5A0FE", "5B3C-3", "A" * 64])
def test_an_entity_tag_has_letters_digits_and_hyphens(etag):
    assert etag_in(etag) == etag_in(f'"{etag}"') == etag
    for invalid in ('"' + "A" * 65 + '"', "", '""', '"a b"', "<ETag>", "~a~", None, "a\n"):
        assert etag_in(invalid) == ""
