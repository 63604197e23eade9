"""The XML that goes with calls: written as OSS's samples are, read whatever its namespace."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, ParseError, fromstring

from local.oss import errors
from local.oss.errors import OssError, xml_text
from local.oss.rules import OssRules

NAMESPACE = "http://doc.oss-cn-hangzhou.aliyuncs.com"

# Text, or elements below: ``[("Part", [("PartNumber", "1")])]``.
Children = Iterable[tuple[str, "str | Children"]]
# The local cloud has one account.
OWNER: tuple[str, Children] = ("Owner", [("ID", "0022012"), ("DisplayName", "0022012")])


def write_document(root: str, children: Children, rules: OssRules) -> bytes:
    """UTF-8, with its declaration."""
    namespace = f' xmlns="{NAMESPACE}"' if rules.answers_name_namespace else ""
    inner = _written(children)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{namespace}>{inner}</{root}>\n'.encode()


def read_document(text: bytes, root: str) -> Element:
    """
    The root element, every name without its namespace.

    Raises:
        OssError: ``MalformedXML``: no XML, another root, or one that defines entities.
    """
    try:
        if b"<!" in text:
            raise OssError(errors.MALFORMED_XML)
        element = fromstring(text)
    except (ParseError, ValueError, LookupError):  # the last for an encoding that there is none of
        raise OssError(errors.MALFORMED_XML) from None
    for each in element.iter():
        each.tag = each.tag.rpartition("}")[2]
    if element.tag != root:
        raise OssError(errors.MALFORMED_XML)
    return element


def _written(children: Children) -> str:
    return "".join(
        f"<{name}>{xml_text(value) if isinstance(value, str) else _written(value)}</{name}>"
        for name, value in children
    )
