"""A real Chromium, for the tests and the pictures of the pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 90.0  # seconds: a hang guard, for two cores that three processes share
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


class Page:
    """A page in Chromium, with the few gestures that the tests make."""

    def __init__(self, profile: Path, size: str, **prefs: object) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM or "chromium"
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--lang=fr", f"--window-size={size}", f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        downloads = {"download.default_directory": str(profile / "downloads")}
        options.add_experimental_option("prefs", downloads | prefs)
        service = webdriver.ChromeService(DRIVER or "chromedriver")
        self.driver = webdriver.Chrome(options=options, service=service)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements("css selector", selector)

    def wait(self, selector: str, seconds: float = PATIENCE) -> WebElement:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds).until(lambda _: self.all(selector))[0]

    def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, seconds).until(lambda _: condition())

    def click(self, element: WebElement) -> None:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def ask(self, question: str, *, by_button: bool = False) -> None:
        from selenium.webdriver.common.keys import Keys

        turns = len(self.all(".rc-actions"))
        field = self.wait("#rc-question textarea")
        field.send_keys(question)
        if by_button:
            self.click(self.wait("button#rc-send"))
        else:
            field.send_keys(Keys.ENTER)
        self.until(lambda: len(self.all(".rc-actions")) > turns)

    def resize(self, width: int, height: int, *, mobile: bool, scale: int = 1) -> None:
        """Give the page the size of a screen, in pixels of CSS."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile},
        )

    def requests(self) -> set[str]:
        """Every URL that the page has asked for."""
        log = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        messages = [json.loads(entry["message"])["message"] for entry in log]
        return {
            m["params"]["request"]["url"]
            for m in messages
            if m["method"] == "Network.requestWillBeSent"
        } | {m["params"]["url"] for m in messages if m["method"] == "Network.webSocketCreated"}

    def text(self, selector: str) -> str:
        return str(self.wait(selector).text)


def open_tab(page: Page, name: str) -> None:
    page.click(next(t for t in page.all("button[role=tab]") if t.text == name))


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong in what a page shows."""
    from axe_core_python.selenium import Axe

    found = Axe().run(page.driver)["violations"]
    return [f"{v['id']} : {v['nodes'][0]['html'][:120]}" for v in found]
