"""The command `micrograd playground`: what it serves, to whom, and what it says."""

import http.client
import sys
import threading
import webbrowser
from http.server import ThreadingHTTPServer

import pytest

from micrograd.cli import main
from micrograd.cli.playground import serving, site
from micrograd.errors import ArgumentError


@pytest.fixture
def built(tmp_path):
    folder = tmp_path / "site"
    (folder / "playground" / "pyodide").mkdir(parents=True)
    (folder / "playground" / "index.html").write_text("a page", encoding="utf-8")
    for name in ("a.js", "a.mjs", "a.wasm", "a.css"):
        (folder / "playground" / "pyodide" / name).write_bytes(b"")
    (tmp_path / "secret.txt").write_text("not for others", encoding="utf-8")
    return folder


def test_it_serves_files_with_their_types_and_nothing_else(built):
    with serving(built) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)

        def got(path, method="GET"):
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read()

        try:
            assert got("/playground/") == (200, "text/html", b"a page")
            types = [
                got(f"/playground/pyodide/a.{kind}")[1] for kind in ("js", "mjs", "wasm", "css")
            ]
            assert types == ["text/javascript", "text/javascript", "application/wasm", "text/css"]
            for path in ("/playground/pyodide/", "/../secret.txt", "/%2e%2e/secret.txt", "/none"):
                assert got(path)[0] == 404
            assert got("/playground/", "POST")[0] == 501
        finally:
            connection.close()
            server.shutdown()
            thread.join()


def test_it_says_where_it_is_and_what_others_can_read(built, capsys, monkeypatch):
    opened = []

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert main(["playground", str(built)]) == 0
    said = capsys.readouterr().out
    assert opened
    assert said.startswith(f"The playground is at {opened[0]} until you press Ctrl+C.\n")
    assert "Others" not in said
    assert main(["playground", str(built), "--host", "0.0.0.0", "--no-open"]) == 0
    said = capsys.readouterr().out
    assert f"They can read the files in {built}, and nothing else." in said
    assert "over http a browser keeps no page of another computer" in said
    assert len(opened) == 1


def test_without_the_site_it_says_how_to_get_it(tmp_path, capsys):
    assert main(["playground"]) == 1
    told = capsys.readouterr().err
    assert "the playground is not installed: build it" in told
    assert told.count("\n") == 1
    assert main(["playground", str(tmp_path)]) == 1
    assert "there is no playground in" in capsys.readouterr().err


def test_an_address_is_the_one_that_was_asked_for_and_a_port_that_cannot_be_is_refused(
    built, capsys, monkeypatch
):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    assert main(["playground", str(built), "--host", "localhost", "--no-open"]) == 0
    assert capsys.readouterr().out.startswith("The playground is at http://localhost:")
    for port in ("-1", "65536"):
        assert main(["playground", str(built), "--no-open", f"--port={port}"]) == 1
        told = capsys.readouterr().err
        assert "the port" in told
        assert told.count("\n") == 1


def test_an_installed_wheel_is_found(tmp_path, monkeypatch):
    package = tmp_path / "micrograd_playground"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert site() == package / "site"
    monkeypatch.setitem(sys.modules, "micrograd_playground", None)
    with pytest.raises(ArgumentError, match="not installed"):
        site()
