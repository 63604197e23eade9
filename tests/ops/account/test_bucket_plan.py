"""The bucket: what is made or changed, what is kept, and what the operator hears about it."""

import base64
import hashlib
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from ops.account.bucket import DesiredBucket, FoundBucket
from ops.account.bucket_plan import bucket_steps
from ops.terminal.language import Failure
from tests.ops.account.stubs import bucket_info, folder, run


def test_a_missing_bucket_is_created_private_and_only_with_bucket_create(cloud, capsys):
    assert run(cloud, "--yes") == 0
    assert cloud.oss.changes() == []
    assert "--bucket-create" in capsys.readouterr().out
    assert run(cloud, "--yes", "--bucket-create") == 0
    method, document, headers, _ = next(call for call in cloud.oss.calls if call[0] == "PUT")
    assert (method, document, headers["x-oss-acl"]) == ("PUT", "", "private")


def test_a_bucket_that_is_there_keeps_its_acl_versioning_and_block(cloud, capsys):
    cloud.oss.info = bucket_info(acl="public-read", versioning="Enabled", block="true")
    assert run(cloud, "--yes", "--bucket-create") == 0
    assert cloud.oss.changes() == [("PUT", "lifecycle")]
    output = capsys.readouterr().out
    assert all(name in output for name in ("public-read", "x-oss-forbid-overwrite", "my-bucket"))


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_strip_in_a_public_bucket_is_refused(acl):
    """A copy has the ACL of the bucket until it is made private."""
    photo = folder("held/photo/", 1, held=True)
    photo.strip = True
    desired = DesiredBucket("my-bucket", "cn-hongkong", profiles=(photo,))
    with pytest.raises(Failure) as refused:
        bucket_steps(desired, FoundBucket("oss-cn-hongkong", acl, "", False))
    assert "[photo]" in refused.value.said.en
    assert bucket_steps(desired, FoundBucket("oss-cn-hongkong", "private", "", False))


@pytest.mark.parametrize(("blocks", "named"), [("true", "avatar"), ("false", "legacy")])
def test_public_access_stays_as_it_is_and_the_profiles_that_it_does_not_suit_are_named(
    cloud, capsys, blocks, named
):
    cloud.oss.info = bucket_info(block=blocks)
    assert run(cloud, "--yes", "--lang", "en") == 0 and cloud.oss.changes() == []
    printed = capsys.readouterr().out
    assert [name for name in ("avatar", "legacy") if f"[{name}]" in printed] == [named]


def test_rules_that_are_there_stay_whole_beside_ours(cloud):
    cloud.oss.info = bucket_info()
    theirs = "<Rule><ID>theirs</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><New><X>1</X></New></Rule>"
    page = "<CORSRule><AllowedOrigin>https://a.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    page += "</CORSRule>"
    cors = f"<CORSConfiguration>{page}<ResponseVary>true</ResponseVary></CORSConfiguration>"
    lifecycle = f"<LifecycleConfiguration>{theirs}</LifecycleConfiguration>"
    cloud.oss.documents.update(lifecycle=lifecycle.encode(), cors=cors.encode())
    assert run(cloud, "--yes", "--bucket-create", "--h5-origin", "https://m.example.com") == 0
    _, _, headers, _ = next(call for call in cloud.oss.calls if call[:2] == ("PUT", "lifecycle"))
    body = cloud.oss.documents["lifecycle"]
    assert headers["Content-MD5"] == base64.b64encode(hashlib.md5(body).digest()).decode()
    lifecycle = body.decode()
    assert theirs in lifecycle
    assert "<AbortMultipartUpload><Days>7</Days></AbortMultipartUpload>" in lifecycle
    cors = ElementTree.fromstring(cloud.oss.documents["cors"])
    assert [child.tag for child in cors] == ["CORSRule", "CORSRule", "ResponseVary"]
    assert page in cloud.oss.documents["cors"].decode()
    assert cors[1].findtext("AllowedOrigin") == "https://m.example.com"
    assert [method.text for method in cors[1].findall("AllowedMethod")] == ["POST"]


@pytest.mark.parametrize(("origin", "methods", "changes"), [
    ("https://m.example.com", ["POST"], 0),
    ("*", ["GET", "POST"], 0),
    ("https://m.example.com", ["GET"], 1),
    ("https://other.example.com", ["POST"], 1),
])  # fmt: skip
def test_cors_is_added_for_a_page_that_cannot_post_yet_and_for_parts_that_it_cannot_put(
    origin, methods, changes
):
    rule = f"<AllowedOrigin>{origin}</AllowedOrigin>"
    rule += "".join(f"<AllowedMethod>{method}</AllowedMethod>" for method in methods)
    document = f"<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>"
    found = FoundBucket("oss-cn-hongkong", "private", "", True, "", document)
    desired = DesiredBucket("my-bucket", "cn-hongkong", h5_origins=("https://m.example.com",))
    assert len(bucket_steps(desired, found)[0]) == changes
    steps, _ = bucket_steps(replace(desired, profiles=(folder("videos/", 1),)), found)
    assert [step.action for step in steps] == ["PutBucketLifecycle", "PutBucketCors"]
