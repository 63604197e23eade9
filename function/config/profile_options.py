"""Every option of a profile, one row each: what it may be, what it is without, what it pins."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from function.config import types
from function.config.messages import Message
from function.config.profile import ACL_FIELD, META_PREFIX, STORAGE_CLASS_FIELD
from function.config.types import Kind

ANY_TYPE = ("*/*",)
SIGNATURE_VERSIONS = ("v4", "v1")
COMMITTERS = ("backend", "owner")
# No credentials live longer than that.
SESSION_SECONDS = types.option_seconds(1, 43200)


class Option(NamedTuple):
    """
    One option.

    Args:
        read: the value of what the file holds; raises ``ValueError`` with clauses for the operator.

        default: as it would be written; ``None`` where an absent option has no value.

        is_for_pages: whether a ``{filename}`` profile may set it. A classic page sends no fields of ours,
            so nothing else could be promised to hold.

        pins: the form field, under OSS's name, that carries the value.
    """

    name: str
    read: Callable[[str, Any], Any]
    default: Any = None
    is_for_pages: bool = False
    pins: str = ""


def as_setting(kind: Kind) -> Callable[[str, Any], str | None]:
    """What a setting of this kind may be; ``None`` where the option is absent."""

    def read(name: str, value: Any) -> str | None:
        if value is None:
            return None
        try:
            if isinstance(value, str) and value.isascii():
                return str(kind.read(value))
        except ValueError:
            pass
        shown = f" = {value!r}"
        raise ValueError(
            Message("{name}{value} must be {allowed}", name=name, value=shown, allowed=kind.allowed)
        )

    return read


OPTIONS = (
    Option("max_size", types.max_size, is_for_pages=True),
    Option("min_size", types.size, 1, is_for_pages=True),
    Option("content_types", types.content_types, is_for_pages=True),
    Option("expires_in", SESSION_SECONDS, 300, is_for_pages=True),
    Option("acl", types.option_one_of("default", "private", "public-read"), "default", pins=ACL_FIELD),
    Option("overwrite", types.flag, False),
    Option("callback", types.flag, False, is_for_pages=True),
    Option("signature", types.option_one_of(*SIGNATURE_VERSIONS), is_for_pages=True),
    Option("cache_control", types.header, pins="Cache-Control"),
    Option("content_disposition", types.header, pins="Content-Disposition"),
    Option(
        "storage_class",
        types.option_one_of("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"),
        "Standard",
        pins=STORAGE_CLASS_FIELD,
    ),
    Option("metadata", types.metadata, pins=META_PREFIX),
    Option("confirm", types.flag, False),
    Option("read", types.readers),
    Option("read_for", SESSION_SECONDS, 600),
    Option("variants", types.variants),
    Option("parts", types.flag, False),
    Option("part_size", types.part_size, "1MiB"),
    Option("parts_within", types.option_seconds(900, 604800), 86400),
    Option("files_per_day", types.daily_files),
    Option("bytes_per_day", types.daily_bytes),
    Option("hold", types.steps),
    Option("hold_days", types.whole_number(1, 30), 1),
    Option("commit_by", types.option_one_of(*COMMITTERS), COMMITTERS[0]),
    Option("check_scene", types.whole_number(1, 4), 1),
    Option("bucket", as_setting(types.BUCKET), is_for_pages=True),
    Option("region", as_setting(types.REGION), is_for_pages=True),
    Option("host", as_setting(types.ORIGIN), is_for_pages=True),
    Option("role", as_setting(types.ROLE_ARN), is_for_pages=True),
)
OPTION_NAMES = ("key", *(option.name for option in OPTIONS))
PAGE_OPTION_NAMES = ("key", *(option.name for option in OPTIONS if option.is_for_pages))


def read_options(
    table: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Message]]:
    """
    The values of a profile's options, and what is wrong with them.

    Args:
        defaults: instead of the rows' own, where it depends on more than the table.

    Returns:
        values by name (of what is wrong, none), and clauses that begin with the option's name.
    """
    values: dict[str, Any] = {}
    found: list[Message] = []
    for option in OPTIONS:
        value = table.get(option.name, defaults.get(option.name, option.default))
        if value is None and option.pins:
            continue
        try:
            values[option.name] = option.read(option.name, value)
        except ValueError as error:
            found += error.args
    return values, found


def pinned_fields(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The form fields that options fix, each under OSS's name with its one value."""
    fields: list[tuple[str, str]] = []
    for option in OPTIONS:
        value = values.get(option.name)
        if not option.pins or value is None:
            continue
        if isinstance(value, dict):
            fields += [(f"{option.pins}{name}", item) for name, item in value.items()]
        else:
            fields.append((option.pins, value))
    return tuple(fields)
