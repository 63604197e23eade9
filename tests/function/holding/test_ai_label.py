"""ai_label: declarations, and what receipts, states and events tell of a label."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256

import pytest

from function.ai_label.label import NOTHING
from function.auth.signed_tokens import RECEIPT, issue_token
from function.errors import OssUnavailable
from function.holding.held_upload import Case, read_receipt
from function.holding.label_record import read_held_label
from function.http.client import ExchangeFailed
from function.lifecycle.labelling import with_label
from function.moderation.finding import Outcome
from function.oss.client import oss_client
from function.oss.objects import head_object
from function.uploads.receipt import seen_upload
from function.uploads.tickets import FormTicket
from tests.function.ai_label.files import CODE, VECTORS, element, png, text_of, with_xmp
from tests.function.holding.conftest import (
    ALIYUN,
    BOTH,
    CHECK,
    COMMIT,
    FORBIDDEN,
    PROFILES,
    RECEIPT_SECRET,
    amend,
    later,
    profile,
    refused,
)
from tests.support.cases import profile_toml
from tests.support.memory_oss import LOST, Stored
from tests.support.world import PART

MORE = profile_toml(
    "film",
    "films",
    max_size="9MiB",
    content_types=["video/mp4"],
    parts=True,
    part_size="100KiB",
    ai_label=True,
)
MORE += "".join(
    profile(name, *options, "ai_label = true", end=end)
    for name, end, *options in (
        ("art", "{id}"),
        ("wall", "{id}", COMMIT),
        ("gate", "{id}", BOTH),
        ("quick", "{id}", CHECK, ALIYUN),
        ("twin", "{sha256}"),
        ("pair", "{sha256}", COMMIT),
    )
)
BAD = (400, "bad_request")
LABELLED = (409, "already_labelled")
METADATA, DECLARED = {"label": 1, "source": "metadata"}, {"label": 2, "source": "declared"}
REVIEWED = {"label": 3, "source": "reviewed"}
BY_FILE = {
    **METADATA,
    "producer": CODE,
    "produceId": "img-42",
    "propagator": CODE,
    "propagateId": "img-42",
    "c2pa": False,
}
NONE, SOME = VECTORS["P0.png"], VECTORS["P1.png"]
MARKED, GIF = VECTORS["P4.png"], VECTORS["G1.gif"]
CONFLICT = png(*((b"tEXt", b"AIGC\0" + text_of(Label=label).encode()) for label in "12"))
MARKS = {"label": None, "source": "metadata", "c2pa": True}
BROKEN_LABEL = {"label": None, "problem": "conflict", "c2pa": False}
PLAIN = {"c2pa": False}
# Of each file what is told of it, and with a declaration; ``...`` for nothing.
SAYS = [
    ("labelled", SOME, BY_FILE, BY_FILE),
    ("bare", NONE, None, {**DECLARED, **PLAIN}),
    ("marked", MARKED, MARKS, {**DECLARED, "c2pa": True}),
    ("conflict", CONFLICT, BROKEN_LABEL, {**DECLARED, "problem": "conflict", **PLAIN}),
    ("gif", GIF, ..., DECLARED),
]
FILES = pytest.mark.parametrize(
    ("file", "alone", "declared"), [row[1:] for row in SAYS], ids=[row[0] for row in SAYS]
)


@pytest.fixture
def labels(house_of):
    return house_of(PROFILES + MORE)


def claims_of(token):
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


def ask_form(house, **fields):
    return house.ask("upload-params", house.session(), **{"profile": "art", "filename": "a.png", **fields})


def test_a_declaration_is_signed_into_the_ticket_of_the_form_of_each_file_and_of_parts(labels):
    assert claims_of(ask_form(labels, aiDeclared=True).json["ticket"])["aiDeclared"] is True
    files = [{"profile": "art", "filename": "a.png", "aiDeclared": each} for each in (True, False, None)]
    forms = labels.ask("upload-params", labels.session(), files=files).json["uploads"]
    assert [claims_of(form["ticket"]).get("aiDeclared") for form in forms] == [True, None, None]
    begun = labels.ask(
        "multipart", labels.session(), profile="film", filename="a.mp4", size=PART, aiDeclared=True
    )
    assert claims_of(begun.json["ticket"])["aiDeclared"] is True


@pytest.mark.parametrize(
    "fields",
    [
        *({"aiDeclared": value} for value in ("true", 1, {})),
        {"aideclared": True},
        {"profile": "default", "aiDeclared": True},
    ],
    ids=str,
)
def test_a_declaration_is_true_or_false_of_a_profile_that_reads_labels(labels, fields):
    assert refused(ask_form(labels, **fields)) == BAD
    file = {"profile": "art", "filename": "a.png"}
    assert refused(labels.ask("upload-params", labels.session(), files=[file, {**file, **fields}])) == BAD


def test_parts_of_a_profile_that_reads_no_labels_take_no_declaration(house_of):
    house = house_of(MORE.replace("ai_label = true", ""))
    fields = {"profile": "film", "filename": "a.mp4", "size": PART}
    assert refused(house.ask("multipart", house.session(), **fields, aiDeclared=True)) == BAD
    assert house.ask("multipart", house.session(), **fields, aiDeclared=False).status == 200


def test_a_declaration_can_be_neither_added_nor_taken_from_a_ticket(labels, oss):
    for declared in (True, False):
        form = ask_form(labels, aiDeclared=declared).json
        assert oss.post(form["formData"], "bytes") == 200
        head, body, signature = form["ticket"].split(".")
        claims = {**json.loads(urlsafe_b64decode(body + "==")), "aiDeclared": not declared}
        forged = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        assert refused(labels.ask("confirm", ticket=f"{head}.{forged}.{signature}")) == FORBIDDEN


# --- a confirmation ---


def in_short(whole):
    """What a receipt says of it."""
    names = ("label", "source", "problem")
    return {name: whole[name] for name in names if name in whole} if isinstance(whole, dict) else whole


def check_told(answer, whole):
    """An answer and its receipt tell this of a label."""
    assert answer.get("aiLabel", ...) == whole
    if "receipt" in answer:
        assert claims_of(answer["receipt"]).get("aiLabel", ...) == in_short(whole)


def send(house, body, profile="art", **fields):
    """One upload: its form, and what /confirm said, twice; the events stay."""
    form = house.form(profile, **fields)
    assert house.oss.post(form["formData"], "bytes", body=body) == 200
    first, second = (house.ask("confirm", ticket=form["ticket"]).json for _ in range(2))
    assert first == second
    return {**form, **first}


@FILES
@pytest.mark.parametrize("profile", ["art", "wall"])
def test_a_confirmation_its_receipt_and_its_event_tell_the_label(labels, profile, file, alone, declared):
    for whole, fields in ((alone, {}), (declared, {"aiDeclared": True})):
        labels.events.clear()
        check_told(send(labels, file, profile, **fields), whole)
        (event,) = labels.events
        check_told(event, whole)


def complete(house, **fields):
    """A file in parts, each a character: what its completion says, twice."""
    wanted = {"profile": "film", "filename": "a.mp4", "size": PART + 1, **fields}
    begun = house.ask("multipart", house.session(), **wanted).json
    assert set(house.send(begun)) == {200}
    first, second = (house.complete(begun["ticket"]).json for _ in range(2))
    assert first == second
    return first


def test_a_completion_tells_the_label(labels, monkeypatch):
    check_told(complete(labels), ...)
    check_told(complete(labels, aiDeclared=True), DECLARED)
    monkeypatch.setattr(Stored, "content", VECTORS["M1.mp4"])
    monkeypatch.setattr(Stored, "size", len(VECTORS["M1.mp4"]))
    wanted = {"profile": "film", "filename": "a.mp4", "size": len(VECTORS["M1.mp4"])}
    begun = labels.ask("multipart", labels.session(), **wanted).json
    assert set(labels.send(begun)) == {200}
    check_told(labels.complete(begun["ticket"]).json, BY_FILE)


def test_a_declaration_in_another_request_changes_nothing(labels, oss):
    form = labels.form("art")
    assert oss.post(form["formData"], "bytes", body=NONE) == 200
    check_told(labels.ask("confirm", ticket=form["ticket"], aiDeclared=True, aiLabel=2).json, None)
    again = labels.form("art", aiDeclared=True)
    # A ticket is of its own upload alone.
    assert refused(labels.ask("confirm", ticket=again["ticket"])) == (404, "not_uploaded")


@pytest.fixture
def unreadable(labels, oss):
    """While it is entered, OSS gives no range of an object."""

    @contextmanager
    def entered():
        def send(method, url, *, headers=None, **options):
            if any(name.lower() == "range" for name in headers or {}):
                raise ExchangeFailed("timed out")
            return oss.send(method, url, headers=headers, **options)

        host = f"{oss.name}.oss-cn-hangzhou.aliyuncs.com"
        labels.others[host] = send
        yield
        del labels.others[host]

    return entered


def test_a_label_that_cannot_be_read_is_absent_until_a_later_confirmation_reads_it(
    labels, oss, unreadable, log_lines
):
    form = labels.form("art")
    oss.post(form["formData"], "bytes", body=SOME)
    for took, given in ((0.0, 5.0), (6.0, 3.0)):
        labels.hosts.clear()
        # The first call takes so long; what follows the label has a second.
        labels.monotonic = lambda took=took: took if labels.hosts else 0.0
        with unreadable():
            check_told(labels.ask("confirm", ticket=form["ticket"]).json, ...)
        assert labels.budgets[-2] == given
        assert log_lines()[-1]["reason"].startswith("label: oss_unavailable")
    check_told(labels.ask("confirm", ticket=form["ticket"]).json, BY_FILE)


# --- held uploads ---


def test_the_bytes_of_a_held_upload_are_read_once(labels, oss, clock):
    stored = send(labels, SOME, "wall")
    # Its object and its label, which is a record; a decision too once there can be one.
    for seconds, decision in ((0, []), (9, []), (1, ["GetObject"])):
        clock.tick(seconds=seconds)
        oss.asked.clear()
        labels.ask("confirm", ticket=stored["ticket"])
        assert oss.asked == ["HeadObject", *decision, "GetObject"]


def test_states_and_events_of_a_held_upload_tell_the_label_with_its_texts(labels):
    stored = send(labels, SOME, "wall")
    receipt = stored["receipt"]
    check_told(labels.ask("status", receipt=receipt).json, BY_FILE)
    labels.events.clear()
    check_told(labels.commit(receipt).json, BY_FILE)
    (event,) = labels.events
    assert (event["event"], event["aiLabel"]) == ("published", BY_FILE)
    # It stands in the file, which is copied as it is.
    assert "label" not in labels.oss.records()[f"decided/{stored['uploadId']}"]
    check_told(labels.ask("status", receipt=receipt).json, BY_FILE)
    check_told(labels.commit(receipt).json, BY_FILE)
    check_told(later(labels, seconds=20).ask("confirm", ticket=stored["ticket"]).json, BY_FILE)


@pytest.mark.parametrize(("profile", "more"), [("word", 0), ("wall", 1)])
def test_a_label_costs_one_call_of_a_commit_and_one_of_its_state(labels, oss, profile, more):
    receipt, costs = send(labels, SOME, profile)["receipt"], []
    for ask in (labels.status, labels.commit, labels.status):
        oss.asked.clear()
        ask(receipt)
        costs.append(len(oss.asked) - more)
    assert costs == [2, 7, 2]


def test_other_bytes_of_the_same_form_have_a_label_of_their_own(house_of):
    house = house_of(MORE.replace('hold = ["commit"]\n', 'hold = ["commit"]\noverwrite = true\n'))
    first = send(house, SOME, "wall")
    house.oss.post(first["formData"], "bytes", body=NONE)
    second = house.ask("confirm", ticket=first["ticket"]).json
    check_told(second, None)
    check_told(house.commit(second["receipt"]).json, None)


@pytest.fixture
def unread(labels, oss, unreadable):
    """Send an upload whose label could not be read when it was confirmed."""

    def send(file=SOME, profile="wall"):
        form = labels.form(profile)
        oss.post(form["formData"], "bytes", body=file)
        with unreadable():
            answer = labels.ask("confirm", ticket=form["ticket"])
        assert answer.status == 200, answer.text
        return {**form, **answer.json}

    return send


def test_a_tick_reads_no_label_of_a_gone_upload_or_without_the_option(labels, unread, house_of, oss):
    without = house_of(PROFILES + MORE.replace("ai_label = true", ""))
    gone = unread()
    assert labels.discard(gone["receipt"]).status == 200
    for house in (labels, without):
        later(house, minutes=2).tick()
        assert house.due("label") == []
        assert not [name for name in oss.records() if name.startswith("labels/")]
        kept = unread()
    check_told(without.ask("status", receipt=kept["receipt"]).json, ...)


def test_a_label_is_read_of_no_other_bytes_than_those_of_the_receipt(house_of, clock, oss):
    house = house_of(MORE.replace('hold = ["commit"]\n', 'hold = ["commit"]\noverwrite = true\n'))
    first = send(house, NONE, "wall")
    del oss.objects[f"held/.labels/{first['uploadId']}"]
    oss.post(first["formData"], "bytes", body=SOME)
    call = house.call()
    upload = read_receipt(first["receipt"], call.settings, clock())
    assert read_held_label(Case(call, oss_client(call, upload.profile.location), upload)) == NOTHING
    assert f"labels/{first['uploadId']}" not in oss.records()


def test_a_confirmation_leaves_a_label_to_the_tick_when_its_time_is_over(labels, oss):
    form, elapsed = labels.form("wall"), 0.0
    oss.post(form["formData"], "bytes", body=SOME)

    def wait():
        nonlocal elapsed
        elapsed += 4.2

    labels.monotonic, labels.before_exchange = lambda: elapsed, wait
    check_told(labels.ask("confirm", ticket=form["ticket"]).json, ...)
    assert [name[:12] for name in labels.due("label")] == ["202611241401"]
    labels.before_exchange = lambda: None
    later(labels, minutes=2).tick()
    check_told(labels.ask("confirm", ticket=form["ticket"]).json, BY_FILE)
    # The content differs, so the event is another one.
    assert [event.get("aiLabel", ...) for event in labels.events] == [..., BY_FILE]


def test_a_due_label_that_oss_does_not_give_is_read_later(labels, unread, unreadable, clock):
    clock.tick(seconds=59)
    stored = unread()
    assert [name[:12] for name in labels.due("label")] == ["202611241401"]
    clock.tick(minutes=2)
    with unreadable():
        labels.tick()
    assert len(labels.due("label")) == 1
    later(labels, minutes=3).tick()
    assert labels.due("label") == []
    check_told(labels.ask("status", receipt=stored["receipt"]).json, BY_FILE)


def test_a_commit_reads_a_label_that_no_tick_has_read_and_does_not_wait_for_it(
    labels, unread, unreadable, log_lines
):
    check_told(labels.commit(unread()["receipt"]).json, BY_FILE)
    assert labels.events[-1]["aiLabel"] == BY_FILE
    receipt = unread()["receipt"]
    with unreadable():
        said = labels.commit(receipt).json
    assert said["state"] == "published"
    assert log_lines()[-1]["reason"].startswith("label: oss_unavailable")
    check_told(said, ...)


# --- a check ---


@pytest.mark.parametrize("answer", ["pass", "risky"])
@pytest.mark.parametrize("fields", [{}, {"aiDeclared": True}])
def test_a_label_in_conflict_leaves_to_a_human_what_a_check_passed_and_no_rejection(labels, answer, fields):
    labels.green.answers = [answer]
    form = labels.form("quick", **fields)
    labels.oss.post(form["formData"], "bytes", body=CONFLICT)
    said = labels.ask("confirm", ticket=form["ticket"]).json
    assert said["state"] == {"pass": "review", "risky": "rejected"}[answer]
    told = {**BROKEN_LABEL, **(DECLARED if fields else {})}
    assert labels.events[-1]["aiLabel"] == told
    if answer == "risky":
        return
    (item,) = labels.ask("reviews", labels.backend()).json["items"]
    assert (item["reason"], item["errcode"], item["aiLabel"]) == ("ai-label", "conflict", told)
    done = labels.commit(said["receipt"], decision="publish", reviewer="Hong").json
    assert (done["state"], done["aiLabel"]) == ("published", told)


@pytest.mark.parametrize(("file", "state"), [(CONFLICT, "review"), (GIF, "published")])
def test_a_passing_verdict_of_wechat_waits_for_a_human_as_well(labels, file, state):
    stored = send(labels, file, "gate")
    assert labels.commit(stored["receipt"]).json["state"] == "checking"
    labels.verdict(Outcome.PASS)
    assert labels.status(stored["receipt"]) == state
    # Nobody waits for one where nothing is checked.
    assert labels.commit(send(labels, file, "wall")["receipt"]).json["state"] == "published"


def test_a_check_does_not_publish_before_the_label_was_read(labels, unread, unreadable):
    stored = unread(CONFLICT, "gate")
    assert labels.commit(stored["receipt"]).json["state"] == "checking"
    with unreadable(), pytest.raises(OssUnavailable):
        labels.verdict(Outcome.PASS)
    assert labels.status(stored["receipt"]) == "checking"
    labels.verdict(Outcome.PASS)
    assert labels.status(stored["receipt"]) == "review"


# --- a reviewer ---


@pytest.mark.parametrize(("decision", "state"), [("publish", "published"), ("reject", "rejected")])
@pytest.mark.parametrize(("file", "told"), [(NONE, PLAIN), (GIF, {}), (MARKED, {"c2pa": True})])
def test_a_reviewer_labels_an_upload_without_a_label(labels, file, told, decision, state):
    stored, told = send(labels, file, "wall"), {**REVIEWED, **told}
    labels.events.clear()
    labels.oss.asked.clear()
    for _ in range(2):
        done = labels.commit(stored["receipt"], decision=decision, aiLabel=3, reviewer="Hong").json
        assert (done["state"], done["aiLabel"]) == (state, told)
    assert [(event["event"], event["aiLabel"]) for event in labels.events] == [(state, told)]
    # Its due record, the decision, the label; of a rejection evidence.
    assert labels.oss.asked.count("PutObject") == 3 + (decision == "reject")
    check_told(labels.ask("status", receipt=stored["receipt"]).json, told)
    assert labels.oss.records()[f"decided/{stored['uploadId']}"]["labelled"] is True


@pytest.mark.parametrize(
    ("file", "fields"), [(SOME, {}), (NONE, {"aiDeclared": True}), (CONFLICT, {"aiDeclared": True})]
)
def test_a_reviewer_overrules_neither_the_file_nor_its_uploader(labels, file, fields):
    stored = send(labels, file, "wall", **fields)
    for decision in ("publish", "reject"):
        assert refused(labels.commit(stored["receipt"], decision=decision, aiLabel=3)) == LABELLED
    assert labels.status(stored["receipt"]) == "held"


@pytest.mark.parametrize("label", [1, 2, 4, 0, True, "3", 3.0, [3], {"label": 3}])
def test_a_reviewer_gives_no_other_label(labels, label):
    receipt = send(labels, NONE, "wall")["receipt"]
    assert refused(labels.commit(receipt, decision="publish", aiLabel=label)) == BAD
    assert refused(labels.commit(receipt, aiLabel=3)) == BAD


@pytest.mark.parametrize("profile", ["art", "word", "default"])
def test_a_reviewer_labels_only_what_a_profile_that_reads_labels_holds(labels, profile):
    receipt = send(labels, NONE, profile)["receipt"]
    assert refused(labels.commit(receipt, decision="publish", aiLabel=3)) == BAD


@pytest.mark.parametrize("profile", ["art", "wall"])
@pytest.mark.parametrize("file", [MARKED, SOME])
def test_a_state_without_a_record_says_what_the_receipt_does_and_no_more(labels, profile, file):
    """Whether there is a manifest of C2PA stands in no receipt."""
    stored = send(labels, file, profile)
    labels.oss.objects.pop(f"held/.labels/{stored['uploadId']}", None)
    said = labels.ask("status", receipt=stored["receipt"]).json["aiLabel"]
    assert said == in_short(stored["aiLabel"])


def test_an_event_has_the_label_of_a_reviewer_after_its_request_was_cut_off(labels, oss):
    stored = send(labels, NONE, "wall")
    labels.events.clear()
    oss.fail("CopyObject", LOST)
    assert labels.commit(stored["receipt"], decision="publish", aiLabel=3).status == 503
    later(labels, minutes=3).tick()
    (event,) = labels.events
    assert (event["event"], event["aiLabel"]) == ("published", {**REVIEWED, **PLAIN})


# --- bytes that are there already ---


@pytest.mark.parametrize("profile", ["twin", "pair"])
def test_bytes_that_are_there_already_tell_their_label(labels, profile):
    for file, alone, declared in ((SOME, BY_FILE, BY_FILE), (NONE, None, {**DECLARED, **PLAIN})):
        known = {"sha256": sha256(file).hexdigest(), "size": len(file)}
        stored = send(labels, file, profile, **known)
        check_told(labels.form(profile, **known), alone)
        check_told(labels.form(profile, **known, aiDeclared=True), declared)
        if profile == "pair":
            # A declaration is not taken back.
            check_told(labels.form(profile, **known), declared)
            assert labels.commit(stored["receipt"], decision="publish").json["aiLabel"] == declared
            check_told(labels.form(profile, **known), declared)


def test_bytes_that_one_request_names_again_and_again_are_read_once(labels, oss):
    known = {"profile": "twin", "sha256": sha256(SOME).hexdigest(), "size": len(SOME)}
    send(labels, SOME, **known)
    oss.asked.clear()
    files = [{"filename": "a.png", **known, "aiDeclared": declared} for declared in (False, True)] * 10
    answer = ask_form(labels, files=files)
    for each in answer.json["uploads"]:
        check_told(each, BY_FILE)
    assert oss.asked.count("GetObject") == 1


def test_a_declaration_counts_before_a_reviewer_and_after_a_late_confirmation(labels, oss):
    known = {"sha256": sha256(NONE).hexdigest(), "size": len(NONE)}
    silent, loud = (labels.form("pair", **known, **more) for more in ({}, {"aiDeclared": True}))
    oss.post(silent["formData"], "bytes", body=NONE)
    receipt = labels.ask("confirm", ticket=loud["ticket"]).json["receipt"]
    name = f"held/.labels/{silent['uploadId']}"
    # A confirmation without it has looked before, and writes after it.
    record = {"etag": oss.objects[f"held/{silent['key']}"].etag, "label": {}}
    oss.store(name, json.dumps(record).encode())
    check_told(labels.ask("status", receipt=receipt).json, {**DECLARED, **PLAIN})
    assert refused(labels.commit(receipt, decision="publish", aiLabel=3)) == LABELLED
    oss.store(name, json.dumps({**record, "label": REVIEWED}).encode())
    check_told(labels.commit(receipt).json, {**DECLARED, **PLAIN})


def test_published_bytes_that_cannot_be_read_are_there_all_the_same(labels, oss, unreadable):
    known = {"sha256": sha256(SOME).hexdigest(), "size": len(SOME)}
    stored = send(labels, SOME, "pair", **known)
    labels.commit(stored["receipt"])
    # The rule of the bucket ends records.
    del oss.objects[f"held/.labels/{stored['uploadId']}"]
    with unreadable():
        check_told(labels.form("pair", **known), ...)
    assert labels.due("label") == []
    check_told(labels.form("pair", **known), BY_FILE)


# --- a stranger's text ---


HOSTILE = [
    "<script>alert(1)</script>",
    "a\nb",
    "\r\n{}",
    "\u202e",
    "{{{{",
    "'\";--",
    "x" * 5000,
    "\ud800",
    "属于",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_values_of_a_file_break_no_line_no_event_and_no_record(labels, caplog, text):
    file = with_xmp(
        element(text_of(ContentProducer=text, ProduceID=text).replace("&", "&amp;").replace("<", "&lt;"))
    )
    stored = send(labels, file, "wall", filename="a.jpg")
    answer = labels.commit(stored["receipt"]).json
    for told in (answer, *labels.events):
        for value in (told.get("aiLabel") or {}).values():
            assert not isinstance(value, str) or (
                len(value) <= 64 and value.isascii() and value.isprintable()
            )
    for record in caplog.records:
        assert text not in record.getMessage() or len(text) < 5


@pytest.mark.parametrize(
    "label",
    [
        7,
        {"label": 4, "source": "metadata"},
        {"label": 1},
        {"label": 1, "source": "me"},
        {**METADATA, "c2pa": True},
    ],
)
def test_a_receipt_of_the_business_with_another_label_is_refused(labels, clock, label):
    stored = send(labels, NONE, "wall")
    claims = {
        name: value
        for name, value in claims_of(stored["receipt"]).items()
        if name not in ("aud", "iat", "exp")
    }
    forged = issue_token(
        {**claims, "aiLabel": label},
        audience=RECEIPT,
        secrets=[RECEIPT_SECRET],
        now=clock(),
        life=timedelta(days=1),
    )
    assert refused(labels.ask("status", receipt=forged)) == FORBIDDEN


@pytest.mark.parametrize("label", [7, {"label": 9}, {"producer": " "}])
def test_a_record_of_a_label_that_is_none_of_ours_is_no_answer(labels, oss, label):
    stored = send(labels, NONE, "wall")
    amend(oss, f"held/.labels/{stored['uploadId']}", label=label)
    assert refused(labels.ask("status", receipt=stored["receipt"])) == (503, "oss_unavailable")


def test_one_request_takes_no_label_for_that_of_other_bytes(labels, clock):
    form, call = send(labels, SOME), labels.call()
    ticket = FormTicket.read(form["ticket"], call.settings, clock())
    client = oss_client(call, call.settings.profiles["art"].location)
    facts = head_object(client, ticket.key)
    upload = seen_upload(ticket, facts)
    assert with_label(call, client, upload, facts).ai_label.label == 1
    # None of these can be read.
    for other, named, found in (
        (client._replace(bucket="other"), upload, facts),
        (client, upload._replace(key=f"{ticket.key}x"), facts),
        (client, upload, facts._replace(etag="0" * 32)),
    ):
        assert with_label(call, other, named, found).ai_label is None


def test_a_profile_without_the_option_reads_nothing(labels):
    stored = send(labels, SOME, "default")
    check_told(stored, ...)
    assert "GetObject" not in labels.oss.asked
