"""What the site carries from elsewhere: every byte is compared, and nothing is taken unseen."""

import hashlib
import importlib.util
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "docs" / "fetch.py"


@pytest.fixture
def fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_SITE_CACHE", str(tmp_path))
    spec = importlib.util.spec_from_file_location("fetch", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_was_downloaded_before_is_compared_again(fetch, tmp_path, monkeypatch):
    kept = tmp_path / "viz-js-viz-3.31.0.tgz"
    kept.write_bytes(b"another program")
    with pytest.raises(ValueError, match=r"has the SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}"):
        fetch.package("@viz-js/viz@3.31.0")
    known = hashlib.sha256(b"another program").hexdigest()
    monkeypatch.setitem(fetch.PACKAGES, "@viz-js/viz@3.31.0", known)
    assert fetch.package("@viz-js/viz@3.31.0") == kept


def test_an_archive_of_pyodide_is_compared_with_the_lock_file(fetch, tmp_path):
    (tmp_path / "pyodide").mkdir()
    (tmp_path / "pyodide" / "numpy.whl").write_bytes(b"another numpy")
    digest = hashlib.sha256(b"numpy").hexdigest()
    with pytest.raises(ValueError, match=f"expected {digest}"):
        fetch.official("numpy.whl", digest)
    (tmp_path / "pyodide" / "numpy.whl").write_bytes(b"numpy")
    assert fetch.official("numpy.whl", digest) == b"numpy"


def test_everything_is_pinned_to_one_version_and_its_bytes(fetch):
    for name, digest in {**fetch.PACKAGES, **fetch.WHEELS}.items():
        assert name.replace("==", "@").rpartition("@")[2][0].isdigit()
        assert len(bytes.fromhex(digest)) == 32
