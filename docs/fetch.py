"""Download what the site carries from npm and PyPI, and verify every byte of it.

Each package is kept in a cache folder, `MICROGRAD_SITE_CACHE` or `~/.cache/micrograd-site`, so that
a second build needs no network.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

# The SHA-256 of the archive that `npm pack NAME@VERSION` gives, and of the wheel on PyPI.
PACKAGES = {
    "mathjax@3.2.2": "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
    "pyodide@0.27.7": "89d5d952675eb08e11286e52c7238f1248ce71726e896db9703e73bef23dc343",
    "@viz-js/viz@3.31.0": "7dc0189874849cca2fed7cbe88bf334cd0e6e012db16657794a812ad6f2b8c70",
}
WHEELS = {
    "graphviz==0.21": "54f33de9f4f911d7e84e4191749cac8cc5653f815b06738c54db9a15ab8b1e42",
}


def cache() -> Path:
    """Return the folder in which downloads are kept."""
    named = os.environ.get("MICROGRAD_SITE_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "micrograd-site"


def package(name: str) -> Path:
    """Return the archive of a package of npm, from the cache or freshly downloaded.

    Parameters
    ----------
    name : str
        A key of `PACKAGES`.

    Raises
    ------
    ValueError
        If its bytes are not those that this program was written for.
    """
    target = cache() / f"{name.replace('@', '-').strip('-').replace('/', '-')}.tgz"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "pack", "--silent", name, "--pack-destination", str(target.parent)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        (target.parent / done.stdout.strip().splitlines()[-1]).replace(target)
    return verified(target, PACKAGES[name])


def wheel(name: str) -> Path:
    """Return the wheel of a package of PyPI, a key of `WHEELS`, as `package` does."""
    found = name.replace("==", "-")
    if not list(cache().glob(f"{found}-*.whl")):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary=:all:",
        ]
        subprocess.run([*command, "-d", str(cache()), name], check=True)
    (target,) = cache().glob(f"{found}-*.whl")
    return verified(target, WHEELS[name])


def verified(path: Path, expected: str) -> Path:
    """Return the path of a file that has the expected SHA-256."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(
            f"{path} has the SHA-256 {found}, expected {expected}: delete it and try again"
        )
    return path


def read(name: str, path: str) -> bytes:
    """Return one file of a package of npm."""
    with tarfile.open(package(name)) as archive:
        held = archive.extractfile(f"package/{path}")
        if held is None:
            raise ValueError(f"{name} has no file {path}")
        return held.read()
