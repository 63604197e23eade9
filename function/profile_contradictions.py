"""What the options of one profile must not say together: a clause for each contradiction."""

from collections.abc import Iterator, Mapping
from typing import Any

from function.key_template import PLACEHOLDERS
from function.option_values import (
    MAX_FORM_BYTES,
    MAX_METADATA_BYTES,
    UPLOAD_ID_METADATA,
    metadata_bytes,
)
from function.phrase import Phrase
from function.profile_options import ANY_TYPE, OPTION_NAMES, PAGE_OPTION_NAMES

MAX_PARTS = 10_000
CLASSES_TO_RESTORE = ("Archive", "ColdArchive", "DeepColdArchive")


def strangers(table: Mapping[str, Any], is_page: bool) -> Iterator[Phrase]:
    """Options that such a profile does not have."""
    allowed = PAGE_OPTION_NAMES if is_page else OPTION_NAMES
    for option in sorted(set(table) - set(allowed)):
        kind = (
            Phrase("a profile whose key ends in {{filename}}")
            if option in OPTION_NAMES
            else Phrase("a profile")
        )
        names = ", ".join(sorted(allowed))
        yield Phrase(
            "{option} is no option of {kind}; allowed: {names}", option=option, kind=kind, names=names
        )


def contradictions(table: Mapping[str, Any], values: Mapping[str, Any], is_page: bool) -> Iterator[Phrase]:
    """
    What is wrong with options each of which is right.

    Args:
        table: what the file holds.

        values: of the options that can be read.
    """
    yield from _size_contradictions(table, values)
    if is_page and values.get("content_types", ANY_TYPE) != ANY_TYPE:
        yield Phrase(
            'content_types must be ["*/*"] where key ends in {{filename}}: no form field pins the type'
        )
    if "{sha256}" in str(table.get("key")):
        yield from _digest_contradictions(table, values)
    if not is_page:
        yield from _reading_contradictions(table, values)
        yield from _parts_contradictions(table, values)
        yield from _quota_contradictions(values)


def _size_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Phrase]:
    least, most = values.get("min_size", 0), values.get("max_size", 0)
    if least > most > 0:
        yield Phrase("min_size ({least}) must not be over max_size ({most})", least=least, most=most)
    if most > MAX_FORM_BYTES and not values.get("parts"):
        yield Phrase(
            "max_size = {value!r} is over the 5GiB that OSS takes in one form; more needs parts = true",
            value=table["max_size"],
        )


def _quota_contradictions(values: Mapping[str, Any]) -> Iterator[Phrase]:
    most, daily = values.get("max_size", 0), values.get("bytes_per_day")
    if daily and daily < most:
        yield Phrase("bytes_per_day ({daily}) must not be under max_size ({most})", daily=daily, most=most)


def _reading_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Phrase]:
    for option in ("read_for", "variants"):
        if option in table and "read" not in table:
            yield Phrase(
                '{option} needs read = "owner" or "callers": nothing else asks for it', option=option
            )
    if values.get("read") == "owner" and "{owner}" not in str(table.get("key")):
        yield Phrase('read = "owner" needs {{owner}} in key: nothing else tells whose an object is')
    if values.get("read") and values.get("storage_class") in CLASSES_TO_RESTORE:
        yield Phrase(
            "read excludes storage_class = {value!r}: OSS shows nothing of it before it is restored",
            value=values["storage_class"],
        )


def _digest_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Phrase]:
    # Who lies about a digest harms nobody else where each has a folder of their own.
    if "{owner}" not in str(table.get("key")) or values.get("confirm") is False:
        yield Phrase("key with {{sha256}} needs {{owner}} and confirm = true")
    if values.get("parts"):
        yield Phrase("key with {{sha256}} excludes parts = true")


def _parts_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Phrase]:
    if not values.get("parts"):
        for option in ("part_size", "parts_within"):
            if option in table:
                yield Phrase("{option} needs parts = true: nothing else asks for it", option=option)
        return
    most, part_size = values.get("max_size", 0), values.get("part_size", MAX_FORM_BYTES)
    if most > part_size * MAX_PARTS:
        yield Phrase(
            "max_size ({most}) is over {count} parts of part_size ({part_size}): OSS takes no more parts",
            most=most,
            count=MAX_PARTS,
            part_size=part_size,
        )
    metadata, name = values.get("metadata", {}), UPLOAD_ID_METADATA
    longest_id = "x" * PLACEHOLDERS["id"][1]
    if name in metadata:
        yield Phrase("metadata.{name} is where parts = true keeps the id of the upload", name=name)
    elif metadata_bytes({**metadata, name: longest_id}) > MAX_METADATA_BYTES:
        yield Phrase("metadata leaves no room for the upload's id, which parts = true keeps with it")
