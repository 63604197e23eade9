"""``s.yaml`` against ``s_yaml_schema.yaml``: the path of each departure, and jsonschema's own message."""

import functools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from function.auth import all_settings
from ops.deploy.callers import own_variables
from ops.deploy.s_yaml import Place, Problem, parsed
from ops.terminal.language import Text

SCHEMA = Path(__file__).with_name("s_yaml_schema.yaml")
# Of the settings, of a certificate, and of the key pair that deploys.
SECRETS = frozenset(row.name for row in all_settings() if row.is_secret) | {
    *("privateKey", "AccessKeySecret", "SecurityToken")
}


def schema_problems(document: Any, unresolved: Collection[Place]) -> Iterator[Problem]:
    """Every departure from the schema, except where a ``${...}`` has no value anyway."""
    for error in _validator().iter_errors(document):
        place: Place = tuple(error.absolute_path)
        if place in unresolved:
            continue
        said, schema = error.message, error.schema
        described = schema.get("description") if isinstance(schema, Mapping) else None
        # A message shows the value, which may be, or hold, a secret; this one shows names alone.
        may_hold_a_secret = isinstance(error.instance, dict | list) or any(map(is_secret, place))
        if error.validator != "required" and may_hold_a_secret:
            said = f"violates {error.validator}" + ("" if described else f" {error.validator_value}")
        if described:
            said = f"{said} ({described})"
        yield Problem(place, Text(said, f"不符合规则：“{said}”"))


@functools.cache
def _validator() -> Draft7Validator:
    return Draft7Validator(parsed(SCHEMA.read_text("utf-8")))


def is_secret(name: object) -> bool:
    name = str(name)
    return name in SECRETS or name.endswith(("_SECRET", "_PASSWORD", "_TOKEN")) or name in own_variables()
