"""What an article said before: kept, shown, cited, and forgotten with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rag import texts
from rag.answering.changes import changed, changes, last_corrected
from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import Article, Reading, Source
from rag.indexing import ingestion
from rag.settings import load_settings
from rag.web.access import new_token
from rag.web.render import article_html
from tests.test_api import serving

FIRST = "Le bac a repris mardi.\n\nLa réparation a coûté 84 000 euros à la compagnie."
SECOND = "Le bac a repris mardi.\n\nLa réparation a coûté 94 000 euros à la compagnie."
THIRD = SECOND + "\n\nUn second bac sera loué pour l’été."
QUESTION = "Combien a coûté la réparation du bac ?"


def article(text: str, title: str = "Le bac de Lérins") -> Article:
    return Article("bac", Source(title, "Le Rivage", published=date(2024, 5, 7)), text)


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path))
    made.ingest(Reading((article(FIRST),)))
    yield made
    made.close()


def test_versions_are_kept_newest_first_and_answers_cite_the_present(
    assistant: LocalAssistant,
) -> None:
    assert assistant.history("bac") == []
    for text in (SECOND, SECOND, THIRD):
        assistant.ingest(Reading((article(text),)))
    versions = assistant.history("bac")
    assert {v.text for v in versions} == {FIRST, SECOND}
    assert all(v.replaced and v.source.title == "Le bac de Lérins" for v in versions)
    answer = assistant.ask(QUESTION)
    assert "94 000" in answer.text
    assert "84 000" not in answer.text


def test_a_citation_opens_the_version_that_it_cites(assistant: LocalAssistant) -> None:
    citation = assistant.ask(QUESTION).statements[0].citations[0]
    assistant.ingest(Reading((article("Encart.\n\n" + SECOND),)))
    past, now = assistant.history("bac"), assistant.article("bac")
    html = article_html(now, citation, history=past)
    assert "Version citée, remplacée le" in html
    assert "84 000 euros" in html
    assert 'id="rc-cited"' in html
    # Without the right to the whole, the quote alone of what was replaced.
    part = article_html(now, citation, whole=False, history=past)
    assert "84 000 euros" in part
    assert "a repris mardi" not in part
    assert "Version citée" not in article_html(now, None, history=past)


def test_what_changed_is_shown_with_its_day(assistant: LocalAssistant) -> None:
    assistant.ingest(Reading((article(THIRD),)))
    html = article_html(assistant.article("bac"), None, history=assistant.history("bac"))
    assert "Corrigé le" in html
    assert "<del>La réparation a coûté 84 000 euros à la compagnie.</del>" in html
    assert "<ins>Un second bac sera loué pour l’été.</ins>" in html
    paid = replace(assistant.article("bac").record, source=Source("T", paywalled=True))
    closed = replace(assistant.article("bac"), record=paid)
    assert "84 000" not in article_html(closed, None, history=assistant.history("bac"))


def test_the_day_of_a_correction_is_the_one_that_its_publisher_tells(
    assistant: LocalAssistant,
) -> None:
    told = article(SECOND)
    told = replace(told, source=replace(told.source, modified=date(2024, 5, 9)))
    assistant.ingest(Reading((told,)))
    html = article_html(assistant.article("bac"), None, history=assistant.history("bac"))
    assert "Corrigé le 9 mai 2024" in html


def test_a_new_title_is_a_version_and_a_correction_of_the_record_is_none(
    assistant: LocalAssistant,
) -> None:
    assistant.edit("bac", {"published": "2024-05-08"})
    assert assistant.history("bac") == []
    assistant.ingest(Reading((article(FIRST, "Le bac est reparti"),)))
    assert [v.source.title for v in assistant.history("bac")] == ["Le bac de Lérins"]
    ((what, lines),) = changes(assistant.article("bac"), assistant.history("bac"))
    assert what.startswith("Fiche corrigée le ")
    assert lines == [
        ("-", "Titre\u00a0: Le bac de Lérins"), ("+", "Titre\u00a0: Le bac est reparti")
    ]  # fmt: skip
    html = article_html(assistant.article("bac"), None, history=assistant.history("bac"))
    assert "Le bac de Lérins" in html


def test_another_way_of_reading_is_no_correction(
    assistant: LocalAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "RECIPE", ingestion.RECIPE + 1)
    assert assistant.ingest(Reading((article(SECOND),))).updated == ("bac",)
    assert assistant.history("bac") == []


def test_the_past_goes_with_the_article(assistant: LocalAssistant) -> None:
    folder = assistant.settings.index_dir
    assistant.ingest(Reading((article(SECOND),)))
    old = "La réparation a coûté 84 000 euros à la compagnie."
    proof = assistant.erase(["bac"])
    assert proof.proven
    assert proof.sentences == 3, "what both say, and one of each"
    assert not any(old.encode() in p.read_bytes() for p in folder.rglob("*") if p.is_file())
    assistant.ingest(Reading((article(FIRST),)), readmit=True)
    assert assistant.history("bac") == []


def test_the_command_shows_the_changes(assistant: LocalAssistant) -> None:
    assistant.ingest(Reading((article(SECOND),)))
    index = str(assistant.settings.index_dir)
    assistant.close()
    shown = CliRunner().invoke(app, ["history", "bac", "--index", index]).output
    assert "Corrigé le" in shown
    assert "- La réparation a coûté 84 000 euros" in shown
    assert "+ La réparation a coûté 94 000 euros" in shown
    assert "a repris mardi" not in shown


SENTENCES = st.lists(st.sampled_from(["Un fait.", "Deux faits.", "Trois faits.", "Le reste."]))


@given(SENTENCES, SENTENCES)
def test_what_changed_makes_one_of_the_other(before: list[str], after: list[str]) -> None:
    found = changed(" ".join(before), " ".join(after))
    gone = [s for sign, s in found if sign == "-"]
    came = [s for sign, s in found if sign == "+"]
    assert len(before) - len(gone) == len(after) - len(came)
    assert changed(" ".join(before), " ".join(before)) == []


OTHER_STORY = "La médiathèque de Montfauzy ferme jeudi pour dix semaines, a annoncé sa directrice."


def test_another_story_in_its_place_is_no_correction(assistant: LocalAssistant) -> None:
    assistant.ingest(Reading((article(SECOND),)))
    assistant.ingest(Reading((article(OTHER_STORY, "La médiathèque ferme"),)))
    html = article_html(assistant.article("bac"), None, history=assistant.history("bac"))
    assert html.count("Remplacé par un autre texte le") == 1
    assert html.count("Corrigé le") == 1
    folder = str(assistant.settings.index_dir)
    assistant.close()
    told = CliRunner().invoke(app, ["history", "bac", "--index", folder]).output
    assert "Remplacé par un autre texte le" in told


def test_the_api_gives_the_past_and_the_copies(tmp_path: Path) -> None:
    token, digest = new_token()
    made = LocalAssistant(load_settings(index_dir=tmp_path, admin_token_hash=digest))
    made.ingest(Reading((article(FIRST),)))
    long = f"{THIRD} Il partira six fois par jour jusqu’à la fin de la saison, au même tarif."
    made.ingest(Reading((article(long), replace(article(long), id="repris"))))
    paid = article(FIRST)
    paid = replace(paid, id="payant", source=replace(paid.source, paywalled=True))
    made.ingest(Reading((paid, replace(paid, text=SECOND))))
    made.ingest(Reading((replace(paid, text=THIRD),)))
    with serving(made) as url:
        api = f"{url}/api/v1/articles"
        (past,) = httpx.get(f"{api}/bac/history").json()["versions"]
        assert past["text"] == FIRST
        copies = httpx.get(f"{api}/bac/copies").json()["copies"]
        assert [c["article_id"] for c in copies] == ["repris"]
        assert httpx.get(f"{api}/payant/history").status_code == 401
        keeper = {"Authorization": f"Bearer {token}"}
        kept = httpx.get(f"{api}/payant/history", headers=keeper).json()["versions"]
        assert [v["text"] for v in kept] == [FIRST]
        # Free today, it was paid for then.
        made.ingest(Reading((replace(article("Le bac est vendu."), id="payant"),)))
        assert httpx.get(f"{api}/payant/history").json()["versions"] == []
        assert len(httpx.get(f"{api}/payant/history", headers=keeper).json()["versions"]) == 2
        html = article_html(made.article("payant"), None, history=made.history("payant"))
        assert "4 000" not in html
        for part in ("history", "copies"):
            assert httpx.get(f"{api}/absent/{part}").status_code == 404
    made.close()


def test_an_answer_says_when_what_it_cites_was_corrected(assistant: LocalAssistant) -> None:
    """Though its publisher does not."""
    (before,) = assistant.ask(QUESTION).statements[0].citations
    assert before.source.modified is None
    assistant.ingest(Reading((article(SECOND, "Le bac de Lérins répare"),)))
    answer = assistant.ask(QUESTION)
    (version,) = assistant.history("bac")
    days = {c.source.modified for s in answer.statements for c in s.citations}
    assert days == {version.day}
    *_, statement, last = assistant.stream(QUESTION)
    assert statement in last.statements  # type: ignore[union-attr]


def test_another_title_or_another_story_is_no_correction(assistant: LocalAssistant) -> None:
    assistant.ingest(Reading((article(FIRST, "Autre titre"),)))
    assert last_corrected(assistant.article("bac"), assistant.history("bac")) is None
    story = "La piscine de Sarrelle rouvre lundi, avec un bassin de cinquante mètres."
    assistant.ingest(Reading((article(story),)))
    assert last_corrected(assistant.article("bac"), assistant.history("bac")) is None


def test_the_index_says_when_it_last_changed(assistant: LocalAssistant) -> None:
    first = assistant.index.last_change()
    assert 0 <= time.time() - first < 3600
    assistant.ingest(Reading((article(FIRST),)))  # nothing new
    assert assistant.index.last_change() == first
    assistant.ingest(Reading((article(SECOND),)))
    changed_at = assistant.index.last_change()
    assert changed_at > first
    assert assistant.reindex("e5-small-fr", 40, True) == 1  # which changes no article
    assert assistant.index.last_change() == changed_at
    assert texts.last_change(changed_at).startswith("Dernier changement le ")
    assert texts.last_change(0.0) == ""
