"""stand_ins: STS and WeChat over TLS, refused by clients that do not trust them."""

import json
import ssl
import urllib.error
import urllib.request

import pytest

from quality.bench.peers import task
from quality.bench.stand_ins import LOGIN_ANSWER, LOGIN_PATH, StandIns


def test_the_stand_ins_answer_over_tls_for_sts_and_wechat(tmp_path):
    with StandIns(tmp_path) as stand_ins:
        trusting = ssl.create_default_context(cafile=str(stand_ins.ca_file))
        answers = []
        for question in ("/?Action=AssumeRole", f"{LOGIN_PATH}?js_code=x"):
            with urllib.request.urlopen(f"{stand_ins.origin}{question}", context=trusting) as answer:
                answers.append(json.loads(answer.read()))
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(stand_ins.origin, context=ssl.create_default_context())
    assert answers[0]["Credentials"]["SecurityToken"] == task.ROLE_TOKEN
    assert answers[1] == LOGIN_ANSWER


def test_contestants_read_as_many_authorities_as_a_deployment_does(tmp_path):
    with StandIns(tmp_path) as stand_ins:
        alone, among_all = (
            ssl.create_default_context(cafile=str(path)).cert_store_stats()["x509_ca"]
            for path in (stand_ins.ca_file, stand_ins.authorities_file)
        )
    assert (alone, among_all > 100) == (1, True)
