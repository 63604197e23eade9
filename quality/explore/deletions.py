"""
Lines of the function that protect something; the explorer must find what happens without each of them.

A deletion changes the text of a module before anything imports it, so it works in a process of its own only.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import NamedTuple


class Deletion(NamedTuple):
    """
    A line that is taken out.

    Args:
        module: where it stands.
        line: its text, which stands there once.
        instead: what stands there then.
        scenario: where it is missed.
        finds: the predicate that does not hold then.
    """

    module: str
    line: str
    instead: str
    scenario: str
    finds: str


DELETIONS = {
    "the record of a copy that is made once more": Deletion(
        "function.holding.decision",
        "            records.put(oss, records.copy_key(upload.upload_id), {}, now)\n",
        "",
        "cut off against discard",
        "gone_is_final",
    ),
    "the minute that a copy may take": Deletion(
        "function.holding.decision",
        "publication.check_no_copy_runs(oss, upload, None if is_copy_heard else decision.copied, now)",
        "pass",
        "late copy",
        "gone_is_final",
    ),
    "a DELETE that is sent once": Deletion(
        "function.oss.objects",
        '"DeleteObject", "DELETE", key, is_repeatable=is_repeatable, max_seconds',
        '"DeleteObject", "DELETE", key, is_repeatable=True, max_seconds',
        "digest sent again",
        "what_has_a_receipt_is_kept",
    ),
    "the entity tag of what is copied": Deletion(
        "function.oss.objects",
        '        "x-oss-copy-source-if-match": f\'"{source_etag}"\',\n',
        "",
        "commit against overwriting",
        "only_the_bytes_of_the_receipt_are_visible",
    ),
    "a decision that is written once": Deletion(
        "function.holding.records",
        "put_record(oss, name, _body(fields, now), forbid_overwrite=True)",
        "put_record(oss, name, _body(fields, now))",
        "publish against reject",
        "rejected_never_returns",
    ),
    "the due record before a decision": Deletion(
        "function.holding.decision",
        "    ours = note_due(context, oss, upload, decision.action, decision.at)\n",
        "    ours = _due_name(upload, decision.action, decision.at)\n",
        "commit",
        "at rest: ticks_need_no_call",
    ),
    "the second pass of an erasure": Deletion(
        "function.owners.erasure_pass",
        "    if began < state.due:\n        return state._replace(rests_until=state.due)\n",
        "",
        "erase against upload",
        "erased_never_returns",
    ),
    "the entity tag of what waits": Deletion(
        "function.holding.held_upload",
        "return (facts.etag, facts.size_bytes) == said and now < self.ends(facts)",
        "return now < self.ends(facts)",
        "commit against overwriting",
        "at rest: what_is_said_is_so",
    ),
    "the date of what was checked": Deletion(
        "function.holding.check",
        "if current.stored_at is None or checked.since is None or current.stored_at > checked.since:",
        "if False:",
        "swapped while checked",
        "nothing_is_visible_before_its_time",
    ),
    "the id of the upload that an object is of": Deletion(
        "function.holding.held_upload",
        "return facts is not None and facts.metadata.get(UPLOAD_ID_METADATA) == self.upload_id",
        "return facts is not None",
        "digest sent again",
        "at rest: what_has_a_receipt_is_kept",
    ),
    "the lease of a submission": Deletion(
        "function.holding.check",
        "if not records.create(oss, current.lease, {}, context.now):",
        "if records.create(oss, current.lease, {}, context.now) is None:",
        "commit twice, to be checked",
        "a_check_is_paid_once",
    ),
    "the end of a lease": Deletion(
        "function.holding.aliyun_record",
        "LEASE = timedelta(seconds=60)",
        "LEASE = timedelta(days=9)",
        "commit, to be checked",
        "at rest: nothing_is_left_due",
    ),
    "what a tick tells of what is done": Deletion(
        "function.holding.decision",
        "(has_changed or (is_due and (state != GONE or decision.action == DISCARD)))",
        "has_changed",
        "reject",
        "at rest: the_business_was_told",
    ),
    "the files that are given back": Deletion(
        "function.limits.quota",
        "            if days:\n                self._limiter.give_back(request, self._now, self._line)\n",
        "",
        "begin parts of a quota",
        "at rest: a_form_is_counted_once",
    ),
    "the second search for a decision": Deletion(
        "function.holding.status",
        "if state.state == GONE and (decision := get_decision(oss, upload.upload_id)):",
        "if False:",
        "commit, discard, status",
        "gone_is_final",
    ),
    "the lease of a call of Aliyun": Deletion(
        "function.holding.aliyun_check",
        "if not is_free and not records.create(oss, current.lease, {}, context.now):",
        "if records.create(oss, current.lease, {}, context.now) is None:",
        "callback, confirm, aliyun",
        "a_check_is_paid_once",
    ),
    "the second look at what is cleaned": Deletion(
        "function.holding.clean_copy",
        "    if head_object(oss, upload.held_key) != held:\n        raise OssUnavailable(reason=CHANGED)\n",
        "",
        "clean, swapped",
        "only_the_bytes_of_the_receipt_are_visible",
    ),
    "the walk through a clean copy": Deletion(
        "function.holding.clean_copy",
        "pictures.metadata_in(kind, _file(oss, key, facts))",
        '("", [])',
        "clean, metadata left",
        "what_is_visible_is_clean",
    ),
    "the deletion of what was held": Deletion(
        "function.holding.decision",
        "    if there and is_held:\n        publication.delete_held(oss, upload)\n",
        "",
        "commit",
        "at rest: nothing_is_both_held_and_visible",
    ),
    "the parts that are missing": Deletion(
        "function.multipart.lifecycle",
        "if missing := missing_parts(ticket, parts):",
        "if missing := []:",
        "completed early",
        "there_is_the_whole_file_or_none",
    ),
    "the date of a ticket": Deletion(
        "function.uploads.tickets",
        "                trace=_trace(claims),\n                **_common(claims, settings),\n",
        '                trace=None, **{**_common(claims, settings), "issued_at": now}\n',
        "confirmed twice",
        "a_form_has_one_receipt",
    ),
    "the refusal while nothing can be counted": Deletion(
        "function.limits.quota",
        "if request.quotas and self._denies:",
        "if False:",
        "form and confirm",
        "a_form_is_counted",
    ),
    "the old object until the new one is published": Deletion(
        "function.routes.confirm",
        "if upload.ticket.replaces and not upload.is_held:",
        "if upload.ticket.replaces:",
        "replace, confirm",
        "the_old_stays_until_the_new_is_there",
    ),
    "the due record of a replacement": Deletion(
        "function.holding.replacement",
        "        due.write(oss, REPLACE, upload.owner, upload.upload_id, context.now, fields, context.now)\n",
        "",
        "replace",
        "at rest: the_old_is_gone_once_the_new_is_there",
    ),
    "the due record of a delivery": Deletion(
        "function.webhook",
        "        is_safe = _record(context, location, owner, id, since, fields,"
        " lambda: deadline - monotonic())\n",
        "",
        "commit",
        "at rest: the_business_was_told",
    ),
    "the end of a due record": Deletion(
        "function.oss.due",
        "        act(fields)\n        remove(oss, due.name)\n",
        "        act(fields)\n",
        "commit",
        "at rest: nothing_is_left_due",
    ),
}


def take_out(name: str) -> None:
    """Take a line out of its module, which nothing may have imported yet."""
    deletion = DELETIONS[name]
    assert deletion.module not in sys.modules, f"{deletion.module} is imported already"
    sys.meta_path.insert(0, _Finder(deletion))


class _Finder(MetaPathFinder):
    def __init__(self, deletion: Deletion) -> None:
        self._deletion = deletion

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._deletion.module:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None and spec.origin is not None
        spec.loader = _Loader(name, spec.origin, self._deletion)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, deletion: Deletion) -> None:
        super().__init__(name, path)
        self._deletion = deletion

    def get_code(self, fullname: str) -> CodeType:
        text = self.get_data(self.path).decode()
        count = text.count(self._deletion.line)
        assert count == 1, f"{fullname} has this line {count} times: {self._deletion.line}"
        code: CodeType = compile(text.replace(self._deletion.line, self._deletion.instead), self.path, "exec")
        return code
