"""The named scenarios: who does what, to which object."""

from collections.abc import Iterable
from pathlib import Path

from quality.explore import acts
from quality.explore.acts import phone
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


def scenario(name: str, prepare: Prepare, actors: str, faults: int = 1, **made: Act) -> Scenario:
    """
    One with the profiles of its kind: a session is granted so many folders, and an erasure lists each.

    To add one: name it (the file ``…_profiles.toml`` of its first word has its profiles, where there is one),
    say what was before (``before``), what its actors do, and how many calls may fail: with three actors one,
    or it takes minutes. A profile that holds stands in ``HOLDS`` too. What an actor asks for or hears, and
    the model must know, is an ``Event`` (``Hands.note``). ``--only NAME`` runs it.

    Args:
        actors: a word each: the name of an act in ``acts``, as ``commit``; or that after another name, as
            ``phone=overwrite``; or the name of an actor whose act is in ``made``.
    """
    kind = name.partition(",")[0].partition(" ")[0]
    files = [Path(__file__).with_name(f"{each}_profiles.toml") for each in (kind, "erasure")]
    named = (word.partition("=") for word in actors.split())
    given = {actor: made.get(actor) or vars(acts)[act or actor] for actor, _, act in named}
    file = files[1] if "erase" in given and not files[0].exists() else files[0]
    environ = {"PROFILES_FILE": str(file)} if file.exists() else {}
    environ |= SEVERAL if kind == "callers" else {}
    return Scenario(name, prepare, given, faults, environ | ({"ERASE": "true"} if "erase" in given else {}))


counted, same_phone = phone("counted"), phone("same", **SAME)
keeps_exif = keeping_metadata(stored("clean"))
own = replacement("own")
published = shown("commit")
SCENARIOS: Iterable[Scenario] = (
    # One actor, two failures.
    scenario("form and confirm", nothing, "phone", 2, phone=counted),
    scenario("form and confirm, held", nothing, "phone", 2, phone=phone("check")),
    scenario("commit", stored("commit"), "commit", 2),
    scenario("publish", stored("both"), "publish", 2),
    scenario("reject", stored("both"), "reject", 2),
    scenario("discard", stored("commit"), "discard", 2),
    scenario("commit by its owner", stored("commit"), "owner=commit_own", 2),
    scenario("discard by its owner", stored("commit"), "owner=discard_own", 2),
    scenario("discard what is published", published, "discard", 2),
    scenario("reject what is published", published, "reject", 2),
    scenario("ask, held", stored("both"), "status", 2),
    scenario("ask, published", published, "status", 2),
    scenario("continue what was cut off", cut_off("commit"), "commit", 2),
    scenario("commit, to be checked", stored("both"), "commit", 2),
    scenario("silence", stored("check"), "tick=tick_after_silence", 1),
    scenario("pass", stored("check"), "wechat", 2),
    scenario("risky", stored("check", OTHERS), "wechat", 2),
    scenario("doubt", stored("check"), "wechat=doubt", 2),
    scenario("begin parts of a quota", nothing, "phone=begin_parts"),
    scenario("complete", parts_sent, "phone=complete", 2),
    scenario("complete what is not there", parts_begun, "phone=renew_and_complete", 2),
    scenario("abort", parts_sent, "phone=abort", 2),
    scenario("replace", own, "phone=send_and_confirm", 2),
    # Form and confirm.
    scenario("two forms of one quota", nothing, "phone other tick", phone=counted, other=counted),
    scenario("confirmed twice", form_out("commit"), "phone=send_and_confirm again=confirm tick"),
    # Commit against discard.
    scenario("commit and tick", stored("commit"), "commit tick", 2),
    scenario("commit against discard", stored("commit"), "commit discard", 2),
    scenario("commit, discard, tick", stored("commit"), "commit discard tick"),
    scenario("commit, discard, status", stored("commit"), "commit discard status"),
    scenario("commit twice, discard", stored("commit"), "commit again=commit discard"),
    scenario("commit against owner", stored("commit"), "commit owner=discard_own tick"),
    scenario("publish against reject", stored("both"), "publish reject tick"),
    scenario("commit against overwriting", stored("overwritten"), "commit phone=overwrite tick"),
    scenario("confirmed after commit", stored("commit"), "commit again=confirm tick"),
    # A copy that is late, and one that is made once more.
    scenario("late copy", stored("commit"), "commit discard=discard_until_gone tick"),
    scenario("slow copy against discard", stored("commit"), "commit=commit_slowly discard", 0),
    scenario("cut off against discard", cut_off("commit"), "commit discard"),
    scenario("cut off, discard, tick", cut_off("commit"), "status discard tick=tick_now"),
    scenario("cut off, two ticks", cut_off("commit"), "tick=tick_now other=tick_now"),
    # Verdicts.
    scenario("commit twice, to be checked", stored("both"), "commit again=commit tick"),
    scenario("verdict and tick", stored("check"), "wechat tick"),
    scenario("verdict against discard", stored("check"), "wechat discard tick"),
    scenario("verdict against commit", stored("both"), "wechat commit tick"),
    scenario("verdict, commit, discard", stored("both"), "wechat commit discard"),
    scenario("risky against publish", stored("check", OTHERS), "wechat publish tick"),
    scenario("swapped while checked", stored("both", OTHERS), "wechat commit phone=swap"),
    scenario("callers, one trace id", one_trace, "phone=confirm wechat other", wechat=passes, other=rejects),
    # Aliyun, alone and before WeChat.
    scenario("form and confirm, aliyun", nothing, "phone", 2, phone=phone("quick")),
    scenario("commit, aliyun", stored("sent"), "commit", 2),
    scenario("aliyun against discard", stored("sent"), "commit discard tick"),
    scenario("aliyun asked twice", stored("sent"), "commit again=commit tick"),
    scenario("swapped while aliyun looks", stored("sent", OTHERS), "commit phone=swap tick"),
    scenario("aliyun, then wechat", stored("twice"), "commit wechat tick"),
    scenario("aliyun, wechat, discard", stored("twice"), "commit wechat discard", 0),
    scenario("aliyun in doubt", stored("twice", DOUBTFUL), "commit wechat tick"),
    # Clean copies.
    scenario("clean, commit", stored("clean"), "commit", 2),
    scenario("clean, publish", stored("cleancheck"), "publish", 2),
    scenario("clean, continue what was cut off", cut_off("clean"), "commit", 2),
    scenario("clean, metadata left", keeps_exif, "commit", 2),
    scenario("clean, left, publish", keeps_exif, "commit publish tick", 0),
    scenario("clean, left, reject", keeps_exif, "commit reject tick", 0),
    scenario("clean, discard, tick", stored("clean"), "commit discard tick"),
    scenario("clean, late copy", stored("clean"), "commit discard=discard_until_gone tick", 0),
    scenario("clean, slow, reject", stored("cleancheck"), "publish reject"),
    scenario("clean, commit twice", stored("clean"), "commit again=commit tick", 0),
    scenario("clean, swapped", stored("clean"), "commit phone=swap_back tick"),
    scenario("clean, two ticks", cut_off("clean"), "tick=tick_now other=tick_now"),
    scenario("clean, cut off, discard", cut_off("clean"), "commit discard"),
    scenario("clean, wechat, discard", stored("cleancheck"), "wechat discard tick", 0),
    scenario("clean, aliyun, discard", stored("cleansent"), "commit discard tick", 0),
    # Labels of AI-made content.
    scenario("labelled, form and confirm", nothing, "phone", 2, phone=phone("labelled")),
    scenario("labelled, commit", stored("labelled"), "commit", 2),
    scenario("labelled, confirmed twice", form_out("labelled"), "phone=send_and_confirm again=confirm tick"),
    scenario("labelled, wechat, tick", stored("labelledcheck"), "wechat commit tick"),
    # OSS calls back.
    scenario("callback", form_out("called"), "oss=send_and_report", 2),
    scenario("callback, aliyun", sent("calledquick"), "oss=report", 2),
    scenario("callback, confirm", form_out("called"), "oss=send_and_report phone=confirm tick"),
    scenario("callback twice, confirm", sent("called"), "oss=report again=report phone=confirm"),
    scenario("callback, commit, tick", stored("called"), "oss=report commit tick"),
    scenario("callback, discard, tick", stored("called"), "oss=report discard tick"),
    scenario("callback, confirm, aliyun", sent("calledquick"), "oss=report phone=confirm tick"),
    scenario("callback, confirm, wechat", sent("calledcheck"), "oss=report phone=confirm wechat"),
    scenario("callback, forged size", sent("called"), "oss=report_forged tick"),
    scenario("callback, forged size, aliyun", sent("calledquick"), "oss=report_forged tick"),
    scenario("callback replaces", replacement("calledown"), "oss=send_and_report phone=confirm tick"),
    # One digest.
    scenario("two phones, one digest", nothing, "phone other tick", phone=same_phone, other=same_phone),
    scenario("one digest, commit", stored("same"), "commit phone tick", phone=same_phone),
    scenario("one digest, discard", stored("same"), "discard phone tick", phone=same_phone),
    scenario("digest sent again", two_forms, "discard phone=send_other", 2),
    scenario("digest sent again, tick", two_forms, "discard phone=send_other tick"),
    scenario("form for what was discarded", stored("same"), "phone=discard_and_ask_form", 2),
    scenario("form for what is published", shown("same"), "discard phone tick", phone=same_phone),
    # Replacing.
    scenario("replaced twice", own, "phone=send_and_confirm again=confirm tick"),
    scenario("replace against delete", own, "phone=send_and_confirm owner=delete_old tick"),
    scenario("replace, held", replacing_held(), "commit discard tick"),
    scenario("replace, confirm", replacement("ownheld"), "phone=send_and_confirm again=confirm tick"),
    # The old form again, while it lives.
    scenario("sent again after delete", shown("ownheld", SOON), "owner=delete_and_send_again tick"),
    scenario("sent again after replaced", replacing_held(SOON), "commit old=send_old_again"),
    scenario("old name again", replacement("own", SOON), "phone=send_and_confirm old=send_old_again tick"),
    # Erasing, which is many calls.
    scenario("erase against upload", form_out("own"), "erase phone=send_and_confirm"),
    scenario("erase, upload, tick", form_out("own"), "erase phone=send_and_confirm tick", 0),
    scenario("erase against commit", stored("commit"), "erase commit"),
    scenario("erase, commit, tick", stored("commit"), "erase commit tick", 0),
    scenario("erase against held form", form_out("commit"), "erase phone=send_and_confirm"),
    scenario("erased clean copy", stored("clean"), "erase commit", 0),
    scenario("erase twice", stored("own"), "erase other=erase", 0),
    # Parts.
    scenario("completed twice", parts_sent, "phone=complete again=complete tick"),
    scenario("complete against abort", parts_sent, "phone=complete abort again=send_again"),
    scenario("complete, abort, tick", parts_sent, "phone=complete abort tick"),
    scenario("part sent while completed", parts_begun, "phone=renew_and_complete again=send_again tick"),
    scenario("completed early", parts_begun, "phone=renew_and_complete again=complete tick"),
    scenario("erase against parts", parts_sent, "erase phone=complete"),
    scenario("erase, parts, tick", parts_sent, "erase phone=complete tick", 0),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
