"""
List webhook deliveries that wait for their next attempt, or are lost. With --redeliver send them now.

Reads held/.due/ in the buckets of the profiles: AccessKeyID and AccessKeySecret of the environment must be
able to list and read there, for --redeliver also to delete. This machine then signs each delivery with
RECEIPT_SECRET (else TOKEN_SECRET) of .env and sends it to UPLOAD_WEBHOOK_URL. What gets a 2xx is done;
everything else stays as it is. A lost delivery can be sent for seven days.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import requests

from function.config.key_template import DUE
from function.config.settings import Settings
from function.http.json_body import object_in
from function.operations.deliveries import Delivery, read_delivery
from function.oss.due import NAME, Unreadable
from function.sts.credentials import AccessKeys
from function.webhook import KIND, signed_headers
from ops.account.oss_client import client_at, code_of, failure_of, operator_keys
from ops.client.form_upload import open_session
from ops.deploy.operator_env import add_env_argument, operator_environment, operator_settings
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

if TYPE_CHECKING:
    from alibabacloud_oss_v2 import Client

TIMEOUTS = (5, 15)
SUMMARY = Text("webhook deliveries that wait or are lost", "等待重发或已经放弃的 webhook 通知")
ABOUT = Text(
    __doc__,
    "列出等待重发或已经放弃的 webhook 通知；--redeliver 立即发送。\n\n"
    "读取各用途的桶里的 held/.due/：环境变量 AccessKeyID 与 AccessKeySecret 要能在那里"
    "列举和读取，--redeliver 还要能删除。由本机用 .env 里的 RECEIPT_SECRET（没有就用 TOKEN_SECRET）签名，发往"
    " UPLOAD_WEBHOOK_URL。得到 2xx 的就完成了，其他的保持原样。已经放弃的，七天之内都能再发。",
)
REDELIVER = Text("send all of them now", "立即全部发送")
NOWHERE = Text("Set UPLOAD_WEBHOOK_URL.", "请设置 UPLOAD_WEBHOOK_URL。")
WAITS = Text("next attempt {at}", "{at} 再发")
LOST = Text("lost", "已放弃")
LINE = Text(
    "{state}: {event} {upload_id}, {attempts} attempts, {reason}",
    "{state}：{event} {upload_id}，已发 {attempts} 次，{reason}",
)
ODD = Text("{name} holds no delivery.", "{name} 里不是通知。")
LISTED = Text("{waiting} wait, {lost} are lost.", "{waiting} 个等待重发，{lost} 个已放弃。")
SENT = Text("{done} delivered, {failed} failed.", "送达 {done} 个，失败 {failed} 个。")


class Found(NamedTuple):
    """A delivery, where its record is, and its ``webhook-id``."""

    client: "Client"
    bucket: str
    name: str
    id: str
    at: datetime
    delivery: Delivery


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--redeliver", action="store_true", help=REDELIVER.say(language))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    environ = operator_environment(args.env_file, os.environ)
    settings = operator_settings(environ)
    url = settings.upload_webhook_url
    if args.redeliver and not url:
        raise Failure(NOWHERE)
    found = find(settings, operator_keys(environ), complaints, language)
    if args.redeliver and url:
        return _redeliver([*found], url, settings, screen, complaints, language)
    return _show(found, screen, language)


def find(settings: Settings, keys: AccessKeys, complaints: Screen, language: str) -> Iterator[Found]:
    """Yield the deliveries of all buckets; name records that are none. Raise ``Failure`` if OSS refuses."""
    import alibabacloud_oss_v2 as oss

    places = {
        each.location.bucket: each.location for each in settings.profiles.values() if each.gives_receipts
    }
    for bucket, location in places.items():
        client = client_at(location, keys)
        try:
            pages = client.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket, prefix=DUE))
            names = [str(each.key) for page in pages for each in page.contents or ()]
            for match in filter(None, map(NAME.fullmatch, names)):
                if match[2] != KIND or (body := _read(client, bucket, match[0])) is None:
                    continue
                try:
                    at = datetime.strptime(match[1], "%Y%m%d%H%M").replace(tzinfo=UTC)
                    delivery = read_delivery(object_in(body) or {})
                # Also a minute that is none.
                except (Unreadable, ValueError):
                    complaints.fail(ODD.say(language, name=match[0]))
                    continue
                yield Found(client, bucket, match[0], match[4], at, delivery)
        except oss.exceptions.BaseError as error:
            raise failure_of(error, location) from None


def _read(client: "Client", bucket: str, name: str) -> bytes | None:
    """Return the content of a record; ``None`` if a tick has removed it."""
    import alibabacloud_oss_v2 as oss

    try:
        result = client.get_object(oss.GetObjectRequest(bucket, name))
        return bytes(result.body.content) if result.body else b""
    except oss.exceptions.OperationError as error:
        if code_of(error) == "NoSuchKey":
            return None
        raise


def _show(found: Iterator[Found], screen: Screen, language: str) -> int:
    """Print each delivery as it is read, for there may be very many."""
    counts = {False: 0, True: 0}
    for each in found:
        delivery, at = each.delivery, each.at.isoformat(timespec="minutes")
        state = LOST if delivery.is_lost else WAITS.filled(at=at)
        screen.line(LINE.filled(state=state, **delivery._asdict()).say(language))
        counts[delivery.is_lost] += 1
    screen.line(LISTED.say(language, waiting=counts[False], lost=counts[True]))
    return 0


def _redeliver(
    found: list[Found], url: str, settings: Settings, screen: Screen, complaints: Screen, language: str
) -> int:
    failed, taken = 0, set[str]()
    with open_session(url) as session:
        for each in found:
            # A request that was repeated may have left several records of one event.
            reason = "" if each.id in taken else _send(session, url, each, settings)
            reason = reason or _remove(each)
            name = f"{each.delivery.event} {each.delivery.upload_id}"
            if reason:
                failed += 1
                complaints.fail(f"{name}: {reason}")
            else:
                taken.add(each.id)
                screen.line(name)
    screen.line(SENT.say(language, done=len(found) - failed, failed=failed))
    return 1 if failed else 0


def _send(session: requests.Session, url: str, found: Found, settings: Settings) -> str:
    """Send one delivery; return what failed, empty after a 2xx."""
    body = found.delivery.body.encode()
    headers = signed_headers(settings.receipt_secrets, found.id, datetime.now(UTC), body)
    try:
        response = session.post(
            url,
            data=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=TIMEOUTS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        return type(error).__name__
    return "" if 200 <= response.status_code < 300 else f"HTTP {response.status_code}"


def _remove(found: Found) -> str:
    """Remove the record of a delivery; return what failed."""
    import alibabacloud_oss_v2 as oss

    try:
        found.client.delete_object(oss.DeleteObjectRequest(found.bucket, found.name))
    except oss.exceptions.BaseError as error:
        return code_of(error)
    return ""
