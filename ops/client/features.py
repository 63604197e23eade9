"""
Features of the example mini-program that a deployed function lacks, found by requests that change nothing.
"""

from ops.client.function_client import FunctionAnswer, FunctionAtUrl
from ops.deploy.features import FEATURES, ROUTE_OF, lacks
from ops.terminal.language import Text

# No profile admits so much, so no form is signed and nothing is counted against a quota.
TOO_LARGE = {"contentType": "text/html", "size": 2**52}


def lacking_features(client: FunctionAtUrl, token: str) -> list[Text]:
    """
    Return a sentence for each feature that lacks something.

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
    for feature in FEATURES.values():
        wanted = {"profile": feature.profile, **TOO_LARGE}
        is_unknown = code_of(client.ask("upload-params", wanted, token)) == "unknown_profile"
        names = [f"[{feature.profile}]"] if is_unknown else []
        names += [option for option in feature.options if option in absent]
        if names:
            sentences.append(lacks(feature, names))
    return sentences


def code_of(answer: FunctionAnswer) -> str:
    """Return the code of a refusal; empty for anything else."""
    error = answer.json.get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""
