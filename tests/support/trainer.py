"""The script of the live page, run by Node without a page around it."""

import json
import shutil
import subprocess

import pytest

from micrograd.live import live_script

# What the script asks of a browser before it draws anything.
_BROWSER = "const document = { createElement: () => ({ getContext: () => ({}) }) };"


def in_node(body, given=None):
    """Return what the body of a function of `given` returns, next to the script of the page."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    script = live_script().rpartition("export default")[0]
    code = f"{_BROWSER}\n{script}\nconst asked = given => {{ {body} }};\n"
    code += f"console.log(JSON.stringify(asked({json.dumps(given)})));"
    done = subprocess.run([node, "-"], input=code, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-2000:]
    return json.loads(done.stdout)
