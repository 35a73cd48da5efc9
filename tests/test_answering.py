"""Answers without a language model: questions taken apart, sentences chosen, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import texts
from rag.answering.evidence import Evidence, find_evidence, rerank_by_reader
from rag.answering.extractive import (
    expand_context,
    joined,
    lead_in,
    select,
    without_dash,
)
from rag.answering.followup import complete, rewrite_candidates, stands_alone, topic_terms
from rag.answering.premise import supposition
from rag.answering.refusal import _shared, about_the_same, without_refusal
from rag.assistant import LocalAssistant
from rag.citations import number_citations
from rag.domain import Answer, Citation, Filters, Hit, Passage, Sentence, Source, Turn
from rag.errors import QuestionError
from rag.french.anaphora import has_unresolved_anaphora
from rag.french.sentences import sentence_spans
from rag.french.words import same_root
from rag.models.reader import Read
from rag.searching.intent import intent_of
from rag.searching.matching import Terms
from rag.searching.question import LONGEST_QUESTION, understand_question
from rag.settings import load_settings
from rag.wire import AnswerOut


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Combien de foyers sont privés d’électricité ?", "count"),
        ("Combien a coûté la halle ?", "money"),
        ("Quel est le prix du billet ?", "money"),
        ("Quand la piscine rouvre-t-elle ?", "date"),
        ("Pourquoi la maternité ferme-t-elle ?", "reason"),
        ("Qui préside le collectif ?", "person"),
        ("Où les évacués ont-ils dormi ?", "place"),
        ("Quelle est la longueur du téléphérique ?", "length"),
        ("Que risquent ceux qui arrosent ?", "other"),
    ],
)
def test_what_a_question_expects(question: str, kind: str) -> None:
    assert understand_question(question).kind == kind


@pytest.mark.parametrize(
    ("question", "holds", "lacks"),
    [
        ("Combien de foyers ?", "Environ 1 900 foyers sont touchés.", "Les foyers attendent."),
        ("Combien de visiteurs ?", "Quelque 800 personnes.", "Le 12 mars 2024, rien."),
        ("Quand rouvre-t-elle ?", "Elle rouvrira le 2 avril.", "Elle rouvrira bientôt."),
        ("Qui entraîne le club ?", "L’entraîneure, Sandrine Bellec.", "Le club joue bien."),
    ],
)
def test_sentences_hold_or_lack_what_is_expected(question: str, holds: str, lacks: str) -> None:
    parsed = understand_question(question)
    assert parsed.answered_in(holds) > parsed.answered_in(lacks)


def test_related_words_count_for_less_than_equal_ones() -> None:
    assert same_root("presid", "presid") == 1
    assert 0 < same_root("presid", "president") < 1
    assert same_root("port", "part") == 0
    terms = Terms({"a": 3.0, "b": 1.0})
    assert terms.idf_coverage({"a"}) == 0.75
    assert terms.idf_coverage({"a"}, among={"b"}) == 0


@given(st.permutations([f"terme{n}" for n in range(12)]))
def test_a_coverage_is_the_same_whatever_the_order_of_a_set(stems: list[str]) -> None:
    """Sets have another order in each process: near sentences took each other's place."""
    weights = {stem: 1 / (3 + 7 * at) for at, stem in enumerate(sorted(stems))}
    one, other = Terms(weights), Terms({stem: weights[stem] for stem in stems})
    assert one.idf_coverage(sorted(stems)[:9]) == other.idf_coverage(
        [stem for stem in stems if stem in sorted(stems)[:9]]
    )


def candidate(text: str, score: float) -> Evidence:
    hit = Hit(Passage("a:v:0", "a", 0, 0, len(text), text), Source("T"), 0.0)
    return Evidence(hit, 0, 0, len(text), text, {}, score)


def test_a_clear_best_sentence_stands_alone() -> None:
    assert [e.text for e in select([candidate("un", 5), candidate("deux", 1)], 3)] == ["un"]


def test_close_sentences_come_together_within_the_limit() -> None:
    close = [candidate(t, 1.0) for t in ("un", "deux", "trois", "quatre")]
    assert [e.text for e in select(close, 3)] == ["un", "deux", "trois"]
    assert len(select([candidate("un", 1.0), candidate("un", 1.0)], 3)) == 1


def test_a_question_for_several_things_gathers_more() -> None:
    found = [candidate(text, score) for text, score in (("un", 5), ("deux", 2.5), ("trois", -4))]
    assert [e.text for e in select(found, 5)] == ["un"]
    assert [e.text for e in select(found, 5, several=True)] == ["un", "deux"]


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("Quels pays ont signé l’accord ?", True),
        ("quelles banques se sont fait pirater", True),
        ("Qui sont les candidats ?", True),
        ("Cite les communes inondées", True),
        ("Donnez-moi la liste des lauréats", True),
        ("Quel pays a signé l’accord ?", False),
        ("Qui a gagné ?", False),
        ("Combien de communes sont citées ?", False),
    ],
)
def test_several_things_are_asked_for(question: str, *, several: bool) -> None:
    assert intent_of(question).several is several


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Elle représente Neptune entouré de dauphins.", True),
        ("Sa présidente, Agathe Mercœur, proteste.", True),
        ("Mais ils refusent.", True),
        ("« C’est la plus belle pièce », estime-t-elle.", True),
        ("Cette décision a été prise lundi.", True),
        ("Il faut partir.", False),
        ("Il n’y a pas de maire.", False),
        ("Cette année, le prix baisse.", False),
        ("Ilona a gagné.", False),
    ],
)
def test_sentences_that_lean_on_the_one_before(sentence: str, expected: bool) -> None:
    assert has_unresolved_anaphora(sentence) is expected


def within(text: str, *wanted: str) -> list[Evidence]:
    sentences = tuple(Sentence(100 + a, 100 + b) for a, b in sentence_spans(text))
    passage = Passage("a:v:0", "a", 0, 100, 100 + len(text), text, "Un titre")
    hit = Hit(passage, Source("T"), 0.0, sentences=sentences)
    return [
        Evidence(hit, 0, 100 + text.index(w), 100 + text.index(w) + len(w), w, {}, 1.0)
        for w in wanted
    ]


MOSAIC = (
    "Un titre\n\nUne mosaïque a été mise au jour.\n\nElle représente Neptune. Il faut la protéger. "
    "Sa bordure est intacte."
)


def test_a_sentence_comes_with_what_it_leans_on_as_one_exact_span() -> None:
    (found,) = map(expand_context, within(MOSAIC, "Elle représente Neptune."))
    assert found.text == "Une mosaïque a été mise au jour.\n\nElle représente Neptune."
    assert MOSAIC[found.start - 100 : found.end - 100] == found.text
    (alone,) = map(expand_context, within(MOSAIC, "Il faut la protéger."))
    assert alone.text == "Il faut la protéger."
    (first,) = map(expand_context, within("Un titre\n\nElle part.", "Elle part."))
    assert first.text == "Elle part."  # never a heading


def test_what_is_said_already_is_not_said_again() -> None:
    chosen = within(MOSAIC, "Sa bordure est intacte.", "Il faut la protéger.", "Elle représente")
    (together, apart) = joined([expand_context(e) for e in chosen])
    assert together.text == "Une mosaïque a été mise au jour.\n\nElle représente"
    assert apart.text == "Il faut la protéger. Sa bordure est intacte."
    overlapping = within(MOSAIC, "Neptune. Il faut", "Il faut la protéger.")
    (one,) = joined(overlapping)
    assert one.text == "Neptune. Il faut la protéger."
    assert MOSAIC[one.start - 100 : one.end - 100] == one.text


def every_quote_is_its_span(assistant: LocalAssistant, answer: Answer) -> None:
    for statement in answer.statements:
        assert statement.citations
        assert statement.text == statement.citations[0].quote
        for c in statement.citations:
            assert assistant.article(c.article_id).text[c.start : c.end] == c.quote


def test_an_answer_is_verbatim_and_says_who_and_when(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Combien a coûté la restauration de la halle aux grains ?")
    assert not answer.refused
    assert answer.mode == "extractive"
    assert answer.statements[0].lead_in == "Selon Le Courrier de l’Orvelle, 2 mars 2024\u00a0:"
    assert "4,2 millions d'euros" in answer.text
    span = answer.statements[0].span
    assert span is not None
    assert answer.statements[0].text[slice(*span)] == "4,2 millions d'euros"
    every_quote_is_its_span(assistant, answer)


@pytest.mark.parametrize(
    "question",
    [
        "Quel est le prix d’un billet pour la halle aux grains ?",
        "Combien a coûté la restauration de la halle aux grains ?",
        "De quoi est accusé Robert Graveron ?",
        "Que s’est-il passé à Saint-Cyprin ?",
        "Qu’a dit le maire de Brissange ?",
        "Quelle est la capitale de l’Australie ?",
        "Quels articles parlent du téléphérique ?",
    ],
)
def test_an_answer_embeds_nothing_but_the_question(
    assistant: LocalAssistant, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """What was told at ingestion serves, whichever sentences are shown: near ties fall otherwise
    on another processor.
    """
    embedded: list[object] = []
    for name in ("embed_passages", "embed_sentences"):
        monkeypatch.setattr(assistant.index.embedder, name, embedded.append)
    answer = assistant.ask(question)
    assert answer.hits or answer.refused
    assert embedded == []


def test_without_vectors_of_sentences_their_passage_speaks_for_them(
    assistant: LocalAssistant,
) -> None:
    question = assistant.retriever.understood("Combien a coûté la halle aux grains ?")
    hits = [replace(h, cosines=()) for h in assistant.search(question.text, 6)]
    found, _ = find_evidence(question, hits, assistant.index.scale, assistant.answerer.reader)
    by_passage: dict[str, set[float]] = {}
    for e in found:
        by_passage.setdefault(e.hit.passage.id, set()).add(e.features["similarity"])
    assert all(len(said) == 1 for said in by_passage.values())


def test_sentences_of_an_article_are_in_reading_order(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Que s’est-il passé au procès de Robert Graveron ?")
    by_article: dict[str, list[int]] = {}
    for s in answer.statements:
        by_article.setdefault(s.citations[0].article_id, []).append(s.citations[0].start)
    assert max(map(len, by_article.values())) > 1
    assert all(starts == sorted(starts) for starts in by_article.values())


def test_a_republished_sentence_cites_its_other_source(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Combien de foyers étaient privés d’électricité dimanche à midi ?")
    names = {c.source.name for s in answer.statements for c in s.citations}
    assert {"Agence Transval", "L’Écho de Brissange"} <= names
    every_quote_is_its_span(assistant, answer)


@pytest.mark.parametrize(
    "question", ["Quelle est la capitale de l’Australie ?", "Qui a écrit Les Misérables ?"]
)
def test_what_the_corpus_lacks_is_refused_with_the_nearest(
    assistant: LocalAssistant, question: str
) -> None:
    answer = assistant.ask(question)
    assert answer.refused
    assert answer.statements == ()
    assert answer.hits
    assert answer.text == (texts.NO_ANSWER if answer.nearest else texts.NO_PASSAGE)


def test_filters_that_leave_nothing_are_refused(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Où est la crue ?", filters=Filters(sources=("Personne",)))
    assert answer.refused
    assert answer.hits == ()


def test_an_empty_index_says_what_to_do(tmp_path) -> None:  # type: ignore[no-untyped-def]
    empty = LocalAssistant(load_settings(index_dir=tmp_path))
    assert "recoupe ingest" in empty.ask("Qui ?").text


@pytest.mark.parametrize("question", ["", "  \n ", "\0", "x" * (LONGEST_QUESTION + 1)])
def test_questions_that_are_none(assistant: LocalAssistant, question: str) -> None:
    with pytest.raises(QuestionError):
        assistant.ask(question)


@pytest.mark.parametrize(
    "question", ["?", "🙂", "' OR 1=1 --", "a" * 500, "le la les", "AND OR NOT"]
)
def test_odd_questions_are_refused(assistant: LocalAssistant, question: str) -> None:
    answer = assistant.ask(question)
    assert answer.refused
    assert answer.statements == ()
    assert answer.text == (texts.NO_ANSWER if answer.nearest else texts.NO_PASSAGE)
    assert answer.hits


def test_json_has_the_agreed_shape(assistant: LocalAssistant) -> None:
    data = AnswerOut.of(assistant.ask("Quand la halle aux grains rouvre-t-elle ?")).plain()
    assert {"question", "answer", "refused", "mode", "statements", "passages"} <= data.keys()
    statement = data["statements"][0]
    assert {"text", "supported", "citations"} <= statement.keys()
    assert {
        "article_id", "title", "source", "author", "published", "url", "start", "end", "quote",
    } <= statement["citations"][0].keys()  # fmt: skip
    assert {"article_id", "title", "source", "published", "start", "end", "text", "score"} <= data[
        "passages"
    ][0].keys()


def test_marks_number_distinct_citations() -> None:
    from rag.domain import Statement

    one, two = (Citation("a", Source("T"), n, n + 1, "x") for n in (0, 1))
    statements = [Statement("u", (one,)), Statement("d", (two, one))]
    assert number_citations(statements) == {one: 1, two: 2}


def test_lead_in_without_source_or_date() -> None:
    assert lead_in(Source("Titre")) == "Selon «\u00a0Titre\u00a0»\u00a0:"
    assert lead_in(Source("Titre", "Agence Transval")) == "Selon l’Agence Transval\u00a0:"


LANTERNS = Turn("Combien de visiteurs le festival des Lanternes a-t-il accueillis en 2024 ?", "…")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "Et en 2023 ?",
            "Combien de visiteurs le festival des Lanternes a-t-il accueillis en 2023 ?",
        ),
        ("Qui a gagné le Tour de l’Orvelle ?", "Qui a gagné le Tour de l’Orvelle ?"),
    ],
)
def test_follow_ups(question: str, expected: str) -> None:
    assert complete(question, [LANTERNS]) == expected
    assert complete(question, []) == question


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("Contre qui ?", False),
        ("Et BMW ?", False),
        ("Et avant lui, qui la défendait ?", False),
        ("Qu'a-t-il dit à Cologne ?", False),
        ("il y a eu des blessés ?", False),
        ("Et la Ryder Cup 2018, qui l'a gagnée ?", True),
        ("Que s'est-il passé pendant la visite du préfet à Lérac ?", True),
        ("Où le gouvernement va-t-il trouver les 7,2 milliards qui lui manquent ?", True),
        ("combien de morts aux etats unis a cause de la tempete", True),
        ("Pourquoi la papeterie ferme-t-elle ?", True),
        ("Pourquoi ferme-t-elle ?", False),
        ("Combien de voix a-t-il eues ?", False),
        ("Dans quelle ville habite-t-elle ?", False),
        ("Qu'en dit Montebourg ?", False),
        ("Combien de mairies la région compte-t-elle ?", True),
        ("Quel temps fera-t-il demain à Brissange ?", True),
        ("Combien de ponts y a-t-il à Lérac ?", True),
        ("Que fera-t-il à Lérac ?", False),
    ],
)
def test_whether_a_question_stands_alone(question: str, alone: bool) -> None:
    assert stands_alone(question) is alone
    before = Turn("Combien de mairies à Lérac ?", "…")
    candidates = [c.searched for c in rewrite_candidates(question, [before])]
    assert (candidates == [question]) is alone


@pytest.mark.parametrize(
    ("before", "piece", "expected"),
    [
        ("Combien de mairies à Lérac ?", "Et à Vernoux ?", "Combien de mairies à Vernoux ?"),
        ("Combien de morts au mont Gris ?", "Et à Lérac ?", "Combien de morts à Lérac ?"),
        ("Quelle part a eu A en chinois ?", "Et en latin ?", "Quelle part a eu A en latin ?"),
        (
            "Quel temps prévu en Belgique le 19 août ?",
            "Et au Luxembourg ?",
            "Quel temps prévu au Luxembourg le 19 août ?",
        ),
        ("Que fera Vitec sans accord ?", "Et Nordal ?", "Que fera Nordal sans accord ?"),
        (
            "Quel est le bilan de la crue à Lérac ?",
            "Et en 2012 ?",
            "Quel est le bilan de la crue à Lérac en 2012 ?",
        ),
    ],
)
def test_a_piece_takes_the_place_of_its_like(before: str, piece: str, expected: str) -> None:
    assert complete(piece, [Turn(before, "…")]) == expected


def test_a_follow_up_of_a_follow_up_is_whole() -> None:
    turns = [Turn("Combien de mairies à Lérac ?", "…"), Turn("Et à Vernoux ?", "…")]
    assert complete("Et à Saint-Amand ?", turns) == "Combien de mairies à Saint-Amand ?"


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Combien coûtera le téléphérique ?", ["téléphérique"]),
        ("Combien de buts a marqués l'équipe de Lérac ?", ["équipe", "Lérac"]),
        ("Quel est le prix du pain à Vernoux ?", ["pain", "Vernoux"]),
    ],
)
def test_what_a_question_is_about_is_not_what_it_asks_for(text: str, terms: list[str]) -> None:
    assert topic_terms(text) == terms


def test_a_follow_up_is_of_what_was_answered_about_and_is_never_broken() -> None:
    turn = Turn(
        "Combien de buts a marqués l'équipe ?",
        "Selon Le Rivage, 2 mai 2024\u00a0: Parti de loin, l’attaquant Kofi Mensah, de retour de "
        "suspension, en a marqué trois. [1]",
    )
    asked = "Pourquoi avait-il été suspendu ?"
    candidates = rewrite_candidates(asked, [turn])
    assert any("Kofi Mensah" in c.searched and "équipe" not in c.searched for c in candidates)
    assert not any("Parti" in c.searched and "Rivage" in c.searched for c in candidates)
    for candidate in candidates:
        # As it was asked; what was taken from before stands apart.
        assert candidate.shown.startswith(f"{asked} (à ")


def test_a_follow_up_of_a_glued_one_names_a_question_that_was_asked() -> None:
    turns = [Turn("Combien coûtera le téléphérique ?", "…"), Turn("Et quand ouvrira-t-il ?", "…")]
    last = rewrite_candidates("Et en 2023 ?", turns)[-1]
    assert "téléphérique" in last.searched
    assert "ouvrira-t-il téléphérique" not in last.shown


def test_what_a_follow_up_follows_is_told_by_the_last_whole_question() -> None:
    turns = [Turn("Qui dirige le port de Lérac ?", "…"), Turn("Pourquoi ?", "…")]
    last = rewrite_candidates("Et Morel ?", turns)[-1]
    assert "«\u00a0Qui dirige le port de Lérac\u202f?\u00a0»" in last.shown


def test_the_same_sentence_does_not_answer_twice(assistant: LocalAssistant) -> None:
    first = assistant.ask("Combien coûtera le téléphérique ?")
    assert not first.refused
    second = assistant.ask("Et quand ouvrira-t-il ?", [Turn(first.question, first.text)])
    assert second.asked == "Et quand ouvrira-t-il ? (à propos de\u00a0: téléphérique)"


def test_a_year_that_is_replaced_leaves_no_other_meaning() -> None:
    assert len(rewrite_candidates("Et en 2021 ?", [LANTERNS])) == 1


def test_an_overview_tells_the_event_in_the_order_of_time(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Que s'est-il passé lors de la crue de l'Orvelle ?")
    assert not answer.refused
    assert answer.intro == texts.CHRONICLE
    assert answer.text.startswith(texts.CHRONICLE)
    days = [s.citations[0].source.published for s in answer.statements]
    assert len(set(days)) > 1
    assert days == sorted(d for d in days if d)
    assert len({s.text for s in answer.statements}) == len(answer.statements)
    for statement in answer.statements:
        c = statement.citations[0]
        text = assistant.article(c.article_id).text
        assert text[c.start : c.end] == c.quote == statement.text


@pytest.mark.parametrize(
    ("question", "overview"),
    [
        ("Que s’est-il passé à Lérac ?", True),
        ("il s'est passé quoi au stade ?", True),
        ("Résume l’affaire du maire", True),
        ("Fais le point sur la crue", True),
        ("ou en est le proces", True),
        ("Que sait-on de la papeterie ?", True),
        ("Qui a gagné le Tour ?", False),
        ("Combien d’habitants à Lérac ?", False),
        ("Quand a-t-il passé son permis ?", False),
        ("Où s’est passé l’accident ?", False),
        ("Comment s’est passé le vote ?", True),
        ("De quoi est accusé l’ancien maire ?", True),
    ],
)
def test_what_asks_for_an_overview(question: str, overview: bool) -> None:
    assert intent_of(question).overview is overview


def test_an_overview_of_what_no_article_tells_is_refused(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Que s'est-il passé à Bornéo avec le volcan Tambora ?")
    assert answer.refused
    assert answer.intro == ""


def test_articles_about_a_thing_name_it_and_no_other_of_its_family(
    assistant: LocalAssistant,
) -> None:
    """A service « débordé » and a summer « sans eau » are about no flood."""
    answer = assistant.ask("Quels articles parlent de la crue ?")
    titles = {c.source.title for s in answer.statements for c in s.citations}
    assert len(titles) >= 3
    assert sum("rue" in title for title in titles) >= 3
    assert not titles & {
        "Port-Amance : l'ancien maire devant ses juges",
        "Truffes : une saison maigre au marché de Lérac",
    }


def test_articles_about_a_subject_are_listed(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Quels articles parlent de la papeterie de Lérac ?")
    assert not answer.refused
    titles = {s.citations[0].source.title for s in answer.statements}
    assert len(titles) == len(answer.statements) >= 2
    assert assistant.ask("Quels articles parlent du volcan Tambora ?").refused


def test_a_month_is_told_by_the_articles_of_that_month(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Que s'est-il passé en janvier 2024 ?")
    days = [s.citations[0].source.published for s in answer.statements]
    assert len(days) > 1
    assert {(d.year, d.month) for d in days if d} == {(2024, 1)}


def test_somebodys_words_are_his(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Qu'a dit Franck Aubrée ?")
    assert not answer.refused
    assert answer.statements[0].lead_in.startswith("Franck Aubrée, selon l’Agence Transval")
    for statement in answer.statements:
        assert "Franck Aubrée" in statement.text
    assert assistant.ask("Qu'a dit Albert Einstein ?").refused


def test_which_article_is_meant_has_to_be_said(assistant: LocalAssistant) -> None:
    assert assistant.ask("De quoi parle l'article ?").text.startswith("Lequel")
    first = assistant.ask("Combien a coûté la restauration de la halle aux grains ?")
    told = assistant.ask("De quoi parle cet article ?", [Turn(first.question, first.text)])
    assert {c.article_id for s in told.statements for c in s.citations} >= {
        first.statements[0].citations[0].article_id
    }


def test_a_new_question_is_not_drawn_into_the_last_subject(assistant: LocalAssistant) -> None:
    before = Turn("Pourquoi la maternité a-t-elle fermé ?", "Faute de pédiatres.")
    after = assistant.ask("Que s'est-il passé pendant la crue ?", [before])
    assert after.asked == after.question
    assert after.statements == assistant.ask("Que s'est-il passé pendant la crue ?").statements


def test_examples_are_questions_that_are_answered(assistant: LocalAssistant) -> None:
    proposed = assistant.examples()
    assert 4 <= len(proposed) <= 6
    assert len({q.split()[0] + q.split()[1] for q in proposed}) >= 3, "of several kinds"
    assert len(set(proposed)) == len(proposed)
    assert proposed[0] == "Que s’est-il passé en octobre 2024\u202f?"
    for question in proposed:
        assert not assistant.ask(question).refused


def test_a_refusal_names_a_near_question_that_is_answered(assistant: LocalAssistant) -> None:
    refusal = assistant.ask("Combien mesure Robert Graveron ?")
    assert refusal.refused
    assert refusal.suggestion.startswith("De quoi parle l’article «\u00a0")
    answer = assistant.ask(refusal.suggestion)
    assert not answer.refused
    assert refusal.nearest[0].citation.article_id in {
        c.article_id for s in answer.statements for c in s.citations
    }
    assert assistant.ask("Qui a écrit Les Misérables ?").suggestion == ""


def test_passages_are_shown_in_the_order_of_what_was_read(assistant: LocalAssistant) -> None:
    question = assistant.retriever.understood("Quand la halle aux grains rouvre-t-elle ?")
    found = assistant.search(question.text, 8)
    read, _ = find_evidence(question, found, assistant.index.scale, assistant.answerer.reader)
    first = found[max(read, key=lambda e: e.features["answers"]).rank]
    others = [hit for hit in reversed(found) if hit is not first]
    hits = [*others[:2], first, *others[2:]]
    evidence, _ = find_evidence(question, hits, assistant.index.scale, assistant.answerer.reader)
    ordered = rerank_by_reader(hits, evidence)
    assert sorted(h.passage.id for h in ordered) == sorted(h.passage.id for h in hits)
    assert ordered[4:] == hits[4:]
    odds = {e.hit.passage.id: e.features["answers"] for e in evidence}
    best = max(odds, key=lambda i: odds[i])
    assert ordered[0].passage.id == best == first.passage.id
    assert rerank_by_reader([], []) == []


def test_a_year_is_that_of_the_article_too(
    assistant: LocalAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = assistant.settings.model_copy(update={"caution": 0.4})
    monkeypatch.setattr(assistant.answerer.router, "settings", patient)
    here = assistant.ask("Qui a gagné le Tour de l'Orvelle en 2024 ?")
    assert not here.refused
    assert "Aurélien Salvat" in here.statements[0].text


def test_a_refusal_shows_few_sentences_and_what_they_share(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Qui était maire de Lérac en 1850 ?")
    assert answer.refused
    assert 1 <= len(answer.nearest) <= 3
    assert len({n.citation.article_id for n in answer.nearest}) == len(answer.nearest)
    assert "Lérac" in {word for n in answer.nearest for word in n.shared}
    for near in answer.nearest:
        c = near.citation
        assert assistant.article(c.article_id).text[c.start : c.end] == c.quote
        assert all(word in c.quote for word in near.shared)


def test_what_is_in_common_are_words_of_the_question(assistant: LocalAssistant) -> None:
    understood = assistant.retriever.understood("Pourquoi la maternité a-t-elle fermé ?")
    elsewhere = "L’hôpital suspendra les accouchements."
    assert _shared(understood, elsewhere) == []  # the thesaurus' words are not the reader's
    assert _shared(understood, f"Faute de pédiatres, la maternité fait savoir : {elsewhere}") == [
        "maternité"
    ]


def test_terms_that_a_follow_up_carried_are_carried_on() -> None:
    turns = [
        Turn("Combien coûtera le téléphérique de Montfauzy ?", "18,6 millions d’euros."),
        Turn("Et quand ouvrira-t-il ?", "Au printemps 2027."),
    ]
    shown = rewrite_candidates("Qui s'y oppose ?", turns)[0].shown
    assert shown == texts.ABOUT_TERMS.format("Qui s'y oppose ?", "téléphérique, Montfauzy")


def test_what_a_follow_up_supposes_is_in_its_readers_words(assistant: LocalAssistant) -> None:
    first = assistant.ask("Combien de personnes ont été évacuées à Saint-Cyprin ?")
    asked = "Et quand l'état de catastrophe naturelle a-t-il été reconnu ?"
    second = assistant.ask(asked, [Turn(first.question, first.text)])
    assert "reconnu mercredi" in second.text
    assert second.intro == ""
    (rewriting, *_) = rewrite_candidates(asked, [Turn(first.question, first.text)])
    assert rewriting.spoken == asked


def test_an_article_of_the_year_asked_about_need_not_name_it(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Combien de visiteurs au festival des Lanternes en 2023 ?")
    assert not answer.refused
    assert "21 000" in answer.statements[0].text.replace("\u202f", " ")
    assert assistant.ask("Combien de visiteurs au festival des Lanternes en 2019 ?").refused


def test_of_two_readings_the_likelier_counts_sentence_by_sentence() -> None:
    one = Read(0.5, (1.0, -2.0), ((0, 3), None))
    other = Read(-0.5, (0.0, 2.0), ((1, 2), (5, 9)))
    assert one.or_likelier(other) == Read(0.5, (1.0, 2.0), ((0, 3), (5, 9)))


def test_who_said_it_takes_over_the_subject() -> None:
    turn = Turn("Pourquoi la papeterie ferme-t-elle ?", "C’est une décision financière.")
    completed = complete("Qui l'a dit ?", [turn])
    assert completed.startswith("Qui l'a dit")
    assert "papeterie" in completed
    assert "financière" in completed


def test_a_conversation_is_followed(
    assistant: LocalAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = assistant.ask(
        "Combien de personnes le festival des Lanternes a-t-il attirées en 2024 ?"
    )
    assert "26 500" in first.text.replace("\u202f", " ")
    turns = [Turn(first.question, first.text)]
    assert assistant.ask("Et en 2021 ?", turns).refused
    bold = assistant.settings.model_copy(update={"caution": 0.1})
    monkeypatch.setattr(assistant.answerer.router, "settings", bold)
    second = assistant.ask("Et en 2023 ?", turns)
    assert "2023" in second.asked
    assert not second.refused
    assert "21 000" in second.text.replace("\u202f", " ")


@pytest.mark.parametrize(
    "question",
    ["Comment Mélenchon a-t-il appelé Marine Le Pen ?", "Comment a-t-on surnommé le maire ?"],
)
def test_a_question_that_asks_for_a_name_supposes_nothing(question: str) -> None:
    assert supposition(question) is None
    assert supposition("Comment le maire a-t-il fermé la halle ?") == "Le maire a fermé la halle."


def test_the_words_of_a_refusal_are_about_nothing() -> None:
    assert without_refusal(texts.NO_ANSWER) == ""
    assert without_refusal(f"{texts.TENTATIVE_ANSWER} [1]") == ""
    assert without_refusal("Selon Le Courrier : la halle rouvre. [1]").startswith("Selon")


def test_one_near_sentence_is_told_as_one(assistant: LocalAssistant) -> None:
    refusal = assistant.ask("Qui a dessiné la façade de la halle aux grains ?")
    assert refusal.refused
    bare = replace(refusal, tentative=False, nearest=refusal.nearest[:1])
    one = about_the_same(bare, refusal.asked)
    assert one.text == texts.NO_ANSWER_ONE


def test_a_dash_before_somebody_s_words_is_not_quoted() -> None:
    (found,) = map(
        without_dash, within("- Le gouvernement s’y oppose.", "- Le gouvernement s’y oppose.")
    )
    assert found.text == "Le gouvernement s’y oppose."
    assert found.citation().quote == found.text
    (none,) = map(without_dash, within("-3 degrés à Lérac.", "-3 degrés à Lérac."))
    assert none.text == "-3 degrés à Lérac."


def test_a_name_with_a_figure_is_asked_about(assistant: LocalAssistant) -> None:
    question = assistant.retriever.understood("Qu’est-ce que PH1 ?")
    hits = [Hit(Passage("p:v:0", "p", 0, 0, 38, "PH1 est une planète géante et gazeuse."),
                Source("Une planète"), 1.0, similarity=0.85,
                sentences=(Sentence(0, 38, frozenset({"ph1", "planet"})),), cosines=(0.85,))]  # fmt: skip
    _, probability = find_evidence(question, hits, assistant.index.scale, assistant.answerer.reader)
    assert probability > 0
