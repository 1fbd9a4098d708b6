"""Build the wheels that a page with Pyodide loads: micrograd, and Graphviz for it."""

import base64
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import fetch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VIZ = "@viz-js/viz@3.31.0"

# The package compiles and starts its WebAssembly asynchronously; Python cannot wait for that. Each
# of these texts is found exactly once.
_SYNCHRONOUS = (
    ("async function Module(moduleArg", "function Module(moduleArg"),
    ("var _scriptName=import.meta.url", 'var _scriptName=""'),
    ("async function getWasmBinary(", "function getWasmBinary("),
    ("async function instantiateArrayBuffer(", "function instantiateArrayBuffer("),
    ("var binary=await getWasmBinary(binaryFile)", "var binary=getWasmBinary(binaryFile)"),
    (
        "var instance=await WebAssembly.instantiate(binary,imports);return instance",
        "return{instance:new WebAssembly.Instance(new WebAssembly.Module(binary),imports)}",
    ),
    ("async function instantiateAsync(", "function instantiateAsync("),
    ("async function createWasm(", "function createWasm("),
    ("var result=await instantiateAsync(", "var result=instantiateAsync("),
    (
        "async function run(){preRun();if(runDependencies){await resolveRunDependencies()}",
        "function run(){preRun();",
    ),
    ("wasmExports=await createWasm();await run();", "wasmExports=createWasm();run();"),
    ("export default Module;", ""),
)
_EXPRESSION = """\
(() => {{
{backend}
{errors}
{wrapper}
const module = Module();
return (source, engine, kind) => {{
  const done = renderInput(module, source, [kind], {{ engine }});
  const told = done.errors.map(error => error.message).join("\\n");
  return [done.status === "success" ? done.output[kind] : "", told];
}};
}})()
"""


def graphviz_script() -> str:
    """Return Graphviz as one expression of JavaScript: a function that draws, at once."""
    backend = fetch.read(VIZ, "lib/backend.js").decode("utf-8")
    for old, new in _SYNCHRONOUS:
        if backend.count(old) != 1:
            raise ValueError(f"{VIZ} has {old!r} {backend.count(old)} times, expected once")
        backend = backend.replace(old, new)
    parts = {"backend": backend}
    for name in ("errors", "wrapper"):
        lines = fetch.read(VIZ, f"src/{name}.js").decode("utf-8").splitlines()
        own = [line.removeprefix("export ") for line in lines if not line.startswith("import ")]
        parts[name] = "\n".join(own)
    return _EXPRESSION.format(**parts)


def write_graphviz(folder: Path) -> Path:
    """Write the wheel of `micrograd_graphviz` and return its path."""
    name = "micrograd_graphviz"
    files = {
        "__init__.py": (HERE / name / "__init__.py").read_bytes(),
        "graphviz.js": graphviz_script().encode("utf-8"),
    }
    about = "Summary: Graphviz in a web page, for micrograd\nLicense: MIT AND EPL-2.0\n"
    return write_wheel(folder, name, VIZ.rpartition("@")[2], about, files)


def write_site(folder: Path, site: Path, version: str) -> Path:
    """Write the wheel of a built site, which `micrograd playground` serves; return its path."""
    files = {"__init__.py": b'"""The site of micrograd, for `micrograd playground`."""\n'}
    for path in sorted(site.rglob("*")):
        if path.is_file():
            files[f"site/{path.relative_to(site).as_posix()}"] = path.read_bytes()
    about = "Summary: The documentation and the playground of micrograd\n"
    return write_wheel(folder, "micrograd_playground", version, about, files)


def write_wheel(folder: Path, name: str, version: str, about: str, files: dict[str, bytes]) -> Path:
    """Write the wheel of one package of files; the same files give the same bytes.

    Parameters
    ----------
    folder : Path
    name, version : str
    about : str
        Further lines of the metadata.
    files : dict of str to bytes
        By their paths in the package.
    """
    info = f"{name}-{version}.dist-info"
    held = {f"{name}/{path}": content for path, content in files.items()}
    head = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
    held[f"{info}/METADATA"] = f"{head}{about}".encode()
    held[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: micrograd\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = ""
    for path, content in held.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(content)}\n"
    held[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in held.items():
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return wheel


def write_micrograd(folder: Path) -> Path:
    """Build micrograd's wheel from the tree, without the notebooks, and return its path."""
    with tempfile.TemporaryDirectory() as work:
        for name in ("micrograd", "notebooks"):  # setuptools would leave its traces in the tree
            ignored = shutil.ignore_patterns("*.ipynb", "__pycache__")
            shutil.copytree(ROOT / name, Path(work) / name, ignore=ignored)
        for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, work)
        before = set(folder.glob("micrograd-*.whl"))
        command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), work]
        subprocess.run(command, check=True)
    (wheel,) = set(folder.glob("micrograd-*.whl")) - before
    return wheel
