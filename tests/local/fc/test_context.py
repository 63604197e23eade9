"""The context of a function, by the age of its Python."""

from tests.local.fc.running import KEYS, Recorder, ask, gateway


def context_of(**options):
    function = Recorder({"statusCode": 200})
    with gateway(function, **options) as running:
        ask(running)
    return function.contexts[0]


def test_a_context_of_python_3_12_has_no_credentials_and_no_service():
    context = context_of()
    assert set(vars(context)) == {
        "request_id", "function", "logger", "log_project", "log_store", "region", "account_id",
    }  # fmt: skip
    assert set(vars(context.function)) == {"name", "handler", "memory", "timeout", "version_id", "qualifier"}
    assert context.region == "cn-hangzhou"


def test_a_context_of_python_3_10_has_credentials_and_service():
    context = context_of(credentials=KEYS)
    assert set(vars(context)) == {"request_id", "credentials", "function", "service", "region", "account_id"}
    assert vars(context.credentials) == KEYS
    assert set(vars(context.function)) == {"name", "handler", "memory", "timeout"}
    assert set(vars(context.service)) == {"log_project", "log_store", "qualifier", "version_id"}
    assert "SECRET" not in repr(context) + repr(context.credentials)


def test_a_context_is_not_callable_by_default():
    assert not callable(context_of())
    assert callable(context_of(callable_context=True))
