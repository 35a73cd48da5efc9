"""Complete a follow-up from the conversation, without a language model.

A question that stands by itself is left alone. « Et en 2023 ? » takes the
previous question and changes its year; « Pourquoi ? » is asked of what it was
about, or of whom the answer named. Where there are several ways, retrieval and the
reader tell which one the articles answer best.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rag import texts
from rag.domain import Turn
from rag.french.names import names
from rag.french.words import content_stems, fold, is_function_word, words
from rag.searching.intent import intent_of

if TYPE_CHECKING:
    from spacy.tokens import Token

_GENERIC = frozenset(content_stems("articles presse journal journaux"))  # what all is of
# Ways to understand a follow-up that are tried, besides asking both questions at once
_MOST_CANDIDATES = 3
_MOST_TERMS, _MOST_SHOWN = 8, 4  # terms of a text that are carried over, and that are shown
_LONGEST_READ = 600  # characters of a text that terms are taken from
_WORDS_ASKED = re.compile(r"\b(?:dit|declare|affirme|annonce|explique)\b")
_LEAD_IN = re.compile(r"^(?:[^\n]{0,200}\n\n)?(?:[^\n:]{0,80}, s|S)elon [^\n:]{1,200}\u00a0: ?")
_OPENING = re.compile(r"^\s*(?:et|mais|alors|puis)\b[\s,]*", re.IGNORECASE)
_ASKING = re.compile(
    r"\b(?:qui|que|quoi|quand|pourquoi|comment|combien|ou|quel(?:le)?s?|lequel|laquelle)\b|\bqu'|-t?-?(?:il|elle|on|ils|elles)\b"
)
# How a question is shown with what it took from before: `texts.ABOUT_TERMS`, `AFTER_QUESTION`.
_CARRIED = re.compile(
    r"^(?P<question>.+?)\s*\((?:à propos de\s*:\s*(?P<terms>[^()]{1,300})"
    r"|à la suite de\s*«\s*(?P<before>.{1,1000}?)\s*\?\s*»)\)\s*$"
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
# What an earlier turn must have named, on folded text.
_REFERENCE = re.compile(
    r"\b(?:l'a|l'ont|l'avait|il|elle|ils|elles|lui|leur|cela|ca|celui-ci|celle-ci|"
    r"cette affaire|cet article|ce texte|ce projet|"
    r"cette decision|cet accord|y|en est|la-bas|son|sa|ses)\b"
)
# A pronoun before which nothing can be what it stands for: « Combien de voix a-t-il eues ? ».
_HIS_VERB = re.compile(
    r"^(?:qu'|que |ou |quand |comment |pourquoi |(?:depuis |pendant )?combien (?:de \S+ |d'\S+ )?|"
    r"(?:a|de|par|avec|contre|pour|chez) (?:qui|quoi) |"
    r"(?:(?:a|de|dans|en|sur|avec|pour|par|depuis) )?quel(?:le)?s? \S+ )"
    # « Il » that stands for nothing: the weather, what is there, what is left, what has to be.
    r"(?<!quel temps )(?!s'est-il\b|s'agi\w*-|f(?:aut|audra|allait)-|(?:n'|en |n'en )?rest\w+-"
    r"|(?:n')?y (?:a|aura|avait|aurait|eut|a-t)\b|pleu\w+-|neige\w*-|vaut-|suffi\w+-|convien\w+-)"
    r"(?:(?:l'|n'|s'|y |en |lui |leur )?\S+)-(?:t-)?(?:il|elle|ils|elles)\b"
    r"|^qu'en (?:dit|dis|pens|di)\w*"
)
_AFTER_VERB = re.compile(r"-(?:t-)?(?:il|elle|ils|elles)\b")
_TOO_LITTLE, _LITTLE = 1, 3  # words of matter: alone, and with a reference
_PREPOSITION = re.compile(
    r"^(à|au|aux|dans|en|chez|pour|avec|contre|sur|du|de la|des|par)\s+", re.IGNORECASE
)
_PLACES = ("à", "au", "aux", "dans", "en", "chez")
_TAIL_WORDS = 5  # words after the preposition that a new piece replaces, at most
_PLACE = re.compile(
    r"\b(à|au|aux|dans|en|chez|pour)\s+((?:l[ea'’]s?\s?)?[A-ZÀ-Þ][\w’'-]*(?:[ -][A-ZÀ-Þ][\w’'-]*)*)"
)
_NAME = re.compile(r"\b[A-ZÀ-Þ][\w’'-]*(?: (?:d[eu] )?[A-ZÀ-Þ][\w’'-]*)*")


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A question as it is understood after others: what is searched, and what a reader is told.

    They are the same where the rewriting is a whole question; else `shown` gives the question as
    it was asked, and apart what was taken from before. Candidates of a `rank` are tried where none
    of a lower one is answered.
    """

    searched: str
    shown: str
    rank: int = 0

    @property
    def spoken(self) -> str:
        """The question in its reader's words, without what was taken from before."""
        return self.searched if self.is_whole else carried_over(self.shown).question

    @property
    def is_whole(self) -> bool:
        """Whether it is a question that a reader would ask."""
        return self.searched == self.shown


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """A question as it was asked, and what was taken for it from before: terms, or a question."""

    question: str
    terms: tuple[str, ...] = ()
    before: str = ""

    def without(self, at: int) -> str:
        """Return the question to ask without the term at a place, or without what was before."""
        left = [t for i, t in enumerate(self.terms) if i != at]
        return texts.ABOUT_TERMS.format(self.question, ", ".join(left)) if left else self.question


def carried_over(asked: str) -> CarriedOver:
    """Return what a question, as `Rewriting.shown` gives it, took from before."""
    found = _CARRIED.match(asked)
    if found is None:
        return CarriedOver(asked)
    terms = [t.strip() for t in (found["terms"] or "").split(",")]
    return CarriedOver(found["question"], tuple(filter(None, terms)), found["before"] or "")


def complete(question: str, history: Sequence[Turn]) -> str:
    """Return the question to search for: the likeliest of `rewrite_candidates`."""
    return rewrite_candidates(question, history)[0].searched


def rewrite_candidates(question: str, history: Sequence[Turn]) -> list[Rewriting]:
    """Return what a question may ask after `history`, likeliest first.

    That is the question alone when it stands by itself, and at most four ways when it does not.
    What it may be about is what was asked about before, and whom the answer named.
    """
    carried = carried_over(question)
    if carried.before:  # as a link to an answer asks it
        return rewrite_candidates(carried.question, [Turn(f"{carried.before} ?", "")])
    if carried.terms:
        searched = f"{carried.question.strip(' ?')} {' '.join(carried.terms)} ?"
        return [Rewriting(searched, question)]
    if not history or stands_alone(question):
        return [Rewriting(question, question)]
    previous = rewrite_candidates(history[-1].question, history[:-1])[0]
    before = previous.searched.strip(" ?.!")
    # The last question that a reader understands by itself.
    asked = [t.question for t in reversed(history) if stands_alone(t.question)]
    whole = before if previous.is_whole else (asked or [history[-1].question])[0].strip(" ?.!")
    after = texts.AFTER_QUESTION.format(question, whole)
    opening = _OPENING.match(question)
    found: list[Rewriting] = []
    if opening and not asks(question):
        piece = question[opening.end() :].strip(" ?.!")
        # What takes the place of a year or of a place leaves no other meaning.
        if varied := list(dict.fromkeys(islice(_varied(before, piece), _MOST_CANDIDATES))):
            return [Rewriting(v, v if previous.is_whole else after) for v in varied]
        if _NAME.fullmatch(piece) and (old := _NAME.search(before, 1)):
            found.append(Rewriting(f"{before[: old.start()]}{piece}{before[old.end() :]} ?", after))
        found.append(Rewriting(f"{before} {piece} ?", after, 1))
    else:
        asked, answered = (
            _terms_of(previous),
            topic_terms(_first_statement(history[-1].answer), names=True),
        )
        if _WORDS_ASKED.search(fold(question)):
            found.append(_about(question, [*asked, *_content_words(history[-1].answer)[:12]]))
        found += [_about(question, asked), _about(question, answered)]
        found = [f for f in found if f.searched != question]
        found.append(_about(question, [*asked, *answered]))
    found.append(Rewriting(f"{before} ? {question}", after, 2))
    return list(dict.fromkeys(found))[: _MOST_CANDIDATES + 1]


def _terms_of(rewriting: Rewriting) -> list[str]:
    """Return what a question is about: its own terms, and those that it had from before."""
    if rewriting.is_whole:
        return topic_terms(rewriting.searched.strip(" ?.!"))
    carried = carried_over(rewriting.shown)
    own = topic_terms(carried.question.strip(" ?.!"))
    if carried.terms:
        return list(dict.fromkeys([*own, *carried.terms]))
    return topic_terms(rewriting.searched.strip(" ?.!"))


def topic_terms(text: str, *, names: bool = False) -> list[str]:
    """Return the nouns and names of a text as written, without the thing that it asks for.

    With `names`, the names alone. « Combien coûtera le téléphérique de Lérac ? » is about
    « téléphérique » and « Lérac ».
    """
    from rag.french.syntax import parse

    found: list[str] = []
    opening: set[str] = set()  # words that open a sentence: their capital says nothing
    joins = False  # names of several words are one term
    for token in parse(text[:_LONGEST_READ]):
        named = token.text[:1].isupper() and (token.pos_ == "PROPN" or token.i > 0)
        if is_function_word(fold(token.text)):
            joins = False  # « Combien » has a capital
        elif not any(c.isalpha() for c in token.text):
            joins = joins and token.text in {"-", "’", "'"}
        elif named and joins:
            found[-1] = text[text.rindex(found[-1], 0, token.idx) : token.idx + len(token.text)]
        elif named or (token.pos_ == "NOUN" and not names and not _is_asked_for(token)):
            found.append(text[token.idx : token.idx + len(token.text)])
            opening |= {found[-1]} if token.is_sent_start else set()
            joins = named
        else:
            joins = False
    if names:  # whom an answer names in full is whom it is about
        found = sorted((f for f in found if f not in opening), key=lambda f: " " not in f)
    return list(dict.fromkeys(found))[:_MOST_TERMS]


def _is_asked_for(noun: Token) -> bool:
    """Tell whether a noun is what a question asks for: « quel prix », « combien de buts »."""
    before = {fold(t.text) for t in noun.children if t.i < noun.i}
    before |= {fold(noun.nbor(-k).text) for k in (1, 2) if noun.i >= k}
    return any(w.startswith("quel") or w == "combien" for w in before) or (
        noun.dep_.startswith("nsubj") and fold(noun.head.text).startswith("quel")
    )


def _about(question: str, terms: Sequence[str]) -> Rewriting:
    """Return a question with what it is about, of which it does not speak itself."""
    own = set(content_stems(question))
    carried = _distinct([t for t in terms if not set(content_stems(t)) <= own])
    if not carried:
        return Rewriting(question, question)
    shown = texts.ABOUT_TERMS.format(question, ", ".join(carried[:_MOST_SHOWN]))
    return Rewriting(f"{question.strip(' ?')} {' '.join(carried)} ?", shown)


def _distinct(terms: Sequence[str]) -> list[str]:
    """Return terms without those that a longer one says too, and without « articles »."""
    stems_of = {t: set(content_stems(t)) for t in dict.fromkeys(terms)}
    return [
        t
        for t, stems in stems_of.items()
        if stems and not stems <= _GENERIC
        and not any(stems < others for others in stems_of.values())
    ]  # fmt: skip


def _first_statement(answer: str) -> str:
    """Return what an answer says first, without the marks and the source that leads it in."""
    return _LEAD_IN.sub("", re.sub(r"\s*\[\d+\]", "", answer)).split("\n\n")[0]


def asks(question: str) -> bool:
    """Tell whether a question has an asking word, or a subject after its verb."""
    return bool(_ASKING.search(fold(_OPENING.sub("", question))))


def stands_alone(question: str) -> bool:
    """Tell whether a question needs nothing of what was said before."""
    opening = _OPENING.match(question)
    if opening and not asks(question):
        return False
    body = question[opening.end() :] if opening else question
    named = bool(names(body)) or bool(_NAME.search(body[1:]))
    if opening or _HIS_VERB.match(fold(body)):
        return named and not _HIS_VERB.match(fold(body))
    wanted = intent_of(body)
    if named or (wanted.overview and wanted.topic):
        return True
    terms = len(set(content_stems(body)))
    if terms <= _TOO_LITTLE:
        return False
    # « Pourquoi la halle ferme-t-elle ? » says what « elle » is.
    return terms > _LITTLE or not _REFERENCE.search(_AFTER_VERB.sub("", fold(body)))


def _varied(before: str, piece: str) -> Iterator[str]:
    """Yield the previous question with a part of it replaced by the new one."""
    if year := _YEAR.search(piece):
        dated = bool(_YEAR.search(before))
        yield f"{_YEAR.sub(year.group(), before) if dated else f'{before} {piece}'} ?"
        return
    if place := _PLACE.search(piece):
        for old in _PLACE.finditer(before):
            if old.group(1).lower() in {place.group(1).lower(), *_PLACES}:
                yield f"{before[: old.start()]}{place.group()}{before[old.end() :]} ?"
    if preposition := _PREPOSITION.match(piece):
        tail = _last(before, preposition.group(1).lower())
        if tail and len(before[tail:].split()) <= _TAIL_WORDS:
            yield f"{before[:tail]} {piece} ?"


def _last(before: str, preposition: str) -> int:
    """Return where the last phrase with such a preposition begins, 0 for nowhere."""
    alike = _PLACES if preposition in _PLACES else (preposition,)
    return max(0, *(before.lower().rfind(f" {p} ") for p in alike))


def _content_words(text: str) -> list[str]:
    """Return the words of an answer that say something, as written."""
    found = re.findall(r"[\w’'-]+", _first_statement(text))
    return [w for w in found if not all(is_function_word(part) for part in words(w))]
