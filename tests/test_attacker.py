"""What an attacker who had read SECURITY.md alone found, each tried again."""

from __future__ import annotations

import io
import json
import resource
from typing import Any

import httpx
import pytest

from rag.answering.followup import rewrite_candidates
from rag.assistant import LocalAssistant
from rag.domain import (
    Attribution,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Hit,
    Kind,
    Label,
    Passage,
    Signal,
    Source,
    Stance,
    Turn,
)
from rag.paid import Allowance, bounded_claim, bounded_hits
from rag.settings import load_settings
from rag.web.access import new_token
from tests.test_api import page_config, serving, with_settings
from tests.test_limits import function_of, joined

PAID = Source("Le viaduc", "Le Rivage", paywalled=True)
MANY = "100000/minute"


@pytest.fixture(scope="module")
def served(assistant: LocalAssistant) -> LocalAssistant:
    return with_settings(assistant, rate_client=MANY, rate_events=MANY, rate_sessions=MANY)


def test_a_follow_up_of_a_long_question_takes_no_memory() -> None:
    """Each place that it names made a copy of it: 2 GB for 100 KB."""
    long = "Que s'est-il passé à " + " à ".join(["Lyon"] * 14_000) + " ?"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(rewrite_candidates("Et à Paris ?", [Turn(long, "x")])) <= 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KB


def test_what_was_asked_before_is_bounded(served: LocalAssistant) -> None:
    messages = [
        {"role": "user", "content": "loup " * 150_000}, {"role": "assistant", "content": "x"},
        {"role": "user", "content": "Et à Paris ?"},
    ]  # fmt: skip
    with serving(served) as url:
        body = {"model": "recoupe", "messages": messages}
        httpx.post(f"{url}/v1/chat/completions", json=body | {"messages": messages[2:]}, timeout=60)
        got = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60)
    assert got.status_code == 200
    assert got.elapsed.total_seconds() < 10


@pytest.mark.parametrize(
    "click",
    [
        {"turn": -1, "number": -1}, {"turn": 0, "number": 99}, {"turn": "1_0", "number": 0},
        {"turn": float("inf"), "number": 1}, {"near": float("inf"), "turn": 0}, {},
    ],
)  # fmt: skip
def test_a_click_that_the_page_does_not_make_raises_nothing(
    served: LocalAssistant, click: dict[str, Any]
) -> None:
    import gradio as gr

    from rag.web.access import Access
    from rag.web.chat import Chat
    from rag.web.conversation import ChatTurn
    from rag.web.limits import Gate, Rates

    settings = served.settings
    chat = Chat(
        served, Access.of(settings), Rates(settings), Gate(1, 1), settings.index_dir / "uploads"
    )
    answer = served.ask("Combien a coûté la restauration de la halle aux grains ?")
    shown = chat.questions.open_citation([ChatTurn(answer)], gr.EventData(None, click))
    assert "Cliquez" in shown


def test_events_that_fail_write_little_and_nothing_that_was_typed(
    served: LocalAssistant, written: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """One click wrote 2 MB: the framework prints past the log what a visitor typed."""
    with serving(served) as url, httpx.Client(base_url=url, timeout=60) as client:
        ask = function_of(client, "rc-send", "click")
        for n in range(30):
            data = ["loup", None, None, f"zanzibar-{n} \u0080" * 3000, *[""] * 5]
            body = {"fn_index": ask, "session_hash": f"s{n}", "data": data}
            assert client.post("/gradio_api/queue/join", json=body).status_code == 200
            with client.stream("GET", f"/gradio_api/queue/data?session_hash=s{n}") as told:
                told.read()
    printed = capfd.readouterr()
    everything = written.getvalue() + printed.err + printed.out
    assert "zanzibar" not in everything
    assert len(written.getvalue()) < 40_000


def test_a_page_that_reads_nothing_is_told_to_wait(served: LocalAssistant) -> None:
    with serving(served) as url, httpx.Client(base_url=url, timeout=60) as client:
        clear = function_of(client, "rc-check-clear", "click")
        statuses = []
        for _ in range(20):
            body = {"fn_index": clear, "session_hash": "muette", "data": []}
            statuses.append(client.post("/gradio_api/queue/join", json=body).status_code)
        assert statuses.count(429) >= 7
        assert joined(client, function_of(client, "rc-send", "click"), "autre", "") == 200


def test_an_article_that_is_paid_for_stays_so_when_it_is_pushed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    token, digest = new_token()
    made = LocalAssistant(
        load_settings(index_dir=tmp_path_factory.mktemp("paid"), admin_token_hash=digest)
    )
    text = (
        "<p>Le viaduc de Garbuzec a coûté trois millions d’euros à la région, selon le préfet.</p>"
    )
    marks = (
        '<meta property="article:content_tier" content="locked">',
        '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":false}</script>',
    )
    with (
        serving(made) as url,
        httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as keeper,
    ):
        for key, body in (
            ("m", {"format": "html", "text": marks[0] + text}),
            ("j", {"format": "html", "text": marks[1] + text}),
            (
                "w",
                {
                    "format": "html",
                    "text": f"<html><head>{marks[0]}</head><body>{text}</body></html>",
                },
            ),
            (
                "f",
                {"text": "Le viaduc de Garbuzec est payant, a dit le préfet.", "paywalled": True},
            ),
        ):
            for again in (body, {"text": f"Le viaduc {key} de Garbuzec sera repeint en mai."}):
                put = keeper.put(f"/articles/{key}", json={"title": f"Viaduc {key}"} | again)
                assert put.status_code == 200, put.text
                seen = httpx.get(f"{url}/api/v1/articles/{key}").json()
                assert (seen["paywalled"], "text" in seen) == (True, False), (key, again)
        free = {"title": "Viaduc f", "text": "Le viaduc est libre d’accès.", "paywalled": False}
        keeper.put("/articles/f", json=free)
        assert httpx.get(f"{url}/api/v1/articles/f").json()["text"]
    made.close()


def test_a_heading_of_a_paid_article_counts(tmp_path: Any) -> None:
    heading = "Les travaux du viaduc " * 18
    passage = Passage(
        "a:v:1", "a", 1, 500, 550, "Le viaduc ouvrira en mai, selon la région Bretagne", heading
    )
    (hit,) = bounded_hits([Hit(passage, PAID, 1.0)], 300)
    assert hit.passage.heading == ""
    own = Passage("a:v:1", "a", 1, 500, 507, "Travaux", "Travaux")
    assert bounded_hits([Hit(own, PAID, 1.0)], 300)[0].passage.heading == "Travaux"


def evidence(quote: str, start: int, **changes: Any) -> ClaimEvidence:
    cited = Citation("a", PAID, start, start + len(quote), quote)
    return ClaimEvidence(cited, Attribution(), Stance.CONTRADICTS, 0.9, 1.0, **changes)


def test_reasons_and_signals_tell_no_figure_nor_name_that_is_not_shown() -> None:
    spent = Allowance(100)
    spent.cut(PAID, "a", 0, "x" * 100)
    reason = "Le Rivage rapporte autre chose\u00a0: 7 euros dans l’affirmation, 89874 euros dans l’article."
    quote = "Le viaduc a coûté 89874 euros, a dit Martin Durand."
    claim = CheckedClaim("Le viaduc a coûté 7 euros.", Label.CONTRADICTED, reason)
    hidden = bounded_claim(
        CheckedClaim(claim.text, claim.verdict, reason, evidence=(evidence(quote, 500),)), spent
    )
    assert "89874" not in hidden.reason
    assert hidden.evidence == ()
    signals = (
        Signal(
            "noms",
            "« Durand » n’est pas dans l’article, qui parle de Tisibamo, Ritodoti",
            "à vérifier",
        ),
        Signal("nombre", "7 dans l’affirmation, 89874 dans l’article", "contre"),
    )
    said = Attribution(Kind.STATEMENT, "Josiane Vermeulin")
    shown = bounded_claim(
        CheckedClaim(
            claim.text, claim.verdict, reason, evidence=(evidence(quote, 500, signals=signals),)
        ),
        Allowance(300),
    )
    assert shown.reason == reason
    assert [s.name for s in shown.evidence[0].signals] == ["nombre"]
    named = bounded_claim(
        CheckedClaim(claim.text, claim.verdict, "", evidence=(ClaimEvidence(
            Citation("a", PAID, 0, len(quote), quote), said, Stance.SUPPORTS, 1.0, 1.0),)),
        Allowance(300),
    )  # fmt: skip
    assert named.evidence[0].attribution.speaker == ""


def test_a_stream_of_tools_is_not_opened(served: LocalAssistant) -> None:
    with serving(served) as url:
        assert httpx.get(f"{url}/mcp", timeout=10).status_code == 405


@pytest.mark.parametrize("text", ["\ud800 le loup a tué 3 brebis.", "\ud800 loup ?"])
def test_half_a_character_breaks_no_page(served: LocalAssistant, text: str) -> None:
    with serving(served) as url, httpx.Client(base_url=url, timeout=60) as client:
        ask, check = (function_of(client, e, "click") for e in ("rc-send", "rc-check"))
        for function, data in ((ask, [text, None, "", [], [], [], "", "", ""]), (check, [text])):
            body = json.dumps({"fn_index": function, "session_hash": f"h{function}", "data": data})
            headers = {"Content-Type": "application/json"}
            sent = client.post("/gradio_api/queue/join", content=body, headers=headers)
            assert sent.status_code == 200
            with client.stream("GET", f"/gradio_api/queue/data?session_hash=h{function}") as told:
                lines = told.read().decode()
            assert "process_completed" in lines
            assert "unexpected_error" not in lines


def test_over_tls_no_cookie_goes_in_clear(served: LocalAssistant) -> None:
    from rag.web.access import hashed

    closed = with_settings(
        served, chat_login=f"r:{hashed('p')}", trusted_proxies=("127.0.0.1",), rate_client=MANY
    )
    with serving(closed) as url:
        for scheme, count in (("https", 1), ("http", 2)):
            got = httpx.post(
                f"{url}/login", data={"username": "r", "password": "p"},
                headers={"X-Forwarded-Proto": scheme, "X-Forwarded-For": "203.0.113.5"},
            )  # fmt: skip
            cookies = got.headers.get_list("set-cookie")
            assert len(cookies) == count
            assert scheme == "http" or all("secure" in c.lower() for c in cookies)


def test_one_visitor_leaves_places_to_verify(served: LocalAssistant) -> None:
    import asyncio

    from rag.web.limits import Gate, TooManyError

    async def scenario() -> None:
        gate = Gate(concurrent=2, waiting=16)
        taken = []
        for _ in range(4):
            place = gate.place("192.0.2.1", long=True)
            await place.__aenter__()
            taken.append(place)
        with pytest.raises(TooManyError) as full:
            gate.check("192.0.2.1", long=True)
        assert full.value.status == 429
        gate.check("192.0.2.2", long=True)
        gate.check("192.0.2.1")
        for place in taken:
            await place.__aexit__(None, None, None)

    asyncio.run(scenario())


def test_the_page_itself_still_works(served: LocalAssistant) -> None:
    with serving(served) as url, httpx.Client(base_url=url) as client:
        assert page_config(client)["dependencies"]
