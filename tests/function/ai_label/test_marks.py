"""ai_label.marks: all marks of a file make one answer; two that differ make none."""

import pytest

from function.ai_label.annex_e import label_of
from function.ai_label.label import CONFLICT, METADATA, NOTHING, UNREADABLE, AiLabel
from function.ai_label.marks import C2PA, JUMBF, LABEL, LOST, TEXT, XMP, combine, is_manifest
from tests.function.ai_label.files import IPTC, VALUES, element, packet, text_of

ONE, TWO = text_of().encode(), text_of(Label="2").encode()
FOUND = label_of(VALUES)
STORE = b"\0\0\0\x28jumb\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\3c2pa\0"
TYPE = packet(attributes='Iptc4xmpExt:DigitalSourceType="http://x/digitalCapture"', spaces=IPTC).encode()


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([], NOTHING),
        ([(LABEL, ONE)], FOUND),
        ([(TEXT, ONE), (XMP, element(text_of()))], FOUND),
        ([(LABEL, ONE), (LABEL, TWO)], AiLabel(problem=CONFLICT)),
        ([(LABEL, ONE), (LABEL, text_of(ProduceID="b").encode())], AiLabel(problem=CONFLICT)),
        ([(LABEL, ONE), (LABEL, b"{}")], AiLabel(problem=UNREADABLE)),
        ([(LABEL, ONE), (LABEL, TWO), (LABEL, b"{}")], AiLabel(problem=UNREADABLE)),
        ([(LABEL, b"\xef\xbb\xbf" + ONE + b"\0\0")], FOUND),
        ([(LABEL, b"\xff")], AiLabel(problem=UNREADABLE)),
        ([(TEXT, b"a holiday")], NOTHING),
        ([(TEXT, b'{"AIGC": }')], AiLabel(problem=UNREADABLE)),
        ([(XMP, b"<a>")], NOTHING),
        ([(XMP, b"<DigitalSourceType")], NOTHING),
        ([(XMP, b"<AIGC")], AiLabel(problem=UNREADABLE)),
        ([(LOST, b"")], AiLabel(problem=UNREADABLE)),
        ([(LOST, b""), (LABEL, ONE)], FOUND),
        ([(C2PA, b"")], AiLabel(source=METADATA, c2pa=True)),
        ([(JUMBF, STORE), (LABEL, ONE)], FOUND._replace(c2pa=True)),
        ([(JUMBF, STORE), (LABEL, b"")], AiLabel(problem=UNREADABLE, c2pa=True)),
        ([(JUMBF, STORE.replace(b"c2pa", b"jsf2", 1))], NOTHING),
        ([(XMP, TYPE)], AiLabel(source=METADATA, digital_source_type="digitalCapture")),
        (
            [(XMP, TYPE), (XMP, TYPE.replace(b"Capture", b"Art"))],
            AiLabel(source=METADATA, digital_source_type="digitalCapture"),
        ),
        ([(XMP, TYPE.replace(b"Capture", b" x")), (LABEL, ONE)], FOUND),
    ],
)
def test_all_marks_make_one_answer(marks, said):
    assert combine(marks) == said


def test_a_store_of_manifests_is_known_by_its_identifier():
    assert is_manifest(STORE)
    assert not is_manifest(STORE[:31])
    assert not is_manifest(b"c2pa" * 8)
