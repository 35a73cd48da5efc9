"""Several sites on one Recoupe: each asks and reads its own articles, over real HTTP."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from rag import messages, texts
from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import Article, Filters, Reading, Source
from rag.errors import QuestionError, SettingsError, StoreError
from rag.settings import load_settings
from rag.sites import Site, Sites, Theme
from rag.sites.rules import checked, theme_of
from rag.web.access import new_token
from tests.conftest import ROOT
from tests.test_api import PROBLEM, events, serving, with_settings

HEADER = "X-Recoupe-Site"
NEITHER = "0" * 20
OPEN = "https://www.rivage.example"

# The same event told by two papers of a group; a story of the other alone, never of the site.
BRIDGE = (
    "Le pont de Brévence a rouvert lundi après onze mois de travaux, a annoncé la mairie. "
    "Le chantier a coûté 4,2 millions d’euros, payés par la commune et le département."
)
SECRET = (
    "La conserverie Talvec de Morguen fermera le 12 mai, a révélé sa directrice, Odile Karsen. "
    "Ses 87 salariés l’ont appris mercredi. La direction parle d’une perte de 3 millions d’euros."
)
POOL = "La piscine de Sarrelle accueille 900 nageurs chaque semaine, selon le club local."


def _article(
    key: str, title: str, name: str, text: str, section: str = "", day: int = 3
) -> Article:
    published = date(2024, 5, day) if day else None
    return Article(key, Source(title, name, published=published, section=section), text)


ARTICLES = (
    _article("rivage-pont", "Le pont de Brévence rouvre", "Le Rivage", BRIDGE, "Vie locale"),
    _article("echo-pont", "Le pont de Brévence rouvre enfin", "L’Écho", BRIDGE, "Vie locale", 4),
    _article("echo-usine", "La conserverie Talvec fermera", "L’Écho", SECRET, "Économie", 9),
    _article("echo-sans-date", "Talvec, le dossier", "L’Écho", SECRET + " Dossier.", "Économie", 0),
    _article("rivage-piscine", "La piscine pleine", "Le Rivage", POOL, "Sport", 2),
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> LocalAssistant:
    settings = load_settings(
        index_dir=tmp_path_factory.mktemp("sites"), rate_client="100000/minute",
        rate_global="100000/minute", rate_claims="100000/minute", caution=0.2,
    )  # fmt: skip
    made = LocalAssistant(settings)
    made.ingest(Reading(ARTICLES))
    # What moved to the site's paper keeps a past that was the other's.
    moved = _article("moved", "Talvec recrute", "L’Écho", SECRET.replace("mai", "juin"), "Sport", 5)
    made.ingest(Reading((moved,)))
    text = "Talvec recrute douze personnes à Morguen, a annoncé jeudi Odile Karsen."
    source = replace(moved.source, name="Le Rivage", title="Talvec recrute à Morguen")
    made.ingest(Reading((replace(moved, source=source, text=text),)))
    return made


@pytest.fixture
def sites(own: LocalAssistant) -> Iterator[Sites]:
    """The sites of that index, as a command has them: another connection than the server's."""
    opened = Sites(own.settings.index_dir)
    for site in opened.all():
        opened.remove(site.name)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(own: LocalAssistant) -> Iterator[str]:
    with serving(own) as address:
        yield address


@pytest.fixture
def rivage(sites: Sites) -> Site:
    return sites.add("Le Rivage", checked(sources=["Le Rivage"]))


@pytest.fixture
def client(url: str, rivage: Site) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=f"{url}/api/v1", timeout=60, headers={HEADER: rivage.key}, trust_env=False
    ) as made:
        yield made


def foreign(text: str) -> list[str]:
    """What of the other paper stands in a reply, whatever its place."""
    told = ("L’Écho", "echo-", "Karsen, ", "conserverie", "87 salariés", "Économie", "le dossier")
    return [word for word in told if word in text]


ASKED = [
    "Quand la conserverie Talvec fermera-t-elle ?",
    "Qu’a révélé Odile Karsen ?",
    "Que s’est-il passé à Morguen en mai 2024 ?",
    "Quels articles parlent de Talvec ?",
    "Combien de salariés compte la conserverie Talvec ?",
    "Combien d’articles avez-vous ?",
    "Les derniers articles",
    "De quels sujets parlent tes articles ?",
    "Quelles sont tes sources ?",
    "Quand le pont de Brévence a-t-il rouvert ?",
]


@pytest.mark.parametrize("question", ASKED)
def test_no_question_of_a_site_is_answered_with_another_s_articles(
    client: httpx.Client, question: str
) -> None:
    plain = client.post("/ask", json={"question": question})
    assert plain.status_code == 200
    streamed = {"Accept": "text/event-stream"}
    with client.stream("POST", "/ask", json={"question": question}, headers=streamed) as response:
        whole = events(response)
    found = client.post("/search", json={"question": question, "limit": 100})
    for reply in (plain.text, json.dumps(whole, ensure_ascii=False), found.text):
        # A question is repeated to who asks it, and what it asks is told of as asked.
        assert foreign(reply.replace(json.dumps(question, ensure_ascii=False)[1:-1], "")) == []
    assert dict(whole)["done"]["passages"] == plain.json()["passages"]


def test_without_a_key_all_is_asked_as_before(url: str, rivage: Site) -> None:
    asked = {"question": ASKED[0]}
    answer = httpx.post(f"{url}/api/v1/ask", json=asked, timeout=60).json()
    assert answer["statements"][0]["citations"][0]["source"] == "L’Écho"
    assert httpx.get(f"{url}/api/v1/articles").json()["total"] == len(ARTICLES) + 1
    found = httpx.post(f"{url}/api/v1/search", json={"question": "Talvec"}).text
    assert foreign(found)


def test_counts_and_titles_are_those_of_the_site(url: str, client: httpx.Client) -> None:
    told = client.post("/ask", json={"question": "Combien d’articles avez-vous ?"}).json()
    assert told["answer"].startswith("3 articles")
    newest = client.post("/ask", json={"question": "Les derniers articles"}).json()
    assert "Talvec recrute à Morguen" in newest["answer"]
    about = {"question": "Que s’est-il passé en 2019 ?"}  # the other has an article without a date
    everywhere = httpx.post(f"{url}/api/v1/ask", json=about, timeout=60).json()
    assert "n’a pas de date" in everywhere["notice"]
    assert client.post("/ask", json=about).json()["notice"] == ""
    page = client.get("/articles", params={"limit": 200}).json()
    assert {a["source"] for a in page["articles"]} == {"Le Rivage"}
    assert page["total"] == len(page["articles"]) == 3
    health = client.get("/health").json()
    assert (health["articles"], health["warnings"], health["ready"]) == (3, [], True)


def test_pages_of_a_site_go_on_in_its_own_articles(client: httpx.Client) -> None:
    page = client.get("/articles", params={"limit": 1}).json()
    seen = [a["article_id"] for a in page["articles"]]
    while page["next"]:
        page = client.get("/articles", params={"limit": 1, "after": page["next"]}).json()
        seen += [a["article_id"] for a in page["articles"]]
    assert seen == ["moved", "rivage-pont", "rivage-piscine"]


def test_the_place_of_another_s_article_shows_nothing_of_it(url: str, client: httpx.Client) -> None:
    first = httpx.get(f"{url}/api/v1/articles", params={"limit": 1}).json()
    assert first["articles"][0]["article_id"] == "echo-usine"
    page = client.get("/articles", params={"after": first["next"]})
    assert foreign(page.text.replace(first["next"], "")) == []


def test_another_s_article_is_not_there(client: httpx.Client) -> None:
    unknown = client.get("/articles/rien-de-tel")
    for tail in ("", "/history", "/copies"):
        hidden = client.get(f"/articles/echo-usine{tail}")
        assert hidden.status_code == 404
        assert hidden.json()["detail"] == unknown.json()["detail"].replace(
            "rien-de-tel", "echo-usine"
        )
    ids = "echo-usine,rivage-pont,echo-pont"
    some = client.get("/articles", params={"ids": ids}).json()
    assert [a["article_id"] for a in some["articles"]] == ["rivage-pont"]
    assert some["total"] == 3
    assert client.get("/articles/rivage-pont").json()["text"] == BRIDGE


def test_copies_and_the_past_of_another_are_not_shown(url: str, client: httpx.Client) -> None:
    path = "/articles/rivage-pont/copies"
    assert [c["article_id"] for c in httpx.get(f"{url}/api/v1{path}").json()["copies"]] == [
        "echo-pont"
    ]
    assert client.get(path).json()["copies"] == []
    past = "/articles/moved/history"
    assert len(httpx.get(f"{url}/api/v1{past}").json()["versions"]) == 1
    assert client.get(past).json()["versions"] == []


def test_a_verification_rests_on_the_site_s_articles(url: str, client: httpx.Client) -> None:
    text = {"text": "La conserverie Talvec de Morguen fermera le 12 mai."}
    everywhere = httpx.post(f"{url}/api/v1/verify", json=text, timeout=60).json()
    assert "L’Écho" in json.dumps(everywhere["claims"], ensure_ascii=False)
    assert everywhere["articles"] == len(ARTICLES) + 1
    own_part = client.post("/verify", json=text).json()
    assert "L’Écho" not in json.dumps(own_part, ensure_ascii=False)
    assert own_part["articles"] == 3
    with client.stream(
        "POST", "/verify", json=text, headers={"Accept": "text/event-stream"}
    ) as response:
        assert "L’Écho" not in json.dumps(events(response), ensure_ascii=False)


def test_a_filter_narrows_a_site_and_never_widens_it(client: httpx.Client) -> None:
    for path, body in (
        ("/ask", {"question": ASKED[0]}),
        ("/search", {"question": ASKED[0]}),
        ("/verify", {"text": "La conserverie Talvec de Morguen fermera le 12 mai."}),
    ):
        refused = client.post(path, json=body | {"filters": {"sources": ["L'Écho"]}})
        assert refused.status_code == 422
        assert refused.json()["detail"] == messages.NOT_OF_SITE
        both = {"sources": ["L'Écho", "Le Rivage"]}
        assert foreign(client.post(path, json=body | {"filters": both}).text.replace(
            ASKED[0], "").replace(body.get("text", "-"), "")) == []  # fmt: skip
    some = {"question": "Talvec", "filters": {"sections": ["Sport"], "until": "2024-05-04"}}
    found = client.post("/search", json=some).json()["passages"]
    assert {p["article_id"] for p in found} <= {"rivage-piscine"}
    assert client.post("/search", json=some | {"filters": {"sections": ["Économie"]}}).json() == {
        "passages": []
    }


def test_a_conversation_opens_nothing(client: httpx.Client) -> None:
    told = {"question": ASKED[0], "answer": SECRET}
    for question in ("Et pourquoi ?", "Combien de salariés compte-t-elle ?", "De quoi parle l’article ?"):  # fmt: skip
        body = {"question": question, "history": [told]}
        answer = client.post("/ask", json=body).json()
        shown = [answer["statements"], answer["nearest"], answer["passages"], answer["suggestion"]]
        assert foreign(json.dumps(shown, ensure_ascii=False)) == []


def test_sections_and_sources_both_hold(url: str, sites: Sites) -> None:
    site = sites.add("Sport", checked(sections=["Sport"], sources=["Le Rivage"]))
    listed = httpx.get(f"{url}/api/v1/articles", headers={HEADER: site.key}).json()
    assert {a["article_id"] for a in listed["articles"]} == {"moved", "rivage-piscine"}


def test_each_address_of_the_api_asks_for_the_site(url: str, sites: Sites) -> None:
    """With a key that is nobody's nothing answers, whatever is added to the API later."""
    tried = 0
    with httpx.Client(base_url=f"{url}/api/v1", trust_env=False) as client:
        for path, operations in client.get("/openapi.json").json()["paths"].items():
            for method in operations:
                address = path.replace("{article_id}", "rivage-pont")
                for key in (NEITHER, "", "é".encode("latin-1"), "x" * 10_000, "' or 1=1 --"):
                    got = client.request(method, address, headers={HEADER: key})
                    assert (got.status_code, got.headers["content-type"]) == (403, PROBLEM), path
                    assert got.json()["detail"] == messages.UNKNOWN_KEY
                    tried += 1
    assert tried >= 13 * 5


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions", "/mcp"])
def test_what_knows_no_sites_does_not_answer_them(url: str, rivage: Site, path: str) -> None:
    for key in (rivage.key, NEITHER):
        got = httpx.post(f"{url}{path}", json={}, headers={HEADER: key})
        assert (got.status_code, got.json()["detail"]) == (403, texts.SITE_NOT_HERE)
    assert httpx.post(f"{url}{path}", json={}).status_code != 403


def test_a_pause_holds_at_the_next_question(client: httpx.Client, sites: Sites) -> None:
    asked = {"question": ASKED[-1]}
    assert client.post("/ask", json=asked).status_code == 200
    sites.pause("Le Rivage", paused=True)
    for got in (
        client.post("/ask", json=asked),
        client.post("/ask", json=asked, headers={"Accept": "text/event-stream"}),
        client.post("/search", json=asked),
        client.post("/verify", json={"text": "Le pont a rouvert."}),
        client.get("/articles"),
        client.get("/site"),
        client.post("/feedback", json={"rating": "useful"}),
    ):
        assert (got.status_code, got.headers["content-type"]) == (403, PROBLEM)
        assert got.json()["detail"] == texts.PAUSED
    sites.pause("Le Rivage", paused=False)
    assert client.post("/ask", json=asked).status_code == 200


def test_another_key_ends_the_first(client: httpx.Client, sites: Sites) -> None:
    key = sites.renew("Le Rivage").key
    assert client.get("/articles").status_code == 403
    assert client.get("/articles", headers={HEADER: key}).status_code == 200
    sites.remove("Le Rivage")
    assert client.get("/articles", headers={HEADER: key}).status_code == 403


def test_a_quota_is_told_until_midnight(client: httpx.Client, sites: Sites) -> None:
    sites.edit("Le Rivage", checked(quota="2/jour"))
    asked = {"question": ASKED[-1]}
    bad = client.post("/ask", json={"question": ""})  # what cannot be read costs nothing
    assert bad.status_code == 422
    assert [client.post("/search", json=asked).status_code for _ in range(2)] == [200, 200]
    now = datetime.now(UTC).astimezone()
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time()).astimezone()
    for headers in ({}, {"Accept": "text/event-stream"}):
        got = client.post("/ask", json=asked, headers=headers)
        assert (got.status_code, got.headers["content-type"]) == (429, PROBLEM)
        assert got.json()["detail"] == messages.QUOTA_USED
        assert abs(int(got.headers["retry-after"]) - (midnight - now).total_seconds()) < 60
    assert client.post("/verify", json={"text": "Le pont a rouvert lundi."}).status_code == 429
    assert client.get("/articles").status_code == 200  # what is read costs nothing
    assert client.post("/feedback", json={"rating": "useful"}).status_code == 201
    sites.edit("Le Rivage", checked(quota=""))
    assert client.post("/search", json=asked).status_code == 200


def test_a_verification_costs_its_claims(client: httpx.Client, sites: Sites) -> None:
    sites.edit("Le Rivage", checked(quota="3/jour"))
    two = {"text": "Le pont de Brévence a rouvert lundi. La piscine de Sarrelle a fermé mardi."}
    four = {"text": " ".join(f"Le pont numéro {n} a coûté {n} millions d’euros." for n in range(4))}
    refused = client.post("/verify", json=four)
    assert refused.status_code == 422
    assert refused.json()["detail"] == messages.CLAIMS_OVER_QUOTA.format(4, 3)
    assert client.post("/verify", json=two).status_code == 200
    assert sites.used("Le Rivage") == 2
    assert client.post("/verify", json=two).status_code == 429
    assert sites.used("Le Rivage") == 2


def test_a_quota_begins_again_at_midnight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the machine's day: 2024-03-31 has 23 hours in Paris."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    try:
        now = [datetime(2024, 3, 30, 23, 30, tzinfo=UTC).timestamp()]  # 0.30 in Paris
        sites = Sites(tmp_path, clock=lambda: now[0])
        site = sites.add("S", checked(quota="2/jour"))
        assert [sites.take(site, n) for n in (1, 1)] == [0, 0]
        left = 22.5 * 3600  # the clock will jump an hour
        assert [sites.take(site, n) for n in (1, 0, 2)] == [left] * 3
        now[0] += left - 1
        assert sites.take(site, 1) == 1
        now[0] += 1
        assert sites.used("S") == 0
        assert sites.take(site, 2) == 0
        assert (sites.used("S"), sites.take(site, 0)) == (2, 24 * 3600)
        with pytest.raises(QuestionError, match="3 affirmations"):
            sites.take(site, 3)
    finally:
        monkeypatch.undo()
        time.tzset()


TAKING = """
import sys
from pathlib import Path
from rag.sites import Sites
sites = Sites(Path(sys.argv[1]))
site = sites.named("S")
print("ready", flush=True)
sys.stdin.readline()
print(sum(sites.take(site, 1) == 0 for _ in range(150)))
"""


def test_two_processes_never_go_beyond_a_quota(tmp_path: Path) -> None:
    Sites(tmp_path).add("S", checked(quota="200/jour"))
    made = [
        subprocess.Popen([sys.executable, "-c", TAKING, str(tmp_path)], cwd=ROOT, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    assert [p.stdout.readline() for p in made if p.stdout] == ["ready\n"] * 2
    for process in made:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    assert sum(int(p.communicate(timeout=60)[0]) for p in made) == 200
    assert Sites(tmp_path).used("S") == 200


KILLED = """
import os, sys
from pathlib import Path
from rag.sites.rules import checked
from rag.sites import Sites
sites = Sites(Path(sys.argv[1]))
site = sites.add("S", checked(sources=["A"], quota="5/jour"))
assert sites.take(site, 3) == 0
with sites._change() as base:
    base.execute("update sites set sources = '[]', paused = 0 where name = 'S'")
    print("half", flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_kill_leaves_a_site_as_it_was(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert (done.stdout, done.returncode) == ("half\n", -9)
    sites = Sites(tmp_path)
    assert (sites.named("S").sources, sites.used("S")) == (("A",), 3)


def test_a_site_is_read_while_another_process_writes(tmp_path: Path) -> None:
    """The guard reads sites between requests: it must not wait for a count that waits."""
    sites = Sites(tmp_path)
    site = sites.add("S", checked(origins=[OPEN]))
    writer = sqlite3.connect(tmp_path / "sites.sqlite3", isolation_level=None)
    writer.execute("begin immediate")
    counting = threading.Thread(target=sites.take, args=[site, 1])
    counting.start()
    time.sleep(0.2)
    start = time.monotonic()
    assert sites.of_key(site.key) == site
    assert sites.has_origin(OPEN)
    assert time.monotonic() - start < 1
    assert counting.is_alive()
    writer.execute("rollback")
    counting.join()
    writer.close()
    assert sites.used("S") == 1


def test_two_commands_at_once_lose_nothing(tmp_path: Path) -> None:
    """One pauses while the other changes the quota, each with a connection of its own."""
    Sites(tmp_path).add("S", checked(sources=["A"]))

    def repeat(rules: dict[str, Any]) -> None:
        sites = Sites(tmp_path)
        for _ in range(50):
            sites.edit("S", rules)

    threads = [
        threading.Thread(target=repeat, args=[r]) for r in ({"paused": 1}, checked(quota="9/jour"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    site = Sites(tmp_path).named("S")
    assert (site.paused, site.quota, site.sources) == (True, 9, ("A",))


def test_a_page_of_a_site_has_its_own_key(url: str, sites: Sites) -> None:
    """Of origins that only a site names, its key alone is taken; of a browser, from it alone."""
    site = sites.add("Le Rivage", checked(sources=["Le Rivage"], origins=[f"{OPEN}/"]))
    other = sites.add("Écho", checked(sources=["L’Écho"], origins=["https://echo.example"]))
    search, asked = f"{url}/api/v1/search", {"question": "pont"}

    def got(origin: str, key: str | None) -> httpx.Response:
        headers = {"Origin": origin} | ({HEADER: key} if key is not None else {})
        return httpx.post(search, json=asked, headers=headers)

    good = got(OPEN, site.key)
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (200, OPEN)
    assert got(OPEN, other.key).status_code == 403
    assert got(OPEN, None).status_code == 403
    assert got(OPEN, NEITHER).status_code == 403
    assert got("https://evil.example", site.key).status_code == 403
    assert got("null", site.key).status_code == 403
    assert got(url, site.key).status_code == 200  # the frame of /embed, which is ours
    assert httpx.post(search, json=asked, headers={HEADER: site.key}).status_code == 200  # programs
    told = {"Origin": OPEN, "Access-Control-Request-Method": "POST"}
    preflight = httpx.options(search, headers=told)
    assert preflight.status_code == 204
    assert HEADER.lower() in preflight.headers["access-control-allow-headers"]
    assert httpx.options(search, headers=told | {"Origin": "https://x.example"}).status_code == 403
    script = httpx.get(f"{url}/widget.js", headers={"Origin": OPEN})
    assert script.headers["access-control-allow-origin"] == OPEN
    for closed in ("/", "/gradio_api/queue/join", "/v1/models", "/metrics", "/mcp"):
        for method in ("GET", "OPTIONS", "POST"):
            headers = told | {HEADER: site.key}
            assert httpx.request(method, f"{url}{closed}", headers=headers).status_code == 403


def test_a_site_with_origins_is_not_the_settings_other_sites(
    own: LocalAssistant, sites: Sites
) -> None:
    first, second = "https://a.example", "https://b.example"
    tied = sites.add("A", checked(origins=[first]))
    free = sites.add("B", checked())
    with serving(with_settings(own, allowed_origins=(first, second))) as url:

        def status(origin: str, key: str) -> int:
            headers = {"Origin": origin, HEADER: key}
            return httpx.get(f"{url}/api/v1/articles", headers=headers).status_code

        assert (status(first, tied.key), status(second, tied.key)) == (200, 403)
        assert (status(first, free.key), status(second, free.key)) == (200, 200)
        told = httpx.get(f"{url}/api/v1/articles", headers={"Origin": second, HEADER: tied.key})
        assert told.json()["detail"] == texts.OTHER_ORIGIN
        assert told.headers["access-control-allow-origin"] == second  # its page can read why


def test_the_frame_of_a_site_is_for_its_pages(url: str, sites: Sites) -> None:
    site = sites.add("R", checked(origins=[OPEN]))
    page = httpx.get(f"{url}/embed", params={"site": site.key})
    assert f'<recoupe-chat site="{site.key}">' in page.text
    assert f"frame-ancestors 'self' {OPEN}" in page.headers["content-security-policy"]
    plain = httpx.get(f"{url}/embed")
    assert OPEN not in plain.headers["content-security-policy"]
    assert "site=" not in plain.text
    evil = httpx.get(f"{url}/embed", params={"site": '"><script>alert(1)</script>'})
    assert "<script>alert" not in evil.text
    assert "site=&" not in httpx.get(f"{url}/embed?site=").text
    assert '<recoupe-chat site="">' in httpx.get(f"{url}/embed?site=").text


def test_a_site_may_be_required(own: LocalAssistant, sites: Sites) -> None:
    site = sites.add("R", checked(sources=["Le Rivage"]))
    token, digest = new_token()
    served = with_settings(own, require_site=True, admin_token_hash=digest)
    keeper = {"Authorization": f"Bearer {token}"}
    with serving(served) as url:
        api = f"{url}/api/v1"
        for path in ("/articles", "/articles/rivage-pont", "/articles/rivage-pont/copies", "/site"):
            got = httpx.get(api + path)
            assert (got.status_code, got.json()["detail"]) == (403, messages.SITE_REQUIRED)
            assert httpx.get(api + path, headers={HEADER: site.key}).status_code == 200
            assert httpx.get(api + path, headers=keeper).status_code == 200
            wrong = {"Authorization": "Bearer faux"}
            assert httpx.get(api + path, headers=wrong).status_code == 403
        for path in ("/ask", "/search", "/verify", "/feedback"):
            assert httpx.post(api + path, json={"question": "pont"}).status_code == 403
        assert httpx.get(f"{api}/health").status_code == 200
        assert httpx.get(f"{api}/feedback", headers=keeper).status_code == 200
        assert httpx.get(f"{url}/v1/models").status_code == 403
        assert httpx.get(f"{url}/v1/models", headers=keeper).status_code == 200
        assert httpx.post(f"{url}/mcp", json={}).status_code == 403


def test_the_look_of_a_site_is_told(url: str, sites: Sites) -> None:
    look = checked(accent="#7A2E1D", font="Georgia, Source Serif 4, serif", radius=0)
    site = sites.add("R", look)
    asked = f"{url}/api/v1/site"
    told = {"accent": "#7a2e1d", "font": "Georgia, Source Serif 4, serif", "radius": 0}
    assert httpx.get(asked, headers={HEADER: site.key}).json() == told
    assert httpx.get(asked).json() == {"accent": "", "font": "", "radius": None}
    sites.edit("R", checked(accent="", font="", radius=-1))
    assert sites.named("R").theme == Theme()


def test_a_look_that_was_put_into_the_file_by_hand_is_not_shown(tmp_path: Path) -> None:
    sites = Sites(tmp_path)
    sites.add("R", checked(accent="#fff"))
    with sites._change() as base:
        base.execute("update sites set accent = 'red; } body { background: url(//x)'")
    assert sites.named("R").theme == Theme()


@pytest.mark.parametrize(
    "given",
    [
        {"accent": "red"}, {"accent": "#7a2e1d; background: url(//x)"}, {"accent": "#7a2e1"},
        {"accent": "#７ａ２"}, {"font": "x; color: red"}, {"font": "url(//evil.example)"},
        {"font": 'Georgia", serif'}, {"font": "a{}"}, {"font": "x" * 10_000}, {"font": "a\\62"},
        {"font": "expression(alert(1))"}, {"radius": 41}, {"radius": -2},
        {"quota": "beaucoup"}, {"quota": "0/jour"}, {"quota": "-1/jour"}, {"quota": "9/heure"},
        {"quota": "9" * 10_000 + "/jour"}, {"quota": "٣/jour"},
        {"origins": ["*"]}, {"origins": ["https://a.example/page"]}, {"origins": ["javascript:x"]},
        {"origins": ["https://a.example'; script-src *"]}, {"origins": ["null"]},
        {"sources": ["x" * 301]}, {"sources": [str(n) for n in range(51)]},
    ],
)  # fmt: skip
def test_bad_rules_are_refused_in_french(given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as error:
        checked(**given)
    assert str(error.value).endswith(".")
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 61, "<b>", "-a", "\u202eabc"])
def test_a_site_has_a_name_that_can_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="nom de site"):
        Sites(tmp_path).add(name, {})


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"css": "a"}', '{"radius": "4"}', '{"radius": true}', '{"accent": 1}']
)
def test_a_theme_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "theme.json"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match="ne se lit pas"):
        theme_of(file)


def test_filters_meet_or_have_nothing_in_common() -> None:
    bounds = Filters(sources=("A", "B"), since=date(2024, 1, 1))
    asked = Filters(sources=("B", "C"), sections=("S",), since=date(2023, 1, 1))
    assert asked.within(bounds) == Filters(("B",), (), ("S",), date(2024, 1, 1))
    assert Filters().within(bounds) == bounds
    assert bounds.within(Filters()) == bounds
    assert Filters(sources=("C",)).within(bounds) is None


def test_a_site_without_an_article_says_so(url: str, sites: Sites) -> None:
    """Of a source that is there no more: it has no answer, and never one of the others."""
    site = sites.add("Vide", checked(sources=["La Disparue"]))
    headers = {HEADER: site.key}
    for question in ASKED:
        got = httpx.post(
            f"{url}/api/v1/ask", json={"question": question}, headers=headers, timeout=60
        ).json()
        assert (got["statements"], got["nearest"], got["passages"]) == ([], [], [])
    assert httpx.get(f"{url}/api/v1/articles", headers=headers).json() == {
        "articles": [], "next": "", "total": 0, "found": None, "excerpts": [],
    }  # fmt: skip
    assert httpx.get(f"{url}/api/v1/health", headers=headers).status_code == 503


def test_metrics_count_by_site(url: str, client: httpx.Client, sites: Sites) -> None:
    client.post("/search", json={"question": "pont"})
    sites.pause("Le Rivage", paused=True)
    client.post("/search", json={"question": "pont"})
    exposed = httpx.get(f"{url}/metrics").text
    samples = [
        s
        for family in text_string_to_metric_families(exposed)
        if family.name == "recoupe_site_questions"
        for s in family.samples
        if s.name.endswith("_total")
    ]
    counted = {(s.labels["site"], s.labels["outcome"]): s.value for s in samples}
    assert counted["Le Rivage", "taken"] >= 1
    assert counted["Le Rivage", "refused"] >= 1
    assert NEITHER not in exposed


def test_a_damaged_file_of_sites_is_told(tmp_path: Path) -> None:
    (tmp_path / "sites.sqlite3").write_bytes(b"x" * 8192)
    with pytest.raises(StoreError, match="abîmé"):
        Sites(tmp_path)


@pytest.fixture
def run(own: LocalAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Commands over an index of their own, with the articles of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECOUPE_INDEX_DIR", str(tmp_path / "index"))
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    made.ingest(Reading(ARTICLES))
    made.close()
    return lambda *arguments: CliRunner().invoke(app, ["site", *arguments], prog_name="recoupe")


def test_the_commands_from_the_first_to_the_last(run: Any, tmp_path: Path) -> None:
    theme = tmp_path / "theme.json"
    theme.write_text('{"accent": "#7a2e1d", "radius": 3}', "utf-8")
    added = run("add", "Le Rivage", "--source", "le rivage", "--quota", "500/jour", "--origine",
                OPEN, "--theme", str(theme), "--couleur", "#123456")  # fmt: skip
    assert added.exit_code == 0, added.output
    (site,) = json.loads(run("list", "--json").stdout)
    assert site["sources"] == ["Le Rivage"]
    assert (site["quota"], site["origins"], site["questions_today"]) == (500, [OPEN], 0)
    assert site["theme"] == {"accent": "#123456", "font": "", "radius": 3}
    assert f'<recoupe-chat site="{site["key"]}">' in added.stdout
    assert "n’est pas un secret" in added.stderr
    again = run("add", "Le Rivage")
    assert (again.exit_code, "existe déjà" in again.stderr) == (1, True)
    slip = run("add", "Écho", "--source", "L'Échos")
    assert (slip.exit_code, "vouliez-vous « L’Écho »" in slip.stderr.replace("\u00a0", " ")) == (1, True)  # fmt: skip
    assert run("edit", "Le Rivage").exit_code == 1
    assert run("edit", "Inconnu", "--quota", "1/jour").exit_code == 1
    assert run("edit", "Le Rivage", "--quota", "", "--rubrique", "Sport").exit_code == 0
    assert run("pause", "Le Rivage").exit_code == 0
    line = run("list").stdout
    assert "en pause" in line
    assert "0 question aujourd’hui" in line
    assert "rubrique Sport" in line
    assert run("resume", "Le Rivage").exit_code == 0
    key = json.loads(run("key", "Le Rivage", "--json").stdout)["key"]
    assert key != site["key"]
    assert run("remove", "Le Rivage").exit_code == 0
    assert run("remove", "Le Rivage").exit_code == 1
    assert run("list").stdout == f"{texts.NO_SITES_YET}\n"


def test_a_source_that_went_is_told(run: Any, tmp_path: Path) -> None:
    assert run("add", "Écho", "--source", "L'Écho").exit_code == 0
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    made.remove([a.id for a in ARTICLES if a.source.name == "L’Écho"])
    made.close()
    told = run("list").stderr
    assert "«\u00a0Écho\u00a0» cherche dans «\u00a0L’Écho\u00a0»" in told


def test_commands_want_an_index_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["list"], ["add", "S"], ["pause", "S"]):
        done = CliRunner().invoke(app, ["site", *command, "--index", str(tmp_path / "rien")])
        assert (done.exit_code, "Il n’y a pas d’index" in done.stderr) == (1, True)
    assert not (tmp_path / "rien").exists()
