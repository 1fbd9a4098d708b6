"""Scripts without what means nothing in them."""

import subprocess
from shutil import which

import pytest

from micrograd.stepper.page.html import script
from micrograd.stepper.page.minified import stripped

TABLE = [
    ("a - -b + +c ++d", "a- -b+ +c++d"),
    ("x = a / b / c; // half", "x=a/b/c;"),
    ("y = / a{2} [/ ]\\/ /g.test(z)", "y=/ a{2} [/ ]\\/ /g.test(z)"),
    ("return /a  b/ in c", "return/a  b/ in c"),
    (
        "`a  ${ f(`b  }`, \"}  \") } // c`  + 'd  // e'",
        "`a  ${ f(`b  }`, \"}  \") } // c`+'d  // e'",
    ),
    ("if (a) {\n  b = c\n  d()\n}\nelse e", "if(a){b=c\nd()\n}\nelse e"),
    ("const \u00e4 = {\n  a, // x\n\n  b,\n}", "const \u00e4={a,b,}"),
    ('"\\"  //" ;', '"\\"  //";'),
]


def test_spaces_comments_and_nothing_else_go():
    assert [stripped(code) for code, _ in TABLE] == [short + "\n" for _, short in TABLE]
    for _, short in TABLE:
        assert stripped(short) == short + "\n"
    with pytest.raises(AssertionError, match="unfinished"):
        stripped("f('a")


@pytest.mark.parametrize("net", [True, False, None])
def test_the_scripts_can_be_read(net, tmp_path):
    node = which("node")
    if not node:
        pytest.skip("there is no node")
    path = tmp_path / "page.mjs"
    path.write_text(script(net), encoding="utf-8")
    subprocess.run([node, "--check", path], check=True, timeout=60)
