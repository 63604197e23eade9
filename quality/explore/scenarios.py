"""The named scenarios: who does what, to which object."""

from collections.abc import Iterable
from pathlib import Path

from quality.explore.acts import (
    abort,
    begin_parts,
    commit,
    commit_own,
    commit_slowly,
    complete,
    confirm,
    delete_and_send_again,
    delete_old,
    discard,
    discard_and_ask_form,
    discard_own,
    discard_until_gone,
    doubt,
    erase,
    overwrite,
    phone,
    publish,
    reject,
    renew_and_complete,
    report,
    report_forged,
    send_again,
    send_and_confirm,
    send_and_report,
    send_old_again,
    send_other,
    status,
    swap,
    swap_back,
    tick,
    tick_after_silence,
    tick_now,
    wechat,
)
from quality.explore.before import (
    SAME,
    SOON,
    Prepare,
    cut_off,
    form_out,
    keeping_metadata,
    nothing,
    parts_begun,
    parts_sent,
    replacement,
    replacing_held,
    sent,
    shown,
    stored,
    two_forms,
)
from quality.explore.photo import DOUBTFUL, OTHERS
from quality.explore.steps import Act, Scenario
from quality.explore.two_callers import SEVERAL, one_trace, passes, rejects


def scenario(name: str, prepare: Prepare, faults: int = 1, **actors: Act) -> Scenario:
    """
    One with the profiles of its kind: a session is granted so many folders, and an erasure lists each.

    To add one: name it (the file ``…_profiles.toml`` of its first word has its profiles, where there is one),
    say what was before (``before``), what its actors do (``acts``), and how many calls may fail: with three
    actors one, or it takes minutes. A profile that holds stands in ``HOLDS`` too. What an actor asks for or
    hears, and the model must know, is an ``Event`` (``Hands.note``). ``--only NAME`` runs it.
    """
    kind = name.partition(",")[0].partition(" ")[0]
    files = [Path(__file__).with_name(f"{each}_profiles.toml") for each in (kind, "erasure")]
    file = files[1] if "erase" in actors and not files[0].exists() else files[0]
    environ = {"PROFILES_FILE": str(file)} if file.exists() else {}
    environ |= SEVERAL if kind == "callers" else {}
    return Scenario(name, prepare, actors, faults, environ | ({"ERASE": "true"} if "erase" in actors else {}))


same_phone = phone("same", **SAME)
keeps_exif = keeping_metadata(stored("clean"))
own = replacement("own")
published = shown("commit")
SCENARIOS: Iterable[Scenario] = (
    # One actor, two failures.
    scenario("form and confirm", nothing, 2, phone=phone("counted")),
    scenario("form and confirm, held", nothing, 2, phone=phone("check")),
    scenario("commit", stored("commit"), 2, commit=commit),
    scenario("publish", stored("both"), 2, publish=publish),
    scenario("reject", stored("both"), 2, reject=reject),
    scenario("discard", stored("commit"), 2, discard=discard),
    scenario("commit by its owner", stored("commit"), 2, owner=commit_own),
    scenario("discard by its owner", stored("commit"), 2, owner=discard_own),
    scenario("discard what is published", published, 2, discard=discard),
    scenario("reject what is published", published, 2, reject=reject),
    scenario("ask, held", stored("both"), 2, status=status),
    scenario("ask, published", published, 2, status=status),
    scenario("continue what was cut off", cut_off("commit"), 2, commit=commit),
    scenario("commit, to be checked", stored("both"), 2, commit=commit),
    scenario("silence", stored("check"), 1, tick=tick_after_silence),
    scenario("pass", stored("check"), 2, wechat=wechat),
    scenario("risky", stored("check", OTHERS), 2, wechat=wechat),
    scenario("doubt", stored("check"), 2, wechat=doubt),
    scenario("begin parts of a quota", nothing, phone=begin_parts),
    scenario("complete", parts_sent, 2, phone=complete),
    scenario("complete what is not there", parts_begun, 2, phone=renew_and_complete),
    scenario("abort", parts_sent, 2, phone=abort),
    scenario("replace", own, 2, phone=send_and_confirm),
    # Form and confirm.
    scenario("two forms of one quota", nothing, phone=phone("counted"), other=phone("counted"), tick=tick),
    scenario("confirmed twice", form_out("commit"), phone=send_and_confirm, again=confirm, tick=tick),
    # Commit against discard.
    scenario("commit and tick", stored("commit"), 2, commit=commit, tick=tick),
    scenario("commit against discard", stored("commit"), 2, commit=commit, discard=discard),
    scenario("commit, discard, tick", stored("commit"), commit=commit, discard=discard, tick=tick),
    scenario("commit, discard, status", stored("commit"), commit=commit, discard=discard, status=status),
    scenario("commit twice, discard", stored("commit"), commit=commit, again=commit, discard=discard),
    scenario("commit against owner", stored("commit"), commit=commit, owner=discard_own, tick=tick),
    scenario("publish against reject", stored("both"), publish=publish, reject=reject, tick=tick),
    scenario("commit against overwriting", stored("overwritten"), commit=commit, phone=overwrite, tick=tick),
    scenario("confirmed after commit", stored("commit"), commit=commit, again=confirm, tick=tick),
    # A copy that is late, and one that is made once more.
    scenario("late copy", stored("commit"), commit=commit, discard=discard_until_gone, tick=tick),
    scenario("slow copy against discard", stored("commit"), 0, commit=commit_slowly, discard=discard),
    scenario("cut off against discard", cut_off("commit"), commit=commit, discard=discard),
    scenario("cut off, discard, tick", cut_off("commit"), status=status, discard=discard, tick=tick_now),
    scenario("cut off, two ticks", cut_off("commit"), tick=tick_now, other=tick_now),
    # Verdicts.
    scenario("commit twice, to be checked", stored("both"), commit=commit, again=commit, tick=tick),
    scenario("verdict and tick", stored("check"), wechat=wechat, tick=tick),
    scenario("verdict against discard", stored("check"), wechat=wechat, discard=discard, tick=tick),
    scenario("verdict against commit", stored("both"), wechat=wechat, commit=commit, tick=tick),
    scenario("verdict, commit, discard", stored("both"), wechat=wechat, commit=commit, discard=discard),
    scenario("risky against publish", stored("check", OTHERS), wechat=wechat, publish=publish, tick=tick),
    scenario("swapped while checked", stored("both", OTHERS), wechat=wechat, commit=commit, phone=swap),
    scenario("callers, one trace id", one_trace, phone=confirm, wechat=passes, other=rejects),
    # Aliyun, alone and before WeChat.
    scenario("form and confirm, aliyun", nothing, 2, phone=phone("quick")),
    scenario("commit, aliyun", stored("sent"), 2, commit=commit),
    scenario("aliyun against discard", stored("sent"), commit=commit, discard=discard, tick=tick),
    scenario("aliyun asked twice", stored("sent"), commit=commit, again=commit, tick=tick),
    scenario("swapped while aliyun looks", stored("sent", OTHERS), commit=commit, phone=swap, tick=tick),
    scenario("aliyun, then wechat", stored("twice"), commit=commit, wechat=wechat, tick=tick),
    scenario("aliyun, wechat, discard", stored("twice"), 0, commit=commit, wechat=wechat, discard=discard),
    scenario("aliyun in doubt", stored("twice", DOUBTFUL), commit=commit, wechat=wechat, tick=tick),
    # Clean copies.
    scenario("clean, commit", stored("clean"), 2, commit=commit),
    scenario("clean, publish", stored("cleancheck"), 2, publish=publish),
    scenario("clean, continue what was cut off", cut_off("clean"), 2, commit=commit),
    scenario("clean, metadata left", keeps_exif, 2, commit=commit),
    scenario("clean, left, publish", keeps_exif, 0, commit=commit, publish=publish, tick=tick),
    scenario("clean, left, reject", keeps_exif, 0, commit=commit, reject=reject, tick=tick),
    scenario("clean, discard, tick", stored("clean"), commit=commit, discard=discard, tick=tick),
    scenario("clean, late copy", stored("clean"), 0, commit=commit, discard=discard_until_gone, tick=tick),
    scenario("clean, slow, reject", stored("cleancheck"), publish=publish, reject=reject),
    scenario("clean, commit twice", stored("clean"), 0, commit=commit, again=commit, tick=tick),
    scenario("clean, swapped", stored("clean"), commit=commit, phone=swap_back, tick=tick),
    scenario("clean, two ticks", cut_off("clean"), tick=tick_now, other=tick_now),
    scenario("clean, cut off, discard", cut_off("clean"), commit=commit, discard=discard),
    scenario("clean, wechat, discard", stored("cleancheck"), 0, wechat=wechat, discard=discard, tick=tick),
    scenario("clean, aliyun, discard", stored("cleansent"), 0, commit=commit, discard=discard, tick=tick),
    # Labels of AI-made content.
    scenario("labelled, form and confirm", nothing, 2, phone=phone("labelled")),
    scenario("labelled, commit", stored("labelled"), 2, commit=commit),
    scenario(
        "labelled, confirmed twice", form_out("labelled"), phone=send_and_confirm, again=confirm, tick=tick
    ),
    scenario("labelled, wechat, tick", stored("labelledcheck"), wechat=wechat, commit=commit, tick=tick),
    # OSS calls back.
    scenario("callback", form_out("called"), 2, oss=send_and_report),
    scenario("callback, aliyun", sent("calledquick"), 2, oss=report),
    scenario("callback, confirm", form_out("called"), oss=send_and_report, phone=confirm, tick=tick),
    scenario("callback twice, confirm", sent("called"), oss=report, again=report, phone=confirm),
    scenario("callback, commit, tick", stored("called"), oss=report, commit=commit, tick=tick),
    scenario("callback, discard, tick", stored("called"), oss=report, discard=discard, tick=tick),
    scenario("callback, confirm, aliyun", sent("calledquick"), oss=report, phone=confirm, tick=tick),
    scenario("callback, confirm, wechat", sent("calledcheck"), oss=report, phone=confirm, wechat=wechat),
    scenario("callback, forged size", sent("called"), oss=report_forged, tick=tick),
    scenario("callback, forged size, aliyun", sent("calledquick"), oss=report_forged, tick=tick),
    scenario("callback replaces", replacement("calledown"), oss=send_and_report, phone=confirm, tick=tick),
    # One digest.
    scenario("two phones, one digest", nothing, phone=same_phone, other=same_phone, tick=tick),
    scenario("one digest, commit", stored("same"), commit=commit, phone=same_phone, tick=tick),
    scenario("one digest, discard", stored("same"), discard=discard, phone=same_phone, tick=tick),
    scenario("digest sent again", two_forms, 2, discard=discard, phone=send_other),
    scenario("digest sent again, tick", two_forms, discard=discard, phone=send_other, tick=tick),
    scenario("form for what was discarded", stored("same"), 2, phone=discard_and_ask_form),
    scenario("form for what is published", shown("same"), discard=discard, phone=same_phone, tick=tick),
    # Replacing.
    scenario("replaced twice", own, phone=send_and_confirm, again=confirm, tick=tick),
    scenario("replace against delete", own, phone=send_and_confirm, owner=delete_old, tick=tick),
    scenario("replace, held", replacing_held(), commit=commit, discard=discard, tick=tick),
    scenario("replace, confirm", replacement("ownheld"), phone=send_and_confirm, again=confirm, tick=tick),
    # The old form again, while it lives.
    scenario("sent again after delete", shown("ownheld", SOON), owner=delete_and_send_again, tick=tick),
    scenario("sent again after replaced", replacing_held(SOON), commit=commit, old=send_old_again),
    scenario(
        "old name again", replacement("own", SOON), phone=send_and_confirm, old=send_old_again, tick=tick
    ),
    # Erasing, which is many calls.
    scenario("erase against upload", form_out("own"), erase=erase, phone=send_and_confirm),
    scenario("erase, upload, tick", form_out("own"), 0, erase=erase, phone=send_and_confirm, tick=tick),
    scenario("erase against commit", stored("commit"), erase=erase, commit=commit),
    scenario("erase, commit, tick", stored("commit"), 0, erase=erase, commit=commit, tick=tick),
    scenario("erase against held form", form_out("commit"), erase=erase, phone=send_and_confirm),
    scenario("erased clean copy", stored("clean"), 0, erase=erase, commit=commit),
    scenario("erase twice", stored("own"), 0, erase=erase, other=erase),
    # Parts.
    scenario("completed twice", parts_sent, phone=complete, again=complete, tick=tick),
    scenario("complete against abort", parts_sent, phone=complete, abort=abort, again=send_again),
    scenario("complete, abort, tick", parts_sent, phone=complete, abort=abort, tick=tick),
    scenario("part sent while completed", parts_begun, phone=renew_and_complete, again=send_again, tick=tick),
    scenario("completed early", parts_begun, phone=renew_and_complete, again=complete, tick=tick),
    scenario("erase against parts", parts_sent, erase=erase, phone=complete),
    scenario("erase, parts, tick", parts_sent, 0, erase=erase, phone=complete, tick=tick),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
