"""The numbers of OSS, with their units. Source: OSS API reference ("Limits") unless a line says otherwise."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

MIN_PART_SIZE: Final = 100 * KIB  # bytes; every part but the last, checked by CompleteMultipartUpload
MAX_PART_SIZE: Final = 5 * GIB  # bytes
MAX_PART_NUMBER: Final = 10_000  # 1 … 10,000, gaps allowed
MAX_OBJECT_SIZE: Final = 5 * GIB  # bytes; Put, Post and Append
MAX_KEY_BYTES: Final = 1023  # UTF-8
MAX_META_BYTES: Final = 8 * KIB  # names and values of all x-oss-meta-*
MAX_OBJECT_TAGS: Final = 10
MAX_TAG_KEY: Final = 128  # characters
MAX_TAG_VALUE: Final = 256  # characters
MAX_BUCKET_TAGS: Final = 20
MAX_PAGE: Final = 1000  # entries of any listing
DEFAULT_PAGE: Final = 100  # ListObjects, ListBuckets
DEFAULT_PART_PAGE: Final = 1000  # ListParts, ListMultipartUploads
MAX_DELETE_KEYS: Final = 1000
MAX_XML_BODY: Final = 2 * MIB  # bytes
MAX_CORS_BODY: Final = 16 * KIB  # bytes
MAX_CORS_RULES: Final = 20
MAX_LIFECYCLE_RULES: Final = 1000
MAX_POLICY_BODY: Final = 16 * KIB  # bytes
MAX_CALLBACK_PARAMETER: Final = 5 * KIB  # bytes of base64
MAX_CALLBACK_URLS: Final = 5
MAX_CALLBACK_ANSWER: Final = 3 * MIB  # bytes
CALLBACK_TIMEOUT_S: Final = 5.0
MAX_CLOCK_SKEW_S: Final = 900
MAX_PRESIGN_V4_S: Final = 604_800  # seven days
MAX_REGION: Final = 64  # characters of the region in a V4 signature; ours
MAX_BUCKETS: Final = 100  # an account's default quota
