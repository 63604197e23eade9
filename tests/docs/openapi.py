"""``docs/openapi.yaml``, and whether it knows an answer that the function gave."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema_rs import Draft202012, Draft202012Validator, Registry

from function import errors

FILE = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
WHOLE = "urn:openapi"
DEFAULT_ROUTE, EVENTS = "upload-params", "wechat-events"
JSON = "application/json"
# What no route has of its own: said once, of them all.
OF_NO_ROUTE = {404: "NotFound", 405: "MethodNotAllowed", 500: "OurFault"}


@cache
def document() -> dict[str, Any]:
    return yaml.load(FILE.read_text("utf-8"), yaml.CSafeLoader)


def error_classes(root: type[errors.UploadError] = errors.UploadError) -> Iterator[type[errors.UploadError]]:
    for kind in root.__subclasses__():
        yield from error_classes(kind)
        if hasattr(kind, "code"):
            yield kind


def find(pointer: str) -> Any:
    """What a reference such as ``#/components/schemas/Form`` leads to, through further ones."""
    found: Any = document()
    for name in pointer.removeprefix("#/").split("/"):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    return find(found["$ref"]) if isinstance(found, dict) and list(found) == ["$ref"] else found


@cache
def registry() -> Registry:
    return Registry([(WHOLE, document())], draft=Draft202012)


def validator(schema: Any) -> Draft202012Validator:
    """Of a schema of the document, whose references lead into it."""
    own = {"$id": WHOLE + ":part", **absolute(schema)}
    return Draft202012Validator(own, registry=registry(), validate_formats=True)


def absolute(schema: Any) -> Any:
    """The same schema, understood from anywhere."""
    if isinstance(schema, list):
        return [absolute(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: absolute(value) for name, value in schema.items()}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = made["$ref"].replace("#/", f"{WHOLE}#/", 1)
    return made


@cache
def validator_at(pointer: str) -> Draft202012Validator:
    return validator(find(pointer))


def route_of(path: str) -> str:
    """The route that a path's last segment names."""
    *_, before, last = ["", *path.split("/")]
    if before == EVENTS:
        return before
    return last or (before if f"/{before}" in document()["paths"] else DEFAULT_ROUTE)


def documented(method: str, path: str, status: int) -> str:
    """
    The pointer to the response that a request is documented to have.

    Raises:
        LookupError: there is none.
    """
    item = document()["paths"].get(f"/{route_of(path)}", {})
    operation = item.get(method.lower())
    if operation is None and status in OF_NO_ROUTE:
        return f"#/components/responses/{OF_NO_ROUTE[status]}"
    responses = (operation or {}).get("responses", {})
    name = str(status) if str(status) in responses else "default"
    if name not in responses:
        raise LookupError(f"{method} /{route_of(path)} is not documented to answer {status}")
    escaped = f"~1{route_of(path)}"
    pointer = f"#/paths/{escaped}/{method.lower()}/responses/{name}"
    return responses[name].get("$ref", pointer)


def check_answer(method: str, path: str, reply: Any) -> None:
    """
    Hold an answer to the document: status, headers, every field, and what is in a receipt.

    Raises:
        AssertionError: it says something else, or more.
    """
    if method == "OPTIONS" and reply.status == 204:
        return
    # What is no request of HTTP has no route.
    pointer = documented(method, path, reply.status) if method else "#/components/responses/BadRequest"
    response = find(pointer)
    where = f"{method} {path} {reply.status}"
    needed = [
        name for name, header in response.get("headers", {}).items() if find(header["$ref"])["required"]
    ]
    refuse(where, [f"no header {name}" for name in needed if name not in reply.headers])
    kind = reply.headers.get("Content-Type", "").partition(";")[0]
    if kind not in response.get("content", {}):
        kind = f"{kind.partition('/')[0]}/*"
    if kind not in response.get("content", {}):
        refuse(where, [f"an answer of {kind or 'no type'}"])
    escaped = kind.replace("/", "~1")
    value = reply.json if kind == JSON else reply.text
    check_value(f"{pointer}/content/{escaped}/schema", value, where)


def check_value(pointer: str, value: Any, where: str) -> None:
    """
    Hold any value to a schema of the document.

    Raises:
        AssertionError: naming where, and each field that does not fit.
    """
    refuse(where, misfits(pointer, value))
    for receipt in receipts_in(value):
        claims = json.loads(urlsafe_b64decode(receipt.split(".")[1] + "=="))
        refuse(f"{where}: receipt", misfits("#/components/schemas/ReceiptClaims", claims))


def refuse(where: str, found: list[str]) -> None:
    if found:
        raise AssertionError(f"{where} is not as docs/openapi.yaml says: " + "; ".join(found))


def misfits(pointer: str, value: Any) -> list[str]:
    errors = validator_at(pointer).iter_errors(value)
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]


def receipts_in(value: Any) -> list[str]:
    """Every real receipt in an answer; an example's ends in three dots."""
    if isinstance(value, list):
        return [receipt for item in value for receipt in receipts_in(item)]
    if not isinstance(value, dict):
        return []
    own = [text for name, text in value.items() if name == "receipt" and str(text).count(".") == 2]
    return own + [receipt for item in value.values() for receipt in receipts_in(item)]


def examples() -> list[tuple[str, Any]]:
    """Each example with the pointer to the schema it is one of."""
    return list(_examples_below(document(), "#"))


def _examples_below(node: Any, pointer: str) -> Any:
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return
    if "schema" in node and "examples" in node:
        for example in node["examples"].values():
            yield f"{pointer}/schema", example["value"]
    for name, value in node.items():
        yield from _examples_below(value, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
