"""
Two properties in a packet of XMP, by a scanner of its XML; pure.

No parser is loaded: neither a DTD nor an entity but the five of XML is read.

Source: XMP specification part 1 (ISO 16684-1), XML 1.0, Namespaces in XML 1.0
"""

import re
from collections.abc import Iterator, Mapping

MAX_PACKET = 64 * 1024
# More than any packet has.
MAX_DEPTH, MAX_NAMESPACES = 50, 200
LABEL, SOURCE_TYPE = "AIGC", "DigitalSourceType"
NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
NAMESPACES = {LABEL: NAMESPACE, SOURCE_TYPE: "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"}
_NAME, _VALUE = r"[^\s<>/=\"'&]+", r"(?:\"[^<\"]*\"|'[^<']*')"
TOKEN = re.compile(
    rf"<!--.*?-->|<\?.*?\?>|<(?P<end>/?)(?P<name>(?![!?]){_NAME})(?P<attributes>(?:\s+{_NAME}\s*=\s*{_VALUE})*)\s*"
    r"(?P<empty>/?)>|<!\[CDATA\[(?P<data>.*?)\]\]>|(?P<text>[^<]+)",
    re.DOTALL,
)
ATTRIBUTE = re.compile(rf"({_NAME})\s*=\s*({_VALUE})")
REFERENCE = re.compile("&([^;]*);?")
ENTITIES = {"quot": '"', "amp": "&", "apos": "'", "lt": "<", "gt": ">"}


def properties(packet: bytes) -> Iterator[tuple[str, str]]:
    """
    Yield ``LABEL`` or ``SOURCE_TYPE`` and the value, each time it stands in a packet.

    Raises:
        ValueError: it is malformed, or has more than is read.
    """
    # Names have no entities, so what is not there as bytes is not there.
    if not any(name.encode() in packet for name in NAMESPACES):
        return
    # Names and namespaces of the elements around, the innermost last.
    around: list[tuple[str, Mapping[str, str]]] = [("", {})]
    wanted = parts = ""
    for token in _tokens(packet.decode(errors="replace").strip("\ufeff\0")):
        name = token["name"]
        if not name:
            parts += (token["data"] or _plain(token["text"] or "")) if wanted else ""
            continue
        if not token["end"]:
            if wanted or len(around) > MAX_DEPTH:
                raise ValueError("nested")
            spaces, attributes = _read(token["attributes"], around[-1][1])
            around.append((name, spaces))
            wanted, parts = _wanted(name, spaces), ""
            for each, value in attributes:
                if ":" in each and (found := _wanted(each, spaces)):
                    yield found, _plain(value)
                elif wanted == SOURCE_TYPE and each.endswith(":resource"):
                    parts = _plain(value)
        if token["end"] or token["empty"]:
            if around.pop()[0] != name:
                raise ValueError("another end")
            if wanted:
                yield wanted, parts
            wanted = ""
    if len(around) != 1:
        raise ValueError("no end")


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError("no XML")
        at = token.end()
        yield token


def _read(attributes: str, around: Mapping[str, str]) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
    """Return the namespaces by prefix, and the other attributes."""
    found = [(name, value[1:-1]) for name, value in ATTRIBUTE.findall(attributes)]
    own = {name[5:].lstrip(":"): _plain(value) for name, value in found if re.match("xmlns(:|$)", name)}
    spaces = {**around, **own} if own else around
    if len(spaces) > MAX_NAMESPACES:
        raise ValueError("too many namespaces")
    return spaces, [(name, value) for name, value in found if name[:5] != "xmlns"]


def _wanted(name: str, spaces: Mapping[str, str]) -> str:
    prefix, _, local = name.rpartition(":")
    return local if local in NAMESPACES and spaces.get(prefix) == NAMESPACES[local] else ""


def _plain(text: str) -> str:
    """Return a text without entities; raise ``ValueError`` for one that XML does not have."""
    return REFERENCE.sub(lambda found: _character(found[0], found[1]), text)


def _character(reference: str, name: str) -> str:
    if name not in ENTITIES or not reference.endswith(";"):
        raise ValueError("an entity")
    return ENTITIES[name]
