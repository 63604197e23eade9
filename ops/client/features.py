"""What a deployed function lacks of one's own profiles, found by requests that change nothing."""

from collections.abc import Mapping

from function.config.profile import Profile
from ops.client.form_upload import Answer
from ops.client.function_client import FunctionAtUrl
from ops.deploy.features import ROUTE_OF
from ops.terminal.language import Text

UNKNOWN = Text("[{name}] is not deployed", "[{name}] 还没有部署")
LACKS = Text("[{name}] lacks {options}", "[{name}] 缺 {options}")
# No profile admits so much, so no form is signed and nothing is counted against a quota.
TOO_LARGE = {"contentType": "text/html", "size": 2**52}


def lacking_options(client: FunctionAtUrl, token: str, profiles: Mapping[str, Profile]) -> list[Text]:
    """
    Return a sentence for each profile of which something is not deployed.

    Args:
        token: without one, a function for callers who log in does not say which profiles it has.

    Raises:
        FunctionSilent: no answer.
    """
    # The route is looked up before the body is read.
    absent = {
        option for option, route in ROUTE_OF.items() if code_of(client.ask(route, "[", "")) == "not_found"
    }
    sentences = []
    for name, profile in profiles.items():
        answer = client.ask("upload-params", {"profile": name, **TOO_LARGE}, token)
        if code_of(answer) == "unknown_profile":
            sentences.append(UNKNOWN.filled(name=name))
        elif options := [option for option in ROUTE_OF if option in absent and getattr(profile, option)]:
            sentences.append(LACKS.filled(name=name, options=", ".join(options)))
    return sentences


def code_of(answer: Answer) -> str:
    """Return the code of a refusal; empty for anything else."""
    error = answer.json.get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""
