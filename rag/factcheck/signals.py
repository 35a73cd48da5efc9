"""What tells that a sentence supports or contradicts a claim, in terms a reader can check.

Each signal is a comparison that a person would make: the same words, numbers of
one unit, dates, names, a negation on one side only, words that exclude each
other. `read` returns what the stance model weighs and what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.factcheck.language import parse
from rag.factcheck.opposites import DENYING, FALSE, opposed, root
from rag.factcheck.quantities import Quantity, quantities, written
from rag.french import fold, format_date, is_function_word
from rag.matching import held
from rag.when import Period, periods

if TYPE_CHECKING:
    from spacy.tokens import Token

AGAINST, FOR, OPEN = "contre", "pour", "à vérifier"
_CONTENT = {"NOUN", "VERB", "ADJ", "PROPN", "NUM", "ADV"}
_NEGATORS = frozenset("pas jamais rien aucun aucune personne guere nullement ni point".split())
_ALL = re.compile(
    r"\b(?:tous|toutes|toujours|chaque|entierement|totalement|integralement|unanim\w+)\b"
)
_SOME = re.compile(
    r"\b(?:certains|certaines|quelques|plusieurs|parfois|partiel\w*|la plupart|une partie|pas tous|pas toutes)\b"
)
_ONLY = re.compile(
    r"\b(?:seule?s?|seulement|uniquement|exclusivement|ne\b[^.]{1,40}\bque)\b|\bn'[^.]{1,40}\bque\b"
)
_MAYBE = re.compile(
    r"\b(?:pourrai\w+|peut-etre|probable\w*|eventuel\w*|envisag\w+|devrai\w+|risque\w*|aurai\w*|serai\w*|possible\w*|souhait\w+|projet\w*|pourra|pourront)\b"
)
_DEBUNK = re.compile(
    r"\b(?:en realite|contrairement|aucune? preuve|rien ne (?:prouve|montre|permet)|n'existe pas|n'existent pas|en fait|detourn\w+|hors de son contexte|il s'agit|effectivement|bien)\b"
)
FEATURES = (
    "covered", "covered_loosely", "covers", "names", "names_missing", "swapped", "numbers",
    "number_conflict", "number_missing", "dates", "date_conflict", "date_missing", "negated",
    "negated_evidence", "negation_differs", "clash", "agree", "opposed", "false_differs",
    "denied_differs", "all_some", "only", "maybe_differs", "debunk", "roles", "similarity",
    "similar_negation", "covered_negation", "longer", "covered_opposed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signal:
    """One comparison, for a reader: `text` in French, `side` "pour", "contre" or "à vérifier"."""

    name: str
    text: str
    side: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What the comparison of a claim and a sentence gives: `features` by name, and `signals`."""

    features: dict[str, float]
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """A content word: its stem, whether it is denied, whether it is a name."""

    stem: str
    text: str
    denied: bool
    name: bool
    verb: bool
    subject: str


def read(
    claim: str,
    evidence: str,
    similarity: float,
    *,
    context: str = "",
    written_on: date | None = None,
) -> Reading:
    """Compare a claim with a sentence of an article.

    `similarity` is the cosine of their embeddings; `context` what surrounds
    the sentence (title, neighbours), where names and dates may stand;
    `written_on` resolves « mercredi » in the evidence.
    """
    claimed, found = _words(claim), _words(evidence)
    stems, loose = {w.stem for w in found}, {w.stem for w in found} | _stems(context)
    mine = list({w.stem: w for w in claimed}.values())
    signals: list[Signal] = []
    covered = [float(w.stem in stems) for w in mine]
    loosely = [held(w.stem, stems) for w in mine]
    reverse = {w.stem for w in claimed}
    names = [w for w in mine if w.name]
    absent = [w for w in names if not held(w.stem, loose)]
    strangers = [w for w in {w.stem: w for w in found if w.name}.values() if w.stem not in reverse]
    swapped = bool(absent and strangers) and _mean(loosely) >= 0.6
    numbers = _numbers(claim, evidence, signals)
    dates = _dates(claim, evidence, context, written_on, signals)
    clash, agree, against = _polarity(claimed, found, signals)
    denied, denied_found = any(w.denied for w in claimed), any(w.denied for w in found)
    folded, folded_found = fold(claim), fold(evidence)
    false = bool(FALSE & reverse) != bool(FALSE & stems)
    denial = bool(DENYING & reverse) != bool(DENYING & stems)
    differs = denied != denied_found
    if absent:
        missing = ", ".join(w.text for w in absent)
        other = ", ".join(w.text for w in strangers[:3]) if swapped else ""
        signals.append(
            Signal(
                "noms",
                f"« {missing} » n’est pas dans l’article"
                + (f", qui parle de {other}" if other else ""),
                AGAINST if swapped else OPEN,
            )
        )
    coverage = _mean(loosely)
    features = {
        "covered": _mean(covered),
        "covered_loosely": coverage,
        "covers": _mean([float(s in reverse) for s in stems]),
        "names": 1 - len(absent) / len(names) if names else 1.0,
        "names_missing": min(len(absent), 3),
        "swapped": swapped,
        "numbers": numbers[0],
        "number_conflict": numbers[1],
        "number_missing": numbers[2],
        "dates": dates[0],
        "date_conflict": dates[1],
        "date_missing": dates[2],
        "negated": denied,
        "negated_evidence": denied_found,
        "negation_differs": differs,
        "clash": min(clash, 2),
        "agree": min(agree, 3),
        "opposed": min(against, 2),
        "false_differs": false,
        "denied_differs": denial,
        "all_some": bool(_ALL.search(folded) and _SOME.search(folded_found))
        or bool(_SOME.search(folded) and _ALL.search(folded_found)),
        "only": bool(_ONLY.search(folded)) != bool(_ONLY.search(folded_found)),
        "maybe_differs": bool(_MAYBE.search(folded_found)) and not _MAYBE.search(folded),
        "debunk": bool(_DEBUNK.search(folded)) != bool(_DEBUNK.search(folded_found)),
        "roles": _roles(claimed, found),
        "similarity": similarity,
        "similar_negation": similarity * differs,
        "covered_negation": coverage * differs,
        "longer": min(len(stems), 60) / 30,
        "covered_opposed": coverage * bool(against),
    }
    return Reading({name: float(features[name]) for name in FEATURES}, tuple(signals))


@lru_cache(maxsize=8192)
def _words(text: str) -> tuple[_Word, ...]:
    doc = parse(text)
    found = []
    for token in doc:
        word = fold(token.text).strip("'")
        if token.pos_ not in _CONTENT or is_function_word(word) or word in _NEGATORS:
            continue
        if not any(c.isalnum() for c in word):
            continue
        verb = token.pos_ == "VERB"
        key = root(token.lemma_) if verb else root(token.text)
        name = token.pos_ == "PROPN" or (
            token.text[0].isupper() and token.i > 0 and not token.is_sent_start
        )
        subject = _subject(token) if verb else ""
        found.append(_Word(key, token.text, _denied(token), bool(name), verb, subject))
    return tuple(found)


def _subject(verb: Token) -> str:
    for child in verb.children:
        if child.dep_.startswith("nsubj"):
            agent = "pass" in child.dep_
            return ("←" if agent else "") + root(child.text)
    return ""


def _denied(token: Token) -> bool:
    """Tell whether a word is under an odd number of negations."""
    count = 0
    node, steps = token, 0
    while steps < 3:
        count += _negated_here(node)
        head = node.head
        if head is node:
            break
        if node.dep_ in {"xcomp", "ccomp", "obl:arg", "obj", "nsubj:pass"} and head.pos_ in {
            "VERB", "NOUN", "ADJ"}:  # fmt: skip
            count += root(head.lemma_) in DENYING
        elif node.dep_ not in {"obj", "xcomp", "ccomp", "cop", "aux", "amod", "nmod", "nsubj"}:
            break
        node, steps = head, steps + 1
    return count % 2 == 1


def _negated_here(token: Token) -> bool:
    children = [fold(c.text) for c in token.children]
    denied = any(c in _NEGATORS for c in children)
    if not denied and "plus" in children and {"ne", "n'", "n"} & set(children):
        denied = True
    if any(c in {"ne", "n'", "n"} for c in children) and not denied:
        # « ne … que » restricts; « aucun » may stand deeper.
        below = {fold(t.text) for t in token.subtree}
        denied = bool(below & (_NEGATORS | {"plus"})) and "que" not in children
    case = {fold(c.text) for c in token.children if c.dep_ in {"case", "mark"}}
    return denied or "sans" in case


def _stems(text: str) -> set[str]:
    return {w.stem for w in _words(text)} if text else set()


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _polarity(
    claimed: Sequence[_Word], found: Sequence[_Word], signals: list[Signal]
) -> tuple[int, int, int]:
    """Return how many shared words are denied on one side, on none or both, and how many oppose."""
    clash = agree = against = 0
    for word in claimed:
        if word.name:
            continue
        same = [w for w in found if w.stem == word.stem]
        if same:
            if any(w.denied == word.denied for w in same):
                agree += 1
            else:
                clash += 1
                where = "l’affirmation" if word.denied else "l’article"
                signals.append(
                    Signal("négation", f"« {word.text} » est nié dans {where} seulement", AGAINST)
                )
            continue
        for other in found:
            if opposed(word.stem, other.stem) and not any(w.stem == other.stem for w in claimed):
                if word.denied == other.denied:
                    against += 1
                    signals.append(
                        Signal(
                            "contraires",
                            f"« {word.text} » dans l’affirmation, « {other.text} » dans l’article",
                            AGAINST,
                        )
                    )
                else:
                    agree += 1
                break
    return clash, agree, against


def _roles(claimed: Sequence[_Word], found: Sequence[_Word]) -> float:
    """Return 1 when a shared verb has the same subject, -1 when another one, else 0."""
    score = 0
    for word in claimed:
        for other in found:
            both = word.verb and other.verb and word.subject and other.subject
            if both and word.stem == other.stem:
                score += 1 if word.subject == other.subject else -1
    return max(-1.0, min(1.0, float(score)))


def _numbers(claim: str, evidence: str, signals: list[Signal]) -> tuple[float, float, float]:
    """Return the shares of the claim's quantities that agree, conflict, and are not found."""
    wanted, given = quantities(claim), quantities(evidence)
    agreed = conflicting = 0
    for quantity in wanted:
        rivals = [g for g in given if _comparable(quantity, g)]
        if any(quantity.agrees(g) for g in rivals):
            agreed += 1
            match = next(g for g in rivals if quantity.agrees(g))
            signals.append(
                Signal(
                    "nombre",
                    f"{written(claim, quantity)} dans l’affirmation, {written(evidence, match)} dans l’article",
                    FOR,
                )
            )
        elif rivals:
            conflicting += 1
            signals.append(
                Signal(
                    "nombre",
                    f"{written(claim, quantity)} dans l’affirmation, {written(evidence, rivals[0])} dans l’article",
                    AGAINST,
                )
            )
        else:
            signals.append(
                Signal("nombre", f"{written(claim, quantity)} n’est pas dans l’article", OPEN)
            )
    total = max(1, len(wanted))
    return agreed / total, conflicting / total, (len(wanted) - agreed - conflicting) / total


def _comparable(a: Quantity, b: Quantity) -> bool:
    if a.unit and b.unit:
        return a.unit == b.unit or (a.agrees(b) and a.exact and b.exact and a.value > 12
                                    and held(a.unit, {b.unit}) > 0)  # fmt: skip
    return a.value == b.value


def _dates(
    claim: str, evidence: str, context: str, written_on: date | None, signals: list[Signal]
) -> tuple[float, float, float]:
    """Return whether the claim's dates agree with the evidence, conflict, or are not found."""
    wanted = periods(claim, None)
    if not wanted:
        return 0.0, 0.0, 0.0
    given = periods(evidence, written_on)
    around = periods(context, written_on) if context else []
    if written_on:
        around.append(Period(written_on, written_on))
    agreed = conflicting = 0
    for period in wanted:
        alike = [g for g in given if _one_measure(g, period)]
        if any(g.meets(period) for g in given) or (
            not alike and any(g.meets(period) for g in around)
        ):
            agreed += 1
            if any(g.meets(period) for g in given):
                signals.append(Signal("date", f"{_said(period)} des deux côtés", FOR))
        elif alike:
            conflicting += 1
            signals.append(
                Signal(
                    "date",
                    f"{_said(period)} dans l’affirmation, {_said(alike[0])} dans l’article",
                    AGAINST,
                )
            )
        else:
            signals.append(Signal("date", f"{_said(period)} n’est pas dans l’article", OPEN))
    total = len(wanted)
    return agreed / total, conflicting / total, (total - agreed - conflicting) / total


def _one_measure(a: Period, b: Period) -> bool:
    return max(a.days, b.days) <= 366


def _said(period: Period) -> str:
    if period.days == 1:
        return f"le {format_date(period.first)}"
    if period.days <= 31:
        return format_date(period.first).split(" ", 1)[1]
    return str(period.first.year)


def shown(signals: Sequence[Signal]) -> Iterator[str]:
    """Yield the signals as lines for a reader."""
    for signal in signals:
        yield f"{signal.name} : {signal.text}"
