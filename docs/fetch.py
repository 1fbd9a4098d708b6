"""Download what the site carries from npm, and verify every byte of it.

Each package is kept in a cache folder, `MICROGRAD_SITE_CACHE` or `~/.cache/micrograd-site`, so that
a second build needs no network.
"""

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path

# The SHA-256 of the archive that `npm pack NAME@VERSION` gives.
PACKAGES = {
    "mathjax@3.2.2": "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
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
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    if found != PACKAGES[name]:
        raise ValueError(
            f"{target} has the SHA-256 {found}, expected {PACKAGES[name]}: delete it and try again"
        )
    return target


def read(name: str, path: str) -> bytes:
    """Return one file of a package of npm."""
    with tarfile.open(package(name)) as archive:
        held = archive.extractfile(f"package/{path}")
        if held is None:
            raise ValueError(f"{name} has no file {path}")
        return held.read()
