"""The « Vérifier » tab: the checked text in place, its panels, what stops, what is kept."""

from __future__ import annotations

import re
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from rag import messages, texts
from rag.assistant import LocalAssistant
from rag.domain import (
    Article,
    Attribution,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Kind,
    Label,
    Reading,
    Review,
    Source,
    Stance,
)
from rag.errors import ReadError
from rag.readers.fetch import is_own_network
from rag.settings import load_settings
from rag.web.limits import Gate, Rates
from rag.web.render_claims import CheckedText, checked_html, pieces, rest, sides
from rag.web.verify_address import lone_address, text_at
from rag.web.verify_example import example
from rag.web.verify_tab import VerifyTab
from tests.servers import running
from tests.test_api import MANY, checked, idle, own, page_config, pressed, serving, with_settings

__all__ = ["checked", "own"]  # fixtures

BAC = "Le bac de Lérins a transporté 311 voyageurs en mars 2024, selon le registre du port."


def visible(markup: str) -> str:
    """Return the checked text as a reader sees it, without its badges."""
    (shown,) = html.fromstring(markup).find_class("rc-text")
    for badge in shown.find_class("rc-badge"):
        badge.drop_tree()
    return str(shown.text_content())


SPANS = st.none() | st.tuples(st.integers(-3, 60), st.integers(-3, 60))


@given(st.text(max_size=50), st.lists(SPANS, max_size=8))
def test_a_text_in_pieces_is_that_text(text: str, spans: list[tuple[int, int] | None]) -> None:
    cut = pieces(text, spans)
    assert "".join(piece.text for piece in cut) == text
    numbers = [at for piece in cut for at in piece.claims]
    within = [at for at, s in enumerate(spans) if s and 0 <= s[0] < s[1] <= len(text)]
    assert sorted(numbers) == within
    for at in within:
        start, end = spans[at] or (0, 0)
        (piece,) = (piece for piece in cut if at in piece.claims)
        assert text[start:end] in piece.text
    # A claim without a place follows, by its name.
    named = pieces(text, spans, [f"nom {n}" for n in range(len(spans))])
    assert sorted(at for piece in named for at in piece.claims) == list(range(len(spans)))


def verdict(text: str, **given: object) -> CheckedClaim:
    return replace(CheckedClaim(text, Label.SUPPORTED, "Raison."), **given)  # type: ignore[arg-type]


HOSTILE = (
    "<b>Le bac</b> part {{7*7}} ${1} à midi.\n\tאבג שלום 🚒 e\u0301te\u0301.\n"
    "<script>alert(1)</script> fin"
)


def test_what_is_shown_is_the_text_and_nothing_else() -> None:
    spans = [(0, 20), (30, 45)]
    done = CheckedText(
        tuple(verdict(HOSTILE[a:b], span=(a, b)) for a, b in spans),
        "2024-01-01T10:00:00+01:00", "e", "m", "c", 1, "v", HOSTILE, 2,
    )  # fmt: skip
    markup = checked_html(done)
    assert visible(markup) == HOSTILE
    tree = html.fromstring(markup)
    assert not tree.xpath("//script | //b")
    assert [b.text_content() for b in tree.find_class("rc-badge")] == [
        "1\u00a0· Soutenu", "2\u00a0· Soutenu",
    ]  # fmt: skip
    assert "{" not in markup
    assert "$" not in markup


def test_the_text_says_what_the_journalist_decided() -> None:
    reviews = [
        Review(), Review("accepted"), Review("rejected"), Review("corrected", Label.CONTRADICTED),
    ]  # fmt: skip
    text = "Le bac part."
    claims = tuple(verdict(text, review=review) for review in reviews)
    done = CheckedText(claims, "2024-01-01T10:00:00+01:00", "e", "m", "c", 1, "v", text, 4)
    tree = html.fromstring(checked_html(done))
    badges = tree.xpath("//button[@data-verdict and contains(@class, 'rc-badge')]")
    assert [" ".join(b.text_content().split()) for b in badges] == [
        "1 · Soutenu", "2 · Soutenu ✓ accepté", "3 · Soutenu rejeté", "4 · Contredit ✓ corrigé",
    ]  # fmt: skip
    shown = {
        f.get("data-filter"): f.text_content()
        for f in tree.xpath("//*[@data-filter and not(@hidden)]")
    }
    assert shown == {
        "": "Toutes\u00a0(4)", "supported": "Soutenu\u00a0(2)", "contradicted": "Contredit\u00a0(1)",
        "rejected": "Verdict rejeté\u00a0(1)",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://www.lerivage.example/bac?x=1#y", "www.lerivage.example"),
        (" HTTP://Lerivage.example \n https://b.example/", "lerivage.example"),
        ("www.lerivage.example", "www.lerivage.example"),
        ("lerivage.example/bac", "lerivage.example"),
        ("Le bac part : https://lerivage.example/bac", ""),
        ("https://lerivage.example/bac Le bac part.", ""),
        ("12.5/20", ""), ("et/ou", ""), ("", ""), ("Bac.", ""),
    ],
)  # fmt: skip
def test_an_address_alone_is_told_from_a_text(text: str, host: str) -> None:
    assert lone_address(text) == host


def test_an_address_alone_is_no_claim(own: LocalAssistant) -> None:
    address = "https://www.lerivage.example/bac"
    for hosts, told in [
        ([], texts.ADDRESS_ELSEWHERE.format("www.lerivage.example")),
        (["www.lerivage.example"], texts.ADDRESS_ALONE),
    ]:
        with serving(with_settings(own, own_hosts=hosts)) as url:
            with pressed(url, "rc-check", address) as steps:
                last = list(steps)[-1]
            assert told in last
            assert "Preuves insuffisantes" not in last


def evidence(quote: str, name: str, stance: Stance, group: str = "") -> ClaimEvidence:
    cited = Citation(f"a-{name}", Source("Titre", name), 0, len(quote), quote)
    return ClaimEvidence(cited, Attribution(Kind.REPORTED), stance, 0.9, 1.0, group=group)


def test_copies_are_shown_once_and_counted_once() -> None:
    wire = "Le bac a pris 12 voyageurs."
    claim = verdict("Le bac a pris 14 voyageurs.", evidence=(
        evidence(wire, "Le Rivage", Stance.CONTRADICTS, "g"),
        evidence("Le  bac a pris 12 voyageurs", "Le Port", Stance.CONTRADICTS, "g"),
        evidence("Le bac est vide.", "Le Rivage", Stance.CONTRADICTS, "g"),
        evidence("Rien à voir.", "L’Écho", Stance.NEITHER),
    ))  # fmt: skip
    favour, against = sides(claim)
    assert (favour.entries, favour.sources) == ([], 0)
    assert [e.at for e in against.entries] == [0, 2]
    assert ["Le Port" in copy for copy in against.entries[0].copies] == [True]
    assert against.sources == 1
    assert [e.at for e in rest(claim)] == [3]
    assert against.entries[0].quote(claim.text) == [
        ("Le bac a pris ", ""), ("12", "differs"), (" voyageurs.", ""),
    ]  # fmt: skip
    assert sides(verdict("x", evidence=(evidence("y", "z", Stance.NEITHER),))) == []


@pytest.fixture
def tab(tmp_path: Path) -> VerifyTab:
    made = LocalAssistant(load_settings(index_dir=tmp_path))
    made.ingest(Reading((Article("bac", Source("Le bac", "Le Rivage"), BAC),)))
    return VerifyTab(made, Rates(made.settings), Gate(1, 1), {})


def test_a_reload_brings_back_the_text_and_what_was_not_judged(tab: VerifyTab) -> None:
    text = f"{BAC}\n\nIl est vide. <i>Ou pas</i>"
    done = tab._assistant.verify(BAC)
    part, left = tab.restore(tab.sealed(CheckedText.of(done, text, 3)))
    assert visible(part) == text
    assert "1 affirmation jugée sur 3" in part
    again, _ = tab.restore(left)
    assert again == part
    # What an earlier version kept, without its text, is shown by its claims.
    old = tab._seal.close({
        key: value
        for key, value in tab._seal.open(tab.sealed(done)).items()
        if key not in {"text", "total"}
    })  # fmt: skip
    assert visible(tab.restore(old)[0]) == done.claims[0].text


def test_an_example_is_made_of_the_corpus(tab: VerifyTab) -> None:
    quoted, changed, *others = example(tab._assistant).split("\n\n")
    assert (quoted, changed) == (BAC, BAC.replace("311", "411"))
    assert others == list(texts.EXAMPLE_UNVERIFIABLE)
    tab._assistant.remove(["bac"])
    assert example(tab._assistant) == ""
    assert "exemple" in tab.example()[1]


def test_the_example_of_the_sample_corpus_shows_each_verdict(own: LocalAssistant) -> None:
    text = example(own)
    assert text == texts.SAMPLE_TEXT
    reached = {claim.verdict for claim in own.verify(text).claims}
    assert reached == set(Label)


def test_what_stops_a_check_keeps_what_was_judged(own: LocalAssistant, checked: list[str]) -> None:
    with serving(with_settings(own, concurrent=1)) as url, httpx.Client(base_url=url) as client:
        config = page_config(client)
        button = next(
            c["id"] for c in config["components"] if c["props"].get("elem_id") == "rc-stop"
        )
        called = next(d["id"] for d in config["dependencies"] if [button, "click"] in d["targets"])
        with pressed(url, "rc-check", MANY) as steps:
            while not checked:
                next(steps)
            for session in ("rccheck", "another"):  # that of `pressed`; one that checks nothing
                body = {"data": [], "fn_index": called, "session_hash": session}
                assert client.post("/gradio_api/queue/join", json=body).status_code == 200
            last = list(steps)[-1]
        assert len(checked) < 60
        told = re.search(r"(\d+) affirmations? jugées? sur 100", last)
        assert told
        assert int(told[1]) == last.count("rc-question")
        seen = len(checked)
        idle(url)
        assert len(checked) == seen


def test_claims_are_shown_as_they_are_found_and_judged(own: LocalAssistant) -> None:
    text = "\n".join(MANY.splitlines()[:4])
    with serving(own) as url, pressed(url, "rc-check", text) as steps:
        told = "".join(steps)
    assert "Recherche des affirmations" in told
    assert "en attente" in told
    at = [told.index(f"{n} affirmation{'s' if n > 1 else ''} jugée") for n in (1, 2, 3, 4)]
    assert all(a < b for a, b in pairwise(at))


def test_bad_input_has_its_sentence(own: LocalAssistant) -> None:
    answers = {
        "": messages.EMPTY_CLAIM,
        "🚒": messages.EMPTY_CLAIM,
        "x" * 50_001: messages.LONG_CLAIM.format(50_000),
        "a": "Non vérifiable",
        "Le bac part " + "très " * 400 + "tôt.": texts.TOO_LONG,
        "שלום עולם הגשר נפתח.": "Non vérifiable",
        "<script>alert(1)</script>": "Non vérifiable",
    }
    with serving(own) as url:
        for text, answer in answers.items():
            with pressed(url, "rc-check", text) as steps:
                assert answer in list(steps)[-1], text[:30]


PAGE = (
    b"<html><head><title>Le bac</title></head><body><article><h1>Le bac</h1><p>Le bac de Lerins a "
    b"transporte 311 voyageurs en mars, dit le port.</p><p>Il repart lundi matin a huit heures "
    b"de Lerins, si la mer le permet.</p></article></body></html>"
)


class Site(BaseHTTPRequestHandler):
    """An article, the same for those who pay, and doors to elsewhere."""

    def do_GET(self) -> None:
        paid = PAGE.replace(b"<head>", b'<head><script type="application/ld+json">'
            b'{"@type": "NewsArticle", "isAccessibleForFree": false}</script>')  # fmt: skip
        if to := {"/ailleurs": "http://127.0.0.1:9/", "/boucle": "/boucle"}.get(self.path):
            self.send_response(302)
            self.send_header("Location", to)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(paid if self.path == "/payant" else PAGE)

    def log_message(self, *args: object) -> None:
        pass


def test_an_address_is_read_of_the_keeper_s_own_sites_alone(tmp_path: Path) -> None:
    with running(Site) as url:
        own_site = load_settings(index_dir=tmp_path, own_hosts=(url.removeprefix("http://"),))
        found = text_at(f"{url}/bac", own_site, is_own_network)
        assert found.startswith("Le bac\n\n")
        assert "311 voyageurs" in found
        host = url.partition("//")[2].partition(":")[0]
        for address, settings, why in (
            (f"{url}/bac", load_settings(index_dir=tmp_path), "seules sont lues"),
            (f"http://{host}/bac", own_site, "seules sont lues"),  # another port
            ("http://169.254.169.254/latest", own_site, "seules sont lues"),
            (f"{url}/ailleurs", own_site, "seules sont lues"),
            (f"{url}/boucle", own_site, "pas d’article"),
            (f"{url}/payant", own_site, "paient"),
            ("file:///etc/passwd", own_site, "http"),
            ("", own_site, "http"),
        ):
            with pytest.raises(ReadError, match=why):
                text_at(address, settings, is_own_network)
        # Named as one's own, and on a private network: for the keeper's crawl, not for visitors.
        with pytest.raises(ReadError):
            text_at(f"{url}/bac", own_site)
