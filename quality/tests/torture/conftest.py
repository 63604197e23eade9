"""Logs of the proofs."""

import logging

import pytest


@pytest.fixture
def quiet(caplog):
    """Thousands of requests are logged otherwise."""
    caplog.set_level(logging.CRITICAL, "oss_direct_upload")
