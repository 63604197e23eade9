"""ai_label.combined_marks: all marks of a file make one answer; two that differ make none."""

import pytest

from function.ai_label.annex_e import label_of
from function.ai_label.combined_marks import C2PA, LABEL, LOST, XMP, combine, manifest_marks
from function.ai_label.label import CONFLICT, METADATA, NOTHING, UNREADABLE, AiLabel
from tests.function.ai_label.files import IPTC, VALUES, element, packet, text_of

ONE, TWO = text_of().encode(), text_of(Label="2").encode()
FOUND = label_of(VALUES)
STORE = b"\0\0\0\x28jumb\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\3c2pa\0"
TYPE = packet(attributes='Iptc4xmpExt:DigitalSourceType="http://x/digitalCapture"', spaces=IPTC).encode()


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([(LABEL, ONE)], FOUND),
        ([(LABEL, ONE), (XMP, element(text_of()))], FOUND),
        ([(LABEL, ONE), (LABEL, TWO)], AiLabel(problem=CONFLICT)),
        ([(LABEL, ONE), (LABEL, TWO), (LABEL, b"{}")], AiLabel(problem=UNREADABLE)),
        ([(LABEL, b"\xef\xbb\xbf" + ONE + b"\0\0")], FOUND),
        ([(XMP, b"<DigitalSourceType")], NOTHING),
        ([(XMP, b"<AIGC")], AiLabel(problem=UNREADABLE)),
        ([(XMP, element(text_of()).decode().encode("utf-16"))], AiLabel(problem=UNREADABLE)),
        ([(XMP, TYPE.decode().encode("utf-16"))], NOTHING),
        ([(LOST, b""), (LABEL, ONE)], FOUND),
        ([(C2PA, STORE), (LABEL, ONE)], FOUND._replace(c2pa=True)),
        ([(C2PA, STORE), (LABEL, b"")], AiLabel(problem=UNREADABLE, c2pa=True)),
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
    assert list(manifest_marks(STORE)) == [(C2PA, STORE)]
    others = (STORE[:31], b"c2pa" * 8, STORE.replace(b"c2pa", b"jsf2", 1), STORE.replace(b"jumb", b"jumd"))
    assert [mark for other in others for mark in manifest_marks(other)] == []
