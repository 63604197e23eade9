"""Content types and file extensions."""

import re
from functools import lru_cache

CONTENT_TYPE = r"[a-z0-9][a-z0-9!#&^_.+-]{0,126}/[a-z0-9][a-z0-9!#&^_.+-]{0,126}"
SCRIPTS = ("javascript", "ecmascript", "jscript", "livescript")
# Under these names a browser looks into the file, and takes HTML for what it is: https://mimesniff.spec.whatwg.org
SNIFFED_TYPES = ("unknown/unknown", "application/unknown")
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
# Other names that browsers and developers give some of these.
OTHER_NAMES = {
    "image/jpg": "jpg",
    "audio/mp3": "mp3",
    "audio/x-m4a": "m4a",
    "audio/x-wav": "wav",
    "application/x-zip-compressed": "zip",
}
EXTENSION_OF_TYPE = {kind: extension for extension, kind in reversed(TYPE_OF_EXTENSION.items())} | OTHER_NAMES


# Clients name the same few types.
@lru_cache(maxsize=256)
def bare_type(text: str) -> str:
    """Return a content type in lower case, without parameters; empty if it is malformed."""
    kind = text.partition(";")[0].strip().lower()
    return kind if re.fullmatch(CONTENT_TYPE, kind) else ""


# Called twice for each form.
@lru_cache(maxsize=256)
def is_run_by_browsers(kind: str) -> bool:
    """Return whether browsers run this type in the name of its origin: HTML, XML (with SVG), scripts."""
    main, _, sub = kind.partition("/")
    markup = sub.rpartition("+")[2].partition("-")[0]
    return (
        main == "multipart"
        or kind in SNIFFED_TYPES
        or markup in ("xml", "xsl")
        or any(word in sub for word in ("html", *SCRIPTS))
    )


def key_extension(filename: str | None, content_type: str) -> str:
    """Return ``{ext}`` with its dot: the name's extension if the type has it, else the type's own."""
    extension = name_extension(filename)
    if TYPE_OF_EXTENSION.get(extension) != content_type:
        extension = EXTENSION_OF_TYPE.get(content_type, "")
    return extension and f".{extension}"


def name_extension(filename: str | None) -> str:
    """Return the lower-case text after the last dot; empty if nothing stands before it."""
    name = (filename or "").replace("\\", "/").rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    return extension.lower() if stem else ""


def default_disposition(content_type: str) -> str:
    """Return the disposition for browsers: media is shown in place, everything else saved."""
    is_media = content_type.startswith(("image/", "video/", "audio/"))
    return "inline" if is_media and not is_run_by_browsers(content_type) else "attachment"
