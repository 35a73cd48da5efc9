"""Check that what a language model wrote follows from the quotes shown for it (I4).

A statement is shown with quotes: for each passage that it cites, the sentence
that says most of it, and those that hold what is still missing. It passes when
`rag.checking.compare` believes that it follows from these quotes, with the
labels beside them: what a reader cannot see supports nothing. What does not
pass is marked with what a reader can check, never silently kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag import texts
from rag.checking.compare import FOLLOWS, compare
from rag.domain import Citation, Hit, Statement
from rag.french.names import names
from rag.french.numbers import numbers
from rag.french.sentences import Span, sentence_spans
from rag.french.words import content_stems, same_root, words

if TYPE_CHECKING:
    from rag.checking.prompt_injection import InjectionDetector
    from rag.models.comparer import Comparer

MARK = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_UNSAFE = re.compile(
    r"<[a-z/!?]|!?\[[^\]]*\]\(|\b(?:https?|javascript|data):|\bwww\.", re.IGNORECASE
)
_COUNTS = "zéro une deux trois quatre cinq six sept huit neuf dix".split()
_COUNT = "|".join(_COUNTS[1:]) + r"|\d{1,2}"
_WEIGHING = re.compile(
    rf"\b({_COUNT}) (?:des )?sources? (?:sur|parmi) (?:les )?({_COUNT})\b", re.IGNORECASE
)
_WORD_COVERAGE = 0.6  # share of a statement's content words found in its evidence
_MOST_QUOTES = 3  # of one passage
_WHOLE_SENTENCE = 6  # words; of less without a mark it is not known what they say


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a cited passage: what is shown for a statement."""

    hit: Hit
    span: Span

    @property
    def text(self) -> str:
        """The sentence."""
        return self.hit.passage.text[slice(*self.span)]

    def citation(self) -> Citation:
        """Return its exact span in its article."""
        passage, (a, b) = self.hit.passage, self.span
        return Citation.of(passage, self.hit.source, passage.start + a, passage.start + b)


class _Missing:
    """What a statement says that its evidence does not."""

    def __init__(self, statement: str, evidence: Iterable[str]) -> None:
        parts = list(evidence)
        present = {w for text in parts for w in words(text)}
        evidence_stems = {s for text in parts for s in content_stems(text)}
        stems = set(content_stems(statement))
        self.numbers = numbers(statement) - {n for text in parts for n in numbers(text)}
        self.names = names(statement) - present
        self.stems = {s for s in stems if not any(same_root(s, h) for h in evidence_stems)}
        self.few_words = bool(stems) and 1 - len(self.stems) / len(stems) < _WORD_COVERAGE

    def gain(self, text: str) -> int:
        """Return how much of what is missing a text holds."""
        gain = len(self.numbers & numbers(text)) + len(self.names & set(words(text)))
        if self.few_words:
            stems = set(content_stems(text))
            gain += sum(any(same_root(s, h) for h in stems) for s in self.stems)
        return gain


class SupportCheck:
    """Checks sentences that a model wrote."""

    def __init__(self, comparer: Comparer, injections: InjectionDetector) -> None:
        """Take what says what follows, and what tells sentences that speak to a machine."""
        self._comparer, self._injections = comparer, injections

    def check(self, text: str, hits: Sequence[Hit]) -> Statement | None:
        """Return one sentence of a model's answer as a checked statement.

        `text` holds its marks `[n]`, 1-based in `hits`. Marks without a passage
        are removed. A whole sentence that has none, as small models write them, rests on the
        passage that says most of it where that passes the check in nearly the same words. None
        when nothing is left but marks. Raises EmbeddingError.
        """
        statement = MARK.sub("", text).strip()
        if not re.search(r"\w", statement):
            return None
        cited = [int(n) for m in MARK.findall(text) for n in re.findall(r"\d+", m)]
        cited_hits = [hits[n - 1] for n in dict.fromkeys(cited) if 1 <= n <= len(hits)]
        if not cited_hits:
            if not cited and hits and len(words(statement)) >= _WHOLE_SENTENCE:
                found = self._checked(statement, [_closest(statement, hits)], hits)
                if found.supported and _in_its_words(found):
                    return found
            reason = texts.INVENTED_CITATION if cited else texts.NO_CITATION
            return Statement(statement, supported=False, problem=reason)
        return self._checked(statement, cited_hits, hits)

    def _checked(self, statement: str, cited_hits: Sequence[Hit], hits: Sequence[Hit]) -> Statement:
        """Return a sentence without its marks as the passages that it cites support it, or not."""
        weighing = _WEIGHING.search(statement)
        hypothesis = statement.replace(weighing.group(), texts.WEIGHED) if weighing else statement
        main, quotes = self.quoted(hypothesis, cited_hits)
        problem = self._refusal(hypothesis, main, quotes)
        if not problem and weighing and not _weighs(weighing, cited_hits, hits):
            problem = texts.WRONG_WEIGHING
        if not problem:
            premise, label = self.evidence(quotes)
            comparison = compare(hypothesis, premise, self._comparer, label=label)
            if comparison.follows < FOLLOWS:
                problem = comparison.reason
        citations = tuple(quote.citation() for quote in quotes)
        return Statement(statement, citations, supported=not problem, problem=problem)

    def quoted(self, statement: str, cited: Sequence[Hit]) -> tuple[list[Quote], list[Quote]]:
        """Return the sentence of each passage that says most of a statement, and all shown."""
        main = [_main_quote(statement, hit) for hit in cited]
        return main, self._quotes(statement, main)

    def evidence(self, quotes: Sequence[Quote]) -> tuple[str, str]:
        """Return the quotes that a statement is compared with, as one text, and their labels.

        A quote that speaks to a machine is shown but is no evidence.
        """
        sentences = self._injections.without_injections([quote.text for quote in quotes])
        sources = dict.fromkeys(quote.hit.source for quote in quotes)
        return " ".join(sentences), "\n".join(texts.label(s) for s in sources if s.title)

    def _refusal(self, statement: str, main: Sequence[Quote], quotes: Sequence[Quote]) -> str:
        """Return why a statement is not even compared with what is shown, in French, or ""."""
        evidence = [*(q.text for q in quotes), *(texts.label(q.hit.source) for q in quotes)]
        if _UNSAFE.search(statement) and not any(_UNSAFE.search(text) for text in evidence):
            return texts.UNSAFE_TEXT
        if not self._injections.without_injections([quote.text for quote in main]):
            return texts.INSTRUCTION
        return ""

    def _quotes(self, statement: str, main: Sequence[Quote]) -> list[Quote]:
        """Return what is shown for a statement, in reading order passage by passage.

        To the `main` quotes are added the sentences of their passages that hold a
        figure or a name which none shows yet, or words while too few are shown.
        """
        groups = [[quote] for quote in main]
        for group in groups:
            others = [quote for quote in _sentences(group[0].hit) if quote not in group]
            while others and len(group) < _MOST_QUOTES:
                premise, label = self.evidence([quote for g in groups for quote in g])
                gain, best = _best_gain(_Missing(statement, [premise, label]), others)
                if not gain:
                    break
                others.remove(best)
                if not self._injections.is_injection(best.text):
                    group.append(best)
        return [quote for group in groups for quote in sorted(group, key=lambda q: q.span)]


def _weighs(weighing: re.Match[str], cited: Sequence[Hit], hits: Sequence[Hit]) -> bool:
    """Tell whether « deux sources sur trois » counts sources that are cited and given."""
    some, of = (_COUNTS.index(n.lower()) if n.lower() in _COUNTS else int(n)
                for n in weighing.groups())  # fmt: skip
    return some <= len(_sources(cited)) and some <= of <= len(_sources(hits))


def _sources(hits: Sequence[Hit]) -> set[str]:
    return {hit.source.name or hit.source.title for hit in hits}


def _main_quote(statement: str, hit: Hit) -> Quote:
    """Return the sentence of a passage that says most of a statement."""
    wanted = _terms(statement)
    return max(_sentences(hit), key=lambda q: (len(wanted & _terms(q.text)), -q.span[0]))


def _terms(text: str) -> set[str]:
    return set(content_stems(text)) | numbers(text)


def _in_its_words(statement: Statement) -> bool:
    """Tell whether what a statement cites has its figures, its names and most of its words."""
    cited = [f"{texts.label(c.source)} {c.quote}" for c in statement.citations]
    missing = _Missing(statement.text, cited)
    return not (missing.numbers or missing.names or missing.few_words)


def _closest(statement: str, hits: Sequence[Hit]) -> Hit:
    """Return the passage a sentence of which says most of a statement, the first of several."""
    wanted = _terms(statement)
    return max(hits, key=lambda hit: len(wanted & _terms(_main_quote(statement, hit).text)))


def _best_gain(missing: _Missing, quotes: Collection[Quote]) -> tuple[int, Quote]:
    gains = [(missing.gain(quote.text), -quote.span[0], quote) for quote in quotes]
    gain, _, best = max(gains, key=lambda g: g[:2])
    return gain, best


def _sentences(hit: Hit) -> list[Quote]:
    text = hit.passage.text
    return [Quote(hit, span) for span in sentence_spans(text) or [(0, len(text))]]
