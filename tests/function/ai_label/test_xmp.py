"""ai_label.xmp: two properties are found however a writer puts them, and nothing else is taken for one."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from function.ai_label.xmp import LABEL, MAX_DEPTH, MAX_NAMESPACES, SOURCE_TYPE, properties
from tests.function.ai_label.files import IPTC, VECTORS, element, label_of, packet, text_of

URI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
SPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
QUOTED = text_of().replace('"', "&quot;")


def found(text):
    return list(properties(text if isinstance(text, bytes) else text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        element(text_of()),
        element(QUOTED),
        element(f"<![CDATA[{text_of()}]]>"),
        element(f"<!-- < -->{text_of()}<?x y?>"),
        packet(attributes=f'TC260:AIGC="{QUOTED}"'),
        packet(attributes=f"TC260:AIGC = '{text_of()}'"),
        packet(attributes=f"TC260:AIGC='{text_of()}'").replace("></rdf:Description>", "/>"),
        packet(f"<a:AIGC>{text_of()}</a:AIGC>", spaces=f"xmlns:a='{SPACE}'"),
        packet(f'<AIGC xmlns="{SPACE}">{text_of()}</AIGC>', spaces=""),
        packet(f"<b:x xmlns:b='c'>&amp;</b:x><TC260:AIGC>{text_of()}</TC260:AIGC>"),
        b"\xef\xbb\xbf<?xpacket begin='\xef\xbb\xbf'?>\n"
        + element(text_of())
        + b" \n<?xpacket end='w'?>\0\0",
    ],
)
def test_the_label_is_found_as_every_writer_puts_it(text):
    assert found(text) == [(LABEL, text_of())]


@pytest.mark.parametrize(
    "text",
    [
        packet(f"<Iptc4xmpExt:DigitalSourceType>{URI}</Iptc4xmpExt:DigitalSourceType>", spaces=IPTC),
        packet(attributes=f'Iptc4xmpExt:DigitalSourceType="{URI}"', spaces=IPTC),
        packet(f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{URI}"/>', spaces=IPTC),
    ],
)
def test_the_source_type_is_found_as_every_writer_puts_it(text):
    assert found(text) == [(SOURCE_TYPE, URI)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AIGC",
        packet(f"<AIGC>{text_of()}</AIGC>"),
        packet(f"<a:AIGC>{text_of()}</a:AIGC>", spaces="xmlns:a='http://example.com/'"),
        packet(f"<a:AIGC>{text_of()}</a:AIGC>", spaces=f"xmlns:b='{SPACE}'"),
        packet(f"<!-- <TC260:AIGC>{text_of()}</TC260:AIGC> -->"),
        packet(f"<TC260:aigc>{text_of()}</TC260:aigc>"),
        packet("<TC260:AIGCs/>", attributes="AIGC='1' rdf:AIGC='2'"),
        packet(f"<a:b xmlns:c='{SPACE}'/><c:AIGC/>"),
    ],
)
def test_a_property_that_only_looks_like_the_label_is_none(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    [
        b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + element("&a;"),
        element("&a;"),
        element("&#0;"),
        element("&#123;"),
        element("&amp"),
        element("{}<b/>"),
        element("{}")[:-5],
        element("{}").replace(b"</TC260:AIGC>", b"</TC260:AIG>"),
        element("{}") + b"</x>",
        b"<AIGC",
        packet("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH + "<TC260:AIGC/>"),
        packet("<TC260:AIGC/>", spaces=" ".join(f"xmlns:n{n}='u'" for n in range(MAX_NAMESPACES))),
    ],
)
def test_xml_that_is_broken_or_has_more_than_is_read_is_refused(text):
    with pytest.raises(ValueError):
        found(text)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("text", [element(text_of()), packet(attributes=f'TC260:AIGC="{QUOTED}"').encode()])
def test_pictures_that_pillow_wrote_are_read(kind, text):
    texts, file = PngInfo(), io.BytesIO()
    texts.add_itxt("XML:com.adobe.xmp", text.decode())
    options = {"pnginfo": texts} if kind == "PNG" else {"xmp": text}
    Image.effect_noise((90, 60), 60).save(file, kind, **options)
    assert label_of(file.getvalue()) == label_of(VECTORS["J1.jpg"])


def test_a_long_packet_takes_no_long_time():
    """Each would take minutes if its parts were looked at again and again."""
    long = ("<" * 65000, "<a " * 20000, "<!--" * 16000, '<a b="' * 9000, "<a" + " b='c'" * 9000)
    for text in (*map("AIGC{}".format, long), element("&" * 65000), element("&;" * 30000)):
        with pytest.raises(ValueError):
            found(text)
