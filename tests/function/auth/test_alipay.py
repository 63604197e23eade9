"""auth.alipay: the signed login, and an answer that counts only as far as Alipay has signed it."""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from function.app import load_settings
from function.auth import owner_of
from function.auth.alipay import KIND, AlipayApp, open_id_of, prepare
from function.auth.login_code import LOGIN_BUDGETS_SECONDS
from function.errors import LoginRejected, Misconfigured, UploadError
from function.http.client import ExchangeFailed, HttpResponse
from ops.terminal.messages import in_both
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTOR = json.loads(Path(__file__).parents[2].joinpath("vectors/alipay.json").read_text("utf-8"))
NOW = datetime.fromisoformat(VECTOR["now"])
TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
SETTINGS = {
    "CALLER_AUTH": "alipay",
    "TOKEN_SECRET": TOKEN_SECRET,
    "ALIPAY_APP_ID": VECTOR["app_id"],
    "ALIPAY_KEY": VECTOR["app_private_key"],
    "ALIPAY_PUBLIC_KEY": VECTOR["alipay_public_key"],
}
APP = AlipayApp(
    VECTOR["app_id"],
    b64decode(VECTOR["app_private_key"]),
    b64decode(VECTOR["alipay_public_key"]),
    "open_id",
    "https://openapi.alipay.com",
)
NODE = "alipay_system_oauth_token_response"
OWN_KEY = load_der_private_key(APP.key, None)
KEYS = Path(__file__).parents[2] / "keys"
# The vector has no private key of Alipay; the first stands for it where an answer is made here.
ALIPAY, OTHER, CURVE = (
    load_pem_private_key((KEYS / f"{name}.pem").read_bytes(), None) for name in ("rsa", "rsa_other", "p256")
)
OF_ALIPAY = ALIPAY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
LOGIN = {"access_token": "token-canary", "user_id": "2088000000000001", "open_id": "open-id-1"}


def signature_of(text, key=ALIPAY):
    return b64encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()


def signed(fields, name=NODE, key=ALIPAY):
    """An answer of the gateway, as it lays it out."""
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    return f'{{"{name}":{text},"sign":"{signature_of(text, key)}"}}'


def open_id(answer, app=APP, now=NOW, status=200):
    answer = answer if isinstance(answer, bytes) else answer.encode()
    return open_id_of(VECTOR["code"], app, lambda *_, **__: HttpResponse(status, answer), now)


def here(**changes):
    return APP._replace(public_key=OF_ALIPAY, **changes)


def refusal(answer, error=LoginRejected, app=None):
    with pytest.raises(UploadError) as raised:
        open_id(answer, app or here())
    assert type(raised.value) is error
    return raised.value


def test_the_request_is_signed_byte_for_byte_as_the_vector():
    sent = []

    def send(method, url, **options):
        sent.append((method, url, options))
        return HttpResponse(200, VECTOR["answer"].encode())

    assert open_id_of(VECTOR["code"], APP, send, NOW) == VECTOR["open_id"]
    ((method, url, options),) = sent
    assert (method, url) == ("POST", "https://openapi.alipay.com/gateway.do")
    body, _, sign = options["body"].decode().partition("&sign=")
    assert body == VECTOR["body"]
    assert dict(parse_qsl(f"sign={sign}")) == {"sign": VECTOR["sign"]}
    assert options["headers"]["Content-Type"] == "application/x-www-form-urlencoded;charset=utf-8"
    # What was signed is the raw text, sorted.
    assert hashlib.sha256(VECTOR["to_sign"].encode()).hexdigest() == VECTOR["to_sign_sha256"]
    OWN_KEY.public_key().verify(
        b64decode(VECTOR["sign"]), VECTOR["to_sign"].encode(), padding.PKCS1v15(), SHA256()
    )


def answering(sent):
    """Alipay as in the vector; notes the fields of each request."""

    def send(*_, body, **__):
        sent.append(dict(parse_qsl(body.decode())))
        return HttpResponse(200, VECTOR["answer"].encode())

    return send


def test_a_session_of_a_login_names_its_app_and_opens_the_function(instance, good_sts, log_lines):
    function = instance(lambda *_, **__: HttpResponse(200, VECTOR["answer"].encode()), **SETTINGS)
    prepare()
    token = function.ask(body={"code": VECTOR["code"]}, path="/login").json["token"]
    payload = token.split(".")[1]
    claims = json.loads(b64decode(payload + "=" * (-len(payload) % 4)))
    assert (claims["sub"], claims["app"]) == (VECTOR["open_id"], VECTOR["app_id"])
    assert log_lines()[-1]["owner"] == owner_of(VECTOR["open_id"], TOKEN_SECRET)
    answer = function.ask(body={"filename": "a.png"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.json["key"].startswith(f"uploads/{owner_of(VECTOR['open_id'], TOKEN_SECRET)}/")


def test_identity_is_pinned(environment):
    assert open_id(signed(LOGIN), here()) == "open-id-1"
    assert open_id(signed(LOGIN), here(identity="user_id")) == "2088000000000001"
    for pinned, other in (("open_id", "user_id"), ("user_id", "open_id")):
        answer = signed({name: value for name, value in LOGIN.items() if name != pinned})
        assert other in answer
        assert refusal(answer, app=here(identity=pinned)).reason.endswith(f"without {pinned}")
    assert load_settings(environment | SETTINGS).only.settings == APP
    changed = load_settings(environment | SETTINGS | {"ALIPAY_IDENTITY": "user_id"})
    assert changed.only.settings.identity == "user_id"


def test_an_answer_with_braces_and_sign_inside_a_value_is_read():
    assert open_id(signed({**LOGIN, "nick": '"},"sign":"x"}'}), here()) == "open-id-1"


def test_an_answer_of_a_gateway_that_names_its_certificate_is_read():
    answer = signed({**LOGIN, "code": "10000"}).replace(',"sign"', ',"alipay_cert_sn":"5f","sign"')
    assert open_id(answer, here()) == "open-id-1"


def test_a_second_node_behind_the_signature_is_not_read():
    forged = json.dumps({**LOGIN, "open_id": "somebody-else"})
    answer = signed(LOGIN)[:-1] + f',"{NODE}":{forged}}}'
    assert json.loads(answer)[NODE]["open_id"] == "somebody-else"
    assert open_id(answer, here()) == "open-id-1"


def test_an_unsigned_node_before_the_signed_one_is_refused():
    forged = json.dumps({**LOGIN, "open_id": "somebody-else"}, separators=(",", ":"))
    refusal(f'{{"{NODE}":{forged},' + signed(LOGIN)[1:], Misconfigured)


def test_a_login_that_alipay_has_not_signed_is_refused():
    good = signed(LOGIN)
    assert refusal(re.sub(',"sign":.*}', "}", good)).reason.endswith("unsigned")
    changed = refusal(good.replace("open-id-1", "open-id-2"), Misconfigured)
    assert [problem.setting for problem in changed.problems] == ["ALIPAY_PUBLIC_KEY"]
    assert refusal(signed(LOGIN, key=OTHER), Misconfigured).upstream == ""
    # Nor by the app itself, whose key others may have.
    refusal(signed(LOGIN, key=OWN_KEY), Misconfigured)
    refusal(good.replace('"sign":"', '"sign":"*'), Misconfigured)


@pytest.mark.parametrize("sign", ["null", '""', '"中"', '["a"]'])
def test_a_signature_that_is_none_is_refused(sign):
    refusal(re.sub('"sign":.*}', f'"sign":{sign}}}', signed(LOGIN)), Misconfigured)


@pytest.mark.parametrize("name", ["error_response", "alipay_user_info_share_response"])
def test_a_signed_answer_of_another_name_is_no_login(name):
    refusal(signed(LOGIN, name=name))


def test_an_error_beside_a_signed_login_is_no_login():
    answer = signed(LOGIN)
    error = '{"error_response":{"code":"20001"},'
    assert refusal(error + answer[1:]).upstream == "20001"
    refusal(" " + answer)
    refusal(signed({**LOGIN, "code": "40004"}))
    assert refusal(f'{{"{NODE}":{{').reason.endswith("without JSON")


@cases("answer")
def test_an_answer_that_cannot_be_read_is_refused(answer):
    assert "canary" not in refusal(answer).reason


@cases("code", "sub_code", "error", "upstream", "setting")
def test_each_error_of_alipay_has_its_own(instance, log_lines, code, sub_code, error, upstream, setting):
    fields = {"code": code, "msg": "msg-canary", "sub_code": sub_code, "sub_msg": f"code={VECTOR['code']}"}
    unsigned = json.dumps({"error_response": fields})
    for answer in (unsigned, json.dumps({NODE: fields}, separators=(",", ":")), signed(fields)):
        with pytest.raises(UploadError) as raised:
            open_id(answer, here())
        assert (type(raised.value).__name__, raised.value.upstream) == (error, upstream)
        for text in (raised.value.reason, str(raised.value)):
            assert "canary" not in text and VECTOR["code"] not in text
        assert upstream in raised.value.reason
    # A wrong setting is named in the log, and not to the caller.
    assert [each.setting for each in getattr(raised.value, "problems", ())] == [setting] * bool(setting)
    function = instance(lambda *_, **__: HttpResponse(200, unsigned.encode()), **SETTINGS)
    login = function.ask(body={"code": VECTOR["code"]}, path="/login")
    assert login.code == raised.value.code
    assert setting in log_lines()[-1]["reason"] and "ALIPAY" not in login.text


@pytest.mark.parametrize("kind", ["gaierror", "ConnectionRefusedError"])
def test_a_request_that_reached_no_platform_is_sent_once_more(kind):
    budgets = []

    def send(*_, budget_seconds, **__):
        budgets.append(budget_seconds)
        if len(budgets) == 1:
            raise ExchangeFailed(kind)
        return HttpResponse(200, VECTOR["answer"].encode())

    assert open_id_of("code", APP, send, NOW) == VECTOR["open_id"]
    assert tuple(budgets) == LOGIN_BUDGETS_SECONDS and sum(budgets) <= 5


def test_nothing_of_a_login_is_shown(instance, log_lines, caplog):
    app = SETTINGS | {"ALIPAY_PUBLIC_KEY": b64encode(OF_ALIPAY).decode()}
    for answer in (signed(LOGIN), signed(LOGIN | {"open_id": ""}), signed(LOGIN, key=OTHER)):
        function = instance(lambda *_, text=answer, **__: HttpResponse(200, text.encode()), **app)
        login = function.ask(body={"code": VECTOR["code"]}, path="/login")
        shown = login.text + caplog.text + json.dumps(log_lines()) + repr(here())
        for secret in ("token-canary", "open-id-1", VECTOR["code"], VECTOR["app_private_key"][:40]):
            assert secret not in shown.replace(login.json.get("token", "no token"), "")


def pem(der, name):
    body = b64encode(der).decode()
    return f"-----BEGIN {name}-----\n{body}\n-----END {name}-----"


def private(key, form=PrivateFormat.PKCS8, encoding=Encoding.DER, encryption=None):
    return key.private_bytes(encoding, form, encryption or NoEncryption())


PKCS8 = private(OWN_KEY)
NUMBERS = OWN_KEY.private_numbers()
WRONG = rsa.RSAPrivateNumbers(
    *(NUMBERS.p, NUMBERS.q, NUMBERS.d + 2, NUMBERS.dmp1, NUMBERS.dmq1, NUMBERS.iqmp), NUMBERS.public_numbers
)
# Its exponent is not that of its primes, which a cold start takes no time to see.
UNCHECKED = b64encode(private(WRONG.private_key(unsafe_skip_rsa_key_validation=True))).decode()


@pytest.mark.parametrize(
    "key",
    [
        b64encode(PKCS8).decode(),
        private(OWN_KEY, encoding=Encoding.PEM).decode(),
        private(OWN_KEY, PrivateFormat.TraditionalOpenSSL, Encoding.PEM).decode().replace("\n", "\\n"),
        pem(APP.key, "RSA PRIVATE KEY"),
        "\n".join(re.findall(".{1,64}", VECTOR["app_private_key"])),
        UNCHECKED,
    ],
    ids=["PKCS8", "PEM", "PKCS1 in one line", "PEM of one line", "base64 in lines", "numbers not checked"],
)
def test_the_private_key_is_read_in_each_form(environment, key):
    app = load_settings(environment | SETTINGS | {"ALIPAY_KEY": key}).only.settings
    sent = []
    open_id_of(VECTOR["code"], app, answering(sent), NOW)
    assert sent[0]["sign"] == VECTOR["sign"]


PUBLIC = load_der_public_key(APP.public_key)


@pytest.mark.parametrize(
    "key",
    [
        pem(APP.public_key, "PUBLIC KEY"),
        b64encode(PUBLIC.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode(),
    ],
)
def test_alipay_s_public_key_is_read_in_each_form(environment, key):
    app = load_settings(environment | SETTINGS | {"ALIPAY_PUBLIC_KEY": key}).only.settings
    assert open_id(VECTOR["answer"], app) == VECTOR["open_id"]


def base64(der):
    return b64encode(der).decode()


def public_of(key):
    return base64(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


SMALL = rsa.generate_private_key(65537, 1024)
WRONG_KEYS = {
    "a public key as the app's": ("ALIPAY_KEY", public_of(OTHER)),
    "a small key": ("ALIPAY_KEY", base64(private(SMALL))),
    "a key of a curve": ("ALIPAY_KEY", base64(private(CURVE))),
    "an encrypted key": ("ALIPAY_KEY", base64(private(OTHER, encryption=BestAvailableEncryption(b"p")))),
    "half a key": ("ALIPAY_KEY", base64(PKCS8[:600])),
    "a key of another kind of curve": ("ALIPAY_KEY", base64(private(Ed25519PrivateKey.generate()))),
    "no base64": ("ALIPAY_KEY", "private-key-canary"),
    "a character too many": ("ALIPAY_KEY", "*" + VECTOR["app_private_key"]),
    "a private key as Alipay's": ("ALIPAY_PUBLIC_KEY", base64(private(OTHER))),
    "a small public key": ("ALIPAY_PUBLIC_KEY", public_of(SMALL)),
    "a public key of a curve": ("ALIPAY_PUBLIC_KEY", public_of(CURVE)),
    "no base64 as Alipay's": ("ALIPAY_PUBLIC_KEY", "private-key-canary"),
    "the app's own public key": ("ALIPAY_PUBLIC_KEY", public_of(OWN_KEY)),
}


def refused_settings(environment, **changes):
    with pytest.raises(Misconfigured) as raised:
        load_settings(environment | SETTINGS | changes)
    return raised.value.problems


def test_each_mistake_with_a_key_has_a_clause_of_its_own_which_does_not_show_the_key(environment):
    clauses = {}
    for name, key in WRONG_KEYS.values():
        (problem,) = refused_settings(environment, **{name: key})
        sentence = problem.sentence
        assert problem.setting == name
        assert key not in sentence and in_both(sentence).zh != in_both(sentence).en
        clauses.setdefault(name, set()).add(sentence.values.get("problem", sentence))
    # What is encrypted, cut off or no base64 does not load; only a public key can be the app's own.
    assert {name: len(found) for name, found in clauses.items()} == {"ALIPAY_KEY": 5, "ALIPAY_PUBLIC_KEY": 5}
    # It does not load, or it is small.
    assert len(clauses["ALIPAY_KEY"] & clauses["ALIPAY_PUBLIC_KEY"]) == 2
    assert "NoneType" not in str(clauses)


def test_all_that_is_wrong_is_reported_together(environment):
    problems = refused_settings(environment, ALIPAY_KEY="x", ALIPAY_PUBLIC_KEY="y", ALIPAY_IDENTITY="z")
    assert [each.setting for each in problems] == ["ALIPAY_IDENTITY", "ALIPAY_KEY", "ALIPAY_PUBLIC_KEY"]
    assert [row.name for row in KIND.settings if row.is_secret] == ["ALIPAY_KEY"]
    needed = ("ALIPAY_APP_ID", "ALIPAY_KEY", "ALIPAY_PUBLIC_KEY")
    problems = refused_settings(environment, **dict.fromkeys(needed, ""))
    assert tuple(each.setting for each in problems) == needed
