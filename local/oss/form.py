"""
A PostObject body read as it arrives: fields into memory, the file into whoever takes it.

Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from local.oss import errors
from local.oss.errors import OssError
from local.oss.rules import OssRules

MAX_PART_HEADER_BYTES = 64 * 1024
# Any other header in the file part is "unrecognized" to OSS.
FILE_PART_HEADERS = {
    "content-disposition",
    "content-type",
    "content-length",
    "content-transfer-encoding",
}

Sink = Callable[[bytes], None]


@dataclass(frozen=True)
class FilePart:
    """Headers of the file part; both are optional."""

    filename: str | None
    content_type: str | None


@dataclass
class Form:
    """
    The fields before the file, and the file's own headers.

    Args:
        fields: by lower-case name: pages disagree whether names are case-sensitive, and official samples
            send both ``Signature`` and ``signature``.
    """

    fields: dict[str, str] = field(default_factory=dict)
    file: FilePart | None = None

    def value(self, name: str) -> str | None:
        return self.fields.get(name)

    def has(self, name: str) -> bool:
        return name in self.fields


class FormReader:
    """
    Feed it the body; it calls back once, when the file begins.

    Args:
        open_file: given the form as far as it has come (everything but the file's bytes), returns what
            takes those bytes. May raise ``OssError`` to refuse the form before its file is read.
    """

    def __init__(self, boundary: bytes, rules: OssRules, open_file: Callable[[Form], Sink]) -> None:
        self.form = Form()
        self._rules = rules
        self._open_file = open_file
        self._header_name = b""
        self._header_value = b""
        self._headers: dict[str, bytes] = {}
        self._name: str | None = None
        self._value = bytearray()
        self._sink: Sink | None = None
        self._fields_bytes = 0
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._take_header_name,
                    "on_header_value": self._take_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._take_content,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
                max_header_size=MAX_PART_HEADER_BYTES,
            )
        except FormParserError:
            raise OssError(errors.MALFORMED) from None

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise OssError(errors.MALFORMED) from None

    def finish(self) -> Form:
        """The whole form, once the body is over."""
        if not self._ended:
            raise OssError(errors.MALFORMED)
        if self.form.file is None:
            raise OssError(errors.FILE_MISSING)
        return self.form

    def _begin_part(self) -> None:
        self._headers = {}
        self._name, self._sink = None, None
        self._value = bytearray()

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.decode("latin-1").lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _begin_content(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition"))
        raw_name = options.get(b"name")
        if kind != b"form-data" or not raw_name:
            raise OssError(errors.MALFORMED)
        if len(raw_name) > self._rules.max_field_name_bytes:
            raise OssError(errors.FIELD_NAME_TOO_LONG)
        name = _text(raw_name).lower()
        if self.form.file is not None:
            if name == "file":
                raise OssError(errors.NOT_ONE_FILE)
            if not self._rules.fields_after_file_allowed:
                raise OssError(errors.MALFORMED)
        elif name == "file":
            self._begin_file(options.get(b"filename"))
        else:
            self._name = name
            self._count(len(raw_name))

    def _begin_file(self, filename: bytes | None) -> None:
        if not set(self._headers) <= FILE_PART_HEADERS:
            raise OssError(errors.UNKNOWN_FILE_HEADER)
        content_type = self._headers.get("content-type")
        self.form.file = FilePart(
            None if filename is None else _text(filename),
            None if content_type is None else _text(content_type).strip(),
        )
        self._sink = self._open_file(self.form)

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        if self._sink is not None:
            self._sink(data[start:end])
        elif self._name is not None:
            self._count(end - start)
            self._value += data[start:end]
            if len(self._value) > self._rules.max_field_value_bytes:
                raise OssError(errors.FIELDS_TOO_LARGE)

    def _end_part(self) -> None:
        if self._name is None:
            return
        value = _text(bytes(self._value))
        # Whether OSS checks the first or the last of two values is not documented, so a field that says
        # two things is refused, pinned or not; the same thing twice is harmless.
        if self.form.fields.setdefault(self._name, value) != value:
            raise OssError(errors.MALFORMED)

    def _end(self) -> None:
        self._ended = True

    def _count(self, amount: int) -> None:
        self._fields_bytes += amount
        if self._fields_bytes > self._rules.max_fields_bytes:
            raise OssError(errors.FIELDS_TOO_LARGE)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise OssError(errors.MALFORMED) from None
