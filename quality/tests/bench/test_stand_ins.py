"""stand_ins: what STS and WeChat would answer, over TLS that only who trusts them takes."""

import json
import ssl
import urllib.error
import urllib.request

import pytest

from quality.bench.peers import task
from quality.bench.stand_ins import LOGIN_ANSWER, LOGIN_PATH, StandIns


def test_the_stand_ins_answer_over_tls_for_both_clouds_and_for_wechat(tmp_path):
    with StandIns(tmp_path) as stand_ins:
        trusting = ssl.create_default_context(cafile=str(stand_ins.ca_file))
        answers = []
        for question in (
            "/?RoleArn=acs:ram::1:role/upload-512",
            "/?Version=2011-06-15",
            f"{LOGIN_PATH}?js_code=x",
        ):
            with urllib.request.urlopen(f"{stand_ins.origin}{question}", context=trusting) as answer:
                answers.append(answer.read().decode())
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(stand_ins.origin, context=ssl.create_default_context())
        assert len(stand_ins.calls) == 2
    assert len(json.loads(answers[0])["Credentials"]["SecurityToken"]) == 512
    assert answers[1].startswith("<AssumeRoleResponse")
    assert json.loads(answers[2]) == LOGIN_ANSWER


def test_the_oss_stand_in_has_an_object_that_fits_the_form(tmp_path):
    with StandIns(tmp_path) as stand_ins:
        trusting = ssl.create_default_context(cafile=str(stand_ins.ca_file))
        asked = urllib.request.Request(f"{stand_ins.origin}/uploads/x.jpg", method="HEAD")
        with urllib.request.urlopen(asked, context=trusting) as answer:
            assert (answer.headers["Content-Length"], answer.headers["Content-Type"]) == (
                str(task.SIZE_BYTES),
                task.CONTENT_TYPE,
            )


def test_contestants_read_as_many_authorities_as_a_deployment_does(tmp_path):
    with StandIns(tmp_path) as stand_ins:
        alone, among_all = (
            ssl.create_default_context(cafile=str(path)).cert_store_stats()["x509_ca"]
            for path in (stand_ins.ca_file, stand_ins.authorities_file)
        )
    assert (alone, among_all > 100) == (1, True)
