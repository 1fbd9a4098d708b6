"""What a page holds, read from its text: its data and its script, which are compressed."""

import base64
import gzip
import json
import re


def part_of(page, name):
    """Return what a compressed element of a page holds."""
    found = re.search(f'"application/gzip" id="mgs-{name}">(.*?)</script>', page, re.DOTALL)
    return gzip.decompress(base64.b64decode(found[1])).decode("utf-8")


def data_of(page):
    """Return what a page holds, as its script reads it."""
    return json.loads(part_of(page, "data"))
