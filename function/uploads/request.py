"""Upload requests: the fields of one file, checked by themselves and against the profile."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

from function.annotations import Any, NamedTuple
from function.config.content_types import TYPE_OF_EXTENSION, bare_type, name_extension
from function.config.key_template import MAX_KEY_BYTES
from function.config.profile import Profile
from function.errors import BadRequest, TooLarge, UnknownProfile, UnsupportedType
from function.http.json_body import strict_json

MAX_FILES = 20
MAX_FILENAME_CHARACTERS = 255
MAX_CONTEXT_BYTES = 256
SHA256_DIGITS = 64


class UploadRequest(NamedTuple):
    """
    One file as the caller describes it.

    Args:
        filename: the user's name for it; only the extension reaches a key.
        content_type: lower case, without parameters.
        size_bytes: if given, the form admits exactly this size.
        context: repeated in the receipt, and not read here.
        sha256: of the bytes, as the caller says; 64 lower-case hexadecimal digits, never without a size.
        replaces: key of the caller's object that this one replaces.
        ai_declared: whether the user says that the content was made with AI.
        trace: ``traceparent`` of the request, and of the callback about this file.
    """

    profile: str = "default"
    filename: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None
    context: Mapping[str, Any] | None = None
    sha256: str | None = None
    trace: str | None = None
    replaces: str | None = None
    ai_declared: bool = False


def read_files(files: Any) -> list[UploadRequest]:
    """Read the list ``files`` of ``POST /upload-params``; each refusal names its field."""
    if not isinstance(files, list) or not 1 <= len(files) <= MAX_FILES:
        raise BadRequest(f"files must be a list of 1 to {MAX_FILES} objects.")
    for index, item in enumerate(files):
        if not isinstance(item, dict):
            raise BadRequest(f"files[{index}] must be an object.")
    return [read_fields(item, f"files[{index}].") for index, item in enumerate(files)]


def read_query(query: Mapping[str, str]) -> UploadRequest:
    """Read the query of ``GET /upload-params``, where a size is text."""
    fields: dict[str, Any] = {name: value for name, value in query.items() if value}
    if "files" in fields:
        raise BadRequest("files needs a POST with a JSON body.")
    if "size" in fields:
        # fullmatch and ASCII, because int() takes more than a size: " 1_0", "٣".
        if not re.fullmatch(r"[0-9]{1,15}", fields["size"]):
            raise BadRequest("size must be a whole number of bytes.")
        fields["size"] = int(fields["size"])
    if "context" in fields:
        # Other text is refused later, for being no object.
        with suppress(ValueError):
            fields["context"] = strict_json(fields["context"])
    return read_fields(fields)


def profile_of(file: UploadRequest, profiles: Mapping[str, Profile]) -> Profile:
    """
    Return the profile of a file.

    Raises:
        UnknownProfile: ``profiles.toml`` has none of its name.
        BadRequest: it takes no declaration.
    """
    profile = profiles.get(file.profile)
    if profile is None:
        raise UnknownProfile("Unknown profile.")
    if file.ai_declared and not profile.ai_label:
        raise BadRequest("aiDeclared needs a profile with ai_label.")
    return profile


def refuse_among_several(profiles: Iterable[Profile]) -> None:
    """Raise ``BadRequest`` if the profile of one of several files lets the page choose the key."""
    for index, profile in enumerate(profiles):
        if profile.takes_filename:
            raise BadRequest(f"files[{index}].profile serves one file at a time; send it without files.")


def read_fields(fields: Mapping[str, Any], where: str = "") -> UploadRequest:
    """Read the fields of one file; each refusal names its field after ``where``, such as ``files[2].``."""
    if not fields.keys() <= _READERS.keys():
        _refuse_misspelt(fields, where)
    # In the order of the table, which decides the field that a refusal names.
    values = {name: read(fields, where) for field, (name, read) in _READERS.items() if field in fields}
    return UploadRequest(**{name: value for name, value in values.items() if value is not None})


def _refuse_misspelt(fields: Mapping[str, Any], where: str) -> None:
    """Raise ``BadRequest`` for a field that is one of ours but for its letters' case and its underscores."""
    ours = {name.lower(): name for name in _READERS}
    for field in fields:
        name = ours.get(field.replace("_", "").lower(), field)
        if name != field:
            raise BadRequest(f"{where}{field} is no field; it is {name}.")


def _text(fields: Mapping[str, Any], where: str, name: str, most: int) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadRequest(f"{where}{name} must be a string.")
    if len(value) > most:
        raise BadRequest(f"{where}{name} must have at most {most} characters.")
    return value


def _filename(fields: Mapping[str, Any], where: str) -> str | None:
    value = _text(fields, where, "filename", MAX_FILENAME_CHARACTERS)
    if value and not value.isprintable() and _holds_controls(value):
        raise BadRequest(f"{where}filename must not contain control characters.")
    return value


def _content_type(fields: Mapping[str, Any], where: str) -> str | None:
    value = _text(fields, where, "contentType", 255)
    if value is None:
        return None
    if kind := bare_type(value):
        return kind
    raise BadRequest(f"{where}contentType must look like image/jpeg.")


def _size(fields: Mapping[str, Any], where: str) -> int | None:
    value = fields.get("size")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequest(f"{where}size must be a whole number of bytes.")
    return value


def _context(fields: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    value = fields.get("context")
    if value is None:
        return None
    if not isinstance(value, dict) or not is_small_json(value):
        raise BadRequest(f"{where}context must be a JSON object of at most {MAX_CONTEXT_BYTES} bytes.")
    return value


def _ai_declared(fields: Mapping[str, Any], where: str) -> bool:
    value = fields.get("aiDeclared")
    if value is None or isinstance(value, bool):
        return value is True
    raise BadRequest(f"{where}aiDeclared must be true or false.")


def is_small_json(value: Mapping[str, Any]) -> bool:
    """Return whether this fits into a receipt as its ``context``."""
    try:
        written = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    # Lone surrogates, NaN and Infinity, objects that are no JSON, too much depth.
    except (ValueError, TypeError, RecursionError):
        return False
    return len(written) <= MAX_CONTEXT_BYTES


def _sha256(fields: Mapping[str, Any], where: str) -> str | None:
    value = _text(fields, where, "sha256", SHA256_DIGITS)
    if value is None:
        return None
    if not re.fullmatch(rf"[0-9A-Fa-f]{{{SHA256_DIGITS}}}", value):
        raise BadRequest(f"{where}sha256 must be {SHA256_DIGITS} hexadecimal digits.")
    if fields.get("size") is None:
        raise BadRequest(f"{where}sha256 needs size as well.")
    return value.lower()


# By the name of a field: its name in ``UploadRequest``, and the function that reads it where it is present.
_READERS: Mapping[str, tuple[str, Callable[[Mapping[str, Any], str], Any]]] = {
    "profile": ("profile", partial(_text, name="profile", most=64)),
    "filename": ("filename", _filename),
    "contentType": ("content_type", _content_type),
    "size": ("size_bytes", _size),
    "context": ("context", _context),
    "sha256": ("sha256", _sha256),
    "replaces": ("replaces", partial(_text, name="replaces", most=MAX_KEY_BYTES)),
    "aiDeclared": ("ai_declared", _ai_declared),
}


def _holds_controls(text: str) -> bool:
    """Return whether there are control characters or lone surrogates, which no displayed name has."""
    return any(mark < " " or mark == "\x7f" or "\ud800" <= mark <= "\udfff" for mark in text)


def choose_content_type(file: UploadRequest, profile: Profile) -> str:
    """
    Return the requested type, else that of the filename, else the profile's only one.

    Raises:
        BadRequest: none of these.
        UnsupportedType: not in the profile, or an unknown extension.
    """
    extension = name_extension(file.filename)
    kind = file.content_type or TYPE_OF_EXTENSION.get(extension)
    if kind is None and len(profile.content_types) == 1 and "*" not in profile.content_types[0]:
        kind = profile.content_types[0]
    if kind is None and extension:
        raise UnsupportedType(
            "filename has an unknown extension; contentType is required.", details={"limits": profile.limits}
        )
    if kind is None:
        raise BadRequest("contentType is required, because filename has no extension.")
    if not profile.admits(kind):
        allowed = ", ".join(profile.content_types)
        raise UnsupportedType(
            f"contentType {kind} is not allowed here; allowed: {allowed}.", details={"limits": profile.limits}
        )
    return kind


def choose_size_range(file: UploadRequest, profile: Profile) -> tuple[int, int]:
    """Return the exact requested size, else the profile's range; raise ``BadRequest`` or ``TooLarge``."""
    size = file.size_bytes
    if size is None:
        return profile.min_size_bytes, profile.max_size_bytes
    if size > profile.max_size_bytes:
        raise TooLarge(
            f"size is over the {profile.max_size_bytes} bytes allowed here.",
            details={"limits": profile.limits},
        )
    if size < profile.min_size_bytes:
        raise BadRequest(
            f"size is under the {profile.min_size_bytes} bytes needed here.",
            details={"limits": profile.limits},
        )
    return size, size
