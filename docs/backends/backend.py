# The backend of the tutorial; needs pyjwt and standardwebhooks.

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Timer
from time import time as now  # the clock

from uploads import FunctionError, call, commit, introspect, verify_receipt, verify_webhook

FUNCTION, SECRET = os.environ.get("FUNCTION", "http://127.0.0.1:9000"), os.environ["SECRET"]
PORT, EVERY = int(os.environ.get("PORT", "3000")), float(os.environ.get("EVERY", "60"))
FILE, NEVER, lock = Path(__file__).with_name("posts.json"), 1e12, Lock()
# A state gives way to a later one alone, for webhooks and responses overtake each other.
STATES = ["", "held", "checking", "review", "published", "rejected", "gone", "expired"]
posts = json.loads(FILE.read_text()) if FILE.exists() else {}  # your database takes its place


def pictures():
    return [picture for post in [*posts.values()] if not post["deleted"] for picture in post["pictures"]]


def save():
    with lock:
        FILE.with_suffix(".new").write_text(json.dumps(posts))
        FILE.with_suffix(".new").replace(FILE)


def note(id, state, label=None):
    for picture in pictures():
        if picture["jti"] == id and state in STATES[STATES.index(picture["state"]) :]:
            # Whoever shows the picture shows the notice of its label: 1 is AI-made, 2 may be, 3 is suspected.
            picture.update(state=state, next=now() + 3600, aiLabel=label or picture.get("aiLabel"))
    save()


def publish(user, text, receipts):
    made = [{**verify_receipt(each, SECRET), "receipt": each, "state": "", "next": 0} for each in receipts]
    if not 1 <= len(made) <= 9 or {each["sub"] for each in made} != {user}:
        raise FunctionError("只能发自己的图片", status=403)
    post = {"user": user, "text": text, "at": now(), "deleted": False, "pictures": made}
    posts.setdefault(made[0]["jti"], post)  # sent again, it is the same post


def work():
    # What is undecided: at once, a minute after an error, and every hour, should a webhook be lost.
    while due := [each for each in pictures() if each["state"] in STATES[:4] and each["next"] <= now()][:20]:
        for picture in due:
            picture["next"] = now() + 60 if now() < picture["exp"] else NEVER
        results = commit(FUNCTION, [picture["receipt"] for picture in due], SECRET)
        for picture, result in zip(due, results, strict=True):
            is_gone = result.get("error", {}).get("code") == "not_uploaded"
            note(picture["jti"], "gone" if is_gone else result.get("state"), result.get("aiLabel"))
    for id, post in [each for each in posts.items() if each[1]["deleted"]]:
        keys = {"keys": [picture["key"] for picture in post["pictures"]]}
        if all("error" not in each for each in call(FUNCTION, "delete", keys, SECRET)["results"]):
            posts.pop(id, None)
    save()


def repeat():
    Timer(EVERY, repeat).start()
    work()


def shown(id, post):
    known = [{name: each.get(name) for name in ("key", "state", "aiLabel")} for each in post["pictures"]]
    return {"id": id, "text": post["text"], "at": post["at"], "pictures": known}


class Handler(BaseHTTPRequestHandler):
    def act(self, place, id, body):
        if place == "webhook":
            event = verify_webhook(body, dict(self.headers), SECRET)
            note(event.get("claims", {}).get("jti"), event["event"], event.get("aiLabel"))
        elif self.command != "GET":
            who = introspect(FUNCTION, self.headers.get("Authorization", "").removeprefix("Bearer "), SECRET)
            if not who["active"]:
                raise FunctionError("请重新登录", status=401)
            if self.command == "POST":
                publish(who["sub"], **json.loads(body))
            elif posts.get(id, {}).get("user") == who["sub"]:
                posts[id]["deleted"] = True
            save()
            Timer(0, work).start()
        return {"posts": [shown(*each) for each in [*posts.items()][::-1] if not each[1]["deleted"]]}

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, said = 200, self.act(*f"{self.path}//".split("/")[1:3], body)
        except Exception as error:  # noqa: BLE001
            status, id = getattr(error, "status", 400), getattr(error, "request_id", "")
            said = {"error": {"message": getattr(error, "message", str(error)), "requestId": id}}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    do_GET = do_POST = do_DELETE = answer


repeat()
ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
