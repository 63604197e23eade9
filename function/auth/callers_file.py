"""``callers.toml``: the callers of ``CALLER_AUTH=several``, each with the settings of its kind."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from function.annotations import Any, NamedTuple
from function.config import settings_validation as validation
from function.config.jwt_key import SECRET_ALGORITHM
from function.config.option_table import NAME
from function.config.profile import Profile
from function.config.profiles import problem_in
from function.config.setting_table import CallerEntry, CallerKind, Setting, new_entry, reaches
from function.config.settings import read_rows, settings_of
from function.errors import Problem
from function.messages import Message

CALLERS_TOML, SEVERAL, UNNAMED = "callers.toml", "several", "unnamed"
# Where secrets are: another file, or a variable of the environment.
IN_FILE, IN_ENVIRONMENT = "file:", "env:"
VARIABLE = r"[A-Z][A-Z0-9_]*"
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----"
# Visible ASCII, so that no id ends inside another; its token must fit into a callback field of OSS.
PLATFORM_ID = r"[!-~]{1,200}"
# Every setting of a kind stands in the file but the addresses, which serve all entries that name none.
ADDRESS = "_ENDPOINT"


class Source(NamedTuple):
    """Environment, folder of relative paths, and kinds by name, that sections are read with."""

    environ: Mapping[str, str]
    folder: Path
    read_text: Callable[[Path], str]
    kinds: Mapping[str, CallerKind]


def read_callers(
    environ: Mapping[str, str],
    values: Mapping[str, Any],
    profiles: Sequence[Profile],
    folder: Path,
    read_text: Callable[[Path], str],
    kinds: Mapping[str, CallerKind],
) -> tuple[tuple[CallerEntry, ...], list[Problem]]:
    """
    Read every section; return the valid entries, and a problem for each fault.

    Args:
        values: of the other settings.
        folder: of the file.
    """
    source = Source(environ, folder, read_text, {name: kinds[name] for name in kinds if name != SEVERAL})
    tables, problems = _tables(source)
    problems += _beside_the_file(source)
    entries: list[CallerEntry] = []
    read: dict[str, Mapping[str, Any]] = {}
    for name, table in tables.items():
        entry, own, clauses = _read_section(name, table, source)
        problems += [_problem(name, clause) for clause in clauses]
        if entry is None:
            continue
        entries.append(entry)
        read[name] = own
        usable = [each for each in profiles if reaches(entry, each)]
        found = entry.kind.problems({**values, **own}, usable, settings_of(problems))
        problems += [_problem(name, each.sentence) for each in found]
    problems += [_problem(name, clause) for name, clause in _between(entries, read)]
    if values.get("ERASE_ON") and not any(each.kind_name == "wechat" for each in entries):
        problems.append(Problem("ERASE_ON", Message("ERASE_ON needs a caller of WeChat in callers.toml")))
    # A file that has no sections is one fault, not one for each profile.
    for profile in profiles if tables else ():
        for name in profile.callers:
            if name not in tables:
                clause = Message("callers names {name}, which callers.toml has not", name=name)
                problems.append(problem_in(profile.name, clause))
    return tuple(entries), problems


def _problem(name: str, clause: Message) -> Problem:
    return Problem(CALLERS_TOML, Message("callers.toml [{name}]: {clause}", name=name, clause=clause))


def _tables(source: Source) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    import tomllib

    path = source.folder / CALLERS_TOML
    try:
        text = source.read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or Message("it is not UTF-8")
        sentence = Message(
            "callers.toml cannot be read ({path}: {why}); CALLER_AUTH=several needs it",
            path=str(path),
            why=why,
        )
        return {}, [Problem(CALLERS_TOML, sentence)]
    try:
        tables = tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        from function.config.toml_errors import message_of

        return {}, [Problem(CALLERS_TOML, message_of(CALLERS_TOML, text, error, is_secret=True))]
    wrong = [
        name for name, table in tables.items() if not isinstance(table, dict) or not re.fullmatch(NAME, name)
    ]
    problems = [
        _problem(name, Message("it must be a section, named with 1 to 64 letters, digits, _ or -"))
        for name in wrong
    ]
    if not tables:
        sentence = Message("callers.toml has no caller; it needs at least one section such as [main]")
        problems.append(Problem(CALLERS_TOML, sentence))
    return {name: table for name, table in tables.items() if name not in wrong}, problems


def _beside_the_file(source: Source) -> Iterator[Problem]:
    """Find settings of one caller, which would be read by nobody."""
    for kind in source.kinds.values():
        for row in kind.settings:
            if source.environ.get(row.name, "").strip() and not row.name.endswith(ADDRESS):
                sentence = Message(
                    "{name} must be unset with CALLER_AUTH=several: callers.toml has it", name=row.name
                )
                yield Problem(row.name, sentence)


def key_of(row: Setting, kind_name: str) -> str:
    """Return the name of a setting in a section: without the name of its kind."""
    return row.key or row.name.removeprefix(f"{kind_name.upper()}_").lower()


def _read_section(
    name: str, table: Mapping[str, Any], source: Source
) -> tuple[CallerEntry | None, dict[str, Any], list[Message]]:
    """Return the entry of a section and the values of its settings; or a clause for each fault."""
    kind_name = str(table.get("kind"))
    kind = source.kinds.get(kind_name)
    if kind is None:
        return None, {}, [Message("kind must be one of {names}", names=", ".join(sorted(source.kinds)))]
    rows = {key_of(row, kind_name): row for row in kind.settings}
    clauses = [*_unknown_keys(table, ("kind", "owners", *rows))]
    if table.get("owners", UNNAMED) != UNNAMED:
        clauses.append(Message('owners must be "unnamed", or be left out'))
    texts = {
        row.name: source.environ.get(row.name, "") for row in rows.values() if row.name.endswith(ADDRESS)
    }
    unread: set[str] = set()
    for key in rows.keys() & table.keys():
        try:
            texts[rows[key].name] = _text(key, table[key], rows[key], source)
        except ValueError as error:
            clauses.append(error.args[0])
            unread.add(rows[key].name)
    # What a variable or another file holds may be a secret in the wrong place.
    named = {
        row.name: row._replace(name=key, is_secret=texts.get(row.name) != table.get(key))
        for key, row in rows.items()
        if row.name not in unread
    }
    by_key, problems = read_rows({named[each].name: text for each, text in texts.items()}, named.values())
    values = {row: by_key[renamed.name] for row, renamed in named.items() if renamed.name in by_key}
    refused = {*unread, *settings_of(problems)}
    problems += validation.missing_settings(kind.settings, values, None, (), refused)
    for key, row in rows.items():
        is_id = row.name == (kind.id_setting or kind.app_setting) and refused.isdisjoint((key, row.name))
        if is_id and not re.fullmatch(PLATFORM_ID, values.get(row.name, "")):
            clauses.append(Message("{name} must be 1 to 200 visible ASCII characters", name=key))
        elif is_id and values[row.name] != table[key]:
            # Commands read the file without the function's environment.
            clauses.append(Message("{key} must be written out here, without blanks around it", key=key))
    clauses += [each.sentence for each in problems]
    if clauses:
        return None, {}, clauses
    return new_entry(kind_name, kind, values, name, is_unnamed="owners" in table), values, []


def _unknown_keys(table: Mapping[str, Any], allowed: Sequence[str]) -> Iterator[Message]:
    for key in sorted(set(table) - set(allowed)):
        yield Message("{key} is unknown; allowed: {names}", key=key, names=", ".join(allowed))


def _text(key: str, value: Any, row: Setting, source: Source) -> str:
    """Return the text of a key; raise ``ValueError`` with the clause."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(Message("{key} must be text", key=key))
    rest = value.removeprefix(IN_FILE)
    if rest != value:
        try:
            text = source.read_text(source.folder / rest).strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or Message("it is not UTF-8")
            raise ValueError(
                Message("{key}: {path} cannot be read: {why}", key=key, path=rest, why=why)
            ) from None
        if not text:
            raise ValueError(Message("{key}: {path} is empty", key=key, path=rest))
        return text
    rest = value.removeprefix(IN_ENVIRONMENT)
    if rest != value:
        # What is no name may be the secret itself.
        if not re.fullmatch(VARIABLE, rest):
            raise ValueError(Message("{key}: env: takes the name of a variable, in capitals", key=key))
        text = source.environ.get(rest, "").strip()
        if not text:
            raise ValueError(Message("{key}: the environment has no {name}", key=key, name=rest))
        return text
    if row.is_secret and PUBLIC_KEY not in value:
        raise ValueError(
            Message('{key} must be "file:PATH" or "env:NAME": a secret has no place in this file', key=key)
        )
    return value


def _between(
    entries: Iterable[CallerEntry], read: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Message]]:
    """Find entries that cannot stand side by side."""
    first: dict[tuple[str, str], str] = {}
    for entry in entries:
        for value, what in (
            (entry.id, Message("the id {id}", id=entry.id)),
            (entry.id.partition(":")[2] if entry.kind.log_in else "", Message("the AppID")),
            (_shared_key(read[entry.name]), Message("the HS256 key")),
            (UNNAMED if entry.is_unnamed else "", Message("the unnamed owners")),
        ):
            other = first.setdefault((what.template, value), entry.name) if value else entry.name
            if other != entry.name:
                yield entry.name, Message("it has {what} of [{other}]", what=what, other=other)
                break


def _shared_key(values: Mapping[str, Any]) -> str:
    """Return the secret that signs the tokens of an issuer; empty if only a public key verifies them."""
    return values["JWT_KEY"] if values.get("JWT_ALGORITHM") == SECRET_ALGORITHM else ""
