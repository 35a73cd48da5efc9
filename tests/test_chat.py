"""What the chat makes of filters, links, copies and what a device hands back, without a browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from rag import messages, texts
from rag.answering.followup import carried_over, rewrite_candidates
from rag.assistant import LocalAssistant
from rag.citations import counted, timeline
from rag.domain import Answer, Citation, Facets, Filters, Nearest, Source, Statement, Turn
from rag.errors import RecoupeError
from rag.french.language import is_foreign
from rag.web.conversation import ChatTurn, TurnSeal, outdated, without_withdrawn
from rag.web.copying import forms
from rag.web.filter_bar import Choice, FilterBar, offered_period, period_days
from rag.web.links import link, linked
from rag.web.render import answer_html

NAMES = st.lists(st.text(min_size=1, max_size=20), max_size=3).map(tuple)
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
DAYS = st.none() | st.dates()


def cited(key: str, name: str, day: date | None = None, quote: str = "Une phrase.") -> Citation:
    return Citation(key, Source(f"Titre {key}", name, published=day), 0, len(quote), quote)


@given(
    st.builds(
        Filters, NAMES, NAMES, NAMES, DAYS, DAYS, st.lists(IDS, max_size=2).map(tuple)
    ),
    st.text(min_size=1, max_size=50),
)  # fmt: skip
def test_a_link_gives_back_its_question_and_filters(filters: Filters, question: str) -> None:
    def straight(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(n.replace("'", "’") for n in names)

    found = linked(link(question, filters, "abc"))
    assert found[0] == question
    assert found[2] == "abc"
    assert found[1] == replace(
        filters,
        sources=straight(filters.sources),
        authors=straight(filters.authors),
        sections=straight(filters.sections),
    )


@pytest.mark.parametrize(
    "query", ["", "?", "?q=a&depuis=hier", "?q=a&article=../../etc", "?q=a&source=" + "x" * 999]
)
def test_a_link_that_cannot_be_asks_without_filters(query: str) -> None:
    assert linked(query)[1] == Filters()


def test_chips_are_taken_away_one_by_one() -> None:
    choice = Choice(("Le Courrier", "L’Écho"), ("Sports",), (), "01/03/2024", "", "a1")
    titles = {"a1": "La halle"}
    chips = list(choice.chips(lambda i: titles.get(i, "")))
    assert [c.label for c in chips] == [
        "Le Courrier", "L’Écho", "Sports", "depuis le 1er mars 2024",
        "cet article seulement\u00a0: La halle",
    ]  # fmt: skip
    for chip in chips:
        choice = choice.without(chip.field, chip.value)
    assert not choice.filters()
    assert choice.without("no such field", "x") == choice


def test_days_that_are_turned_or_unreadable_are_told() -> None:
    for since, until in (("jamais", ""), ("02/01/2024", "01/01/2024"), ("31/02/2024", "")):
        with pytest.raises(RecoupeError):
            Choice(since=since, until=until).filters()
    (chip,) = Choice(since="jamais").chips(str)
    assert chip.label == "date illisible\u00a0: jamais"
    years = Choice(since="2023", until="2023")
    assert years.filters() == Filters(since=date(2023, 1, 1), until=date(2023, 12, 31))
    assert [c.label for c in years.chips(str)] == [
        "depuis le 1er janvier 2023",
        "jusqu’au 31 décembre 2023",
    ]


def test_what_is_taken_from_before_is_told_once() -> None:
    history = [Turn("Que disent les articles sur Saint-Cyprin-sur-Orvelle et Saint-Cyprin ?", "")]
    shown = carried_over(rewrite_candidates("Pourquoi ?", history)[0].shown)
    assert shown.terms == ("Saint-Cyprin-sur-Orvelle",)


def test_a_copy_tells_its_filters_and_its_doubt() -> None:
    near = Nearest(cited("a", "L’Écho"), ("phrase",))
    answer = Answer("Q ?", (), (), True, "m", "…", nearest=(near,), tentative=True)
    made = forms(answer, "L’Écho\u202f; depuis le 1er mars 2024")
    assert all("Filtres\u00a0: L’Écho" in form for form in made.values())
    assert texts.PERHAPS in made["text"]


def test_periods_are_written_as_days() -> None:
    today = date(2024, 3, 31)
    assert period_days(texts.THIS_YEAR, today) == ("01/01/2024", "")
    assert period_days(texts.LAST_DAYS, today) == ("01/03/2024", "")
    assert period_days("2021", today) == ("01/01/2021", "31/12/2021")
    assert period_days(texts.ANY_TIME, today) == period_days(None) == ("", "")


def test_the_bar_lists_the_names_and_years_of_the_corpus() -> None:
    facets = Facets(
        sources=(("Le Courrier", 2), ("", 1)), months=((date(2023, 5, 1), 1), (date(2024, 1, 1), 2))
    )
    sources, _, _, periods = FilterBar(str, lambda: facets).options(facets)
    assert [c[0] for c in sources.choices] == ["Le Courrier"]
    assert [c[0] for c in periods.choices][3:] == ["2024", "2023"]


def test_what_is_copied_has_the_notice_and_the_words_in_bold() -> None:
    source = Source("Un titre", "Le Port")
    cited = Citation("a", source, 0, 24, "Le pont rouvre le 4 mars")
    said = Statement(cited.quote, (cited,), span=(15, 24))
    answer = Answer("Q ?", (said,), (), False, "m", said.text, notice=texts.CORPUS_CHANGED)
    made = forms(answer)
    for form in ("text", "markdown", "html"):
        assert texts.CORPUS_CHANGED.split("\u00a0")[0] in made[form]
    assert "<strong>le 4 mars</strong>" in made["html"]


def test_a_question_in_another_language_is_to_be_put_in_french(assistant: LocalAssistant) -> None:
    answer = assistant.ask("How much will the cable car cost in Montfauzy?")
    assert not answer.refused or answer.notice == texts.ASK_IN_FRENCH
    assert assistant.ask("Qui a marché sur Mars ?").notice == ""
    assert assistant.ask("Who went to the moon with the mayor?").notice == texts.ASK_IN_FRENCH


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("How much will it cost?", True),
        ("Wie teuer ist das?", True),
        ("Combien coûtera le téléphérique ?", False),
        ("prix téléphérique Montfauzy", False),
        ("The Voice est-elle diffusée en direct ?", False),
    ],
)
def test_small_words_tell_a_language(text: str, foreign: bool) -> None:
    assert is_foreign(text) is foreign


def test_a_name_that_is_typed_is_one_of_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("gradio.Warning", lambda message, **_: told.append(message))
    facets = Facets(sources=(("L’Écho de Brissange", 2), ("Agence Transval", 1)))
    bar = FilterBar(str, lambda: facets)
    assert bar.known_names("sources", ["agence", "L’Écho de Brissange"]) == [
        "Agence Transval",
        "L’Écho de Brissange",
    ]
    assert told == []
    assert bar.known_names("sources", ["Transvol"]) == gr.skip()
    assert bar.known_names("sources", ["Le Monde"]) == gr.skip()
    assert told == [
        messages.unknown_name("sources", "Transvol", ["Agence Transval"]),
        messages.unknown_name("sources", "Le Monde", [], texts.SEE_NAMES),
    ]
    unchanged = bar.known_names("sources", ["Agence Transval"])
    assert unchanged == gr.skip()


def test_the_period_follows_the_days() -> None:
    assert offered_period("2023", "", "") == texts.ANY_TIME
    assert offered_period(texts.ANY_TIME, "01/01/2023", "31/12/2023") == "2023"
    assert offered_period("2023", "01/01/2023", "31/12/2023") == gr.skip()
    assert offered_period("2023", "05/01/2023", "31/12/2023") is None


def test_an_answer_says_with_what_filters_it_was_sought() -> None:
    answer = Answer("Q ?", (), (), False, "extractive", "Le pont ferme.")
    assert "filtres\u00a0: 2023" in answer_html(ChatTurn(answer, filtered_by="2023"), 0)
    assert "rc-meta" not in answer_html(ChatTurn(answer), 0)


def test_what_was_taken_from_before_can_be_asked_and_taken_away() -> None:
    asked = texts.ABOUT_TERMS.format("Et quand ouvrira-t-il ?", "téléphérique, Lérac")
    carried = carried_over(asked)
    assert carried.terms == ("téléphérique", "Lérac")
    (alone,) = rewrite_candidates(asked, [])
    assert alone.searched == "Et quand ouvrira-t-il téléphérique Lérac ?"
    assert alone.shown == asked
    left = carried.without(0)
    assert carried_over(left).terms == ("Lérac",)
    assert carried_over(left).without(0) == "Et quand ouvrira-t-il ?"


def test_a_question_after_another_is_asked_again_by_itself() -> None:
    asked = texts.AFTER_QUESTION.format("Et en 2023 ?", "Combien de visiteurs en 2024")
    again = rewrite_candidates(asked, [])
    assert again == rewrite_candidates("Et en 2023 ?", [Turn("Combien de visiteurs en 2024 ?", "")])
    assert "2023" in again[0].searched


@given(st.text(max_size=200))
def test_any_question_is_carried_over_without_a_loss(text: str) -> None:
    carried = carried_over(text)
    assert carried.question in text
    assert carried.terms or carried.before or carried.question == text


def test_copies_are_counted_once_and_days_make_a_line() -> None:
    first, copy = (
        cited("a", "Le Courrier", date(2024, 3, 1)),
        cited("b", "L’Écho", date(2024, 3, 2)),
    )
    other = cited("c", "Le Courrier", date(2023, 1, 5))
    both = (Statement("Une phrase.", (first, copy)), Statement("Une autre.", (other,)))
    assert counted(both) == (3, 2, 1)
    assert texts.of_sources(3, 2, 1) == "3 articles, de 2 sources, dont une reprise du même texte"
    assert [c.article_id for _, _, c in timeline(both)] == ["c", "a"]  # two days are several
    assert timeline(both[:1]) == []  # a copy of the day after is no other day


def test_what_a_device_hands_back_is_sealed_or_nothing(tmp_path: Path) -> None:
    seal = TurnSeal(tmp_path)
    answer = Answer("Q ?", (Statement("S.", (cited("a", "L’Écho"),)),), (), False, "m", "S. [1]")
    turn = ChatTurn(answer, Filters(("L’Écho",)), "", "abc")
    sealed = seal.close(turn)
    assert seal.open(sealed) == turn
    for bad in (sealed[:-2] + "xx", "", None, 3, {"a": 1}, sealed.swapcase()):
        assert seal.open(bad) is None
    found = seal.all_of([{"q": "Q ?", "s": sealed}, {"q": "x" * 5000}, 3, None])
    assert [t.answer.refused for t in found] == [False, True, True, True]
    assert len(found[1].answer.question) == 1000
    assert seal.all_of("no list") == []


def test_an_answer_that_cites_what_is_gone_is_taken_back() -> None:
    answer = Answer("Q ?", (Statement("S.", (cited("a", "L’Écho"),)),), (), False, "m", "S. [1]")
    turn = ChatTurn(answer)
    assert without_withdrawn([turn], lambda ids: dict.fromkeys(ids, True)) == [turn]
    (gone,) = without_withdrawn([turn], lambda _: {})
    assert gone.answer.text == texts.ANSWER_GONE
    assert gone.answer.question == "Q ?"


def test_each_form_has_the_words_the_quotes_and_escapes_them() -> None:
    evil = "<script>alert(1)</script> & « mots »"
    source = Source("Titre <b>", "L’Écho", url="javascript:alert(1)")
    citation = Citation("a", source, 0, len(evil), evil)
    made = forms(Answer("Q <i> ?", (Statement(evil, (citation,)),), (), False, "m", evil))
    assert set(made) == {"text", "markdown", "html", "cms"}
    assert evil in made["text"]
    for name in ("html", "cms"):
        tree = html.fromstring(f"<div>{made[name]}</div>")
        assert evil in tree.text_content()
        assert tree.xpath("//script | //b | //i | //@href | //@cite") == []


def test_a_refusal_shows_what_is_about_the_same_thing_alone(assistant: LocalAssistant) -> None:
    """The price of milk is not near to a question about the price of oil."""
    oil = assistant.ask("Quel est le prix du pétrole ?")
    assert oil.refused
    assert oil.nearest == ()
    assert oil.text == texts.NO_PASSAGE
    near = assistant.ask("Qui a dessiné la façade de la halle aux grains ?")
    assert near.refused
    assert near.nearest
    for each in near.nearest:
        said = f"{each.citation.source.title} {each.citation.quote}".lower()
        assert any(word in said for word in ("halle", "façade", "grain"))


def test_a_refusal_says_where_it_looked_and_offers_to_look_everywhere() -> None:
    answer = Answer("Q ?", (), (), True, "extractive", texts.NO_PASSAGE)
    turn = ChatTurn(
        answer, Filters(("L’Écho",)), "Cherché dans 57 articles\u00a0: «\u00a0Q\u00a0»."
    )
    page = html.fromstring(answer_html(turn, 0))
    assert "Cherché dans 57 articles" in page.text_content()
    assert page.xpath("//button[contains(@class, 'rc-unfiltered')]/@data-question") == ["Q ?"]
    bare = answer_html(ChatTurn(answer), 0)
    assert "rc-unfiltered" not in bare


def test_a_conversation_taken_up_again_says_what_has_changed() -> None:
    citation = Citation("a", Source("T", "L’Écho"), 0, 8, "Il y a 3")
    answer = Answer("Q ?", (Statement("Il y a 3", (citation,)),), (), False, "m", "Il y a 3 [1]")
    turn = ChatTurn(answer, corpus="avant")
    assert outdated([turn], "avant", lambda _: "") == [turn]  # of this state: not looked at
    assert outdated([turn], "après", lambda _: "Titre. Il y a 3 bacs.") == [turn]
    (changed,) = outdated([turn], "après", lambda _: "Il y a 4 bacs.")
    assert changed.answer.notice == texts.ANSWER_OUTDATED
    assert changed.answer.statements == answer.statements
