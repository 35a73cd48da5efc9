"""What is kept of questions: masked, for its days, in its file; nothing of an erased article."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from rag.assistant import LocalAssistant
from rag.domain import Answer, Article, Filters, Reading, Source
from rag.errors import QuestionError, StoreError
from rag.evaluation.data import read_questions
from rag.exchanges.figures import Figures, sources_of
from rag.exchanges.grouping import grouped
from rag.exchanges.recorder import Recorder
from rag.exchanges.reference import Reference, ReferenceQuestions
from rag.exchanges.store import (
    ANSWERED,
    ERROR,
    FILE,
    REFUSED,
    TENTATIVE,
    Exchange,
    Exchanges,
    Wanted,
)
from rag.models.encoder import Encoder
from rag.settings import load_settings
from rag.web import recording
from tests.test_erasure import holds

NOW = datetime(2024, 5, 6, 23, 30, tzinfo=UTC)
SECRET = "Monsieur Aurélien Tardivel a été entendu mardi par le juge de Sarrelle, dit son avocate."


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def nobody(_name: str) -> bool:
    return False


def at(days: float, text: str = "Où ?", verdict: str = REFUSED) -> Exchange:
    return Exchange(text, verdict, at=NOW + timedelta(days=days))


def test_what_is_outdated_is_erased_at_opening_and_on_another_day(tmp_path: Path) -> None:
    clock = Clock()
    store = Exchanges(tmp_path, 30, clock)
    for exchange in (at(-29, "ancienne"), at(-1), at(0)):
        store.add(exchange)
    clock.now += timedelta(days=2)
    # Not shown, though nothing was asked since.
    assert [e.text for e in store.select(Wanted())] == ["Où ?", "Où ?"]
    store.add(at(2))
    store.close()
    assert not holds(tmp_path, "ancienne")
    clock.now += timedelta(days=40)
    again = Exchanges(tmp_path, 30, clock)
    with closing(sqlite3.connect(tmp_path / FILE)) as base:
        assert base.execute("select count(*) from exchanges").fetchone() == (0,)
    again.close()


def test_a_clock_that_goes_back_keeps_nothing_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    store = Exchanges(tmp_path, 30, clock)
    store.add(at(400, "du futur"))
    clock.now += timedelta(days=-3)
    store.expire()
    clock.now += timedelta(days=31)
    store.expire()
    assert store.select(Wanted()) == []
    store.close()


def test_the_oldest_go_beyond_a_number(tmp_path: Path) -> None:
    store = Exchanges(tmp_path, 30, Clock(), most=10)
    for n in range(25):
        store.add(at(0, f"n° {n}"))
    assert [e.text for e in store.select(Wanted())] == [f"n° {n}" for n in range(24, 14, -1)]
    store.close()


def test_two_processes_may_have_the_file(tmp_path: Path) -> None:
    one, other = Exchanges(tmp_path, 30, Clock()), Exchanges(tmp_path, 30, Clock())
    for n in range(20):
        (one, other)[n % 2].add(at(0, f"n° {n}"))
    assert len(one.select(Wanted())) == 20
    one.close()
    other.close()


def test_selections_and_pages(tmp_path: Path) -> None:
    store = Exchanges(tmp_path, 30, Clock())
    for n in range(2500):
        kind = "claim" if n % 10 == 0 else "question"
        store.add(Exchange(f"n° {n}", REFUSED if n % 2 else ANSWERED, kind, "a" if n % 3 else "b",
                           at=NOW))  # fmt: skip
    assert len(list(store.every(Wanted()))) == 2500
    assert len(list(store.every(Wanted("a", "question", (REFUSED,))))) == 833
    assert [e.text for e in store.select(Wanted(kind="claim"), 2, 1)] == ["n° 2480", "n° 2470"]
    assert store.sites() == ["a", "b"]
    store.close()


def test_nothing_is_kept_unless_asked_for(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 30, nobody, recording=False)
    recorder.record(at(0))
    assert recorder.store() is None
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_masked(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 30, nobody, recording=True)
    text = "Jean Martin, jean@free.fr, 06 12 34 56 78 ? \0\ud800😀"
    recorder.record(Exchange(text, ANSWERED, site="s" * 500))
    recorder.wait()
    store = recorder.store()
    assert store
    (kept,) = store.select(Wanted())
    assert kept.text == "[nom], [adresse], [téléphone] ?  ?😀"
    assert len(kept.site) == 60
    recorder.close()
    assert not holds(tmp_path, "Martin") + holds(tmp_path, "06 12")


def test_a_locked_disk_is_a_line_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(tmp_path, 30, nobody, recording=True)
    store = recorder.store()
    assert store
    store._all("pragma busy_timeout = 50")
    with closing(sqlite3.connect(tmp_path / FILE)) as other, caplog.at_level(logging.WARNING):
        other.execute("begin exclusive")
        recorder.record(at(0))
        recorder.wait()
        assert "ne peuvent pas être lues ou écrites" in caplog.text
        other.rollback()
    recorder.record(Exchange("Et maintenant ?", ANSWERED))
    recorder.wait()
    assert [e.text for e in store.select(Wanted())] == ["Et maintenant ?"]
    recorder.close()


def test_a_disk_that_hangs_holds_nobody_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.exchanges.recorder._MOST_WAITING", 3)
    going_on = threading.Event()

    def slow(_name: str) -> bool:
        going_on.wait(30)
        return False

    recorder = Recorder(tmp_path, 30, slow, recording=True)
    for _ in range(20):
        recorder.record(Exchange("Jean Martin", ANSWERED))
    assert "attendent le disque" in caplog.text
    going_on.set()
    recorder.wait()
    recorder.close()


def test_a_damaged_file_is_told_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(b"pas une base " * 500)
    recorder = Recorder(tmp_path, 30, nobody, recording=True)
    recorder.record(at(0))
    recorder.wait()
    with pytest.raises(StoreError, match="abîmé"):
        recorder.store()
    assert caplog.text.count("abîmé") >= 2
    recorder.close()


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index", keep_questions=True))
    lines = [SECRET, "La séance publique reprendra jeudi à quatorze heures au palais de justice."]
    found = [Article("proces", Source("Le procès de Sarrelle", "Le Rivage"), "\n\n".join(lines))]
    found += [
        Article(f"bac-{n}", Source(f"Le bac {n}", "Le Rivage"),
                f"Le bac de Lérins a repris ses traversées mardi matin, après {n} jours d’arrêt.")
        for n in range(12, 20)
    ]  # fmt: skip
    made.ingest(Reading(tuple(found)))
    yield made
    made.close()


def kept_by(assistant: LocalAssistant) -> list[Exchange]:
    assistant.recorder.wait()
    store = assistant.recorder.store()
    return store.select(Wanted()) if store else []


def test_an_answer_a_refusal_and_claims_are_recorded(recorded: LocalAssistant) -> None:
    question = "Qui a été entendu par le juge de Sarrelle ?"
    *_, answer = recording.stream(recorded, question, site="gazette")
    assert isinstance(answer, Answer)
    recording.ask(recorded, "Combien pèse la tour Eiffel ?")
    checker = recorded.checker()
    list(
        recording.check_claims(
            recorded.recorder, checker, checker.claims(f"{SECRET} Il a neigé à Brest."), None
        )
    )
    # A command's question is no reader's.
    recorded.ask(question)
    recorded.verify(SECRET)
    brest, secret, eiffel, first = kept_by(recorded)
    assert (first.text, first.site, first.kind) == (question, "gazette", "question")
    assert first.verdict == (REFUSED if answer.refused and not answer.tentative else first.verdict)
    assert first.mode == "extractive"
    assert eiffel.verdict in {REFUSED, TENTATIVE}
    assert (secret.kind, secret.text) == ("claim", SECRET)  # the corpus names him
    assert secret.verdict == "Soutenu"
    assert secret.cited == ("proces",)
    assert brest.kind == "claim"
    assert all(e.ms > 0 for e in (first, eiffel, secret))
    # What is refused as no question is not one.
    with pytest.raises(QuestionError):
        recording.ask(recorded, "   ")
    assert len(kept_by(recorded)) == 4


def test_what_fails_is_recorded_and_a_reader_who_leaves_is_not(
    recorded: LocalAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = recording.stream(recorded, "Qui a été entendu par le juge de Sarrelle ?")
    next(steps)
    steps.close()  # type: ignore[attr-defined]

    def broken(*_: object) -> Iterator[Answer]:
        raise RuntimeError("panne")
        yield

    monkeypatch.setattr(type(recorded.answerer), "stream", broken)
    with pytest.raises(RuntimeError):
        recording.ask(recorded, "Où ?")
    assert [(e.text, e.verdict) for e in kept_by(recorded)][:1] == [("Où ?", ERROR)]
    assert all(e.verdict != "" for e in kept_by(recorded))


def test_nothing_of_an_erased_article_stays_in_what_was_asked(recorded: LocalAssistant) -> None:
    folder = recorded.settings.index_dir
    for exchange in (
        Exchange("Qui est Aurélien Tardivel ?", ANSWERED, cited=("proces", "bac-12")),
        Exchange(f"« {SECRET} » ?", "Soutenu", "claim", cited=("proces",)),
        Exchange("Le bac ?", ANSWERED, cited=("bac-12",)),
    ):
        recorded.recorder.record(exchange)
    references = recorded.recorder.references
    references.put(Reference("1", "Qui est Aurélien Tardivel ?", (("bac-12", 9),)))
    references.put(Reference("2", "Qui ?", (("proces", 9),)))
    assert any("Tardivel" in e.text for e in kept_by(recorded))
    proof = recorded.erase(["proces"])
    assert proof.proven
    assert proof.exchanges == 1
    assert not holds(folder, "Tardivel")
    assert {(e.text, e.cited) for e in kept_by(recorded)} == {
        ("Qui est [nom] ?", ("bac-12",)), ("Le bac ?", ("bac-12",)),
    }  # fmt: skip
    assert [r.question for r in references.all()] == ["Qui est [nom] ?"]
    assert not recorded.check()
    (folder / FILE).write_bytes(b"pas une base " * 500)  # doctor sees the file
    assert any(FILE in problem for problem in recorded.check())


def test_a_damaged_file_stops_an_erasure_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / FILE).write_bytes(b"pas une base " * 500)
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    made.ingest(Reading((Article("un", Source("Un"), "Le bac a repris ses traversées."),)))
    with pytest.raises(StoreError, match="abîmé"):
        made.erase(["un"])
    assert made.index.articles() == 1
    made.close()


def test_reference_questions_are_what_eval_reads(tmp_path: Path) -> None:
    references = ReferenceQuestions(tmp_path)
    references.remove("absente")
    assert references.all() == []
    references.put(Reference("a", "Où ? \u2028 😀", (("un", 100), ("deux", 50))))
    references.put(Reference("b", "Quoi ?"))
    references.put(Reference("a", "Où donc ? \u2028 😀", (("un", 100),)))
    first, second = read_questions(references.path)
    assert (first.id, first.question, first.kind) == ("a", "Où donc ? \u2028 😀", "rédaction")
    assert [(g.article_id, g.start, g.end) for g in first.gold] == [("un", 0, 100)]
    assert first.answerable
    assert not second.answerable
    references.remove("a")
    assert [r.id for r in references.all()] == ["b"]
    references.path.write_text("{}\n")
    with pytest.raises(StoreError, match="vérifiez le fichier"):
        references.put(Reference("c", "Qui ?"))
    assert references.path.read_text() == "{}\n"


def test_figures_by_week_and_site() -> None:
    monday = datetime(2024, 5, 6, 12, tzinfo=UTC)
    asked = [Exchange("Où ?", REFUSED, site="a", ms=ms, at=monday) for ms in (100, 300)]
    asked += [Exchange("Où ?", ANSWERED, site="b", ms=200, cited=("un", "un", "deux"),
                       at=monday + timedelta(days=6)),
              Exchange("Qui ?", TENTATIVE, site="b", ms=50, at=monday + timedelta(days=7)),
              Exchange("Quoi ?", ERROR, site="b", ms=9000, at=monday + timedelta(days=7)),
              Exchange("Il pleut.", "Soutenu", "claim", "b", cited=("un",), at=monday)]  # fmt: skip
    found = Figures.of(asked)
    first, second = (found.weeks[w] for w in sorted(found.weeks))
    assert (first.questions, first.claims, first.errors) == (3, 1, 0)
    assert first.refused_share == pytest.approx(2 / 3)
    assert (first.percentile(0.5), first.percentile(0.95)) == (200, 300)
    assert (second.questions, second.errors, second.refused_share) == (2, 1, 1.0)
    assert second.percentile(0.95) == 50
    assert {site for _, site in found.by_site} == {"a", "b"}
    assert found.cited == {"un": 2, "deux": 1}
    assert sources_of(found.cited, {"un": "Le Rivage"}, 5) == [("Le Rivage", 2)]
    assert found.recurring(1) == ["Où ?"]
    assert Figures.of([]).weeks == {}


# Three ways to ask each of fourteen things, then ten that are close to some and are not them.
ASKED = [
    line.split("|")
    for line in """
Quand rouvre la piscine municipale ?|À quelle date la piscine rouvrira-t-elle ?|Réouverture de la piscine ?
Combien a coûté le nouveau stade ?|Quel est le prix du stade ?|Le stade a été payé combien ?
Qui a gagné l'élection municipale à Sarrelle ?|Qui est le nouveau maire de Sarrelle ?|Résultat des municipales Sarrelle
Pourquoi la ligne de train est-elle fermée ?|Pour quelle raison les trains ne circulent plus ?|Pourquoi n'y a-t-il plus de train ?
Quelle est la météo demain ?|Va-t-il pleuvoir demain ?|Quel temps fera-t-il demain ?
Où trouver un médecin de garde ?|Quel médecin est de garde ce week-end ?|médecin de garde
Horaires de la déchetterie|À quelle heure ouvre la déchetterie ?|Quand la déchetterie est-elle ouverte ?
Combien de morts dans l'accident de car ?|Quel est le bilan de l'accident du car ?|L'accident de bus a fait combien de victimes ?
Quand a lieu la fête de la musique ?|C'est quand la fête de la musique ?|Date fête de la musique
Comment s'inscrire à l'école maternelle ?|Inscription maternelle comment faire ?|Quelles démarches pour inscrire un enfant en maternelle ?
Qui a tué le berger ?|Qui est le meurtrier du berger ?|Le suspect du meurtre du berger est-il connu ?
Le prix de l'eau va-t-il augmenter ?|De combien augmente le prix de l'eau ?|Hausse du tarif de l'eau
Que devient l'usine de textile ?|L'usine textile va-t-elle fermer ?|Quel avenir pour l'usine textile ?
Combien de brebis le loup a-t-il tuées ?|Nombre de brebis tuées par le loup|Le loup a mangé combien de moutons ?
Quand rouvre le musée ?
Combien a coûté le pont ?
Qui est le préfet ?
Pourquoi le lycée est-il fermé ?
Où se garer au centre-ville ?
Horaires de la mairie
Combien de blessés dans l'incendie ?
Quand a lieu le carnaval ?
Qui a volé la statue ?
Le prix du gaz va-t-il augmenter ?
""".strip().splitlines()
]


def test_questions_are_grouped_by_meaning(embedder: Encoder) -> None:
    questions = [q for group in ASKED for q in group]
    topic = [n for n, group in enumerate(ASKED) for _ in group]
    found = grouped(embedder.embed_questions(questions))
    assert sorted(i for group in found for i in group) == list(range(len(questions)))
    pairs = [pair for group in found for pair in combinations(group, 2)]
    right = sum(topic[i] == topic[j] for i, j in pairs)
    assert right / len(pairs) > 0.85
    assert right / (14 * 3) > 0.95


def test_grouping_of_none_and_of_one() -> None:
    assert grouped(np.zeros((0, 4), dtype=np.float32)) == []
    assert grouped(np.ones((1, 4), dtype=np.float32) / 2) == [[0]]


def test_the_settings_are_bounded() -> None:
    assert not load_settings().keep_questions
    with pytest.raises(Exception, match="keep_questions_days"):
        load_settings(keep_questions_days=0)
    assert json.dumps(load_settings(keep_questions="true").keep_questions) == "true"


def test_a_file_of_before_takes_on_filters(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as base:
        base.execute(
            "create table exchanges (id integer primary key, at text, kind text, site text,"
            " text text, verdict text, mode text, ms integer, cited text)"
        )
        row = (NOW.isoformat(), "question", "", "Où ?", REFUSED, "", 3, "[]")
        base.execute("insert into exchanges values (1, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        base.commit()
    for _ in range(2):
        store = Exchanges(tmp_path, 30, Clock())
        assert [e.filters for e in store.select(Wanted())][-1] == ""
        store.add(replace(at(0), filters="L’Écho"))
        assert store.select(Wanted())[0].filters == "L’Écho"
        store.close()


def test_the_filters_of_a_question_are_kept_in_words(recorded: LocalAssistant) -> None:
    filters = Filters(
        sources=("Le Rivage",), since=date(2024, 3, 1), articles=("x",), authors=("06 12 34 56 78",)
    )
    recording.ask(recorded, "Où est le bac ?", filters=filters)
    recording.ask(recorded, "Où est le bac ?", filters=filters, site="journal")
    recorded.recorder.wait()
    store = recorded.recorder.store()
    assert store is not None
    of_site, own = (e.filters for e in store.select(Wanted(), 2))
    assert own.startswith("Le Rivage\u202f; ")
    assert own.endswith("depuis le 1er mars 2024\u202f; un article seulement")
    assert "06 12" not in own  # masked, as what was asked
    assert "Le Rivage" not in of_site  # a site's part is none of its reader's
