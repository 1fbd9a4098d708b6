"""Pictures that are light or dark as the page around them is."""

import base64
import math
import random
import re

import pytest
from browser import keep_screenshot, launched

from micrograd import Value, draw_dot, draw_network
from micrograd.losses import cross_entropy
from micrograd.nn import MLP
from micrograd.style import DARK, LIGHT, dark_twin


def rgb(colour):
    return bytes.fromhex(colour[1:])


def test_each_colour_of_a_light_picture_has_the_twin_that_the_dark_picture_has():
    network = MLP(2, [6, 2], rng=random.Random(1))
    loss = cross_entropy([network([0.5, -1.0])], [1])
    loss.backward()
    pictures = [
        lambda theme: draw_dot(loss, theme=theme),
        lambda theme: draw_dot(loss, theme=theme, wrt=network.parameters()[0]),  # values set back
        lambda theme: draw_dot(loss, theme=theme, model=network, fold="layer"),
        lambda theme: draw_dot(Value(math.nan) * 2, theme=theme),
        lambda theme: draw_network(network, theme=theme, show="gradients"),
        lambda theme: draw_network(network, [1.0, -1.0], theme=theme),
    ]
    found = re.compile(r'(<font[^>]*? color=|fontcolor=)?"(#[0-9A-F]{6})')
    for draw in pictures:
        light, dark = (found.findall(draw(theme).source) for theme in ("auto", "dark"))
        assert len(light) == len(dark) > 20
        for (is_text, colour), (_, wanted) in zip(light, dark, strict=True):
            twin = rgb(dark_twin(colour, bool(is_text)))
            # The map of activities and the tints of gradients are close, but not the same.
            assert max(abs(a - b) for a, b in zip(twin, rgb(wanted), strict=True)) <= 20
    assert dark_twin("#123456") is None


def test_only_a_picture_without_a_theme_of_its_own_follows():
    root = Value(2.0, label="x") * 3
    assert "light-dark(" in draw_dot(root).copy().pipe("svg", encoding="utf-8")
    for theme in ("light", "dark"):
        assert "<style" not in draw_dot(root, theme=theme).pipe("svg", encoding="utf-8")
    assert draw_dot(root).source == draw_dot(root, theme="light").source
    assert draw_dot(root).pipe("png") == draw_dot(root, theme="light").pipe("png")


@pytest.mark.browser
def test_the_picture_follows_its_page_while_it_is_open(tmp_path):
    x = Value(2.0, label="x")
    root = x * 3
    root.backward()
    svg = draw_dot(root).pipe("svg", encoding="utf-8")
    as_image = base64.b64encode(svg.encode()).decode()
    light, dark = (f"rgb{tuple(rgb(theme.bg))}" for theme in (LIGHT, DARK))
    with launched() as browser:
        page = browser.new_page(color_scheme="null", viewport={"width": 700, "height": 600})
        page.set_content(
            f'<!DOCTYPE html><body>{svg}<img src="data:image/svg+xml;base64,{as_image}">'
        )

        def grounds():
            """The colours behind the picture in the page, and behind its image."""
            inline = page.locator("svg polygon").first.evaluate("e => getComputedStyle(e).fill")
            box = page.locator("img").bounding_box()
            corner = {"x": box["x"] + 2, "y": box["y"] + 2, "width": 1, "height": 1}
            shot = page.screenshot(clip=corner)
            pixel = page.evaluate(
                """async data => {
                    const image = await createImageBitmap(await (await fetch(data)).blob());
                    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                    canvas.drawImage(image, 0, 0);
                    return Array.from(canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
                }""",
                "data:image/png;base64," + base64.b64encode(shot).decode(),
            )
            return inline, f"rgb{tuple(pixel)}"

        def mark(name, value, scheme):
            page.evaluate(
                """([name, value, scheme]) => {
                    document.body.setAttribute(name, value);
                    document.body.style.colorScheme = scheme;
                }""",
                [name, value, scheme],
            )

        assert grounds() == (light, light)
        mark("data-jp-theme-light", "false", "dark")
        assert grounds() == (dark, dark)
        keep_screenshot(page, "picture_dark")
        page.emulate_media(media="print")
        assert grounds()[0] == light
        page.emulate_media(media="screen")
        mark("data-jp-theme-light", "true", "light")
        assert grounds() == (light, light)
        mark("class", "dark", "normal")  # a mark alone
        page.evaluate("document.body.removeAttribute('data-jp-theme-light')")
        assert grounds()[0] == dark
        path = draw_dot(root).write(tmp_path / "x.svg")
        for scheme, wanted in (("dark", dark), ("light", light)):
            page.emulate_media(color_scheme=scheme)
            page.goto(path.as_uri())
            ground = page.locator("polygon").first.evaluate("e => getComputedStyle(e).fill")
            assert ground == wanted
