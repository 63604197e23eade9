"""The HTTP side of the local OSS: one call after another, each told by its method, path and query."""

import contextlib
import json
from collections.abc import Callable, Iterator

from local.common.faults import DROP, SLOW, Faults
from local.common.http_server import FAULT_BYTES, PIECE_BYTES
from local.oss import errors
from local.oss.answer import Answer
from local.oss.callback_delivery import PUBLIC_KEY_PATH
from local.oss.calls import MANAGEMENT, MARKS, NAMES, find_call
from local.oss.connection import latin
from local.oss.errors import OssError
from local.oss.exchange import Call
from local.oss.posting import ANSWER_LOST, CALLBACK_FAILS, POST_OBJECT, REFUSALS_BY_FAULT, FormConnection
from local.oss.process import PROCESS
from local.oss.request import read_request

MOST_DAYS = 36_500
FAULTS = (SLOW, DROP, ANSWER_LOST, CALLBACK_FAILS, *REFUSALS_BY_FAULT)
BOUND_FAULTS = {
    CALLBACK_FAILS: (POST_OBJECT,),
    "expired_form": (POST_OBJECT,),
    "expired_url": tuple(NAMES),
}


def new_faults() -> Faults:
    """Return the faults that can be planned, by call."""
    return Faults(FAULTS, calls=(POST_OBJECT, *NAMES), bound=BOUND_FAULTS)


class OssHandler(FormConnection):
    """One connection to the local OSS, by what is asked."""

    def do_POST(self) -> None:
        if self.serve_faults(self.faults):
            return
        # A form has no query; what has one of these is another call.
        if (MARKS | {PROCESS}) & {part.partition("=")[0] for part in self.path.partition("?")[2].split("&")}:
            self._serve()
        else:
            self.take_form()

    def do_GET(self) -> None:
        if self.serve_faults(self.faults):
            return
        if self.path.partition("?")[0] == PUBLIC_KEY_PATH:  # an object of this name cannot be read back
            self.answer(200, self.signer.public_pem, "application/x-pem-file")
            return
        self._serve()

    do_HEAD = do_DELETE = do_GET

    def do_PUT(self) -> None:
        if not self.serve_days():
            self.do_GET()

    def serve_days(self) -> bool:
        """
        Serve ``/-/lifecycle``, and say whether this request was for it.

        ``PUT`` with ``{"days": 3}`` does what lifecycle rules would do three days from now; no clock moves.
        """
        if self.path != "/-/lifecycle" or self.turns_away_strangers():
            return self.path == "/-/lifecycle"
        body = self.read_body(FAULT_BYTES)
        if body is None:
            return True
        try:
            days = json.loads(body)["days"]
            if type(days) is not int or not 0 <= days <= MOST_DAYS:
                raise ValueError(days)
        except (ValueError, TypeError, KeyError, RecursionError):
            self.answer_json(400, {"error": f'{{"days": n}}, a whole number from 0 to {MOST_DAYS}'})
            return True
        self.bucket.let_days_pass(days)
        self.answer_json(
            200, {"objects": len(self.bucket.objects), "uploads": len(list(self.bucket.uploads))}
        )
        return True

    def do_OPTIONS(self) -> None:
        """A preflight, which a rule of the bucket admits or which is refused."""
        if not self.cors_headers():
            self.refuse(OssError(errors.CORS_REFUSES))
            return
        asked = self.headers.get("Access-Control-Request-Headers", "*")
        self.answer(
            200,
            Access_Control_Allow_Headers=" ".join(asked.split()),
        )

    def _serve(self) -> None:
        unread = self._unread_body()
        kind = ""
        try:
            if self.command == "DELETE" and self.is_of_foreign_page():
                raise OssError(errors.CORS_FORBIDS)
            request = read_request(self.command, self.target, self.headers.items())
            name, serve = find_call(request)
            if name not in MANAGEMENT:
                self.check_endpoint()
            fault = self.faults.take(name)
            if fault and self.play(fault, {}):
                return
            kind = fault.kind if fault else ""
            self.bucket.catch_up()
            if kind in REFUSALS_BY_FAULT:
                raise OssError(REFUSALS_BY_FAULT[kind])
            answer = serve(Call(request, self.bucket, unread, self.is_default_host))
        except OssError as error:
            self._refuse_call(error, unread, is_lost=kind == ANSWER_LOST)
            return
        self._discard(unread)
        self._send(answer, is_lost=kind == ANSWER_LOST)

    def _unread_body(self) -> Callable[[], Iterator[bytes]]:
        """The body, which whoever first reads it gets: the call that is served, or nobody."""
        pieces: list[Iterator[bytes]] = []

        def body() -> Iterator[bytes]:
            if not pieces:
                pieces.append(self.body_of_call())
            return pieces[0]

        return body

    def _refuse_call(self, error: OssError, unread: Callable[[], Iterator[bytes]], is_lost: bool) -> None:
        if is_lost:
            self.drop_connection()
        elif "Transfer-Encoding" in self.headers:
            self.refuse_unread(error)
        else:
            with contextlib.suppress(OssError):  # an answer in mid-body would reach most clients as a reset
                self._discard(unread)
            self.refuse(error)

    def _discard(self, unread: Callable[[], Iterator[bytes]]) -> None:
        if "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0":
            for _ in unread():
                pass
        if self.command in ("PUT", "POST") and not self.close_connection and self.has_excess():
            self.close_connection = True

    def _send(self, answer: Answer, is_lost: bool) -> None:
        with contextlib.ExitStack() as closing:
            if answer.file is not None:
                closing.enter_context(answer.file)
            if is_lost:
                self.drop_connection()
                return
            self.send_response(answer.status)
            headers = dict(answer.headers)
            if answer.file is None and answer.status != 204 and self.command != "HEAD":
                headers["Content-Length"] = str(len(answer.body))
            for name, value in headers.items():
                self.send_header(name, latin(value))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
                self._copy(answer)

    def _copy(self, answer: Answer) -> None:
        left = answer.length
        while answer.file is not None and left and (piece := answer.file.read(min(left, PIECE_BYTES))):
            left -= len(piece)
            self.wfile.write(piece)
