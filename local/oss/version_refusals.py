"""
Errors of listings, deletions and versions.

Codes are OSS's own; of texts and EC no public page that we read has one.
"""

from local.oss.errors import Refusal

BAD_TOKEN = Refusal(400, "InvalidArgument", "The continuation token is invalid.")
NO_SUCH_VERSION = Refusal(404, "NoSuchVersion", "The specified version does not exist.")
MARKER_UNREADABLE = Refusal(405, "MethodNotAllowed", "The specified version is a delete marker.")
NO_VERSIONS = Refusal(400, "InvalidArgument", "This bucket has no versions.")
IMMUTABLE = Refusal(409, "FileImmutable", "The object is under a retention policy.")
DIGEST_MISSING = Refusal(400, "InvalidArgument", "Content-MD5 is missing.")
