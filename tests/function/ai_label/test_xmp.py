"""ai_label.xmp: two properties are found however a writer puts them, and nothing else is taken for one."""

import pytest

from function.ai_label.xmp import LABEL, SOURCE_TYPE, properties
from tests.function.ai_label.files import IPTC, TC260, element, label_of, packet, text_of, webp

URI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
QUOTED = text_of().replace('"', "&quot;")


def spaces(count):
    """So many namespaces beside two of the packet, the last of which is the label's."""
    return " ".join([*(f"xmlns:n{n}='u'" for n in range(count - 1)), TC260])


def found(text):
    return list(properties(text if isinstance(text, bytes) else text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        element(text_of()),
        element(QUOTED),
        element(text_of()).replace(b"about", b"\xff"),
        "<a>" * 49 + f"<b:AIGC xmlns:b='{SPACE}'>{text_of()}</b:AIGC>" + "</a>" * 49,
        packet(f"<TC260:AIGC>{text_of()}</TC260:AIGC>", spaces=spaces(198)),
        element(f"<![CDATA[{text_of()}]]>"),
        element(f"<!-- < -->{text_of()}<?x y?>"),
        packet(attributes=f'TC260:AIGC="{QUOTED}"'),
        packet(attributes=f"TC260:AIGC = '{text_of()}'"),
        packet(attributes=f"TC260:AIGC='{text_of()}'").replace("></rdf:Description>", "/>"),
        packet(f"<a:AIGC>{text_of()}</a:AIGC>", spaces=f"xmlns:a='{SPACE}'"),
        packet(f'<AIGC xmlns="{SPACE}">{text_of()}</AIGC>', spaces=""),
        packet(f"<b:x xmlns:b='c'>&#10;&amp;&mdash;</b:x><TC260:AIGC>{text_of()}</TC260:AIGC>"),
        b"\xef\xbb\xbf<?xpacket begin='\xef\xbb\xbf'?>\n"
        + element(text_of())
        + b" \n<?xpacket end='w'?>\0\0",
    ],
)
def test_the_label_is_found_as_every_writer_puts_it(text):
    assert found(text) == [(LABEL, text_of())]


def test_the_five_entities_of_xml_are_read():
    assert found(element("&apos;&quot;&amp;&lt;&gt;")) == [(LABEL, "'\"&<>")]


@pytest.mark.parametrize(
    "text",
    [
        packet(f"<Iptc4xmpExt:DigitalSourceType>{URI}</Iptc4xmpExt:DigitalSourceType>", spaces=IPTC),
        packet(attributes=f'Iptc4xmpExt:DigitalSourceType="{URI}"', spaces=IPTC),
        packet(f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{URI}"/>', spaces=IPTC),
        packet(
            f'<Iptc4xmpExt:DigitalSourceType rdf:x="1">{URI}</Iptc4xmpExt:DigitalSourceType>', spaces=IPTC
        ),
    ],
)
def test_the_source_type_is_found_as_every_writer_puts_it(text):
    assert found(text) == [(SOURCE_TYPE, URI)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        packet(f"<AIGC>{text_of()}</AIGC>"),
        packet(f"<a:AIGC>{text_of()}</a:AIGC>", spaces="xmlns:a='http://example.com/'"),
        packet(f"<a:AIGC>{text_of()}</a:AIGC>", spaces=f"xmlns:b='{SPACE}'"),
        packet(f"<!-- <TC260:AIGC>{text_of()}</TC260:AIGC> -->"),
        packet("<TC260:AIGCs/>", attributes="AIGC='1' rdf:AIGC='2'"),
        packet(f"<a:b xmlns:c='{SPACE}'/><c:AIGC/>"),
        f"<x xmlns='{SPACE}' AIGC='1'/>",
        packet("<a rdf:resource='&#10;'/>"),
    ],
)
def test_a_property_that_only_looks_like_the_label_is_none(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + element("&a;"),
        element("&a;"),
        element("&#123;"),
        element("&amp"),
        element("{}<b/>"),
        element("{}").replace(b"</TC260:AIGC>", b"</TC260:AIG>"),
        b"<AIGC",
        "<a>" * 51 + "</a>" * 51,
        "<a/><b>",
        packet("<TC260:AIGC/>", spaces=spaces(199)),
    ],
)
def test_xml_that_is_broken_or_has_more_than_is_read_is_refused(text):
    with pytest.raises(ValueError):
        found(text)


def test_a_long_packet_takes_no_long_time():
    """Each would take minutes if its parts were looked at again and again."""
    long = ("<" * 65000, "<a " * 20000, "<!--" * 16000, '<a b="' * 9000, "<a" + " b='c'" * 9000)
    for text in (*map("AIGC{}".format, long), element("&" * 65000), element("&;" * 30000)):
        with pytest.raises(ValueError):
            found(text)


def test_a_packet_has_at_most_64_kibibytes():
    text = element(text_of())
    assert label_of(webp((b"XMP ", text.ljust(65536)))).label == 1
    assert label_of(webp((b"XMP ", text.ljust(65537)))) is None
