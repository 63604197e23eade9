"""Questions about lists, versions and the deletion of many objects."""

from base64 import b64encode
from hashlib import md5

import requests

from function.config.key_template import DUE
from function.oss.listing import list_objects, list_page
from function.oss.multipart import abort
from function.oss.objects import head_object
from function.oss.versions import UPLOADS, VERSIONS, Entry, EntryList, Markers, delete_many, list_entries
from function.sts.session_policy import DELETE, LIST
from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.proof.parts import begin
from ops.doctor.proof.point import Seen, are_all, is_refused, is_taken, told
from ops.doctor.proof.sandbox import Sandbox

# XML has no way to write the first; the others mean something in XML or in a URL.
ODD_NAMES = ("\x01", "&<>\"'", "a b+c%20?#", "照片")
# A page may be short, or empty, and not the last; whether a list may be late is open.
MOST_PAGES, MOST_LOOKS, A_SECOND = 9, 4, 1.0


def _folder(sandbox: Sandbox, *names: str) -> str:
    """A folder with these objects, which a list shows."""
    folder = sandbox.new_folder()
    for name in names:
        sandbox.put(key=f"{folder}{name}")
    for _ in range(MOST_LOOKS):
        if _listed(sandbox, folder).text.count("<Key>") >= len(names):
            break
        sandbox.sleep(A_SECOND)
    return folder


def _listed(sandbox: Sandbox, prefix: str, **query: str) -> requests.Response:
    return sandbox.call("GET", "", query={"list-type": "2", "prefix": prefix, **query})


def _names(sandbox: Sandbox, folder: str, start_after: str = "") -> list[str]:
    found = list_objects(sandbox.client(), folder, start_after=start_after)
    return [each.key.removeprefix(folder) for each in found]


def list_is_in_order(sandbox: Sandbox) -> Seen:
    folder = _folder(sandbox, "b", "a", "a/b", "c")
    seen = _names(sandbox, folder), _names(sandbox, folder, f"{folder}a/a")
    return told(seen == (["a", "a/b", "b", "c"], ["a/b", "b", "c"]), str(seen))


def list_goes_on(sandbox: Sandbox) -> Seen:
    """With one object a page."""
    folder, oss = _folder(sandbox, "a", "b", "c"), sandbox.client()
    page = list_page(oss, folder, limit=1)
    pages = [page]
    while page.token and len(pages) < MOST_PAGES:
        page = list_page(oss, folder, limit=1, token=page.token)
        pages.append(page)
    names = [each.key.removeprefix(folder) for page in pages for each in page.objects]
    is_long = any(len(page.objects) > 1 for page in pages)
    return told(names == ["a", "b", "c"] and not is_long, f"{names}, {len(pages)}")


def list_tells_each_key(sandbox: Sandbox) -> Seen:
    names = _names(sandbox, _folder(sandbox, *ODD_NAMES))
    return told(names == sorted(ODD_NAMES), str(names))


def list_right_holds_its_folder(sandbox: Sandbox) -> Seen:
    """Of the due records, which the role lists for each tick."""
    session = sandbox.session(LIST, folder=DUE)
    query = {"list-type": "2", "max-keys": "1"}
    accepted(sandbox.call("GET", "", query={**query, "prefix": DUE}, by=session))
    elsewhere = sandbox.call("GET", "", query={**query, "prefix": f"{DUE[:-1]}n/"}, by=session)
    anywhere = sandbox.call("GET", "", query=query, by=session)
    return are_all(map(is_refused, (elsewhere, anywhere)))


def _entries(sandbox: Sandbox, listed: EntryList, prefix: str) -> list[Entry]:
    oss, found = sandbox.client(), []
    after: Markers | None = Markers()
    while after is not None:
        entries, after = list_entries(oss, listed, prefix, after)
        found += entries
    return found


def versions_are_listed(sandbox: Sandbox) -> Seen:
    folder = _folder(sandbox, "a", "照片")
    names = [entry.key.removeprefix(folder) for entry in _entries(sandbox, VERSIONS, folder)]
    return told(names == ["a", "照片"], str(names))


def uploads_are_listed(sandbox: Sandbox) -> Seen:
    """As long as they are unfinished."""
    upload = begin(sandbox)
    there = _entries(sandbox, UPLOADS, upload.key)
    abort(sandbox.client(), upload.key, upload.id)
    left = _entries(sandbox, UPLOADS, upload.key)
    seen = [(entry.key, entry.id) for entry in there] == [(upload.key, upload.id)]
    return told(seen and not left, f"{len(there)} / {len(left)}")


def many_are_deleted(sandbox: Sandbox) -> Seen:
    """Keys that mean something in XML, and one that is not there."""
    folder, oss = _folder(sandbox, *ODD_NAMES[1:], "a"), sandbox.client()
    # No id of a version: whether null is one here is open, and an erasure tries both.
    names = (*ODD_NAMES[1:], "a", "absent")
    # Where versions are kept, even the absent one has a delete marker afterwards.
    sandbox.new_key(f"{folder}absent")
    entries = [Entry(f"{folder}{name}", "") for name in names]
    confirmed = delete_many(oss, entries)
    left = [entry.key for entry in entries if head_object(oss, entry.key)]
    return told(len(confirmed) == len(names) and not left, f"{len(confirmed)} / {len(left)}")


def lists_are_late(sandbox: Sandbox) -> Seen:
    """One object, asked for at once: a no proves little, a yes all."""
    folder = sandbox.new_folder()
    sandbox.put(key=f"{folder}a")
    page = list_page(sandbox.client(), folder)
    return told(not page.objects, f"{len(page.objects)}")


def keys_in_utf16_order(sandbox: Sandbox) -> Seen:
    folder = _folder(sandbox, "\uff5e", "\U0001f600")
    names = _names(sandbox, folder)
    return told(names == ["\U0001f600", "\uff5e"], " ".join(f"U+{ord(name):X}" for name in names))


def foreign_tokens_allowed(sandbox: Sandbox) -> Seen:
    folder, other = _folder(sandbox, "a", "b"), _folder(sandbox, "a")
    token = text_in(accepted(_listed(sandbox, folder, **{"max-keys": "1"})), "NextContinuationToken")
    if not token:
        raise NotTried("the list has no token")
    return is_taken(_listed(sandbox, other, **{"continuation-token": token}))


def last_page_names_markers(sandbox: Sandbox) -> Seen:
    answer = accepted(sandbox.call("GET", "", query={"uploads": "", "prefix": begin(sandbox).key}))
    marker = text_in(answer, "NextKeyMarker")
    return told(bool(marker), "NextKeyMarker" if marker else "-")


def _without_versions(sandbox: Sandbox) -> None:
    """Raises NotTried: the bucket keeps versions, or did."""
    if text_in(accepted(sandbox.call("GET", "", query={"versioning": ""})), "Status"):
        raise NotTried("this bucket keeps versions, or did")


def absent_version_is_null(sandbox: Sandbox) -> Seen:
    _without_versions(sandbox)
    answer = accepted(sandbox.call("GET", "", query={"versions": "", "prefix": _folder(sandbox, "a")}))
    version = text_in(answer, "VersionId")
    return told(version == "null", f"VersionId: {version or '-'}")


def null_deletes_without_versions(sandbox: Sandbox) -> Seen:
    _without_versions(sandbox)
    return is_taken(sandbox.call("DELETE", sandbox.put(), query={"versionId": "null"}))


def _delete(sandbox: Sandbox, *keys: str, by_session_in: str = "") -> requests.Response:
    listed = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    body = f"<Delete><Quiet>false</Quiet>{listed}</Delete>".encode()
    digest = b64encode(md5(body, usedforsecurity=False).digest()).decode()
    headers = {"content-type": "application/xml", "content-md5": digest}
    session = sandbox.session(DELETE, folder=by_session_in) if by_session_in else None
    return sandbox.call("POST", "", query={"delete": ""}, headers=headers, body=body, by=session)


def _one_may_not(sandbox: Sandbox) -> requests.Response:
    """The answer to a session that may delete one of two objects."""
    folder = sandbox.new_folder()
    allowed = sandbox.put(key=f"{folder}a")
    accepted(_delete(sandbox, allowed, by_session_in=folder))
    return _delete(sandbox, sandbox.put(key=allowed), sandbox.put(), by_session_in=folder)


def one_key_refuses_all(sandbox: Sandbox) -> Seen:
    return is_refused(_one_may_not(sandbox))


def failed_deletions_named(sandbox: Sandbox) -> Seen:
    answer = accepted(_one_may_not(sandbox))
    code = text_in(answer, "Code")
    return told(bool(code), f"{evidence(answer)} {code}")


def repeated_keys_told_once(sandbox: Sandbox) -> Seen:
    key = sandbox.put()
    told_times = accepted(_delete(sandbox, key, key)).text.count("<Deleted>")
    return told(told_times == 1, f"{told_times}")
