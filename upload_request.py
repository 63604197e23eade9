"""
What a caller wants to upload: the fields of a request become an object key, a type and a size range.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote

from errors import BadRequest, TooLarge, UnknownProfile, UnsupportedType
from profiles import Profile

MAX_FILES = 20
MAX_FILENAME_CHARACTERS = 255
EXTENSION = re.compile(r"[a-z0-9]{1,10}")
CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#&^_.+-]{0,126}/[a-z0-9][a-z0-9!#&^_.+-]{0,126}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# What mini-programs upload. The standard library's table differs from machine to machine.
TYPE_OF_EXTENSION = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "heic": "image/heic",
    "heif": "image/heif",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "mp4": "video/mp4",
    "m4v": "video/x-m4v",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "3gp": "video/3gpp",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "amr": "audio/amr",
    "flac": "audio/flac",
    "pdf": "application/pdf",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "txt": "text/plain",
    "csv": "text/csv",
    "json": "application/json",
    "xml": "application/xml",
    "zip": "application/zip",
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
}
EXTENSION_OF_TYPE = {kind: extension for extension, kind in reversed(TYPE_OF_EXTENSION.items())}


class WantedFile(NamedTuple):
    """
    One file as the caller describes it, types checked, nothing else.

    Args:
        filename: the user's name for it; nothing of it but the extension ever reaches a key.

        content_type: lower case, without parameters.

        size_bytes: then the form admits exactly that size.
    """

    profile: str = "default"
    filename: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None


def read_body(body: bytes) -> tuple[list[WantedFile], bool]:
    """
    Read the JSON body of ``POST /upload-params``.

    Returns:
        the files in order, and whether they came as ``files`` (then the answer is a list, too).

    Raises:
        BadRequest: naming the field.
    """
    fields = read_json_object(body)
    files = fields.get("files")
    if files is None:
        return [_read_file(fields, "")], False
    if not isinstance(files, list) or not 1 <= len(files) <= MAX_FILES:
        raise BadRequest(f"files must be a list of 1 to {MAX_FILES} objects.")
    for index, item in enumerate(files):
        if not isinstance(item, dict):
            raise BadRequest(f"files[{index}] must be an object.")
    return [_read_file(item, f"files[{index}].") for index, item in enumerate(files)], True


def read_query(query: Mapping[str, str]) -> WantedFile:
    """
    Read the query of ``GET /upload-params``, where a size is text.

    Raises:
        BadRequest: naming the field.
    """
    fields: dict[str, Any] = {name: value for name, value in query.items() if value}
    if "files" in fields:
        raise BadRequest("files needs a POST with a JSON body.")
    if "size" in fields:
        # fullmatch and ASCII, because int() takes more than a size: " 1_0", "٣".
        if not re.fullmatch(r"[0-9]{1,15}", fields["size"]):
            raise BadRequest("size must be a whole number of bytes.")
        fields["size"] = int(fields["size"])
    return _read_file(fields, "")


def read_json_object(body: bytes) -> dict[str, Any]:
    """
    Decode a request body that must be a JSON object; an empty body counts as an empty object.

    Raises:
        BadRequest: for anything else, and for an object that names a field twice.
    """
    if not body:
        return {}
    try:
        value = _decode(body.decode())
    except (ValueError, RecursionError):
        raise BadRequest("The body must be a JSON object in UTF-8, each field once.") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value


def profile_of(wanted: WantedFile, profiles: Mapping[str, Profile]) -> Profile:
    """
    Raises:
        UnknownProfile: it is not in ``profiles.toml``.
    """
    if profile := profiles.get(wanted.profile):
        return profile
    raise UnknownProfile("profile is none of those this function knows.")


def refuse_files_of_a_page(profiles: Iterable[Profile]) -> None:
    """
    Raises:
        BadRequest: one of several files names a profile whose page chooses the key.
    """
    for index, profile in enumerate(profiles):
        if profile.takes_filename:
            raise BadRequest(f"files[{index}].profile answers one request at a time; ask without files.")


def choose_content_type(wanted: WantedFile, profile: Profile) -> str:
    """
    The type asked for, else the file name's, else the profile's only one.

    Raises:
        BadRequest: none of these says it.

        UnsupportedType: the profile does not admit it.
    """
    kind = wanted.content_type or TYPE_OF_EXTENSION.get(_name_extension(wanted.filename))
    if kind is None and len(profile.content_types) == 1 and "*" not in profile.content_types[0]:
        kind = profile.content_types[0]
    if kind is None:
        raise BadRequest("contentType is needed, because filename does not tell it.")
    if not profile.admits(kind):
        allowed = ", ".join(profile.content_types)
        raise UnsupportedType(f"contentType {kind} is not allowed here; allowed: {allowed}.")
    return kind


def choose_size_range(wanted: WantedFile, profile: Profile) -> tuple[int, int]:
    """
    The exact size that was announced, else the profile's range.

    Raises:
        BadRequest: under the profile's minimum.

        TooLarge: over its maximum.
    """
    size = wanted.size_bytes
    if size is None:
        return profile.min_size_bytes, profile.max_size_bytes
    if size > profile.max_size_bytes:
        raise TooLarge(f"size is over the {profile.max_size_bytes} bytes allowed here.")
    if size < profile.min_size_bytes:
        raise BadRequest(f"size is under the {profile.min_size_bytes} bytes needed here.")
    return size, size


def render_key(
    profile: Profile, *, owner: str, upload_id: str, now: datetime, filename: str | None, content_type: str
) -> str:
    """
    The object key, or for a ``{filename}`` profile the folder, which ends in ``/``.

    Args:
        now: timezone-aware UTC.
    """
    extension = _name_extension(filename) or EXTENSION_OF_TYPE.get(content_type, "")
    # A profile's key holds no braces but those of these placeholders.
    return profile.key.format(
        owner=owner,
        yyyy=now.year,
        mm=f"{now.month:02}",
        dd=f"{now.day:02}",
        id=upload_id,
        ext=f".{extension}" if extension else "",
        filename="",
    )


def object_url(host: str, key: str) -> str:
    """The address of an object, its key percent-encoded as UTF-8."""
    path = quote(key, safe="/-._~")
    return f"{host}/{path}"


def _read_file(fields: Mapping[str, Any], where: str) -> WantedFile:
    return WantedFile(
        profile=_text(fields, "profile", where, 64) or "default",
        filename=_filename(fields, where),
        content_type=_content_type(fields, where),
        size_bytes=_size(fields, where),
    )


def _text(fields: Mapping[str, Any], name: str, where: str, most: int) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadRequest(f"{where}{name} must be a text.")
    if len(value) > most:
        raise BadRequest(f"{where}{name} must have at most {most} characters.")
    return value


def _filename(fields: Mapping[str, Any], where: str) -> str | None:
    value = _text(fields, "filename", where, MAX_FILENAME_CHARACTERS)
    if value and CONTROL.search(value):
        raise BadRequest(f"{where}filename must not hold control characters.")
    return value


def _content_type(fields: Mapping[str, Any], where: str) -> str | None:
    value = _text(fields, "contentType", where, 255)
    if value is None:
        return None
    kind = value.partition(";")[0].strip().lower()
    if not CONTENT_TYPE.fullmatch(kind):
        raise BadRequest(f"{where}contentType must look like image/jpeg.")
    return kind


def _size(fields: Mapping[str, Any], where: str) -> int | None:
    value = fields.get("size")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequest(f"{where}size must be a whole number of bytes.")
    return value


def _name_extension(filename: str | None) -> str:
    """Lower case, without the dot; empty when there is none that is safe in a key."""
    name = (filename or "").replace("\\", "/").rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    extension = extension.lower()
    return extension if stem and dot and EXTENSION.fullmatch(extension) else ""


def _refuse_constant(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JSON has neither.
    raise ValueError(name)


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Two readers of one body must not see two different requests.
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a field stands twice")
    return value


# One decoder for all requests: to build one takes as long as to read a body.
_decode = json.JSONDecoder(object_pairs_hook=_object_without_doubles, parse_constant=_refuse_constant).decode
