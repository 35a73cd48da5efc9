"""What the chat's page costs a reader: bytes, requests, and the time from Enter to the first words.

    python -m bench.page [--questions 30]

Serves the sample corpus on loopback, opens the page in a headless Chromium (`chromium` and
`chromedriver`), and asks golden questions one after the other, in milliseconds of the browser.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.faces import opened
from bench.golden import ROOT, load_golden
from bench.measuring import serving
from rag.domain import Reading
from rag.readers import find_files, read_files

# Loads nothing twice, and tells when the turn appears, when it has words, and when it is whole.
_ASK = """
const [question, done] = [arguments[0], arguments[arguments.length - 1]];
const field = document.querySelector("#rc-question textarea");
field.value = question;
field.dispatchEvent(new Event("input", { bubbles: true }));
const turns = document.querySelectorAll(".rc-turn").length;
const found = {};
setTimeout(() => {
  const start = performance.now();
  const watching = new MutationObserver(() => {
    const turn = document.querySelectorAll(".rc-turn")[turns];
    if (!turn) return;
    found.shown ??= performance.now() - start;
    if (!turn.querySelector(".rc-actions, .rc-error")) return;
    found.whole = performance.now() - start;
    watching.disconnect();
    done(found);
  });
  watching.observe(document.querySelector("#rc-conversation"), { childList: true, subtree: true });
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  field.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", bubbles: true }));
}, 50);
"""
_SIZES = """
const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
return { requests: all.length, bytes: all.reduce((sum, e) => sum + e.transferSize, 0) };
"""


def measured(address: str, folder: Path, questions: list[str]) -> dict[str, Any]:
    """Return the page's weight, and the quantiles of its answers' times in milliseconds."""
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--lang=fr",
        f"--user-data-dir={folder}/profile",
    ):
        options.add_argument(flag)
    service = webdriver.ChromeService(shutil.which("chromedriver") or "chromedriver")
    with webdriver.Chrome(options=options, service=service) as driver:
        driver.set_script_timeout(60)
        start = time.perf_counter()
        driver.get(address)
        WebDriverWait(driver, 60).until(lambda d: d.find_elements("css selector", ".rc-example"))
        ready = 1000 * (time.perf_counter() - start)
        page = {**driver.execute_script(_SIZES), "ready": round(ready)}
        times = [driver.execute_async_script(_ASK, question) for question in questions]
    return page | {
        name: {
            "p50": round(statistics.median(t[name] for t in times)),
            "p95": round(sorted(t[name] for t in times)[int(0.95 * (len(times) - 1))]),
        }
        for name in ("shown", "whole")
    }


def main() -> None:
    """Measure, and print as JSON."""
    parser = argparse.ArgumentParser(description="What the chat's page costs a reader")
    parser.add_argument("--questions", type=int, default=30)
    options = parser.parse_args()
    questions = [item.question for item in load_golden("questions")][: options.questions]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assistant = opened(folder / "index")
        assistant.ingest(Reading.of(read_files(find_files([ROOT / "corpus"])[0])))
        assistant.close()
        with serving(folder / "index") as app:
            print(json.dumps(measured(f"{app.url}/", folder, questions), indent=2))


if __name__ == "__main__":
    main()
