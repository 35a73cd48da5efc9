"""The « Vérifier » tab in a real Chromium, by the keyboard alone, and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chromium import Page, open_tab
from tests.test_browser import page, pytestmark, site

__all__ = ["page", "pytestmark", "site"]  # fixtures

TEXT = (
    "280 personnes ont été évacuées à Saint-Cyprin. Combien a coûté la halle ? "
    "La maternité de Brissange a rouvert en novembre 2023."
)


def active(page: Page) -> Any:
    return page.driver.switch_to.active_element


def press(page: Page, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:  # to the page: a field of files takes what it is sent itself for a path
        ActionChains(page.driver).send_keys(key).perform()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until what a selector names has the keyboard."""
    from selenium.webdriver.common.keys import Keys

    for _ in range(60):
        if page.driver.execute_script(f"return document.activeElement.matches('{selector}')"):
            return
        press(page, Keys.TAB)
    raise AssertionError(f"{selector} is not reached")


def shown_claim(page: Page) -> str:
    return str(page.wait(".rc-claim:not([hidden])").get_attribute("data-claim"))


def test_a_text_is_checked_by_the_keyboard_alone(page: Page, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    tab_to(page, "button[role=tab]")
    press(page, Keys.TAB, Keys.ENTER)
    page.until(lambda: page.wait("#rc-claims-text textarea").is_displayed())
    tab_to(page, "#rc-claims-text textarea")
    press(page, TEXT)
    tab_to(page, "#rc-check")
    press(page, Keys.ENTER)
    page.wait(".rc-save", 120)
    # The button that had the keyboard is hidden now: the page has it.
    assert active(page).tag_name == "body"
    press(page, "j")
    assert shown_claim(page) == "1"
    assert "rc-badge" in active(page).get_attribute("class")
    press(page, "k")
    assert shown_claim(page) == "0"
    press(page, "j")
    assert shown_claim(page) == "1"
    press(page, Keys.ARROW_DOWN)
    assert shown_claim(page) == "2"
    press(page, "j", "k", "k")
    assert shown_claim(page) == "0"
    press(page, Keys.ENTER)
    assert active(page).get_attribute("data-claim") == "0"
    assert "rc-claim" in active(page).get_attribute("class")
    tab_to(page, ".rc-claim:not([hidden]) .rc-decide[data-decision=accepted]")
    press(page, Keys.SPACE)
    assert page.wait("button.rc-badge").text == "1 · Contredit ✓ accepté"
    tab_to(page, ".rc-claim:not([hidden]) .rc-correct")
    press(page, "D")
    page.until(lambda: page.wait("button.rc-badge").text == "1 · Déclaration ✓ corrigé")
    shown = [b.text for b in page.all("[data-filter]") if b.is_displayed()]
    assert shown == ["Toutes (3)", "Soutenu (1)", "Déclaration (1)", "Non vérifiable (1)"]
    tab_to(page, ".rc-claim:not([hidden]) .rc-proof")
    quote = active(page).text.strip("« \u00a0»")
    press(page, Keys.ENTER)
    assert page.wait("#rc-proof #rc-cited").text == quote
    page.until(lambda: "rc-article" in active(page).get_attribute("class"))
    press(page, Keys.ESCAPE)
    page.until(lambda: not page.wait("#rc-proof").is_displayed())
    assert "rc-proof" in active(page).get_attribute("class")
    press(page, Keys.ESCAPE)
    assert "rc-badge" in active(page).get_attribute("class")
    # By verdict: the others are passed over.
    page.driver.execute_script("document.querySelector('[data-filter=supported]').focus()")
    press(page, Keys.ENTER)
    assert [b.text for b in page.all("button.rc-badge") if b.is_displayed()] == ["3 · Soutenu"]
    tab_to(page, ".rc-save[data-export=md]")
    press(page, Keys.ENTER)
    saved = tmp_path / "profile" / "downloads" / "verification.md"
    page.until(saved.exists)
    assert "Déclaration (corrigé\u202f; la machine\u00a0: Contredit)" in saved.read_text("utf-8")
    assert [e for e in page.driver.get_log("browser") if e["level"] == "SEVERE"] == []


def test_a_phone_shows_text_panel_and_article_without_sideways_scroll(
    page: Page, site: str
) -> None:
    from selenium.webdriver.common.keys import Keys

    page.driver.execute_script("localStorage.setItem('recoupe:draft', arguments[0])", TEXT)
    page.driver.get(site)
    page.wait("#rc-question textarea")
    open_tab(page, "Vérifier")
    # What was written and not checked is still there.
    field = page.wait("#rc-claims-text textarea")
    page.until(lambda: field.get_attribute("value") == TEXT)
    page.resize(320, 640, mobile=True)

    def narrow() -> None:
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.driver.execute_script(f"return {wide}") <= 0

    narrow()
    page.click(page.wait("#rc-check"))
    page.wait(".rc-save", 120)
    narrow()
    assert not page.wait(".rc-panels").is_displayed()
    page.click(page.wait("button.rc-badge"))
    page.until(lambda: page.wait(".rc-panels").is_displayed())
    narrow()
    page.click(page.wait(".rc-claim:not([hidden]) .rc-proof"))
    page.wait("#rc-proof #rc-cited")
    narrow()
    page.until(lambda: "rc-article" in active(page).get_attribute("class"))
    press(page, Keys.ESCAPE)
    page.until(lambda: not page.wait("#rc-proof").is_displayed())
    page.click(page.wait(".rc-claim:not([hidden]) .rc-back"))
    page.until(lambda: not page.wait(".rc-panels").is_displayed())
    page.click(page.wait(".rc-edit"))
    assert page.wait("#rc-claims-text textarea").get_attribute("value") == TEXT


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("note.txt", "Le bac a coûté 3 €.".encode("windows-1252"), "Le bac a coûté 3 €."),
        ("page.html", b"<script>window.pwned=1</script><p>Le <b>bac</b> part.</p><p>Oui.</p>",
         "Le bac part.\n\nOui."),
        ("note.docx", b"PK\x03\x04", ""),
    ],
)  # fmt: skip
def test_a_file_is_read_in_the_browser(
    page: Page, tmp_path: Path, name: str, content: bytes, read: str
) -> None:
    open_tab(page, "Vérifier")
    path = tmp_path / name
    path.write_bytes(content)
    page.wait("#rc-file").send_keys(str(path))
    page.until(lambda: name in page.text("#rc-file-status"))
    assert page.wait("#rc-claims-text textarea").get_attribute("value") == read
    assert page.driver.execute_script("return window.pwned") is None
    # Nothing was sent: the framework's route of uploads was not asked.
    assert not any("/gradio_api/upload" in url for url in page.requests())
