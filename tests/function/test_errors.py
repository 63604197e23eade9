"""errors: status, code and wait of each, as they are published."""

from copy import copy

import pytest

from function import errors
from function.errors import BadRequest, Misconfigured, Problem, StsUnavailable, UploadError

PUBLISHED = {
    "BadRequest": (400, "bad_request", None),
    "UnknownProfile": (400, "unknown_profile", None),
    "Unauthorized": (401, "unauthorized", None),
    "Forbidden": (403, "forbidden", None),
    "NotFound": (404, "not_found", None),
    "NotUploaded": (404, "not_uploaded", None),
    "MethodNotAllowed": (405, "method_not_allowed", None),
    "Incomplete": (409, "incomplete", None),
    "AlreadyExists": (409, "already_exists", None),
    "AlreadyComplete": (409, "already_complete", None),
    "AlreadyPublished": (409, "already_published", None),
    "UploadGone": (410, "upload_gone", None),
    "TooLarge": (413, "too_large", None),
    "UnsupportedType": (415, "unsupported_type", None),
    "TooManyRequests": (429, "too_many_requests", 60),
    "QuotaExceeded": (429, "quota_exceeded", None),
    "Misconfigured": (500, "misconfigured", None),
    "InternalError": (500, "internal_error", None),
    "StsRejected": (502, "sts_rejected", None),
    "WechatRejected": (502, "wechat_rejected", None),
    "OssRejected": (502, "oss_rejected", None),
    "StsUnavailable": (503, "sts_unavailable", 2),
    "WechatUnavailable": (503, "wechat_unavailable", 2),
    "OssUnavailable": (503, "oss_unavailable", 2),
    "OssKeyUnavailable": (503, "oss_key_unavailable", 2),
    "QuotaUnavailable": (503, "quota_unavailable", 2),
}


def kinds(root=UploadError):
    """Every class that is raised, which are those with a code."""
    for kind in root.__subclasses__():
        if "code" in vars(kind):
            yield kind
        yield from kinds(kind)


def test_every_error_is_published():
    assert {kind.__name__ for kind in kinds()} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_error_has_its_status_code_and_wait(name):
    kind = getattr(errors, name)
    error = kind([]) if kind is Misconfigured else kind("A sentence.")
    assert (error.status, error.code, error.retry_after) == PUBLISHED[name]
    assert str(error) == error.message


def test_configuration_problems_go_to_the_log_only():
    error = Misconfigured([Problem("A", "A is missing"), Problem("B", "B is wrong")])
    assert error.problems == (("A", "A is missing", ""), ("B", "B is wrong", ""))
    assert error.reason == "A is missing; B is wrong"
    assert "missing" not in error.message


def test_a_given_wait_replaces_the_default():
    assert errors.TooManyRequests("Slowly.", retry_after=7).retry_after == 7


def test_details_default_to_empty():
    error = BadRequest()
    assert (error.message, error.reason, error.upstream, error.details) == ("", "", "", {})
    assert Misconfigured([]).upstream == ""


USUAL = ("StsUnavailable", "OssUnavailable", "OssRejected", "NotUploaded", "AlreadyExists")
USUAL += ("AlreadyComplete", "AlreadyPublished", "UploadGone")


@pytest.mark.parametrize("name", USUAL)
def test_an_error_without_a_message_has_the_default_one(name):
    kind = getattr(errors, name)
    assert str(kind()) == kind.default_message != ""


def test_a_given_message_replaces_the_default():
    assert str(StsUnavailable("Another.")) == "Another."


def test_the_upstream_code_is_kept():
    assert Misconfigured([], upstream="NoPermission").upstream == "NoPermission"


def test_a_copied_error_has_everything_but_the_traceback():
    with pytest.raises(StsUnavailable) as raised:
        raise StsUnavailable("A.", reason="b", retry_after=3, upstream="c", details={"d": 1})
    other = copy(raised.value)
    assert type(other) is StsUnavailable
    assert (str(other), vars(other)) == ("A.", vars(raised.value))
    assert raised.value.__traceback__ is not None
    assert other.__traceback__ is None
