"""The newsroom's page over real HTTP: who may see it, what it shows, what it makes."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from rag import messages, texts
from rag.assistant import LocalAssistant
from rag.domain import Reading
from rag.evaluation.data import read_questions
from rag.exchanges.store import ANSWERED, ERROR, FILE, REFUSED, Exchange, Wanted
from rag.feedback import Feedback, FeedbackStore
from rag.settings import load_settings
from rag.web.access import hashed
from rag.web.newsroom import reference_id
from rag.web.newsroom_views import exchanges_csv
from tests.test_api import HALL, PROBLEM, events, page_config, serving
from tests.test_limits import answered, function_of

TOKEN = "un-jeton-de-redaction"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}} \u202eabc 😀 متى ؟"
FORMULA = '=HYPERLINK("http://evil.example")'
NOW = datetime.now(UTC)


def some(reading: Reading) -> Reading:
    """The articles that the questions below are about: the whole corpus takes a while."""
    wanted = ("halle-aux-grains", "loup", "lynx")
    return Reading(tuple(a for a in reading.articles if a.id.startswith(wanted)))


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory, corpus_reading: Reading
) -> Iterator[LocalAssistant]:
    rates = dict.fromkeys(("rate_client", "rate_global", "rate_events"), "100000/minute")
    made = LocalAssistant(
        load_settings(
            index_dir=tmp_path_factory.mktemp("newsroom"), keep_questions=True,
            admin_token_hash=hashed(TOKEN), **rates,
        )
    )  # fmt: skip
    made.ingest(some(corpus_reading))
    yield made
    made.close()


@pytest.fixture(scope="module")
def url(kept: LocalAssistant) -> Iterator[str]:
    with serving(kept) as address:
        yield address


@pytest.fixture
def web(url: str) -> Iterator[httpx.Client]:
    """A browser that has not logged in."""
    with httpx.Client(base_url=url, timeout=240, trust_env=False) as client:
        yield client


@pytest.fixture
def keeper(web: httpx.Client) -> httpx.Client:
    """A browser that has."""
    got = web.post("/redaction/connexion", data={"token": TOKEN})
    assert (got.status_code, got.headers["location"]) == (303, "/redaction")
    return web


def form_token(client: httpx.Client) -> str:
    page = html.fromstring(client.get("/redaction").text)
    return str(page.xpath("//input[@name='form']/@value")[0])


def record(assistant: LocalAssistant, *exchanges: Exchange) -> list[Exchange]:
    """Record exchanges and return them as they are kept, oldest first."""
    for exchange in exchanges:
        assistant.recorder.record(exchange)
    assistant.recorder.wait()
    store = assistant.recorder.store()
    assert store
    return store.select(Wanted(), len(exchanges))[::-1]


def test_without_the_token_nobody_sees_anything(web: httpx.Client) -> None:
    page = web.get("/redaction")
    assert page.status_code == 401
    assert "Jeton d’administration" in page.text
    assert web.post("/redaction/connexion", data={"token": "faux"}).status_code == 401
    assert not web.cookies
    for path in ("/redaction/echanges.csv", "/redaction/reference.jsonl"):
        got = web.get(path)
        assert (got.status_code, got.headers["content-type"]) == (401, PROBLEM)
        assert got.json()["detail"] == messages.NEEDS_LOGIN
    for path in ("reference", "reference/retrait", "deconnexion"):
        got = web.post(f"/redaction/{path}", data={"exchange": "1", "form": "x"})
        assert got.status_code == 401
    # The token opens nothing in an address, which a log would have.
    assert web.get(f"/redaction?token={TOKEN}").status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "WzEsICJhIl0.abc", "é" * 10])
def test_a_made_up_cookie_opens_nothing(web: httpx.Client, cookie: str) -> None:
    headers = {"Cookie": f"recoupe-redaction={cookie}".encode()}
    assert web.get("/redaction", headers=headers).status_code in {400, 401}


def test_no_token_set_no_page(tmp_path: Path) -> None:
    assistant = LocalAssistant(load_settings(index_dir=tmp_path))
    with serving(assistant) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for got in (client.get("/redaction"),
                    client.post("/redaction/connexion", data={"token": ""})):  # fmt: skip
            assert got.status_code == 404
            assert "recoupe token" in got.text
        assert client.get("/redaction/echanges.csv").status_code == 404
        assert "ne garde pas vos questions" in client.get("/a-propos").text
    assistant.close()


def test_the_cookie_is_the_browser_s_alone(keeper: httpx.Client) -> None:
    got = keeper.post("/redaction/connexion", data={"token": TOKEN})
    said = got.headers["set-cookie"]
    assert all(part in said for part in ("HttpOnly", "SameSite=strict", "Path=/redaction"))
    assert TOKEN not in said
    page = keeper.get("/redaction")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert "script" not in policy
    document = html.fromstring(page.text)
    assert not document.xpath("//script | //style | //@style | //*[starts-with(name(@*), 'on')]")


def test_a_form_of_another_page_does_nothing(keeper: httpx.Client, kept: LocalAssistant) -> None:
    (one,) = record(kept, Exchange("Question d’un autre ?", REFUSED))
    form = form_token(keeper)
    data = {"exchange": str(one.id), "avis": "aucun", "form": form}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                    {"Origin": "http://evil.example"}, {"Origin": "null"}):  # fmt: skip
        assert keeper.post("/redaction/reference", data=data, headers=headers).status_code == 403
    for wrong in ("", "x", form[:-2]):
        got = keeper.post("/redaction/reference", data=data | {"form": wrong})
        assert got.status_code == 401
    assert kept.recorder.references.all() == []


def test_every_face_is_recorded_once(keeper: httpx.Client, kept: LocalAssistant) -> None:
    store = kept.recorder.store()
    assert store
    before = len(store.select(Wanted()))
    question = HALL["question"]
    assert not keeper.post("/api/v1/ask", json=HALL).json()["refused"]
    with keeper.stream("POST", "/api/v1/ask", json=HALL,
                       headers={"Accept": "text/event-stream"}) as streamed:  # fmt: skip
        assert events(streamed)[-1][0] == "done"
    messages = {"messages": [{"role": "user", "content": question}]}
    assert keeper.post("/v1/chat/completions", json=messages).status_code == 200
    function = function_of(keeper, "rc-send", "click")
    body = {
        "fn_index": function,
        "session_hash": "abc",
        "data": [question, None, "", [], [], [], "", "", ""],
    }
    assert keeper.post("/gradio_api/queue/join", json=body).status_code == 200
    assert "halle" in answered(keeper, "abc")
    verified = keeper.post(
        "/api/v1/verify", json={"text": "Le loup a tué 27 brebis. Est-ce vrai ?"}
    )
    assert verified.status_code == 200, verified.text
    kept.recorder.wait()
    found = store.select(Wanted())[: len(store.select(Wanted())) - before]
    assert [e.kind for e in found] == ["claim"] * 2 + ["question"] * 4
    assert {e.text for e in found if e.kind == "question"} == {question}
    assert all(e.verdict == ANSWERED and e.cited for e in found if e.kind == "question")


def test_what_strangers_wrote_is_text(keeper: httpx.Client, kept: LocalAssistant) -> None:
    record(
        kept, *[Exchange(EVIL, REFUSED, site=EVIL[:40])] * 2, Exchange(FORMULA, REFUSED),
        Exchange("Pourquoi ?", ERROR, site="gazette"),
    )  # fmt: skip
    settings = kept.settings
    feedback = FeedbackStore(settings.index_dir, settings.retention_days, 50)
    feedback.add(Feedback("wrong", EVIL, "x", "<b>faux</b>"))
    feedback.add(Feedback("useful", "x", "x"))
    page = keeper.get("/redaction")
    document = html.fromstring(page.text)
    assert not document.xpath("//script | //img | //b")
    assert "{{7*7}}" in page.text
    assert "\u202e" not in page.text
    assert "1 avis « utile », 1 « erreur »" in " ".join(document.text_content().split())
    groups = document.xpath("//ol[@class='groups']/li")
    assert any("2 fois" in g.text_content() and "{{7*7}}" in g.text_content() for g in groups)
    assert len(document.xpath("//figure//*[local-name()='svg'][@role='img']")) == 3
    rows = list(csv.DictReader(io.StringIO(keeper.get("/redaction/echanges.csv").text[1:])))
    assert any(r["texte"] == f"'{FORMULA}" for r in rows)
    of_site = keeper.get("/redaction/echanges.csv", params={"site": "gazette"}).text[1:]
    assert [r["verdict"] for r in csv.DictReader(io.StringIO(of_site))] == ["erreur"]
    for query in ({"site": "\u202e<x>"}, {"voir": "erreurs", "page": "4000"}, {"voir": "<b>"},
                  {"fait": "<b>"}, {"site": ""}):  # fmt: skip
        assert keeper.get("/redaction", params=query).status_code == 200, query
    assert keeper.get("/redaction?page=0").status_code == 422


def test_one_click_makes_a_reference_question(
    keeper: httpx.Client, kept: LocalAssistant, tmp_path: Path
) -> None:
    pages = kept.page(limit=50).records
    titles = Counter(r.source.title for r in pages)
    article = next(r for r in pages if titles[r.source.title] == 1)
    right, refused, wrong, claim, cites, suite = record(
        kept,
        Exchange("Que dit l’article de Lérac ?", ANSWERED, cited=(article.id,)),
        Exchange("Que dit personne ?", REFUSED),
        Exchange("Que dit l’autre ?", REFUSED),
        Exchange("Il pleut.", "Soutenu", "claim"),
        Exchange("Où est la halle de Lérac ?", ANSWERED, cited=(article.id,)),
        Exchange("Et en 2023 ?", REFUSED),
    )
    form = form_token(keeper)

    def click(exchange: Exchange, choice: str, **more: str) -> httpx.Response:
        data = {"exchange": str(exchange.id), "avis": choice, "form": form} | more
        return keeper.post("/redaction/reference", data=data)

    done = click(right, "juste", retour="/redaction?voir=tout")
    assert done.headers["location"] == "/redaction?voir=tout&fait=gardee"
    assert texts.REFERENCE_KEPT in keeper.get(done.headers["location"]).text
    outside = click(refused, "aucun", retour="https://evil.example/?")
    assert outside.headers["location"].startswith("/redaction?")
    assert click(wrong, "article", article=f" {article.id} ").status_code == 303
    for bad in (click(wrong, "article", article="absent"), click(wrong, "juste"), click(claim, "aucun"),
                click(wrong, "autre"), click(wrong, "article")):  # fmt: skip
        assert bad.status_code == 422
        assert html.fromstring(bad.text).xpath("//*[@role='alert']")
    # A wrong one loses neither the page nor what was written in the form.
    mine = f"//form[.//input[@name='exchange'][@value='{cites.id}']]"
    page = html.fromstring(keeper.get("/redaction?voir=tout").text)
    place = page.xpath(f"{mine}//input[@name='ou']/@value")[0]
    absent = click(cites, "article", article="Un <b>titre", ou=place, retour="/redaction?voir=tout")
    document = html.fromstring(absent.text)
    (field,) = document.xpath("//input[@autofocus]")
    assert field.value == "Un <b>titre"
    assert "Un <b>titre" in document.get_element_by_id(field.get("aria-describedby")).text_content()
    assert document.xpath("//nav[@class='views']/a[@aria-current]")[0].text == "Tout"
    # Or by its title; those that the answer cited are choices, by theirs.
    title = article.source.title.upper()
    assert click(wrong, "article", article=title).status_code == 303
    (options,) = document.xpath(f"{mine}//select")
    assert [(o.get("value"), article.source.title in o.text) for o in options.iter("option")] == [
        (article.id, True)
    ]
    assert click(cites, "article", choix=article.id).status_code == 303
    follow = click(suite, "aucun")
    assert texts.REFERENCE_FOLLOW_UP in keeper.get(follow.headers["location"]).text
    for made in (cites, suite):
        data = {"form": form, "question": reference_id(made)}
        assert keeper.post("/redaction/reference/retrait", data=data).status_code == 303
    file = tmp_path / "reference.jsonl"
    file.write_bytes(keeper.get("/redaction/reference.jsonl").content)
    items = read_questions(file)
    assert [(i.question, i.answerable) for i in items] == [
        ("Que dit l’article de Lérac ?", True), ("Que dit personne ?", False), ("Que dit l’autre ?", True),
    ]  # fmt: skip
    gold = items[0].gold[0]
    assert (gold.article_id, gold.start, gold.end) == (article.id, 0, article.characters)
    removed = keeper.post(
        "/redaction/reference/retrait", data={"form": form, "question": items[1].id}
    )
    assert removed.status_code == 303
    assert len(kept.recorder.references.all()) == 2


def test_a_logout_ends_the_browser_s_login(keeper: httpx.Client) -> None:
    got = keeper.post("/redaction/deconnexion", data={"form": form_token(keeper)})
    assert got.status_code == 303
    assert keeper.get("/redaction").status_code == 401


def test_the_tools_of_administrators_are_closed_for_readers(web: httpx.Client) -> None:
    config = page_config(web)
    ids = {c["id"]: c["props"].get("elem_id") for c in config["components"]}
    (closed,) = (c for c in config["components"] if c["props"].get("elem_id") == "rc-tools")
    assert closed["props"]["label"] == texts.NEWSROOM_TOOLS
    assert closed["props"]["open"] is False

    def below(node: dict[str, Any]) -> set[str]:
        children = node.get("children", [])
        return {ids.get(node.get("id")) or ""}.union(*map(below, children))

    def trees(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("children", []):
            yield from trees(child)

    (tools,) = (node for node in trees(config["layout"]) if node.get("id") == closed["id"])
    assert {"rc-token", "rc-add", "rc-drop", "rc-correct", "rc-day"} <= below(tools)


def test_readers_are_told(web: httpx.Client) -> None:
    page = web.get("/a-propos").text
    assert "La rédaction garde 30 jours les questions" in page
    assert "ne garde pas vos questions" not in page


def test_a_file_that_cannot_be_read_is_told_and_the_page_opens(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"pas une base " * 500)
    (tmp_path / "feedback.sqlite").write_bytes(b"pas une base " * 500)
    (tmp_path / "reference.jsonl").write_text("[]\n")
    made = LocalAssistant(
        load_settings(index_dir=tmp_path, keep_questions=True, admin_token_hash=hashed(TOKEN))
    )
    with serving(made) as url, httpx.Client(base_url=url, trust_env=False, timeout=240) as client:
        assert client.post("/api/v1/ask", json=HALL).status_code == 200
        client.post("/redaction/connexion", data={"token": TOKEN})
        page = client.get("/redaction")
        assert page.status_code == 200
        told = html.fromstring(page.text).xpath("//*[@role='alert']")
        assert [name for name in (FILE, "reference.jsonl", "retours")
                if not any(name in t.text_content().lower() for t in told)] == []  # fmt: skip
        shown = client.get("/redaction/echanges.csv", headers={"Authorization": f"Bearer {TOKEN}"})
        assert shown.status_code == 500
        assert "abîmé" in json.loads(shown.text)["detail"]
    made.close()


def test_thousands_of_lines_are_written_some_at_a_time() -> None:
    many = (Exchange("Où ?", REFUSED, at=NOW - timedelta(seconds=n)) for n in range(1200))
    pieces = list(exchanges_csv(many))
    assert len(pieces) == 4
    assert sum(p.count("\r\n") for p in pieces) == 1201
