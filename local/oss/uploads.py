"""Uploads in parts that have begun and are not over: parts on disk, everything else in memory."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from local.oss.answer import Answer
from local.oss.attributes import Attributes
from local.oss.errors import OssError, Refusal

ANSWERS_KEPT = 1000


@dataclass(frozen=True)
class Part:
    """
    Args:
        etag: upper-case hexadecimal MD5, without quotes.

        path: a file of this part alone.
    """

    number: int
    size: int
    etag: str
    modified: datetime
    path: Path


@dataclass
class Upload:
    """
    One upload in parts.

    Args:
        attributes: what the object will have.

        is_sequential: whether parts come in order or not at all.

        parts: by number.
    """

    id: str
    key: str
    attributes: Attributes
    started: datetime
    is_sequential: bool = False
    parts: dict[int, Part] = field(default_factory=dict)
    is_over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, part: Part) -> None:
        """Take a part, in place of an earlier one of its number."""
        old = self.parts.get(part.number)
        self.parts[part.number] = part
        if old is not None:
            old.path.unlink()


class Uploads:
    """The open uploads of one bucket, safe to use from several server threads."""

    def __init__(self) -> None:
        self._open: dict[str, Upload] = {}
        self._answers: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Upload]:
        """By key, then by age, as they are listed."""
        with self._lock:
            return iter(sorted(self._open.values(), key=lambda upload: (upload.key, upload.id)))

    def begin(self, key: str, attributes: Attributes, now: datetime, is_sequential: bool) -> Upload:
        # The id begins with the time, so that their order is that of their age.
        upload_id = f"{round(now.timestamp() * 1_000_000):016X}{secrets.token_hex(8).upper()}"
        upload = Upload(upload_id, key, attributes, now, is_sequential)
        with self._lock:
            self._open[upload_id] = upload
        return upload

    @contextmanager
    def held(self, key: str, upload_id: str, unknown: Refusal) -> Iterator[Upload]:
        """
        An open upload, which nobody else changes meanwhile.

        Args:
            unknown: how OSS refuses one that there is none of, which differs from call to call.

        Raises:
            OssError: unknown, of another key, or over.
        """
        with self._lock:
            upload = self._open.get(upload_id)
        if upload is not None and upload.key == key:
            with upload.lock:
                if not upload.is_over:
                    yield upload
                    return
        raise OssError(unknown, UploadId=upload_id)

    def end(self, upload: Upload, answer: Answer | None = None) -> None:
        """
        Forget an upload that is held, and its parts.

        Args:
            answer: what its completion was answered with.
        """
        upload.is_over = True
        with self._lock:
            del self._open[upload.id]
            if answer is not None:
                self._answers[upload.key, upload.id] = answer
                while len(self._answers) > ANSWERS_KEPT:
                    self._answers.popitem(last=False)
        for part in upload.parts.values():
            part.path.unlink()

    def answer_of(self, key: str, upload_id: str) -> Answer | None:
        """Return the response of an upload's completion, kept for a while."""
        with self._lock:
            return self._answers.get((key, upload_id))
