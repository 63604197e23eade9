"""
``s.own.yaml``: what ``.env`` and ``callers.toml`` add to ``s.yaml``, laid over that file: the optional blocks
that a setting switches on, and the variables that callers name.

So nobody edits ``s.yaml``, and an upgrade meets no change in it.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ops.deploy.callers import SEVERAL, own_variables
from ops.deploy.operator_env import operator_environment
from ops.deploy.s_yaml import EXTEND, SourceFile, functions, laid_over, mapping, parsed, read_s_yaml
from ops.terminal.language import Failure, Text

OWN = "s.own.yaml"
HEAD = "# Written anew by make deploy from .env: edit that.\n"
# The setting that switches a block on; where it is a number, the place that it has in the block.
SWITCHES = {
    "customDomain": ("CUSTOM_DOMAIN", ""),
    "logConfig": ("LOG_PROJECT", ""),
    "vpcConfig": ("VPC_ID", ""),
    "concurrencyConfig": ("RESERVED_INSTANCES", "reservedConcurrency"),
    "provisionConfig": ("PROVISIONED_INSTANCES", "defaultTarget"),
}
CLOSED = "CLOSE_TEST_ADDRESS"
NUMBER = Text("{name} = {value}: must be a whole number of 1 or more", "{name} = {value}：应为 1 以上的整数")


def with_own_blocks(file: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file to deploy, ``s.own.yaml`` if a setting asks for a block; raise ``Failure``."""
    own, source = file.with_name(OWN), read_s_yaml(file)
    props = _own_props(source, operator_environment(source.folder / ".env", environ))
    if not props:
        own.unlink(missing_ok=True)
        return file
    ((place, _),) = functions(source.content)
    below = mapping(source.layers[-1]) if EXTEND in source.layers[-1] else {EXTEND: f"./{file.name}"}
    layer = {"edition": "3.0.0", **below}
    content = laid_over(layer, {"resources": {place[1]: {"props": props}}})
    own.write_text(HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")
    return own


def _own_props(source: SourceFile, values: Mapping[str, str]) -> dict[str, Any]:
    found = list(functions(source.content))
    if len(found) != 1:
        return {}
    blocks = dict(optional_blocks(source.folder / "s.yaml"))
    props: dict[str, Any] = {}
    for name, (setting, number) in SWITCHES.items():
        if not (value := values.get(setting)) or name not in blocks:
            continue
        props[name] = blocks[name]
        if number:
            if not re.fullmatch("[1-9][0-9]{0,3}", value):
                raise Failure(NUMBER.filled(name=setting, value=value))
            props[name] = {**blocks[name], number: int(value)}
    if values.get("CALLER_AUTH") == SEVERAL and (names := own_variables()):
        props["environmentVariables"] = {name: f"${{env('{name}')}}" for name in sorted(names)}
    if values.get(CLOSED) == "true":
        props["triggers"] = [_closed(trigger) for trigger in found[0][1].get("triggers") or []]
    return props


def _closed(trigger: Any) -> Any:
    if mapping(trigger).get("triggerType") != "http":
        return trigger
    return laid_over(trigger, {"triggerConfig": {"disableURLInternet": True}})


def optional_blocks(file: Path) -> Iterator[tuple[str, Any]]:
    """Yield each block that stands in comments below an "## Optional" heading, by its name."""
    text = file.read_text("utf-8") if file.is_file() else ""
    for part in re.split(r"^ +## Optional", text, flags=re.M)[1:]:
        lines = re.findall(r"^ +# (.*)$", part.partition("\n\n")[0], re.M)
        yield from mapping(parsed("\n".join(lines))).items()
