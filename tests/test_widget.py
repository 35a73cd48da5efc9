"""The widget in a real Chromium, on another origin than the API, under a strict policy."""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from rag import texts
from rag.assistant import LocalAssistant
from rag.checking.report import as_html
from rag.domain import Article, CheckedClaim, Citation, Reading, Source
from rag.settings import load_settings
from rag.sites import Sites
from rag.sites.rules import checked
from rag.web import site as widget_site
from tests.chromium import Page, open_tab, violations
from tests.conftest import ROOT, over_copy
from tests.test_api import serving, with_settings
from tests.test_browser import HALL, pytestmark  # noqa: F401 - a real browser

SHOTS = os.environ.get("SCREENSHOT_DIR")  # where to save the pictures of the docs


def shot(page: Page, name: str) -> None:
    """Save what a page shows, where that is asked for."""
    if SHOTS:
        page.driver.save_screenshot(str(Path(SHOTS) / f"{name}.png"))


PAYLOADS: list[str] = json.loads((ROOT / "tests" / "xss.json").read_text("utf-8"))
PAGE = """<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Le journal</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/host.css">{script}</head>
<body><main><h1>Article</h1><p>Texte.</p>
<recoupe-chat id="a" title="Interroger nos articles" questions="{question}"></recoupe-chat>
<recoupe-chat id="b" mode="bubble" theme="dark" sources="Agence Transval"></recoupe-chat>
</main></body></html>"""
HOST_CSS = "* { color: red !important; font-size: 40px } section, button { display: none }"


class Host(BaseHTTPRequestHandler):
    """A news site that adds the snippet under a strict content security policy."""

    def __init__(self, api: str, *args: Any) -> None:
        self.api = api
        super().__init__(*args)

    def do_GET(self) -> None:
        script = widget_site.snippet(self.api).split("\n", 1)[0]
        html = PAGE.format(script=script, question=HALL)
        css = self.path == "/host.css"
        body = (HOST_CSS if css else html).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/css" if css else "text/html; charset=utf-8")
        self.send_header(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'self' {self.api}; connect-src {self.api}; "
            "style-src 'self'; require-trusted-types-for 'script'",
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, corpus_index: Path) -> LocalAssistant:
    return over_copy(corpus_index, tmp_path_factory.mktemp("widget"), caution=0.2)


@pytest.fixture(scope="module")
def sites(own: LocalAssistant) -> Iterator[tuple[str, str, str]]:
    """The API's address, an allowed site and one that is not."""
    holder: list[str] = [""]
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Host(holder[0], *a)) for _ in range(2)
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    good, bad = (f"http://localhost:{s.server_address[1]}" for s in servers)
    rules = {"allowed_origins": (good,), "rate_client": "999/minute"}
    with serving(with_settings(own, **rules)) as api:
        holder[0] = api
        yield api, good, bad
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def browser(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    opened = Page(tmp_path / "profile", getattr(request, "param", "1300,950"))
    yield opened
    opened.driver.quit()


class Widget:
    """One `<recoupe-chat>` of a page, seen through its shadow root."""

    def __init__(self, page: Page, key: str) -> None:
        self.page, self.key = page, key
        page.until(lambda: self.js("return !!host.shadowRoot"))

    def js(self, code: str, *arguments: Any) -> Any:
        head = f"const host = document.getElementById({json.dumps(self.key)}); const root = host?.shadowRoot;"
        return self.page.driver.execute_script(head + code, *arguments)

    def all(self, selector: str) -> list[Any]:
        return list(self.js("return [...root.querySelectorAll(arguments[0])]", selector))

    def wait(self, selector: str) -> Any:
        self.page.until(lambda: self.all(selector))
        return self.all(selector)[0]

    def ask(self, question: str) -> None:
        turns = len(self.all(".turn"))
        self.wait("textarea").send_keys(question + "\n")
        self.page.until(lambda: len(self.all(".turn")) > turns)
        self.page.until(lambda: not self.js("return root.querySelector('.send').hidden"))


def severe(page: Page) -> list[str]:
    return [e["message"] for e in page.driver.get_log("browser") if e["level"] == "SEVERE"]


def test_the_script_is_small_plain_and_pinned() -> None:
    script = widget_site.read("widget.js")
    assert len(gzip.compress(script.encode(), 9)) <= 9 * 1024
    for forbidden in ("eval(", "innerHTML", "insertAdjacentHTML", "document.write", "cookie =",
                      "localStorage", "new Function"):  # fmt: skip
        assert forbidden not in script
    assert widget_site.version() in widget_site.snippet("https://r.example")
    assert 'integrity="sha384-' in widget_site.snippet("https://r.example")


def test_on_another_origin_under_a_strict_policy(
    browser: Page, sites: tuple[str, str, str]
) -> None:
    api, good, _ = sites
    browser.driver.get(good)
    widget = Widget(browser, "a")
    widget.wait(".ideas button").click()
    cite = widget.wait(".cite")
    browser.click(cite)
    quote = widget.wait(".proof blockquote").text
    assert "4,2 millions" in quote
    link = widget.wait(".proof a").get_attribute("href")
    assert link.startswith("https://courrier-orvelle.example/")
    assert ":~:text=" in link
    start = unquote(link.split(":~:text=")[1].split(",")[0])
    assert start in quote
    # The host's styles do not leak in, nor ours out.
    assert widget.js("return getComputedStyle(root.querySelector('.q')).fontSize") == "16px"
    assert widget.js("return getComputedStyle(root.querySelector('.q')).color") != "rgb(255, 0, 0)"
    assert (
        widget.js("return getComputedStyle(document.querySelector('h1')).color") == "rgb(255, 0, 0)"
    )
    assert severe(browser) == []
    asked = {urlsplit(u).netloc for u in browser.requests() if u.startswith("http")}
    assert asked == {urlsplit(api).netloc, urlsplit(good).netloc}
    assert browser.driver.get_cookies() == []


def test_a_site_that_is_not_allowed_gets_nothing(
    browser: Page, sites: tuple[str, str, str]
) -> None:
    _, _, bad = sites
    browser.driver.get(bad)
    # With `crossorigin`, the browser refuses the script itself.
    browser.until(lambda: severe(browser))
    assert browser.driver.execute_script("return customElements.get('recoupe-chat')") is None


def test_the_conversation_lasts_as_long_as_the_tab(
    browser: Page, sites: tuple[str, str, str]
) -> None:
    browser.driver.get(sites[1])
    Widget(browser, "a").ask(HALL)
    browser.driver.refresh()
    widget = Widget(browser, "a")
    widget.wait(".cite")
    assert [q.text for q in widget.all(".q")] == [HALL]
    widget.js("root.querySelector('header button').click()")
    assert widget.all(".q") == []
    browser.driver.refresh()
    assert Widget(browser, "a").all(".q") == []


def test_what_was_withdrawn_since_is_not_shown_again(
    browser: Page, sites: tuple[str, str, str], own: LocalAssistant
) -> None:
    browser.driver.get(sites[1])
    Widget(browser, "a").ask(HALL)
    cited = {c.article_id for s in own.ask(HALL).statements for c in s.citations}
    own.withdraw(dict.fromkeys(cited, date(2026, 1, 2)))
    try:
        browser.driver.refresh()
        widget = Widget(browser, "a")
        browser.until(
            lambda: "halle" not in str(
                widget.js("return JSON.stringify(Object.values({...sessionStorage}))")
            )
        )  # fmt: skip
        assert widget.all(".q") == []
    finally:
        own.withdraw(dict.fromkeys(cited))


def test_several_on_a_page_each_with_its_filters(
    browser: Page, sites: tuple[str, str, str]
) -> None:
    browser.driver.get(sites[1])
    bubble = Widget(browser, "b")
    browser.click(bubble.wait(".open"))
    bubble.ask("Quelle surface le feu a-t-il parcourue à Malvaux ?")
    browser.click(bubble.wait(".cite"))
    assert "Agence Transval" in bubble.wait(".proof").text
    assert Widget(browser, "a").all(".q") == []


def test_a_refusal_says_what_to_do(browser: Page, sites: tuple[str, str, str]) -> None:
    browser.driver.get(sites[1])
    widget = Widget(browser, "a")
    widget.ask("Quelle entreprise construira le téléphérique de Montfauzy ?")
    text = widget.wait(".turn").text
    assert "pas trouvé de réponse" in text
    assert "Essayez avec d’autres mots" in text
    assert widget.all("li a")
    assert all(a.get_attribute("href").startswith("https://") for a in widget.all("li a"))
    assert widget.all(".cite") == []


def test_the_keyboard_is_enough(browser: Page, sites: tuple[str, str, str]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.driver.get(sites[1])
    bubble = Widget(browser, "b")
    keys = lambda *k: ActionChains(browser.driver).send_keys(*k).perform()  # noqa: E731
    focused = "return root.activeElement?.className || root.activeElement?.tagName"
    for _ in range(20):
        keys(Keys.TAB)
        if bubble.js(focused) == "open":
            break
    keys(Keys.ENTER)
    assert bubble.js(focused) == "TEXTAREA"
    keys("Quelle surface le feu a-t-il parcourue à Malvaux ?", Keys.ENTER)
    bubble.wait(".cite")
    for _ in range(12):
        keys(Keys.SHIFT, Keys.TAB)
        if bubble.js(focused) == "cite":
            break
    keys(Keys.NULL, Keys.ENTER)
    assert bubble.wait(".proof").is_displayed()
    keys(Keys.ESCAPE)
    assert bubble.js(focused) == "open"


@pytest.mark.parametrize("browser", ["1300,950", "500,900"], indirect=True)
@pytest.mark.parametrize("dark", [False, True])
def test_no_accessibility_violation(browser: Page, sites: tuple[str, str, str], dark: bool) -> None:
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    api = sites[0]
    browser.driver.get(f"{api}/demo")
    widget = Widget(browser, "page")
    assert violations(browser) == []
    widget.ask(HALL)
    browser.click(widget.wait(".cite"))
    assert violations(browser) == []
    width = browser.driver.get_window_size()["width"]
    shot(browser, f"widget-{width}{'-dark' if dark else ''}")
    browser.click(Widget(browser, "bulle").wait(".open"))
    assert violations(browser) == []
    browser.driver.get(f"{api}/embed")
    browser.until(
        lambda: browser.driver.execute_script("return !!customElements.get('recoupe-chat')")
    )
    assert violations(browser) == []
    assert severe(browser) == []


def test_no_accessibility_violation_in_the_chat(browser: Page, sites: tuple[str, str, str]) -> None:
    browser.driver.get(sites[0])
    browser.wait(".rc-example")
    assert violations(browser) == []
    browser.ask(HALL)
    browser.click(browser.wait(".rc-cite"))
    browser.wait("#rc-cited")
    assert violations(browser) == []
    browser.ask("Quelle entreprise construira le téléphérique ?")
    browser.wait(".rc-refusal")
    assert violations(browser) == []
    open_tab(browser, "Vérifier")
    browser.wait("#rc-claims-text textarea").send_keys("Le pont de l’Ancre a rouvert.")
    browser.click(browser.wait("#rc-check"))
    browser.wait(".rc-save", 60)
    assert violations(browser) == []
    open_tab(browser, "Corpus")
    browser.wait(".rc-found")
    assert violations(browser) == []


def test_zoomed_four_times_nothing_is_cut(browser: Page, sites: tuple[str, str, str]) -> None:
    # 1280 CSS pixels zoomed at 400 % are 320 (WCAG 2.2, 1.4.10).
    browser.resize(320, 256, mobile=False, scale=4)
    browser.driver.get(f"{sites[0]}/demo")
    widget = Widget(browser, "page")
    widget.ask(HALL)
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 320


def hostile_reading() -> Reading:
    """One article a payload, with it everywhere that text can stand."""
    made = []
    for n, payload in enumerate(PAYLOADS):
        source = Source(f"Zorglub {n} {payload}", f"Gazette {payload}", f"Auteur {payload}",
                        url=payload, section=payload)  # fmt: skip
        text = f"Le vaisseau Zorglub numéro {n} pèse {n + 3} tonnes {payload} et décolle à midi."
        made.append(Article(f"xss-{n}", source, text))
    return Reading(tuple(made))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAssistant, str]]:
    settings = load_settings(index_dir=tmp_path_factory.mktemp("xss"), rate_client="9999/minute")
    made = LocalAssistant(settings)
    made.ingest(hostile_reading())
    with serving(made) as url:
        yield made, url


def unharmed(page: Page) -> None:
    assert page.driver.execute_script("return window.pwned") is None
    hosts = {urlsplit(u).netloc for u in page.requests() if u.startswith("http")}
    assert not any("evil" in host for host in hosts)


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) >= 60


def test_hostile_text_runs_nothing_in_the_widget(
    browser: Page, hostile: tuple[LocalAssistant, str]
) -> None:
    assistant, url = hostile
    browser.driver.get(f"{url}/demo")
    widget = Widget(browser, "page")
    seen = 0
    for n in range(0, len(PAYLOADS), 6):
        widget.ask(
            f"Combien de tonnes pèse le vaisseau Zorglub numéro {n} ? {PAYLOADS[n][:80]}".replace(
                "\t", " "
            )
        )
        widget.js("for (const b of root.querySelectorAll('.cite[aria-expanded=false]')) b.click()")
        seen += len(widget.all(".proof"))
    assert seen
    links = widget.js("return [...root.querySelectorAll('a')].map(a => a.protocol)")
    assert set(links) <= {"http:", "https:"}
    unharmed(browser)
    assert assistant.index.articles()


def test_hostile_text_runs_nothing_in_the_chat(
    browser: Page, hostile: tuple[LocalAssistant, str]
) -> None:
    browser.driver.get(hostile[1])
    browser.wait("#rc-send")
    browser.ask("Combien de tonnes pèse le vaisseau Zorglub numéro 7 ?")
    browser.click(browser.wait(".rc-cite, .rc-near"))
    browser.wait(".rc-article")
    for payload in PAYLOADS[:3]:
        browser.ask(payload)
    open_tab(browser, "Vérifier")
    text = " ".join(
        f"Le vaisseau Zorglub numéro {n} pèse {n + 3} tonnes." for n in range(0, 60, 15)
    )
    browser.wait("#rc-claims-text textarea").send_keys(text + " " + PAYLOADS[4])
    browser.click(browser.wait("#rc-check"))
    browser.wait(".rc-save", 90)
    open_tab(browser, "Corpus")
    browser.wait(".rc-list li")
    seen = 0
    while True:
        unharmed(browser)
        seen += len(browser.all(".rc-list > li"))
        if not browser.all("#rc-older:enabled"):
            break
        page = browser.text(".rc-list")
        browser.click(browser.wait("#rc-older:enabled"))
        browser.until(lambda page=page: browser.text(".rc-list") != page)
    assert seen == len(PAYLOADS)


def resting_on(claim: CheckedClaim, assistant: LocalAssistant, n: int) -> CheckedClaim:
    """A claim that was checked, on the passage of another article."""
    article = assistant.article(f"xss-{n}")
    (passage,) = article.passages
    citation = Citation.of(passage, article.record.source, passage.start, passage.end)
    return replace(
        claim, text=citation.quote, evidence=(replace(claim.evidence[0], citation=citation),)
    )


def test_hostile_text_runs_nothing_in_reports(
    browser: Page, hostile: tuple[LocalAssistant, str], tmp_path: Path
) -> None:
    assistant, _ = hostile
    claims = [f"Le vaisseau Zorglub numéro {n} pèse {n + 3} tonnes." for n in range(7)]
    checked = assistant.verify("\n\n".join(claims))
    judged = next(c for c in checked.claims if c.evidence)
    checked = replace(
        checked, claims=tuple(resting_on(judged, assistant, n) for n in range(len(PAYLOADS)))
    )
    noted = replace(checked.claims[0], review=replace(checked.claims[0].review, note=PAYLOADS[0]))
    report = tmp_path / "report.html"
    report.write_text(as_html(replace(checked, claims=(noted, *checked.claims[1:]))), "utf-8")
    browser.driver.get(report.as_uri())
    assert len(browser.all("section")) == len(PAYLOADS)
    assert browser.all("script, iframe, object, embed, img, svg, form, input, base, link") == []
    hrefs = [a.get_dom_attribute("href") or "" for a in browser.all("a")]
    assert all(re.match(r"https?://|#c\d+$", h) for h in hrefs)
    unharmed(browser)


LONG = [
    "Que s’est-il passé lors de la crue de l’Orvelle ?",
    "Que sait-on du téléphérique de Montfauzy ?",
    "Que s’est-il passé à la papeterie de Lérac ?",
    "Que sait-on de la halle aux grains ?",
    "Que s’est-il passé à Kidal ?",
]


@pytest.mark.parametrize("browser", ["1300,950", "800,600", "390,700"], indirect=True)
def test_each_answer_of_the_widget_is_read_from_its_question(
    browser: Page, sites: tuple[str, str, str]
) -> None:
    """From the second question on, answers used to open below the fold."""
    _, good, _ = sites
    browser.driver.get(f"{good}/")
    widget = Widget(browser, "a")
    browser.driver.execute_script("window.scrollTo(0, 0)")
    for question in LONG:
        widget.wait("textarea").send_keys(" ")  # the driver brings it into view
        before = browser.driver.execute_script("return window.scrollY")
        widget.ask(question)
        seen = widget.js(
            "const log = root.querySelector('.log'), turns = [...root.querySelectorAll('.turn')];"
            "const box = (e) => e.getBoundingClientRect(), last = turns.at(-1), own = box(log);"
            "return {top: box(last).top - own.top, height: own.height, size: box(last).height,"
            " answer: box(last.children[1]).top - own.top}"
        )
        assert seen["top"] >= -2 or seen["size"] < seen["height"], seen
        # At the top, or whole where the conversation ends before.
        assert seen["top"] <= 20 or seen["top"] + seen["size"] <= seen["height"] + 20, seen
        assert 0 <= seen["answer"] < seen["height"], seen
        assert browser.driver.execute_script("return window.scrollY") == pytest.approx(
            before, abs=40
        )
    shot(browser, f"widget-five-{browser.driver.get_window_size()['width']}")


@pytest.mark.parametrize("browser", ["1300,950", "800,600", "390,700"], indirect=True)
def test_each_answer_of_the_chat_is_read_from_its_question(
    browser: Page, sites: tuple[str, str, str]
) -> None:
    """The page used to jump to its bottom: long answers began above the window."""
    api, _, _ = sites
    browser.driver.get(f"{api}/")
    browser.wait("#rc-question textarea")
    for question in LONG:
        browser.ask(question)
        time.sleep(0.5)
        seen = browser.driver.execute_script(
            "const last = [...document.querySelectorAll('.rc-turn')].at(-1);"
            "const box = (e) => e.getBoundingClientRect();"
            "const said = last.querySelector('.rc-said, .rc-refusal');"
            "return {top: box(last).top, answer: box(said).top, height: window.innerHeight}"
        )
        assert -5 <= seen["top"] <= 0.35 * seen["height"], (question, seen)
        assert 0 < seen["answer"] < seen["height"], (question, seen)
    shot(browser, f"chat-five-{browser.driver.get_window_size()['width']}")


def test_a_widget_asks_for_its_site_and_looks_like_it(
    browser: Page, sites: tuple[str, str, str], own: LocalAssistant
) -> None:
    """Its key goes with each request; its look comes from the server, and the page's own stands."""
    api, good, _ = sites
    store = Sites(own.settings.index_dir)
    store.add("Transval", checked(sources=["Agence Transval"], accent="#114400", radius=3))
    key = store.named("Transval").key
    browser.driver.get(good)
    browser.driver.execute_script(
        "const one = document.getElementById('a').cloneNode(); one.id = 's'; "
        "one.setAttribute('site', arguments[0]); document.querySelector('main').append(one);",
        key,
    )
    widget = Widget(browser, "s")
    corner = "return getComputedStyle(root.querySelector('.panel')).borderTopLeftRadius"
    browser.until(lambda: widget.js(corner) == "3px")
    head = "return getComputedStyle(root.querySelector('header'))"
    browser.until(lambda: widget.js(f"{head}.backgroundColor") == "rgb(17, 68, 0)")
    assert widget.js(f"{head}.color") == "rgb(255, 255, 255)"
    assert Widget(browser, "a").js(corner) == "10px"
    widget.ask(HALL)  # another paper's
    shot(browser, "widget-site")
    assert "4,2 millions" not in widget.wait(".turn").text
    widget.ask("Quelle surface le feu a-t-il parcourue à Malvaux ?")
    browser.click(widget.wait(".cite"))
    assert "Agence Transval" in widget.wait(".proof").text
    store.pause("Transval", paused=True)
    widget.ask(HALL)
    browser.until(lambda: texts.PAUSED in widget.js("return root.textContent"))
    browser.driver.get(f"{api}/embed?site={key}")
    framed = "return document.querySelector('recoupe-chat').getAttribute('site')"
    assert browser.driver.execute_script(framed) == key
    store.close()
