"""Steps of ``setup``, printed: for a person, and as JSON."""

import json
from typing import Any
from xml.etree import ElementTree

from ops.account.role_plan import Step
from ops.deploy.profile_lines import after
from ops.terminal.language import Text
from ops.terminal.screen import Screen


def show_steps(steps: list[Step], notes: list[Text], screen: Screen, language: str) -> None:
    for number, step in enumerate(steps, start=1):
        screen.line()
        screen.title(after(f"{number}. {step.service} {step.action}", step.why).say(language))
        for name, value in step.parameters.items():
            lines = _lines(value)
            screen.line(f"   {name} = {lines[0]}")
            for line in lines[1:]:
                screen.line(f"   {line}")
    if notes:
        screen.line()
    for note in notes:
        screen.warn(note.say(language))


def _lines(value: Any) -> list[str]:
    if isinstance(value, str) and value.startswith("<"):
        root = ElementTree.fromstring(value)
        ElementTree.indent(root)
        return ["", *ElementTree.tostring(root, encoding="unicode").splitlines()]
    return json.dumps(value, indent=2, ensure_ascii=False).splitlines()


def as_json(step: Step) -> dict[str, Any]:
    """A step as data; the body of a call to OSS is an object that holds a list of each tag."""
    parameters = dict(step.parameters)
    if isinstance(body := parameters.get("body"), str):
        parameters["body"] = _tags(ElementTree.fromstring(body))
    return {"service": step.service, "action": step.action, "region": step.region, "parameters": parameters}


def _tags(element: ElementTree.Element) -> Any:
    if not len(element):
        return element.text or ""
    names = dict.fromkeys(child.tag for child in element)
    return {name: [_tags(child) for child in element.findall(name)] for name in names}
