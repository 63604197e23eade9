"""
``s.yaml`` against ``s_yaml_schema.yaml``, with sentences that name the value and what is allowed.
"""

import difflib
import functools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from function.auth import all_settings
from ops.deploy.s_yaml import Place, Problem
from ops.terminal.language import Text

SCHEMA = Path(__file__).with_name("s_yaml_schema.yaml")
# Of the settings, of a certificate, and of the key pair that deploys.
SECRETS = frozenset(row.name for row in all_settings() if row.is_secret) | {
    *("privateKey", "AccessKeySecret", "SecurityToken")
}
MANY_CHOICES = 10
NOT_SHOWN = Text("(a secret, not shown)", "（密钥，不显示）")
TYPES = {
    "object": Text("a mapping (name: value)", "映射（name: value）"),
    "array": Text("a list", "列表"),
    "string": Text("a text (quote it)", "文字（请加引号）"),
    "integer": Text("a whole number", "整数"),
    "number": Text("a number", "数字"),
    "boolean": Text("true or false", " true 或 false"),
}
CUSTOM_CONTAINERS = Text("is for custom containers; the function is none", "只用于自定义容器；本函数不是")
# Properties that the component knows and that cannot work, or mean nothing, here.
OUT_OF_PLACE = {
    "customContainerConfig": CUSTOM_CONTAINERS,
    "gpuConfig": CUSTOM_CONTAINERS,
    "nasConfig": Text("is not used: the function keeps no files", "用不到：函数不保存文件"),
    "ossMountConfig": Text("is not used: no file passes through the function", "用不到：文件不经过函数"),
    "asyncInvokeConfig": Text("is not used: every call is answered at once", "用不到：每次调用都当场响应"),
}


def schema_problems(document: Any, unresolved: Collection[Place]) -> Iterator[Problem]:
    """Every departure from the schema, except where a ``${...}`` has no value anyway."""
    found: dict[Problem, None] = {}
    for error in _validator().iter_errors(document):
        place: Place = tuple(error.absolute_path)
        if place not in unresolved:
            found |= dict.fromkeys(_problems(error, place))
    yield from found


@functools.cache
def _validator() -> Draft7Validator:
    return Draft7Validator(yaml.safe_load(SCHEMA.read_text("utf-8")))


def is_secret(name: object) -> bool:
    return str(name) in SECRETS or str(name).endswith(("_SECRET", "_PASSWORD", "_TOKEN"))


def wrong_value(value: Any, place: Place, complaint: Text) -> Problem:
    """A problem that shows the value: short, and never a secret."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    shown = Text(*[text if len(text) <= 80 else text[:77] + "..."] * 2)
    if any(is_secret(part) for part in place):
        shown = NOT_SHOWN
    return Problem(place, Text(f"= {shown.en}: {complaint.en}", f"= {shown.zh}：{complaint.zh}"))


def _problems(error: ValidationError, place: Place) -> Iterator[Problem]:
    rule: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            yield from _unknown(error, place)
        case "required":
            # One error for each missing name, and only its message says which: each time all are told.
            instance: Any = error.instance
            for missing in (name for name in rule if name not in instance):
                wanted = _wanted(error, missing)
                yield Problem((*place, missing), Text(f"is missing{wanted.en}", f"缺少{wanted.zh}"))
        case _:
            allowed = _allowed(error)
            complaint = Text(f"must be {allowed.en}", f"应为{allowed.zh}")
            yield wrong_value(error.instance, place, complaint)


def _unknown(error: ValidationError, place: Place) -> Iterator[Problem]:
    schema: Any = error.schema
    instance: Any = error.instance
    allowed = sorted(schema.get("properties", {})) or list(schema.get("patternProperties", {}))
    for name in instance:
        if name in schema.get("properties", {}) or _matches_pattern(name, schema):
            continue
        if name in OUT_OF_PLACE:
            yield Problem((*place, name), OUT_OF_PLACE[name])
            continue
        close = difflib.get_close_matches(str(name), allowed, 1, 0.7)
        names = ", ".join(allowed)
        sentence = Text(
            f"is not a property{did_you_mean(close).en} (allowed here: {names})",
            f"不是可用的属性{did_you_mean(close).zh}（这里可用：{names}）",
        )
        yield Problem((*place, name), sentence)


def did_you_mean(close: Sequence[str]) -> Text:
    """The name that is meant, if there is one that resembles what was written."""
    return Text(f"; did you mean {close[0]}?", f"，是不是 {close[0]}？") if close else Text("", "")


def _matches_pattern(name: str, schema: Any) -> bool:
    return any(
        Draft7Validator({"pattern": pattern}).is_valid(name)
        for pattern in schema.get("patternProperties", {})
    )


def _wanted(error: ValidationError, name: str) -> Text:
    schema: Any = error.schema
    rule = schema.get("properties", {}).get(name, {})
    if "const" in rule:
        return Text(f"; it must be {rule['const']}", f"，应为 {rule['const']}")
    if name in ("cpu", "memorySize", "diskSize"):
        return Text(
            "; cpu, memorySize and diskSize belong together", "；cpu、memorySize 与 diskSize 要一起写"
        )
    if name == "methods":
        return Text(
            "; list the methods, such as [GET, POST, OPTIONS]", "；请列出方法，如 [GET, POST, OPTIONS]"
        )
    return Text("", "")


def _allowed(error: ValidationError) -> Text:
    rule: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "const":
            return Text(str(rule), f" {rule}")
        case "enum":
            return _one_of(error.instance, [str(choice) for choice in rule])
        case "type":
            return TYPES[str(rule)]
        case "minimum" | "maximum" | "multipleOf":
            return _range(schema)
        case "pattern":
            return _said(str(rule), error)
        case "minLength":
            return Text("a text that is not empty", "不为空的文字")
        case "minItems" | "maxItems":
            is_exact = schema.get("maxItems") == rule
            return Text(
                f"a list of {'exactly' if is_exact else 'at least'} {rule}",
                f"{'恰好' if is_exact else '至少'} {rule} 项的列表",
            )
        case "minProperties":
            return Text("a mapping with at least one entry", "至少有一项的映射")
        case "uniqueItems":
            return Text("a list without repetitions", "没有重复的列表")
    return Text(error.message, f"：“{error.message}”")


def _range(schema: Mapping[str, Any]) -> Text:
    least, most = schema["minimum"], schema.get("maximum")
    multiple = schema.get("multipleOf")
    by = Text(f" and a multiple of {multiple}", f"、且为 {multiple} 的倍数") if multiple else Text("", "")
    if most is None:
        return Text(f"{least} or more{by.en}", f"不小于 {least}{by.zh}")
    return Text(f"{least} to {most}{by.en}", f" {least} 到 {most}{by.zh}")


def _one_of(value: Any, choices: list[str]) -> Text:
    """The choices; of many, the one that is meant."""
    # A region is often copied with what stands around it in an address of OSS.
    name = str(value).removeprefix("oss-").removesuffix(".aliyuncs.com").removesuffix("-internal")
    close = difflib.get_close_matches(name, choices, 1, 0.7) if len(choices) > MANY_CHOICES else []
    if close:
        meant = did_you_mean(close)
        return Text(f"one of {len(choices)} names{meant.en}", f" {len(choices)} 个名字之一{meant.zh}")
    return Text("one of " + ", ".join(choices), "其中之一：" + ", ".join(choices))


def _said(pattern: str, error: ValidationError) -> Text:
    last = str(error.absolute_path[-1]) if error.absolute_path else ""
    said = {
        "role": Text(
            "a full ARN, acs:ram::<account id>:role/<name>; the component creates no role and sends"
            " `auto` and bare names on as they are",
            "完整的 ARN，acs:ram::<账号 ID>:role/<角色名>；组件不会创建角色，`auto` 和单独的名字会原样送出",
        ),
        "handler": Text("module.function", " module.function"),
        "component": Text(
            "fc3, fc3@<version>, or the path of a folder", " fc3、fc3@<版本>，或一个目录的路径"
        ),
        "domainName": Text(
            "a domain name in lower case, or auto (for testing only)", "小写的域名，或 auto（仅供测试）"
        ),
        "path": Text("a path that begins with /", "以 / 开头的路径"),
    }
    return said.get(last, Text(f"letters as in {pattern}", f"符合 {pattern} 的字符"))
