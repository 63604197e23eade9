"""What is fuzzed of labels of AI-made content: any file, which may be no file at all."""

from function.ai_label.embed import can_be_carried, embed, packet
from function.ai_label.examine import label_in
from function.ai_label.label import fields, from_fields, short, told
from function.moderation.picture_structure import MAX_PARTS, kind_of
from tests.function.ai_label.files import (
    FTYP_MP4,
    VECTORS,
    box,
    element,
    exif,
    heic,
    item,
    items,
    jpeg,
    label_of,
    places,
    tags,
    text_of,
    value,
)

BARE = text_of().encode()
PACKET = element(text_of())
SEEDS = (
    *VECTORS.values(),
    heic(items(item(7)), places(7, (0, len(PACKET)), method=1), box(b"idat", PACKET)),
    FTYP_MP4 + box(b"moov", tags((b"AIGC", value(BARE)), handler=b"mdir")),
    jpeg((0xE1, b"Exif\0\0" + exif((0x010E, 2, BARE), order="<"))),
)
PICTURES = [VECTORS[name] for name in ("J0.jpg", "P0.png", "W0.webp")]
# Without one of these there is no label, whatever else a file holds.
NAMES = b"AIGC", b"ContentProducer"


class LabelTarget:
    """A file that is read within its bounds, and says a label only if it holds one."""

    def __call__(self, data: bytes) -> None:
        reads = 0

        def read(at: int, count: int) -> bytes:
            nonlocal reads
            reads += 1
            if not 0 <= at <= at + count <= len(data) or reads > MAX_PARTS:
                raise AssertionError("a read beyond the bounds")
            return data[at : at + count]

        label = label_in(len(data), read)
        if label is None:
            return
        if from_fields(fields(label)) != label or (short(label) is None) != (told(label) is None):
            raise AssertionError("a record that says something else")
        if label.label is None:
            return
        if not any(name in data.replace(b"\0", b"") for name in NAMES):
            raise AssertionError("a label of a file that has none")
        for picture in PICTURES if can_be_carried(label) else ():
            made = embed(kind_of(picture), picture, packet(label))
            if label_of(made) != label._replace(digital_source_type="", c2pa=False):
                raise AssertionError("a label that is lost on its way")
