"""The HTTP API over real HTTP: contract, streams, administration, limits, headers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from lxml import html
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from sse_starlette import JSONServerSentEvent

from rag import messages
from rag.assistant import LocalAssistant
from rag.checking.checker import Checker
from rag.checking.claims import Claim
from rag.domain import CheckedClaim, Filters
from rag.errors import SettingsError
from rag.feedback import Feedback, FeedbackStore
from rag.settings import load_settings
from rag.web.access import Access, hashed, new_token
from rag.web.limits import Gate, Rates, TooManyError
from tests.conftest import ROOT, over_copy

HALL = {"question": "Combien a coûté la restauration de la halle aux grains ?"}
PROBLEM = "application/problem+json"


@contextmanager
def serving(assistant: LocalAssistant) -> Iterator[str]:
    from rag.web.server import build_app

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_app(assistant),
        log_level="error",
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def with_settings(assistant: LocalAssistant, **changes: Any) -> LocalAssistant:
    """The same index, served under other settings."""
    made = object.__new__(LocalAssistant)
    made.__dict__.update(assistant.__dict__)
    made.settings = load_settings(index_dir=assistant.settings.index_dir, **changes)
    return made


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, corpus_index: Path) -> LocalAssistant:
    """An assistant whose index these tests may change."""
    rates = dict.fromkeys(("rate_client", "rate_global"), "100000/minute")
    return over_copy(corpus_index, tmp_path_factory.mktemp("api"), **rates)


@pytest.fixture(scope="module")
def api(own: LocalAssistant) -> Iterator[httpx.Client]:
    with serving(own) as url, httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        yield client


def events(response: httpx.Response) -> list[tuple[str, Any]]:
    found, name = [], ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            found.append((name, json.loads(line[6:])))
    return found


def test_ask_gives_a_cited_answer(api: httpx.Client, own: LocalAssistant) -> None:
    answer = api.post("/api/v1/ask", json=HALL).json()
    assert not answer["refused"]
    cited = answer["statements"][0]["citations"][0]
    article = own.article(cited["article_id"]).text
    assert article[cited["start"] : cited["end"]] == cited["quote"]


def test_ask_streams_statements_then_the_whole(api: httpx.Client) -> None:
    headers = {"Accept": "text/event-stream"}
    with api.stream("POST", "/api/v1/ask", json=HALL, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        found = events(response)
    assert [name for name, _ in found][-1] == "done"
    said = [data["text"] for name, data in found if name == "statement"]
    assert said == [s["text"] for s in found[-1][1]["statements"]]


def test_verify_streams_claims(api: httpx.Client) -> None:
    body = {"text": "Le loup a tué 27 brebis sur le plateau des Essarts. Est-ce vrai ?"}
    headers = {"Accept": "text/event-stream"}
    with api.stream("POST", "/api/v1/verify", json=body, headers=headers) as response:
        found = events(response)
    assert [name for name, _ in found] == ["claim", "claim", "done"]
    assert found[-1][1] == api.post("/api/v1/verify", json=body).json() | {
        "checked_on": found[-1][1]["checked_on"]
    }


def test_a_stream_that_fails_says_so_in_french(api: httpx.Client) -> None:
    headers = {"Accept": "text/event-stream"}
    with api.stream("POST", "/api/v1/ask", json={"question": "   "}, headers=headers) as response:
        ((name, problem),) = events(response)
    assert name == "error"
    assert problem["detail"] == messages.EMPTY_QUESTION


def test_search_and_filters(api: httpx.Client) -> None:
    body = {"question": "la crue", "limit": 3, "filters": {"sources": ["L'Écho de Brissange"]}}
    passages = api.post("/api/v1/search", json=body).json()["passages"]
    assert 0 < len(passages) <= 3
    assert {p["source"] for p in passages} == {"L’Écho de Brissange"}


def test_articles_are_listed_in_pages_without_the_servers_paths(api: httpx.Client) -> None:
    page = api.get("/api/v1/articles", params={"limit": 2}).json()
    assert page["total"] > 40
    first, second = page["articles"]
    assert first["published"] >= second["published"]
    asked = {"limit": 20, "after": page["next"]}
    listed, total = page["articles"], page["total"]
    while asked["after"]:
        page = api.get("/api/v1/articles", params=asked).json()
        assert len(page["articles"]) == min(20, total - len(listed))
        listed += page["articles"]
        asked["after"] = page["next"]
    assert len({record["article_id"] for record in listed}) == len(listed) == total
    days = [record["published"] or "" for record in listed]
    assert days == sorted(days, reverse=True)
    whole = api.get(f"/api/v1/articles/{first['article_id']}").json()
    assert len(whole["text"]) == first["characters"]
    assert "path" not in whole


def test_a_pushed_article_is_searchable_when_the_call_returns(api: httpx.Client) -> None:
    url = "/api/v1/articles/cms-42"
    body = {"title": "Le phare de Kerguen", "source": "La Gazette", "published": "2024-05-03",
            "text": "Le phare de Kerguen a été rallumé jeudi par Maëlle Le Guen."}  # fmt: skip
    assert api.put(url, json=body).json()["status"] == "new"
    assert api.put(url, json=body).json()["status"] == "unchanged"
    answer = api.post(
        "/api/v1/ask", json={"question": "Qui a rallumé le phare de Kerguen ?"}
    ).json()
    assert answer["statements"][0]["citations"][0]["article_id"] == "cms-42"
    body["text"] = "<p>Le phare de Kerguen a été <b>éteint</b> vendredi par Maëlle Le Guen.</p>"
    assert api.put(url, json=body | {"format": "html"}).json()["status"] == "updated"
    assert "éteint vendredi" in api.get(url).json()["text"]
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404
    assert api.delete(url).status_code == 404


def test_an_article_without_a_sentence_is_refused(api: httpx.Client) -> None:
    response = api.put("/api/v1/articles/vide", json={"title": "x", "text": "…"})
    assert response.status_code == 422
    assert "phrase" in response.json()["detail"]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda c: c.post("/api/v1/ask", json={"question": 1}), 422),
        (lambda c: c.post("/api/v1/ask", content=b"{", headers={"Content-Type": "application/json"}), 422),
        (lambda c: c.post("/api/v1/ask", json={"question": "x" * 1001}), 422),
        (lambda c: c.post("/api/v1/ask", json={"question": "x", "plus": 1}), 422),
        (lambda c: c.get("/api/v1/articles/inconnu"), 404),
        (lambda c: c.get("/api/v1/articles", params={"after": "inconnu"}), 422),
        (lambda c: c.get("/api/v1/articles", params={"limit": 201}), 422),
        (lambda c: c.get("/api/v1/rien"), 404),
        (lambda c: c.get("/api/v1/ask"), 405),
        (lambda c: c.post("/api/v1/ask", content=b"x" * 2_000_000), 413),
    ],
)  # fmt: skip
def test_errors_are_problem_documents(api: httpx.Client, call: Any, status: int) -> None:
    response = call(api)
    assert response.status_code == status
    assert response.headers["content-type"] == PROBLEM
    problem = response.json()
    assert problem["status"] == status
    assert problem["detail"].endswith((".", "!"))
    assert "Input should" not in problem["detail"]


def test_health_and_metrics(api: httpx.Client) -> None:
    assert api.get("/api/v1/health").json()["ready"] is True
    api.post("/api/v1/ask", json=HALL)
    text = api.get("/metrics").text
    assert 'recoupe_requests_total{kind="ask",outcome="ok"}' in text
    assert "halle" not in text


def test_an_empty_index_is_alive_and_not_ready(tmp_path: Path) -> None:
    with serving(LocalAssistant(load_settings(index_dir=tmp_path))) as url:
        response = httpx.get(f"{url}/api/v1/health")
    assert (response.status_code, response.json()["live"]) == (503, True)


def test_feedback_is_kept_exported_and_forgotten(api: httpx.Client, tmp_path: Path) -> None:
    body = {"rating": "wrong", "question": "Qui ?", "answer": "Personne.", "note": "=1+1"}
    assert api.post("/api/v1/feedback", json=body).status_code == 201
    (row,) = api.get("/api/v1/feedback").json()["feedback"]
    assert {k: row[k] for k in body} == body
    assert set(row) == set(body) | {"id", "at"}  # no address
    store = FeedbackStore(tmp_path, retention_days=1, max_mb=1)
    store.add(Feedback("useful"))
    with sqlite3.connect(tmp_path / "feedback.sqlite") as file:
        file.execute("UPDATE feedback SET at = '2001-01-01T00:00:00+00:00'")
    file.close()
    assert list(store.all()) == []


def test_feedback_stays_within_its_place_on_the_disk(tmp_path: Path) -> None:
    """The oldest goes first; the file itself shrinks, one of an older version too."""
    path = tmp_path / "feedback.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as old, old:
        old.execute(
            "CREATE TABLE feedback (id TEXT PRIMARY KEY, at TEXT NOT NULL, rating TEXT NOT NULL, "
            "question TEXT NOT NULL, answer TEXT NOT NULL, note TEXT NOT NULL)"
        )
        row = ("2999-01-01T00:00:00+00:00", "wrong", "ancienne", "é" * 10_000, "")
        for n in range(100):
            old.execute("INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?)", (f"vieux{n}", *row))
    assert path.stat().st_size > 2_000_000
    store = FeedbackStore(tmp_path, retention_days=90, max_mb=1)
    for n in range(90):
        store.add(Feedback("useful", f"question {n}", "é" * 10_000, "x" * (n * 20)))
        assert path.stat().st_size <= 1_000_000
    kept = [row["question"] for row in store.all()]
    assert kept == [f"question {n}" for n in range(90 - len(kept), 90)]
    assert 30 < len(kept) < 90
    for n in range(500):
        store.add(Feedback("useful", f"petite {n}"))
    assert path.stat().st_size <= 1_000_000
    assert [row["question"] for row in store.all()][-500:] == [f"petite {n}" for n in range(500)]


def test_the_whole_text_can_be_kept_from_the_public(own: LocalAssistant) -> None:
    token, digest = new_token()
    key = own.page().records[0].id
    shown = {"Authorization": f"Bearer {token}"}
    with serving(with_settings(own, public_text=False, admin_token_hash=digest)) as url:
        address = f"{url}/api/v1/articles/{key}"
        public = httpx.get(address).json()
        wrong = httpx.get(address, headers={"Authorization": "Bearer faux"}).json()
        assert public == wrong
        assert public["title"] == own.article(key).record.source.title
        assert "text" not in public
        assert httpx.get(address, headers=shown).json()["text"] == own.article(key).text
        cited = httpx.post(f"{url}/api/v1/ask", json=HALL, timeout=60).json()
        assert cited["statements"][0]["citations"][0]["quote"]


def test_the_panels_show_a_reserved_article_by_its_passage(own: LocalAssistant) -> None:
    """Those of the chat and of the tab; without the setting they show it whole."""
    import gradio as gr

    from rag.web.chat import Chat
    from rag.web.conversation import ChatTurn
    from rag.web.verify_tab import VerifyTab

    answer = own.ask(HALL["question"])
    checked = own.verify("280 personnes ont été évacuées à Saint-Cyprin.")
    shown: dict[bool, list[str]] = {}
    for public in (False, True):
        served = with_settings(own, public_text=public)
        settings = served.settings
        rules = (Rates(settings), Gate(1, 1))
        chat = Chat(served, Access.of(settings), *rules, settings.index_dir / "uploads").questions
        clicked = gr.EventData(None, {"turn": 0, "number": 1})
        proof = gr.EventData(None, {"claim": 0, "evidence": 0})
        tab = VerifyTab(served, *rules, {})
        panel, *_ = tab.act(tab.sealed(checked), proof)
        shown[public] = [chat.open_citation([ChatTurn(answer)], clicked), panel]
    cited = answer.statements[0].citations[0]
    for part, whole in zip(shown[False], shown[True], strict=True):
        assert 'id="rc-cited"' in part
        assert 'id="rc-cited"' in whole
        assert len(part) <= len(whole)
    article = own.article(cited.article_id)
    far = [p for p in article.passages if p.end <= cited.start or p.start >= cited.end]
    assert far, "the article must have another passage"
    for passage in far:
        line = passage.text.strip().splitlines()[-1]
        assert line in html.fromstring(shown[True][0]).text_content()
        assert line not in html.fromstring(shown[False][0]).text_content()


def test_administration_needs_its_token_once_one_is_set(own: LocalAssistant) -> None:
    token, digest = new_token()
    assert digest == hashed(token)
    with serving(with_settings(own, admin_token_hash=digest)) as url:
        for method, path in (("PUT", "/api/v1/articles/a"), ("DELETE", "/api/v1/articles/a"),
                             ("GET", "/api/v1/feedback"), ("GET", "/metrics")):  # fmt: skip
            body = {"title": "x", "text": "y"} if method == "PUT" else None
            refused = httpx.request(method, url + path, json=body)
            assert refused.status_code == 401, path
            wrong = {"Authorization": "Bearer faux"}
            assert httpx.request(method, url + path, json=body, headers=wrong).status_code == 401
        allowed = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})
        assert allowed.status_code == 200
        assert httpx.post(f"{url}/api/v1/search", json={"question": "la crue"}).status_code == 200


def test_administration_is_off_beyond_loopback_until_a_token_is_set(own: LocalAssistant) -> None:
    with serving(with_settings(own, host="0.0.0.0")) as url:
        assert httpx.get(f"{url}/metrics").status_code == 403
        assert httpx.delete(f"{url}/api/v1/articles/a").status_code == 403
    with serving(with_settings(own, public_url="https://recoupe.example")) as url:
        assert httpx.get(f"{url}/metrics").status_code == 403


def test_strangers_put_no_file_on_the_disk(own: LocalAssistant) -> None:
    file = {"files": ("x.txt", b"x" * 1000)}
    with serving(with_settings(own, admin_token_hash=hashed("t"))) as url:
        assert httpx.post(f"{url}/gradio_api/upload", files=file).status_code == 403
    with serving(with_settings(own, host="0.0.0.0")) as url:
        assert httpx.post(f"{url}/gradio_api/upload", files=file).status_code == 403


def test_only_allowed_origins_are_served(own: LocalAssistant) -> None:
    site = "https://www.journal.example"
    with serving(with_settings(own, allowed_origins=(site,))) as url:
        good = httpx.post(
            f"{url}/api/v1/search", json={"question": "crue"}, headers={"Origin": site}
        )
        assert good.headers["access-control-allow-origin"] == site
        asked = {"Origin": site, "Access-Control-Request-Method": "POST"}
        preflight = httpx.options(f"{url}/api/v1/ask", headers=asked)
        assert preflight.status_code == 204
        assert "PUT" not in preflight.headers["access-control-allow-methods"]
        for evil in (
            "https://evil.example",
            "null",
            f"{site}.evil.example",
            "http://www.journal.example",
        ):
            bad = httpx.post(
                f"{url}/api/v1/search", json={"question": "x"}, headers={"Origin": evil}
            )
            assert bad.status_code == 403
            assert "access-control-allow-origin" not in bad.headers
        embed = httpx.get(f"{url}/embed").headers["content-security-policy"]
        assert f"frame-ancestors 'self' {site}" in embed
        assert "unsafe" not in embed
        own_page = httpx.post(
            f"{url}/api/v1/search", json={"question": "crue"}, headers={"Origin": url}
        )
        assert own_page.status_code == 200


def test_a_name_that_points_here_is_not_served(api: httpx.Client) -> None:
    response = api.get("/api/v1/health", headers={"Host": "rebound.example"})
    assert response.status_code == 421


def test_headers(api: httpx.Client) -> None:
    for path in ("/", "/embed", "/api/v1/health", "/widget.js"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "content-security-policy" in headers
        assert "referrer-policy" in headers
        assert "server" not in headers
        assert "set-cookie" not in headers or path == "/"


def test_too_many_questions_are_told_when_to_come_back(own: LocalAssistant) -> None:
    with serving(with_settings(own, rate_client="2/minute")) as url:
        codes = [httpx.post(f"{url}/api/v1/search", json={"question": "x"}) for _ in range(3)]
    assert [c.status_code for c in codes] == [200, 200, 429]
    assert 0 < int(codes[-1].headers["retry-after"]) <= 60
    assert "réessayez dans" in codes[-1].json()["detail"]


def test_a_full_queue_says_so(own: LocalAssistant) -> None:
    busy = with_settings(own, concurrent=1, waiting=0, rate_client="999/minute")
    found: list[int] = []
    with serving(busy) as url:
        threads = [
            threading.Thread(
                target=lambda: found.append(
                    httpx.post(f"{url}/api/v1/ask", json=HALL, timeout=60).status_code
                )
            )
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(found) == {200, 503}


def test_a_reader_who_leaves_stops_the_work(own: LocalAssistant) -> None:
    closed = threading.Event()
    slow = with_settings(own, concurrent=1)

    def endless(*_: Any) -> Iterator[Any]:
        from rag.answering.writing import PartialText

        try:
            while True:
                time.sleep(0.02)
                yield PartialText("…")
        finally:
            closed.set()

    slow.stream = endless  # type: ignore[method-assign]
    with serving(slow) as url:
        headers = {"Accept": "text/event-stream"}
        with httpx.stream("POST", f"{url}/api/v1/ask", json=HALL, headers=headers) as response:
            next(response.iter_lines())
        assert closed.wait(10)
        # The only place is free again.
        assert httpx.post(f"{url}/api/v1/search", json={"question": "x"}).status_code == 200


MANY = "\n".join(
    f"La halle numéro {n} de Brissange a coûté {n} millions d’euros." for n in range(1, 101)
)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The claims that were checked, as they are."""
    claims: list[str] = []
    check = Checker._check

    def counted(self: Checker, claim: Claim, filters: Filters | None) -> CheckedClaim:
        claims.append(claim.text)
        return check(self, claim, filters)

    monkeypatch.setattr(Checker, "_check", counted)
    return claims


def idle(url: str) -> None:
    """Wait until nothing is worked on, nor waits for a turn."""
    until = time.monotonic() + 60
    while not re.search(
        r"working 0\.0\n(.*\n)*recoupe_waiting 0\.0", httpx.get(f"{url}/metrics").text
    ):
        assert time.monotonic() < until
        time.sleep(0.05)


def assert_nothing_more_is_checked(url: str, checked: list[str]) -> None:
    idle(url)
    seen = len(checked)
    assert httpx.post(f"{url}/api/v1/ask", json=HALL, timeout=120).status_code == 200
    assert len(checked) == seen < 60


def test_a_question_is_answered_during_a_long_verification(
    own: LocalAssistant, checked: list[str]
) -> None:
    headers = {"Accept": "text/event-stream"}
    with serving(with_settings(own, concurrent=1)) as url:
        asked = {"url": f"{url}/api/v1/verify", "json": {"text": MANY}, "headers": headers}
        with httpx.stream("POST", timeout=120, **asked) as response:
            lines = response.iter_lines()
            assert "claim" in next(lines)
            assert httpx.post(f"{url}/api/v1/ask", json=HALL, timeout=120).status_code == 200
            assert len(checked) < 50
        # The reader has left: the claim that is being checked is the last one.
        assert_nothing_more_is_checked(url, checked)


def test_a_plain_verification_takes_turns_and_stops_with_its_reader(
    own: LocalAssistant, checked: list[str]
) -> None:
    with serving(with_settings(own, concurrent=1)) as url:
        address = urlsplit(url)
        body = json.dumps({"text": MANY}).encode()
        with socket.create_connection((address.hostname, address.port)) as client:
            head = (
                f"POST /api/v1/verify HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            client.sendall(head.encode() + body)
            until = time.monotonic() + 60
            while not checked:
                assert time.monotonic() < until
                time.sleep(0.02)
            assert httpx.post(f"{url}/api/v1/ask", json=HALL, timeout=120).status_code == 200
            assert len(checked) < 50
        assert_nothing_more_is_checked(url, checked)


def test_a_text_is_split_once_and_each_claim_checked_once(
    own: LocalAssistant, checked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    split: list[str] = []
    real = own.checker()._split
    monkeypatch.setattr(own.checker(), "_split", lambda t: (split.append(t), real(t))[1])
    text = "\n".join(MANY.splitlines()[:3])
    with serving(own) as url:
        done = httpx.post(f"{url}/api/v1/verify", json={"text": text}, timeout=60).json()
    assert split == [text]
    assert checked == [c["text"] for c in done["claims"]] == text.splitlines()


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_verification_costs_its_claims(own: LocalAssistant, accept: str) -> None:
    lines = MANY.splitlines()
    with serving(with_settings(own, rate_claims="5/minute")) as url:

        def verify(count: int) -> httpx.Response:
            body, headers = {"text": "\n".join(lines[:count])}, {"Accept": accept}
            return httpx.post(f"{url}/api/v1/verify", json=body, headers=headers, timeout=60)

        assert verify(3).status_code == 200
        late = verify(3)
        assert (late.status_code, late.headers["content-type"]) == (429, PROBLEM)
        assert 0 < int(late.headers["retry-after"]) <= 60
        assert "affirmations" in late.json()["detail"]
        assert verify(2).status_code == 200
        never = verify(6)
        assert never.status_code == 422
        assert "6 affirmations et 5 au plus" in never.json()["detail"]
        assert "retry-after" not in never.headers


def page_config(page: httpx.Client) -> dict[str, Any]:
    """Return what the chat's page says of itself to its scripts."""
    said = re.search(r"window\.gradio_config = (\{.*?\});</script>", page.get("/").text, re.DOTALL)
    assert said
    found: dict[str, Any] = json.loads(said[1])
    return found


@contextmanager
def pressed(url: str, button: str, *data: Any) -> Iterator[Iterator[str]]:
    """Press a button of the chat as its page does; yield what comes back, step by step."""
    with httpx.Client(base_url=url, timeout=120) as page:
        config = page_config(page)
        which = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == button)
        called = next(d["id"] for d in config["dependencies"] if [which, "click"] in d["targets"])
        session = button.replace("-", "")
        body = {"data": data, "fn_index": called, "session_hash": session}
        assert page.post("/gradio_api/queue/join", json=body).status_code == 200
        where = f"/gradio_api/queue/data?session_hash={session}"
        with page.stream("GET", where) as response:
            told = (line for line in response.iter_lines() if "process_" in line)
            yield (json.dumps(json.loads(line[5:]), ensure_ascii=False) for line in told)


def test_the_tab_costs_its_claims(own: LocalAssistant) -> None:
    text = "\n".join(MANY.splitlines()[:3])
    with serving(with_settings(own, rate_claims="5/minute")) as url:
        with pressed(url, "rc-check", text) as steps:
            assert "millions" in list(steps)[-1]
        with pressed(url, "rc-check", text) as steps:
            assert "Trop d’affirmations" in "".join(steps)


def test_a_question_is_answered_during_a_long_verification_in_the_tab(
    own: LocalAssistant, checked: list[str]
) -> None:
    with serving(with_settings(own, concurrent=1)) as url:
        with pressed(url, "rc-check", MANY) as steps:
            while not checked:
                next(steps)
            assert httpx.post(f"{url}/api/v1/ask", json=HALL, timeout=120).status_code == 200
            with pressed(
                url, "rc-send", HALL["question"], None, "", [], [], [], "", "", ""
            ) as answered:
                assert "4,2 millions" in "".join(answered)
            assert len(checked) < 80
        idle(url)
        assert len(checked) < 100


def test_how_long_to_wait_is_until_it_fits() -> None:
    rates = Rates(load_settings(rate_claims="5/2 seconds"))
    rates.take_claims("192.0.2.1", 2)
    time.sleep(1.1)
    rates.take_claims("192.0.2.1", 3)
    with pytest.raises(TooManyError) as few:
        rates.take_claims("192.0.2.1", 2)
    with pytest.raises(TooManyError) as many:
        rates.take_claims("192.0.2.1", 3)
    assert (few.value.after, many.value.after) == (1, 2)
    rates.take_claims("192.0.2.2", 5)


def test_long_work_leaves_places_to_questions() -> None:
    async def scenario() -> None:
        gate = Gate(concurrent=1, waiting=3)
        async with gate.place("192.0.2.1", long=True), gate.place("192.0.2.2", long=True):
            with pytest.raises(TooManyError) as full:
                gate.check("192.0.2.3", long=True)
            assert full.value.status == 503
            async with gate.place("192.0.2.1"), gate.place("192.0.2.2"):
                with pytest.raises(TooManyError):
                    gate.check("192.0.2.3")
        gate.check("192.0.2.1", long=True)

    asyncio.run(scenario())


def test_one_visitor_takes_half_of_the_places() -> None:
    async def scenario() -> None:
        gate = Gate(concurrent=2, waiting=4)
        async with gate.place("2001:db8::1"), gate.place("2001:db8::2"), gate.place("2001:db8::3"):
            with pytest.raises(TooManyError) as full:
                gate.check("2001:db8::4")
            assert full.value.status == 429
            gate.check("2001:db8:0:1::1")
        gate.check("2001:db8::4")

    asyncio.run(scenario())


def test_logs_hold_no_question_unless_asked(
    own: LocalAssistant, api: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="rag")
    secret = {"question": "Que sait-on de Zanzibar-le-Secret ?"}
    api.post("/api/v1/ask", json=secret)
    assert "Zanzibar" not in caplog.text
    with serving(with_settings(own, log_questions=True)) as url:
        httpx.post(f"{url}/api/v1/ask", json=secret, timeout=30)
    assert "Zanzibar" in caplog.text


@pytest.mark.parametrize(
    "bad",
    [
        {"allowed_origins": ("https://*.example",)},
        {"allowed_origins": ("https://a.example/chemin",)},
        {"admin_token_hash": "secret"},
        {"chat_login": "nom"},
    ],
)
def test_bad_rules_are_refused_at_start(bad: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="RECOUPE_"):
        Access.of(load_settings(**bad))


def test_the_chat_can_ask_for_a_login(own: LocalAssistant) -> None:
    login = f"redaction:{hashed('mot de passe')}"
    with serving(with_settings(own, chat_login=login)) as url, httpx.Client(base_url=url) as chat:
        assert page_config(chat)["dependencies"] == []
        bad = {"username": "redaction", "password": "non"}
        assert chat.post("/login", data=bad).status_code == 400
        assert chat.post("/login", data=bad | {"password": "mot de passe"}).status_code == 200
        assert page_config(chat)["dependencies"]
        # No address ends the sessions of others, or this one for a page of another site.
        assert chat.get("/logout").status_code == 404
        assert page_config(chat)["dependencies"]


def test_openapi_is_in_french_and_in_english(api: httpx.Client) -> None:
    french = api.get("/api/v1/openapi.json").json()
    english = api.get("/api/v1/openapi.json", params={"lang": "en"}).json()
    assert french["paths"]["/ask"]["post"]["summary"].startswith("Poser")
    assert english["paths"]["/ask"]["post"]["summary"].startswith("Ask")
    assert french["openapi"].startswith("3.1")


def test_openapi_describes_every_answer(api: httpx.Client) -> None:
    document = api.get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    empty: list[str] = []

    def look(schema: dict[str, Any], where: str) -> None:
        """Note what says no more than « an object »; follow references."""
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        either = schema.get("anyOf", schema.get("oneOf", []))
        for one in either:
            look(one, where)
        if not either and not schema.get("properties"):
            empty.append(where)

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for code, answer in operation["responses"].items():
                assert code == "204" or answer["content"], (path, method, code)
                for kind, content in answer.get("content", {}).items():
                    where = f"{method} {path} {code} {kind}"
                    look(content.get("itemSchema") or content["schema"], where)
    assert empty == []


@pytest.mark.parametrize(
    ("path", "body"),
    [("ask", HALL), ("ask", {"question": "  "}), ("verify", {"text": "Le loup a tué 27 brebis."})],
)
def test_events_are_as_openapi_describes_them(
    api: httpx.Client, path: str, body: dict[str, str]
) -> None:
    document = api.get("/api/v1/openapi.json").json()
    content = document["paths"][f"/{path}"]["post"]["responses"]["200"]["content"]
    described = {
        e["properties"]["event"]["const"]: e["properties"]["data"]["contentSchema"]
        for e in content["text/event-stream"]["itemSchema"]["oneOf"]
    }
    headers = {"Accept": "text/event-stream"}
    with api.stream("POST", f"/api/v1/{path}", json=body, headers=headers) as response:
        found = events(response)
    assert found
    for name, data in found:
        whole = described[name] | {"components": document["components"]}
        assert list(Draft202012Validator(whole).iter_errors(data)) == []


def test_no_input_breaks_the_contract(own: LocalAssistant) -> None:
    """schemathesis: valid and invalid input for each operation; no 5xx, nothing undocumented."""
    token, digest = new_token()
    limits = {"rate_client": "100000/minute", "rate_global": "100000/minute"}
    with serving(with_settings(own, admin_token_hash=digest, **limits)) as url:
        document = httpx.get(f"{url}/api/v1/openapi.json").json()
        for operations in document["paths"].values():
            for operation in operations.values():  # any key but a site's is refused: test_sites.py
                told = operation.get("parameters", [])
                operation["parameters"] = [p for p in told if p["in"] != "header"]
        shown = {"Authorization": f"Bearer {token}"}
        schema = schemathesis.openapi.from_dict(document)
        # A body that is too large is refused too (413).
        refusing = schema.config.checks.negative_data_rejection
        refusing.expected_statuses = [*refusing.expected_statuses, "413"]
        assert _tried(schema, f"{url}/api/v1", shown) > 100


def _tried(schema: Any, base: str, shown: dict[str, str]) -> int:
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @hypothesis_settings(
                max_examples=10,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Any) -> None:
                nonlocal tried
                tried += 1
                # That a text holds a sentence is beyond what a schema can say.
                case.call_and_validate(
                    base_url=base,
                    headers=shown,
                    excluded_checks=[positive_data_acceptance],
                    timeout=60,  # the first may load a network and a parser
                )

            with contextlib.suppress(Unsatisfiable):  # some operations take nothing to get wrong
                check()
    return tried


EXAMPLES = re.findall(
    r"```(bash|python)\n(.*?)```", (ROOT / "docs" / "api.md").read_text("utf-8"), re.DOTALL
)


def test_the_docs_have_examples() -> None:
    assert {language for language, _ in EXAMPLES} == {"bash", "python"}


@pytest.mark.parametrize(("language", "code"), EXAMPLES)
def test_the_examples_of_the_docs_work(language: str, code: str, own: LocalAssistant) -> None:
    own.removals.readmit(["cms-42"])  # that another test removed
    with serving(own) as url:
        code = code.replace("http://127.0.0.1:7860", url)
        command = ["bash", "-c", code] if language == "bash" else [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"status":4' not in done.stdout
    assert any(word in done.stdout for word in ("citations", "Courrier", "claim", "new")), (
        done.stdout
    )


def test_offsets_are_code_points_and_the_docs_slice_them(own: LocalAssistant) -> None:
    (code,) = re.findall(
        r"```javascript\n(.*?)```", (ROOT / "docs" / "api.md").read_text("utf-8"), re.DOTALL
    )
    body = {"title": "Le manège 🎠 rouvre", "text": "Bravo 🎉👨‍👩‍👧 ! Le manège de Kerlec a rouvert "
            "lundi, dit Jeanne Abgrall. Fin 🏁."}  # fmt: skip
    question = {"question": "Quand le manège de Kerlec a-t-il rouvert ?"}
    with serving(own) as url, httpx.Client(base_url=url, timeout=60) as api:
        assert api.put("/api/v1/articles/emoji", json=body).status_code == 200
        text = api.get("/api/v1/articles/emoji").json()["text"]
        answer = api.post("/api/v1/ask", json=question).json()
        assert api.delete("/api/v1/articles/emoji").status_code == 204
    cited = answer["statements"][0]["citations"][0]
    assert cited["quote"] == text[cited["start"] : cited["end"]]
    naive = text.encode("utf-16-le")[2 * cited["start"] : 2 * cited["end"]]
    assert naive.decode("utf-16-le", "replace") != cited["quote"]  # the example is needed here
    if node := shutil.which("node"):
        asked = json.dumps([text, cited["start"], cited["end"]])
        script = f"{code}\nprocess.stdout.write(quoted(...{asked}))"
        done = subprocess.run([node, "-e", script], capture_output=True, check=True, timeout=60)
        assert done.stdout.decode() == cited["quote"]


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["statement", "done", "error"]))
def test_any_text_survives_the_stream_framing(text: str, name: str) -> None:
    """What the server frames, the widget's rules read back: blocks, `event:`, `data:` lines."""
    framed = JSONServerSentEvent({"text": text}, event=name).encode().decode()
    (block,) = [b for b in re.split(r"\r?\n\r?\n", framed) if b]
    lines = re.split(r"\r?\n", block)
    data = "\n".join(line[5:].removeprefix(" ") for line in lines if line.startswith("data:"))
    assert f"event: {name}" in lines
    assert json.loads(data) == {"text": text}


def test_articles_are_found_by_words_and_filters(api: httpx.Client) -> None:
    given = {"words": "« halle aux grains »", "since": "2024-01-01", "order": "newest"}
    page = api.get("/api/v1/articles", params=given).json()
    assert page["found"] == len(page["articles"]) > 0
    assert page["total"] > page["found"]
    for cited in page["excerpts"]:
        text = api.get(f"/api/v1/articles/{cited['article_id']}").json()["text"]
        assert text[cited["start"] : cited["end"]] == cited["quote"]
    source = page["articles"][0]["source"]
    one = api.get("/api/v1/articles", params={"words": "halle", "source": [source, "x"]}).json()
    assert {a["source"] for a in one["articles"]} == {source}
    assert api.get("/api/v1/articles").json()["found"] is None
    for wrong in ({"order": "random"}, {"since": "hier"}, {"words": "x" * 301}):
        assert api.get("/api/v1/articles", params=wrong).status_code == 422
    cursor = {"words": "halle", "after": "newest.5"}  # of another order
    assert api.get("/api/v1/articles", params=cursor).status_code == 422
