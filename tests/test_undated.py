"""No order of time is told that is not known."""

from __future__ import annotations

from datetime import date

import pytest

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import Article, Filters, Reading, Source
from rag.settings import load_settings

DAYS = {
    "z-debut": ("La crue de l’Aubrette commence", date(2024, 1, 10)),
    "m-suite": ("La crue de l’Aubrette monte", date(2024, 1, 12)),
    "a-fin": ("La crue de l’Aubrette recule", date(2024, 1, 15)),
}


TEXTS = {
    "z-debut": (
        "La crue de l’Aubrette a commencé mercredi à l’aube. Deux campings ont été évacués par les "
        "gendarmes, et la route de Vernoux est coupée au pont des Arches."
    ),
    "m-suite": (
        "La crue de l’Aubrette a atteint le quartier des tanneurs vendredi soir. Quarante maisons ont "
        "les pieds dans l’eau, selon les pompiers, et le collège accueille les sinistrés."
    ),
    "a-fin": (
        "La crue de l’Aubrette recule depuis lundi. Les assureurs visitent les caves, l’eau potable est "
        "revenue, et la préfecture chiffre les dégâts à trois millions d’euros."
    ),
}


def about(key: str, title: str, day: date | None) -> Article:
    return Article(key, Source(title, f"Le Journal {key}", published=day), TEXTS[key])


def asking(folder: object, undated: set[str]) -> LocalAssistant:
    made = LocalAssistant(load_settings(index_dir=folder))
    made.ingest(
        Reading(tuple(about(k, t, None if k in undated else d) for k, (t, d) in DAYS.items()))
    )
    return made


@pytest.mark.parametrize(
    ("undated", "intro"),
    [
        (set(), texts.CHRONICLE),
        ({"a-fin"}, texts.CHRONICLE_BUT_UNDATED),
        ({"a-fin", "m-suite"}, texts.NO_CHRONICLE),
        (set(DAYS), texts.NO_CHRONICLE),
    ],
)
def test_the_order_that_is_told_is_known(tmp_path: object, undated: set[str], intro: str) -> None:
    made = asking(tmp_path, undated)
    answer = made.ask("Que s’est-il passé lors de la crue de l’Aubrette ?")
    told = list(dict.fromkeys(s.citations[0].article_id for s in answer.statements))
    assert len(told) == 3
    assert answer.intro == intro
    assert answer.text.startswith(intro)
    dated = [k for k in told if k not in undated]
    assert dated == [k for k in DAYS if k not in undated]
    assert told[: len(dated)] == dated
    made.close()


def test_a_question_about_a_period_says_what_has_no_date(tmp_path: object) -> None:
    made = asking(tmp_path, {"a-fin"})
    answer = made.ask("Que s’est-il passé en janvier 2024 ?")
    assert "n’a pas de date" in answer.notice or "n’ont pas de date" in answer.notice
    assert (
        "recule"
        in made.ask("À combien sont chiffrés les dégâts de la crue de l’Aubrette en 2024 ?").notice
    )
    filtered = made.ask("La crue de l’Aubrette", filters=Filters(since=date(2024, 1, 1)))
    assert (
        filtered.notice
        == "1 article de l’index n’a pas de date\u00a0: cette période peut en compter d’autres."
    )
    # Where no period is asked about, and where all is dated, nothing is said.
    assert made.ask("Combien de maisons la crue a-t-elle touchées ?").notice == ""
    made.ingest(Reading((about("a-fin", *DAYS["a-fin"]),)))
    assert made.ask("Que s’est-il passé en janvier 2024 ?").notice == ""
    made.close()
