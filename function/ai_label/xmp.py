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
    # Names and namespaces of the elements around, the innermost last.
    around: list[tuple[str | None, Mapping[str, str]]] = [(None, {})]
    wanted = parts = ""
    for token in _tokens(packet.decode(errors="replace")):
        name = token["name"]
        if not name:
            if wanted:
                parts += token["data"] or _plain(token["text"] or "")
            continue
        if not token["end"]:
            if wanted or len(around) > MAX_DEPTH:
                raise ValueError
            attributes = [(each, value[1:-1]) for each, value in ATTRIBUTE.findall(token["attributes"])]
            spaces = {**around[-1][1], **_spaces(attributes)}
            if len(spaces) > MAX_NAMESPACES:
                raise ValueError
            around.append((name, spaces))
            wanted, parts = _wanted(name, spaces), ""
            for each, value in attributes:
                # One without a prefix is in no namespace.
                if ":" in each and (found := _wanted(each, spaces)):
                    yield found, _plain(value)
                elif wanted and each.endswith(":resource"):
                    parts = _plain(value)
        if token["end"] or token["empty"]:
            if around.pop()[0] != name:
                raise ValueError
            if wanted:
                yield wanted, parts
            wanted = ""
    if len(around) != 1:
        raise ValueError


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError
        at = token.end()
        yield token


def _spaces(attributes: list[tuple[str, str]]) -> dict[str, str]:
    """Return the namespaces that an element declares, by prefix; empty for the one of its own name."""
    return {name[6:]: _plain(value) for name, value in attributes if name.partition(":")[0] == "xmlns"}


def _wanted(name: str, spaces: Mapping[str, str]) -> str:
    prefix, _, local = name.rpartition(":")
    return local if local in NAMESPACES and spaces.get(prefix) == NAMESPACES[local] else ""


def _plain(text: str) -> str:
    """Return a text without entities; raise ``ValueError`` for one that XML does not have."""
    return REFERENCE.sub(lambda found: _character(found[0], found[1]), text)


def _character(reference: str, name: str) -> str:
    if name not in ENTITIES or not reference.endswith(";"):
        raise ValueError
    return ENTITIES[name]
