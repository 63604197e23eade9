"""The environment of all tests, for those of the quality tools as well."""

from tests.conftest import (  # noqa: F401
    clean_environment,
    clock,
    environment,
    event,
    good_sts,
    instance,
    log_lines,
    no_own_files,
    profiles_file,
    pytest_collection_finish,
    pytest_itemcollected,
    pytest_runtest_makereport,
    started,
)
