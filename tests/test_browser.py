"""The web chat in a real Chromium, over a real server."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import Article, Reading, Source
from rag.readers import read_files
from rag.settings import load_settings
from tests.chromium import CHROMIUM, DRIVER, Page, open_tab
from tests.conftest import make_article, over_copy
from tests.test_api import serving

REQUIRED = os.environ.get("RECOUPE_BROWSER_TESTS") == "required"
SCREENSHOT = os.environ.get("SCREENSHOT")  # where to save the README's picture
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not REQUIRED and not (CHROMIUM and DRIVER), reason="chromium et chromedriver absents"
    ),
]
SITE_UPLOADS: list[str] = []
WORDS = "#rc-corpus-words textarea, #rc-corpus-words input"
HALL = "Combien a coûté la restauration de la halle aux grains ?"
EVIL = (
    "La fusée <b>Zorglub</b> décolle à midi <img src=http://evil.example/x.png onerror=alert(1)> "
    "avec {{7*7}} passagers ${7*7} et <script>window.pwned = 1</script> trois chats."
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, corpus_index: Path) -> Iterator[str]:
    from rag.web.server import build_app

    assistant = over_copy(corpus_index, tmp_path_factory.mktemp("web"))
    evil = Article("evil", Source("Une <i>fusée</i> {{9*9}}", "<u>Zorg</u>"), EVIL)
    assistant.ingest(Reading((evil,)))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = build_app(assistant)
    SITE_UPLOADS.append(os.environ["GRADIO_TEMP_DIR"])
    config = uvicorn.Config(app, log_level="error", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join(timeout=20)
    listener.close()


@pytest.fixture
def page(site: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    opened = Page(tmp_path / "profile", getattr(request, "param", "1300,950"))
    opened.driver.get(site)
    opened.wait("#rc-question textarea")
    opened.wait(".rc-example")
    yield opened
    opened.driver.quit()


def test_ask_then_open_the_citation_at_its_exact_span(page: Page) -> None:
    page.ask(HALL)
    said = page.text(".rc-said")
    assert "4,2 millions" in said
    assert "Selon Le Courrier de l’Orvelle, 2 mars 2024" in page.text(".rc-lead")
    page.click(page.wait(".rc-answer .rc-cite"))
    marked = page.wait("#rc-cited")
    assert marked.text == said
    panel = page.text("#rc-panel")
    assert "Ismaël Perrot" in panel
    assert "2 mars 2024" in panel
    link = page.wait("#rc-panel a")
    assert link.get_attribute("href").startswith("https://courrier-orvelle.example/")
    time.sleep(1)  # the scroll is smooth
    top = page.driver.execute_script(
        "const r = arguments[0].getBoundingClientRect(); return [r.top, r.bottom, innerHeight]",
        marked,
    )
    assert 0 <= top[0] < top[1] <= top[2]
    if SCREENSHOT:
        page.driver.save_screenshot(SCREENSHOT)


def test_nothing_is_asked_of_another_host_and_no_script_fails(page: Page, site: str) -> None:
    page.ask(HALL)
    page.click(page.wait(".rc-answer .rc-cite"))
    page.wait("#rc-cited")
    open_tab(page, "Corpus")
    page.wait(".rc-list")
    hosts = {
        urlsplit(url).netloc
        for url in page.requests()
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"}
    }
    assert hosts == {urlsplit(site).netloc}
    errors = [e for e in page.driver.get_log("browser") if e["level"] == "SEVERE"]
    assert errors == []


def test_hostile_articles_stay_text(page: Page, site: str) -> None:
    page.ask("Quand la fusée Zorglub décolle-t-elle ?")
    page.click(page.wait(".rc-cite, .rc-near"))
    page.wait("#rc-cited")
    panel = page.text("#rc-panel")
    assert "<b>Zorglub</b>" in panel
    assert "{{7*7}}" in panel
    assert "${7*7}" in panel
    assert page.driver.execute_script("return window.pwned") is None
    assert page.all("#rc-panel img, #rc-conversation img") == []
    assert not any("evil.example" in url for url in page.requests())


def test_a_refusal_shows_the_nearest_passages_and_opens_them(page: Page) -> None:
    page.ask("Qui a dessiné la façade de la halle aux grains ?", by_button=True)
    assert "pas trouvé de réponse" in page.text(".rc-refusal")
    page.click(page.wait(".rc-near"))
    assert page.wait("#rc-cited").text


def test_the_keyboard_is_enough(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.ask(HALL)
    cite = page.wait(".rc-answer .rc-cite")
    assert cite.get_attribute("aria-label").startswith("Source 1")
    cite.send_keys(Keys.ENTER)
    page.wait("#rc-cited")
    page.until(lambda: "rc-article" in page.driver.switch_to.active_element.get_attribute("class"))


def shown(page: Page, selector: str) -> bool:
    return bool(page.driver.execute_script(
        "const e = document.querySelector(arguments[0]);"
        "if (!e?.checkVisibility()) return false;"
        "const r = e.getBoundingClientRect();"
        "return r.height > 0 && r.top >= 0 && r.bottom <= innerHeight && r.right <= innerWidth + 1",
        selector,
    ))  # fmt: skip


@pytest.mark.parametrize("page", ["1300,900", "768,700", "500,800"], indirect=True)
def test_the_field_is_always_in_sight_and_the_article_opens_and_closes(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    assert shown(page, "#rc-question textarea")
    assert not shown(page, "#rc-panel")
    for question in (HALL, "Quand la halle aux grains rouvre-t-elle ?"):
        page.ask(question)
        assert shown(page, "#rc-question textarea")
        assert shown(page, ".rc-turn:last-of-type .rc-question")
        assert not shown(page, ".rc-example")
    cite = page.all(".rc-answer .rc-cite")[-1]
    page.click(cite)
    page.until(lambda: shown(page, "#rc-cited"))
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: not shown(page, ".rc-article h2"))
    assert page.driver.switch_to.active_element == cite
    page.click(cite)  # the same article again: nothing changes but that it is there
    page.until(lambda: shown(page, "#rc-cited"))
    page.click(page.wait(".rc-close"))
    page.until(lambda: not shown(page, ".rc-article h2"))
    assert shown(page, "#rc-question textarea")


def test_a_source_is_a_card_and_nothing_stands_twice(page: Page) -> None:
    page.ask(HALL)
    said = page.text(".rc-said")
    card = page.text(".rc-source")
    assert "la halle aux grains rouvre" in card
    assert "Le Courrier de l’Orvelle · 2 mars 2024 · Ismaël Perrot" in card
    assert page.text("#rc-conversation").count(said) == 1
    assert page.text(".rc-said strong") == "4,2 millions d'euros"
    clear = next(b for b in page.all("button") if b.text == "Nouvelle conversation")
    page.click(clear)
    about = " articles dans l’index : Le Courrier de l’Orvelle (23)"
    page.until(lambda: about in page.text(".rc-about"))


def test_a_link_asks_its_question_again_with_its_filters(page: Page, site: str) -> None:
    page.driver.get(f"{site}?q=Quand+la+halle+aux+grains+rouvre-t-elle+%3F&rubrique=Rien&corpus=x")
    page.wait(".rc-actions")
    assert page.text(".rc-question") == "Quand la halle aux grains rouvre-t-elle ?"
    assert texts.CORPUS_CHANGED.replace("\u00a0", " ") in page.text(".rc-notice")
    assert "filtres : Rien" in page.text(".rc-turn")
    page.click(page.wait(".rc-unfiltered"))
    page.until(lambda: len(page.all(".rc-actions")) == 2)
    assert page.all("#rc-filters .rc-chip") == []
    again = page.all(".rc-link")[-1].get_attribute("data-link")
    page.driver.get(site + again)
    page.wait(".rc-actions")
    assert page.all(".rc-notice") == []


def test_a_link_whose_article_is_gone_says_so(page: Page, site: str) -> None:
    page.driver.get(f"{site}?q=Quand+la+halle+aux+grains+rouvre-t-elle+%3F&article=gone&corpus=x")
    page.wait(".rc-actions")
    assert texts.ARTICLE_OF_LINK_GONE.replace("\u00a0", " ") in page.text(".rc-notice")
    assert page.all(".rc-turn .rc-cite")
    assert page.all("#rc-filters .rc-chip") == []


def pasted(page: Page, text: str) -> None:
    """Put a text in the field as a paste does, and send it."""
    from selenium.webdriver.common.keys import Keys

    page.driver.execute_script(
        "const field = document.querySelector('#rc-question textarea'); field.focus();"
        "field.value = arguments[0]; field.dispatchEvent(new Event('input', {bubbles: true}));",
        text,
    )
    page.wait("#rc-question textarea").send_keys(Keys.ENTER)


def test_what_is_too_long_to_ask_stays_in_the_field(page: Page) -> None:
    assert page.wait("#rc-question textarea").get_attribute("maxlength") in (None, "")
    text = "Quand la halle rouvre-t-elle, à Lérac ? " * 1250
    pasted(page, text)
    page.wait(".rc-turn .rc-error")
    told = texts.LONG_ASKED.format(1000).replace("\u00a0", " ")
    assert page.text(".rc-turn .rc-error") == told
    assert len(page.text(".rc-turn .rc-question")) < 250
    assert page.wait("#rc-question textarea").get_attribute("value") == text


def test_ten_tabs_ask_at_once(page: Page, site: str) -> None:
    """Each is answered, or told in French to ask again."""
    tabs = [page.driver.current_window_handle]
    for _ in range(9):
        page.driver.switch_to.new_window("tab")
        page.driver.get(site)
        page.wait(".rc-example", 60)
        tabs.append(page.driver.current_window_handle)
    for tab in tabs:
        page.driver.switch_to.window(tab)
        pasted(page, HALL)
    answered = 0
    for tab in tabs:
        page.driver.switch_to.window(tab)
        page.wait(".rc-turn .rc-actions, .rc-turn .rc-error", 60)
        answered += bool(page.all(".rc-turn .rc-actions"))
        assert page.all(".rc-turn .rc-actions") or "réessayez" in page.text(".rc-turn .rc-error")
    assert answered >= 2


def past(page: Page) -> list[str]:
    """Open the list of conversations that the device keeps; return their titles."""
    page.wait(".rc-about")  # what comes from the server has come: it is drawn again then
    if not page.all(".rc-pasts[open]"):
        page.click(page.wait(".rc-pasts summary"))
    return [b.text for b in page.all(".rc-open")]


def test_a_conversation_survives_a_reload_and_the_device_keeps_it(page: Page, site: str) -> None:
    page.ask(HALL)
    page.ask("Quand la halle aux grains rouvre-t-elle ?")
    page.driver.get(site)
    page.until(lambda: len(page.all(".rc-turn")) == 2)
    page.click(page.wait(".rc-answer .rc-cite"))
    page.wait("#rc-cited")
    page.click(page.wait(".rc-close"))
    page.click(page.wait("button#rc-clear"))
    page.wait(".rc-welcome")
    page.ask("Qui a gagné le Tour de l’Orvelle ?")
    assert past(page) == ["Qui a gagné le Tour de l’Orvelle ?", HALL]
    page.wait(".rc-search").send_keys("rouvre")
    assert [b.text for b in page.all(".rc-open")] == [HALL]
    page.click(page.wait(".rc-name"))
    from selenium.webdriver.common.keys import Keys

    page.wait(".rc-rename").send_keys(Keys.CONTROL + "a")
    page.wait(".rc-rename").send_keys("La halle", Keys.ENTER)
    page.until(lambda: page.all(".rc-open") and page.text(".rc-open") == "La halle")
    page.click(page.wait(".rc-open"))
    page.until(lambda: page.text(".rc-question") == HALL)
    past(page)
    page.click(page.wait(".rc-forget"))
    page.until(lambda: "Confirmer" in page.text(".rc-forget"))
    page.click(page.wait(".rc-forget"))
    page.until(lambda: not page.all(".rc-past"))
    page.wait(".rc-welcome")
    page.driver.get(site)
    page.wait(".rc-example")
    assert page.all(".rc-turn") == []


def test_a_conversation_that_was_left_for_long_is_given_back(page: Page) -> None:
    """The server forgets its turns after two hours: the device gives them back before."""
    page.ask(HALL)
    page.driver.execute_script(
        "const now = Date.now; Date.now = () => now() + 5400000; window.sent = [];"
        "const fetched = window.fetch;"
        "window.fetch = (...a) => { sent.push(String(a[1]?.body)); return fetched(...a); };"
        "document.activeElement.blur();"
    )
    page.click(page.wait("#rc-question textarea"))
    given_back = "return sent.filter((body) => body.includes('\"open\":[{')).length"
    page.until(lambda: page.driver.execute_script(given_back) == 1)
    page.ask("Et quand rouvre-t-elle ?")
    assert len(page.all(".rc-turn")) == 2
    assert page.driver.execute_script(given_back) == 1


def test_a_device_forgets_what_cites_an_article_that_is_gone(page: Page, site: str) -> None:
    """Its question stays, its words go: from what is shown and from what is stored."""
    page.ask(HALL)
    page.driver.execute_script(
        "const all = JSON.parse(localStorage.getItem('recoupe:conversations'));"
        "all[0].turns[0].a.push('no-such-article');"
        "localStorage.setItem('recoupe:conversations', JSON.stringify(all));"
        "sessionStorage.clear();"
    )
    page.driver.get(site)
    stored = "return JSON.parse(localStorage.getItem('recoupe:conversations'))[0].turns[0].s"
    page.until(lambda: page.driver.execute_script(stored) == "")
    past(page)
    page.click(page.wait(".rc-open"))
    page.until(lambda: page.text(".rc-refusal") == texts.ANSWER_GONE.replace("\u00a0", " "))
    assert page.text(".rc-question") == HALL


def test_a_browser_that_forbids_storage_shows_the_chat(site: str, tmp_path: Path) -> None:
    """The framework looks at its storage and stood still at « Loading »."""
    blocked = {"profile.default_content_setting_values.cookies": 2}
    page = Page(tmp_path / "profile", "1000,800", **blocked)
    try:
        page.driver.get(site)
        page.wait(".rc-example")
        page.ask(HALL)
        assert "4,2 millions" in page.text(".rc-said")
    finally:
        page.driver.quit()


def test_what_a_device_keeps_is_text_whatever_it_is(page: Page, site: str) -> None:
    evil = '[{"id": "1", "title": "<img src=x onerror=window.pwned=1>", "at": "x", "turns": []}]'
    for kept in ("not JSON", "[1, null]", "{}", '[{"id": 1, "turns": [3]}]', evil):
        script = "localStorage.setItem('recoupe:conversations', arguments[0])"
        page.driver.execute_script(script, kept)
        page.driver.get(site)
        page.wait("#rc-examples > * .rc-example, .rc-example")
    assert past(page)[0].startswith("<img")
    page.click(page.wait(".rc-open"))
    page.wait(".rc-welcome")
    assert page.driver.execute_script("return window.pwned") is None


def test_an_example_asks_itself(page: Page) -> None:
    example = page.wait(".rc-example")
    text = example.text.split()
    page.click(example)
    page.wait(".rc-actions")
    assert page.text(".rc-question").split() == text


def test_a_follow_up_uses_the_conversation(page: Page) -> None:
    page.ask("Combien de visiteurs le festival des Lanternes a-t-il accueillis en 2024 ?")
    page.ask("Et en 2023 ?")
    assert "en 2023" in page.text(".rc-asked")
    page.ask("Et combien cela a-t-il coûté ?")
    chips = page.all(".rc-turn:last-of-type .rc-asked .rc-chip")
    assert chips
    first = chips[0].text.split(" ×")[0].strip()
    page.click(chips[0])
    page.until(lambda: len(page.all(".rc-actions")) == 4)
    left = [c.text for c in page.all(".rc-turn:last-of-type .rc-asked .rc-chip")]
    assert not any(first in chip for chip in left)
    clear = next(b for b in page.all("button") if b.text == "Nouvelle conversation")
    page.click(clear)
    page.wait(".rc-welcome")


def test_filters_apply_and_a_bad_date_is_said(page: Page) -> None:
    page.click(next(b for b in page.all("button") if "Filtrer" in b.text))
    since = page.wait("input[placeholder='01/01/2024'], textarea[placeholder='01/01/2024']")
    since.send_keys("jamais")
    from selenium.webdriver.common.keys import Keys

    field = page.wait("#rc-question textarea")
    field.send_keys(HALL + Keys.ENTER)
    assert "31/12/2024" in page.text(".rc-error")
    since.send_keys(Keys.CONTROL + "a")
    since.send_keys("01/01/2030")
    field.send_keys(Keys.CONTROL + "a")
    page.ask(HALL)
    assert "aucun passage" in page.text(".rc-refusal")


def test_a_filter_that_is_typed_is_a_name_of_the_corpus(page: Page) -> None:
    """« agence » is completed; a new conversation has no filters."""
    from selenium.webdriver.common.keys import Keys

    page.click(next(b for b in page.all("button") if "Filtrer" in b.text))
    field = page.wait("#rc-sources input")
    page.click(field)
    field.send_keys("agence", Keys.ENTER)
    page.until(lambda: "Agence Transval" in page.text("#rc-filters .rc-chip"))
    page.ask("Qui est mort à Montfauzy ?")
    page.until(lambda: page.all(".rc-actions"))
    assert "filtres : Agence Transval" in page.text(".rc-turn")
    page.click(page.wait("#rc-clear"))
    page.until(lambda: page.all("#rc-filters .rc-chip") == [])


def test_an_answer_is_exported_with_its_references(page: Page, tmp_path: Path) -> None:
    page.ask(HALL)
    page.click(page.wait(".rc-more summary"))
    page.click(page.wait(".rc-export"))
    exported = tmp_path / "profile" / "downloads" / "recoupe.md"
    page.until(exported.exists)
    text = exported.read_text(encoding="utf-8")
    assert text.startswith("**Combien a coûté")
    assert "[^1]: Le Courrier de l’Orvelle" in text
    page.click(page.wait(".rc-judge[data-rating=wrong]"))
    page.wait(".rc-wrong input").send_keys("Le prix est d’une autre année.")
    page.click(page.wait(".rc-wrong button[type=submit]"))
    page.until(lambda: page.text(".rc-done").startswith("Merci"))
    for form in page.all(".rc-copy"):
        page.click(form)
        page.until(lambda: page.text(".rc-done").startswith("Cop"))


def open_tools(page: Page) -> None:
    """Open what administrators do to the corpus, which is closed for readers."""
    if not any(button.is_displayed() for button in page.all("button#rc-drop")):
        page.click(page.wait("#rc-tools button"))
        page.until(lambda: page.wait("button#rc-drop").is_displayed())


def upload(page: Page, *files: Path) -> None:
    """Give files to the page, and press « Ajouter » once the server has them."""
    # Gradio asks the environment where uploads lie: of this process, the app built last tells.
    os.environ["GRADIO_TEMP_DIR"] = SITE_UPLOADS[-1]
    open_tab(page, "Corpus")
    open_tools(page)
    page.wait("#rc-upload input[type=file]").send_keys("\n".join(map(str, files)))
    # The list shows what was sent; before, the button would add nothing.
    page.until(lambda: all(f.stem in page.text("#rc-upload") for f in files))
    page.until(lambda: len(page.all("#rc-upload tr.file")) == len(files))
    page.click(page.wait("button#rc-add"))


def titles(site: str) -> dict[str, str]:
    """The titles that the server knows, with the ids of their articles."""
    page = httpx.get(f"{site}api/v1/articles", params={"limit": 200}).json()
    listed = page["articles"]
    assert page["next"] == ""
    return {record["title"]: record["article_id"] for record in listed}


def test_upload_then_ask_then_remove(page: Page, site: str, tmp_path: Path) -> None:
    file = tmp_path / "phare.txt"
    said = "Le phare de Kerguen a été rallumé jeudi par Maëlle Le Guen."
    file.write_text(
        f"Titre : Le phare rallumé\nSource : La Gazette\nDate : 3 mai 2024\n\n{said}", "utf-8"
    )
    bad = tmp_path / "vide.txt"
    bad.write_bytes(b"")
    assert "Le phare rallumé" not in titles(site)
    upload(page, file, bad)
    page.until(lambda: "1 nouveau" in page.text("#rc-done"))
    assert "vide.txt" in page.text("#rc-done")
    page.until(lambda: "Le phare rallumé" in page.text("#rc-listing"))
    assert "Le phare rallumé" in titles(site)
    open_tab(page, "Questions")
    page.ask("Qui a rallumé le phare de Kerguen ?")
    assert page.text(".rc-said") == said
    assert "La Gazette, 3 mai 2024" in page.text(".rc-lead")
    page.click(page.wait(".rc-answer .rc-cite"))
    assert page.wait("#rc-cited").text == said
    assert "Le phare rallumé" in page.text("#rc-panel")

    open_tab(page, "Corpus")
    page.click(page.wait(".rc-choose[aria-label*='Le phare rallumé']"))
    open_tools(page)
    page.click(page.wait("button#rc-drop"))
    page.until(lambda: "1 article retiré" in page.text("#rc-done"))
    page.until(lambda: "Le phare rallumé" not in page.text("#rc-listing"))
    assert "Le phare rallumé" not in titles(site)
    open_tab(page, "Questions")
    page.ask("Qui a rallumé le phare de Kerguen, au juste ?")
    assert said not in page.all(".rc-turn")[-1].text


@pytest.fixture
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of more articles than a page holds."""
    assistant = LocalAssistant(load_settings(index_dir=tmp_path_factory.mktemp("many")))
    notes = (make_article(f"a{n}", f"Le bac {n} est fermé.", f"Étape {n:03}") for n in range(120))
    assistant.ingest(Reading(tuple(notes)))
    with serving(assistant) as url:
        yield url


def test_the_corpus_is_searched_narrowed_and_shown_in_pages(many: str, page: Page) -> None:
    def shown() -> list[str]:
        found = page.driver.execute_script(
            "return [...document.querySelectorAll('#rc-listing .rc-open')].map((b) => b.textContent)"
        )
        return list(found)

    def press(name: str) -> None:
        page.click(page.wait(f"button#{name}"))

    page.driver.get(many)
    page.wait("#rc-question textarea")
    open_tab(page, "Corpus")
    page.until(lambda: len(shown()) == 20)
    page.until(lambda: "120 articles" in page.text("#rc-overview"))
    assert not page.wait("button#rc-newer").is_enabled()
    seen = shown()
    for _ in range(5):
        before = shown()
        press("rc-older")
        page.until(lambda before=before: shown() != before)
        seen += shown()
    assert len(set(seen)) == len(seen) == 120
    assert not page.wait("button#rc-older").is_enabled()
    press("rc-newer")
    page.until(lambda: shown() == seen[80:100])
    words = page.wait(WORDS)
    words.send_keys("bac 117\n")
    page.until(lambda: shown() == ["Étape 117"])
    assert [m.text for m in page.all(".rc-excerpt mark")] == ["bac", "117"]
    words.send_keys("9\n")
    page.until(lambda: page.text(".rc-found") == "Aucun article")


@pytest.mark.parametrize("page", ["1300,900", "500,800"], indirect=True)
def test_the_keyboard_alone_leads_from_a_search_to_an_article_and_back(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    def focused(attribute: str) -> str:
        return str(page.driver.switch_to.active_element.get_attribute(attribute))

    def press(*keys: str) -> None:
        page.driver.switch_to.active_element.send_keys(*keys)

    open_tab(page, "Corpus")
    page.wait(".rc-list")
    page.driver.execute_script("document.querySelector(arguments[0]).focus()", WORDS)
    press("halle aux grains", Keys.ENTER)
    page.wait(".rc-excerpt")
    page.until(lambda: page.text(".rc-announced") == page.text(".rc-found"))
    for _ in range(60):  # to the timeline
        press(Keys.TAB)
        if focused("class") == "rc-bar":
            break
    assert focused("aria-label").endswith(("article", "articles"))
    press(Keys.END)
    name = focused("aria-label")
    press(Keys.ENTER)
    page.wait(".rc-chips")
    page.until(lambda: focused("aria-label") == name)  # the list came anew
    for _ in range(60):
        press(Keys.TAB)
        if focused("class") == "rc-open":
            break
    title = focused("textContent")
    quote = page.text(".rc-excerpt q")
    press(Keys.ENTER)
    page.until(lambda: "rc-article" in focused("class"))
    assert page.text("#rc-reading h2") == title
    # The sentence that has the first of the words found, whole: an excerpt may be cut within one.
    marked = "".join("".join(m.text for m in page.all("#rc-reading mark")).split())
    cut = "".join(quote.split())
    assert marked
    assert marked in cut or cut in marked
    assert marked.endswith((".", "!", "?", "»", "…"))
    press(Keys.ESCAPE)
    page.until(lambda: focused("textContent") == title)
    assert not shown(page, "#rc-reading .rc-article h2")


def test_what_is_uploaded_is_read_as_files_are(page: Page, site: str, tmp_path: Path) -> None:
    body = "Le moulin de Trévarn a rouvert lundi, a dit le maire, Ewen Kerlann. Il tourne."
    written = {
        "moulin.txt": f"Titre : Le moulin en texte\n\n{body}",
        "moulin.md": f"---\ntitle: Le moulin en Markdown\n---\n\n## Histoire\n\n{body}",
        "moulin.jsonl": json.dumps({"titre": "Le moulin en JSON", "texte": body}),
    }
    files = [tmp_path / name for name in written]
    for file, text in zip(files, written.values(), strict=True):
        file.write_text(text, "utf-8")
    expected = {a.source.title: a.text for a in Reading.of(read_files(files)).articles}
    assert len(expected) == 3
    upload(page, *files)
    page.until(lambda: "3 nouveaux" in page.text("#rc-done"))
    known = titles(site)
    for title, text in expected.items():
        assert httpx.get(f"{site}api/v1/articles/{known[title]}").json()["text"] == text
        assert httpx.delete(f"{site}api/v1/articles/{known[title]}").status_code == 204


@pytest.mark.parametrize("page", ["390,844"], indirect=True)
def test_a_phone_shows_all_without_sideways_scroll(page: Page) -> None:
    page.ask(HALL)
    page.click(page.wait(".rc-answer .rc-cite"))
    page.wait("#rc-cited")
    wide = page.driver.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 1


@pytest.mark.parametrize("page", ["320,700"], indirect=True)
def test_the_field_is_of_one_line_again_when_it_is_emptied(page: Page) -> None:
    page.resize(320, 700, mobile=True)
    height = "return document.querySelector('#rc-question textarea').offsetHeight"
    before = page.driver.execute_script(height)
    page.wait("#rc-question textarea").send_keys(HALL)
    assert page.driver.execute_script(height) > 1.5 * before
    page.ask("")
    page.until(lambda: page.driver.execute_script(height) < 1.2 * before)


def test_verify_opens_evidence_keeps_decisions_and_exports(page: Page, tmp_path: Path) -> None:
    open_tab(page, "Vérifier")
    field = page.wait("#rc-claims-text textarea")
    field.send_keys("280 personnes ont été évacuées à Saint-Cyprin. Ce projet est une honte.")
    page.click(page.wait("#rc-check"))
    page.wait(".rc-save", 60)
    verdicts = [b.text for b in page.all("button.rc-badge")]
    assert verdicts == ["1 · Contredit", "2 · Non vérifiable"]
    proof = page.wait(".rc-claim:not([hidden]) button.rc-proof")
    quote = proof.text.strip("« \u00a0»")
    page.click(proof)
    assert page.wait("#rc-proof #rc-cited").text == quote
    if SCREENSHOT:
        page.driver.save_screenshot(str(Path(SCREENSHOT).with_name("verify.png")))
    page.click(page.wait("#rc-proof .rc-close"))
    page.until(lambda: not page.wait("#rc-proof").is_displayed())
    page.click(page.wait(".rc-claim:not([hidden]) .rc-decide[data-decision=accepted]"))
    note = page.wait(".rc-claim:not([hidden]) .rc-note")
    note.send_keys("vu avec la préfecture")
    page.click(page.all("button.rc-badge")[1])
    page.click(next(b for b in page.all(".rc-save") if b.text == "Markdown"))
    saved = tmp_path / "profile" / "downloads" / "verification.md"
    page.until(saved.exists)
    report = saved.read_text("utf-8")
    assert "Verdict accepté par le journaliste. vu avec la préfecture" in report
    page.driver.refresh()
    page.wait("#rc-question textarea")
    open_tab(page, "Vérifier")
    page.wait(".rc-save")
    kept = page.wait(".rc-decide[data-decision=accepted]")
    assert kept.get_attribute("aria-pressed") == "true"
    assert page.wait(".rc-note").get_attribute("value") == "vu avec la préfecture"
