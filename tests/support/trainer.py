"""The trainer of the live page, run by Node without a page around it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import micrograd
from micrograd.live.page import TRAINER

_STEPPER = ("numbers.js", "live.js")


def scripts():
    """Return what the trainer is made of, and what it uses of the stepper's page."""
    root = Path(micrograd.__file__).parent
    files = [root / "replay" / "static" / "functions.js"]
    files += [root / "stepper" / "page" / "static" / name for name in _STEPPER]
    files += [root / "live" / "static" / name for name in TRAINER]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def in_node(body, given=None):
    """Return what the body of a function of `given` returns, next to the trainer."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    code = f"{scripts()}\nconst asked = given => {{ {body} }};\n"
    code += f"console.log(JSON.stringify(asked({json.dumps(given)})));"
    done = subprocess.run([node, "-"], input=code, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-2000:]
    return json.loads(done.stdout)
