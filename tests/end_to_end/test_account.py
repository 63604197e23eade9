"""What ``setup`` grants is what the function needs in every bucket: local STS and OSS judge the documents."""

import argparse
from dataclasses import replace

import pytest

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.buckets import ARCHIVE
from local.cloud import FUNCTION_KEY, LocalCloud
from local.fc.event import ACCOUNT_ID
from local.fc.gateway import FcGateway
from local.sts.assume_role import Role
from ops.account import setup
from ops.account.desired import read_desired
from ops.account.ram_documents import role_arn
from ops.account.role_plan import FoundRoles, role_steps
from ops.doctor.examination import Visit, examine
from ops.doctor.findings import State


def documents_of(environ):
    """Of each role its policy, and how long a session may be, as ``setup`` would make them."""
    parser = argparse.ArgumentParser()
    setup.add_arguments(parser)
    desired = read_desired(parser.parse_args([]), environ)
    steps, _ = role_steps(desired.roles, FoundRoles())
    longest = {
        step.parameters["RoleName"]: step.parameters["MaxSessionDuration"]
        for step in steps
        if step.action == "CreateRole"
    }
    policies = {
        step.parameters["PolicyName"]: step.parameters["PolicyDocument"]
        for step in steps
        if step.action == "CreatePolicy"
    }
    return desired.roles[0].name, {name: (policies[name], longest[name]) for name in longest}


@pytest.fixture
def account(tmp_path):
    """The local cloud, with nothing allowed in it but what ``setup`` allows."""
    place = {}
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
    with LocalCloud(gateway, tmp_path / "objects") as cloud:
        environ = cloud.environment()
        function_role, documents = documents_of(environ)
        own, _ = documents.pop(function_role)
        cloud.sts._accounts.add(replace(FUNCTION_KEY, policies=(own,)))
        cloud.sts.roles = {
            role_arn(ACCOUNT_ID, name): Role(role_arn(ACCOUNT_ID, name), *document)
            for name, document in documents.items()
        }
        place["function"] = Function(Dependencies(environ))
        gateway.start()
        yield cloud, environ
    gateway.stop()


def test_the_roles_that_setup_makes_let_every_profile_do_all_it_does_in_its_bucket(account):
    cloud, environ = account
    assert len(cloud.sts.roles) == 2
    findings = [*examine(environ, Visit(cloud.gateway.origin, cloud.wechat.issue_code()))]
    assert any(ARCHIVE.bucket in one.where.en for one in findings if one.where)
    assert [one for one in findings if one.state is State.BAD] == []
