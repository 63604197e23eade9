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


def test_no_error_is_raised_that_is_not_published():
    assert {kind.__name__ for kind in kinds()} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_error_has_its_status_its_code_and_its_wait(name):
    kind = getattr(errors, name)
    error = kind([]) if kind is Misconfigured else kind("A sentence.")
    assert (error.status, error.code, error.retry_after) == PUBLISHED[name]
    assert str(error) == error.message


def test_what_is_wrong_with_the_configuration_goes_to_the_log_alone():
    error = Misconfigured([Problem("A", "A is missing"), Problem("B", "B is wrong")])
    assert error.problems == (("A", "A is missing", ""), ("B", "B is wrong", ""))
    assert error.reason == "A is missing; B is wrong"
    assert "missing" not in error.message


def test_a_wait_that_is_known_better_goes_before_the_usual_one():
    assert errors.TooManyRequests("Slowly.", retry_after=7).retry_after == 7


def test_of_what_is_not_said_an_error_says_nothing():
    error = BadRequest()
    assert (error.message, error.reason, error.upstream, error.details) == ("", "", "", {})
    assert Misconfigured([]).upstream == ""


USUAL = ("StsUnavailable", "OssUnavailable", "OssRejected", "NotUploaded", "AlreadyExists")
USUAL += ("AlreadyComplete", "AlreadyPublished", "UploadGone")


@pytest.mark.parametrize("name", USUAL)
def test_an_error_says_the_usual_sentence_where_it_has_none_of_its_own(name):
    kind = getattr(errors, name)
    assert str(kind()) == kind.default_message != ""


def test_an_error_says_its_own_sentence_where_it_has_one():
    assert str(StsUnavailable("Another.")) == "Another."


def test_who_refused_is_kept_for_programs():
    assert Misconfigured([], upstream="NoPermission").upstream == "NoPermission"


def test_each_of_those_who_share_a_failure_gets_all_of_it_but_where_it_was_raised():
    with pytest.raises(StsUnavailable) as raised:
        raise StsUnavailable("A.", reason="b", retry_after=3, upstream="c", details={"d": 1})
    other = copy(raised.value)
    assert type(other) is StsUnavailable
    assert (str(other), vars(other)) == ("A.", vars(raised.value))
    assert raised.value.__traceback__ is not None
    assert other.__traceback__ is None
