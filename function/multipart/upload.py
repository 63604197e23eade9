"""One upload in parts: what it will be, and how its file is cut."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from function.oss.multipart import StoredPart


class MultipartUpload(NamedTuple):
    """
    All that must be known to go on with an upload that another instance began.

    Args:
        oss_id: OSS's own id of the upload; callers know it by ``upload_id``.

        key: where the object will be stored.

        part_size_bytes: of each part but the last, which has what is left.

        content_type: lower case, without parameters.

        claims: who wants it, and what they want to find in the receipt: ``sub``, ``owner``, ``profile`` and
            where given ``context``.
    """

    upload_id: str
    oss_id: str
    key: str
    size_bytes: int
    part_size_bytes: int
    content_type: str
    claims: Mapping[str, Any]

    @property
    def part_count(self) -> int:
        return -(-self.size_bytes // self.part_size_bytes)

    def bytes_of(self, number: int) -> int:
        """How long the part of this number is; the first is 1."""
        begins = (number - 1) * self.part_size_bytes
        return min(self.part_size_bytes, self.size_bytes - begins)

    def missing(self, stored: Iterable[StoredPart]) -> list[int]:
        """The numbers of the parts that OSS does not have in full, in order."""
        there = {part.number for part in stored if part.size_bytes == self.bytes_of(part.number)}
        return [number for number in range(1, self.part_count + 1) if number not in there]
