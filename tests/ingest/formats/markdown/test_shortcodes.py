"""Badges, shortcodes and scripts: what is left of them on a page."""

import re

import pytest

from dragoman.ingest.formats.markdown.shortcodes import (
    blank_badges,
    blank_noise,
    blank_shortcodes,
    has_badges,
    has_noise,
)


def text_of(text: str) -> str:
    texts = text.split("\n")
    if has_noise(text):
        blank_noise(texts)
    blank_shortcodes(texts)
    if has_badges(text):
        blank_badges(texts)
    assert len(texts) == text.count("\n") + 1
    return re.sub(r"\n{2,}", "\n\n", "\n".join(texts)).strip("\n")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("[![CI](https://img.shields.io/x.svg)](https://x) ![b](https://h/o/r/workflows/CI/badge.svg?b=m)\na", "a"),
        ("[![Build][i]][l]\n\n[i]: https://travis-ci.org/x.svg", "[i]: https://travis-ci.org/x.svg"),
        ("![kettle](badge.png) with text", "![kettle](badge.png) with text"),
        ("![kettle](kettle.png)\n![b](badge.svg)", "![kettle](kettle.png)"),
        ('<p align="center"><a href="x"><img src="https://img.shields.io/a"></a></p>', ""),
        ("{% raw %}\n{{ x }}\n{% endraw %}", "{{ x }}"),
        ('{% tab title="Linux" %}\na\n{% endtab %}', "**Linux**:\na"),
        ('{{< tab "Mac" >}}\na\n{{< /tab >}}', "**Mac**:\na"),
        ("{{% notice\n  tip %}}\na\n{{% /notice %}}", "a"),
        ("{{< highlight go >}}\nx <!-- a -->\n{{< /highlight >}}\n{% b %}", "```go\nx <!-- a -->\n```"),
        ("{% if a %} text {% endif %}", "{% if a %} text {% endif %}"),
        ("```\n{% raw %}\n```", "```\n{% raw %}\n```"),
        ("[TOC]\n\n[//]: # (hidden)\na", "a"),
        ("<script setup>\nimport x\n</script>\n<style>\n.a {}\n</style>\na", "a"),
        ("```html\n<script>\n</script>\n```", "```html\n<script>\n</script>\n```"),
    ],
)
def test_badges_shortcodes_and_scripts_go(text: str, kept: str) -> None:
    assert text_of(text) == kept
