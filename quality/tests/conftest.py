"""The environment of all tests, for those of the quality tools as well."""

from tests.conftest import (  # noqa: F401
    clean_environment,
    clock,
    environment,
    event,
    good_sts,
    instance,
    log_lines,
    no_audit_hook,
    no_network,
    profiles_file,
    pytest_runtest_makereport,
)
