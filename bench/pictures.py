"""Pictures of the pages in each state, at three widths, light and dark: `docs/pictures/`.

    python -m bench.pictures [--out docs/pictures]

Serves the sample corpus on loopback with some exchanges kept, and goes through chat, check, corpus
and the newsroom's page in a headless Chromium (`chromium` and `chromedriver`). A state is one strip.
What axe-core finds wrong in a state, at any width and in either scheme, is printed, and the exit code
is then 1.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from bench.golden import ROOT
from bench.measuring import serving
from bench.newsroom import TOKEN, filled
from rag.web.access import hashed
from tests.chromium import Page, open_tab, violations

WIDTHS = {1300: 900, 768: 900, 320: 700}  # of the window in pixels: its height
HIGH = 420  # pixels of a strip
EXCHANGES = 300
QUESTION = "Que s’est-il passé à Saint-Cyprin ?"
REFUSED = "Quelle entreprise construira le téléphérique ?"
JUDGED = 5  # claims of the example that have to have a verdict
SETTLED = 1.2  # seconds until what moves has come to rest


def main() -> int:
    """Take the pictures, and write a strip of each state; return 1 where axe-core objects."""
    parser = argparse.ArgumentParser(description="Pictures of the pages in each state")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {"KEEP_QUESTIONS": "true", "ADMIN_TOKEN_HASH": hashed(TOKEN)}
    strips: dict[str, list[Image.Image]] = {}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        filled(Path(name) / "index", EXCHANGES)
        with serving(Path(name) / "index", **settings) as app:
            for width, height in WIDTHS.items():
                for scheme in ("light", "dark"):
                    page = Page(Path(name) / f"{width}-{scheme}", f"{width},{height}")

                    def keep(
                        state: str, page: Page = page, width: int = width, scheme: str = scheme
                    ) -> None:
                        strips.setdefault(state, []).append(taken(page))
                        wrong.extend(f"{state}, {width}, {scheme}: {v}" for v in violations(page))

                    try:
                        sized(page, width, height, scheme)
                        walk(page, app.url, scheme, keep)
                    finally:
                        page.driver.quit()
    for state, pictures in strips.items():
        strip(pictures).save(options.out / f"{state}.webp", quality=72, method=6)
    print("\n".join(wrong) or f"{len(strips)} states, no violation")
    return 1 if wrong else 0


def sized(page: Page, width: int, height: int, scheme: str) -> None:
    """Give a page the size of a screen, and the colours that its reader prefers."""
    page.resize(width, height, mobile=width < 700)
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )


def walk(page: Page, url: str, scheme: str, picture: Callable[[str], None]) -> None:
    """Go through the states of the pages; `picture` hears the name of each."""
    page.driver.get(f"{url}/?__theme={scheme}")
    page.wait(".rc-example", 90)
    shown(picture, "welcome")
    page.ask(QUESTION)
    shown(picture, "answer")
    page.click(page.wait(".rc-answer .rc-cite"))
    page.wait("#rc-cited")
    shown(picture, "article")
    page.click(page.wait(".rc-close"))
    page.ask(REFUSED)
    shown(picture, "refusal")
    open_tab(page, "Corpus")
    page.wait(".rc-list")
    shown(picture, "corpus")
    open_tab(page, "Vérifier")
    shown(picture, "check")
    pressed(page, "Essayer un exemple")
    time.sleep(SETTLED)
    pressed(page, "Vérifier")
    page.until(lambda: len(page.all("article.rc-claim")) > JUDGED, 90)
    shown(picture, "checked")
    page.driver.get(f"{url}/redaction")
    page.wait("input[name=token]").send_keys(TOKEN)
    page.click(page.wait("form button"))
    page.wait("table, svg, img")
    shown(picture, "newsroom")


def shown(picture: Callable[[str], None], state: str) -> None:
    """Take a picture once the page is at rest."""
    time.sleep(SETTLED)
    picture(state)


def pressed(page: Page, name: str) -> None:
    """Press the button of a name that is not a tab."""
    buttons = (b for b in page.all("button") if b.get_attribute("role") != "tab")
    page.click(next(b for b in buttons if b.text.strip() == name))


def taken(page: Page) -> Image.Image:
    """Return what the window shows."""
    return Image.open(io.BytesIO(page.driver.get_screenshot_as_png())).convert("RGB")


def strip(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures side by side, each as high as the strip."""
    scaled = [
        p.resize((round(p.width * HIGH / p.height), HIGH), Image.Resampling.LANCZOS)
        for p in pictures
    ]
    whole = Image.new("RGB", (sum(p.width + 8 for p in scaled), HIGH), "#888888")
    at = 0
    for picture in scaled:
        whole.paste(picture, (at, 0))
        at += picture.width + 8
    return whole


if __name__ == "__main__":
    sys.exit(main())
