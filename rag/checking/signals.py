"""What tells that a sentence supports or contradicts a claim, in terms a reader can check.

Each signal is a comparison that a person would make: the same words, numbers of
one unit, dates, names, a negation on one side only, words that exclude each
other. `read` returns what the stance model weighs and what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from rag.checking.said import Said, Word, key
from rag.domain import Period, Quantity, Signal
from rag.french.dates import format_date
from rag.french.opposites import DENYING, FALSE, opposed, root
from rag.french.periods import periods
from rag.french.quantities import written
from rag.french.words import fold, same_root, words
from rag.searching.matching import held

if TYPE_CHECKING:
    pass

AGAINST, FOR, OPEN = "contre", "pour", "à vérifier"
_LIGHT = frozenset(
    "etre avoir faire devoir pouvoir aller couter compter mesurer durer tenir".split()
)
_NEAR = 2
ALL = re.compile(
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
    r"\b(?:en realite|contrairement|aucune? preuve|rien ne (?:prouve|montre|permet)|n'existe pas|n'existent pas|en fait|hors de son contexte|il s'agit|effectivement|bien)\b"
)
FEATURES = (
    "covered", "covered_loosely", "covers", "names", "names_missing", "swapped", "numbers",
    "number_conflict", "number_missing", "dates", "date_conflict", "date_missing", "negated",
    "negated_evidence", "negation_differs", "clash", "agree", "opposed", "false_differs",
    "denied_differs", "all_some", "only", "maybe_differs", "debunk", "roles", "similarity",
    "similar_negation", "covered_negation", "longer", "covered_opposed", "covered_number_conflict",
    "covered_date_conflict", "covered_swapped", "covered_clash", "covered_clean",
    "relations", "relations_clean",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What the comparison of a claim and a sentence gives: `features` by name, and `signals`.

    `own` is the share of the claim's words, names and units aside, that the
    sentence itself holds, without what surrounds it; what the title says is
    taken as said. `predicate` tells whether what is said of the subject (the
    main verb, when it says something) is in it, or its contrary.
    """

    features: dict[str, float]
    own: float
    predicate: bool
    signals: tuple[Signal, ...]


NOTHING = Said("")


def read(
    claim: Said,
    evidence: Said,
    similarity: float,
    *,
    title: Said = NOTHING,
    around: Said = NOTHING,
    written_on: date | None = None,
) -> Reading:
    """Compare a claim with a sentence of an article.

    `similarity` is the cosine of their embeddings; `title` is the article's,
    `around` what surrounds the sentence, where names and dates may stand;
    `written_on` resolves « mercredi » in the evidence.
    """
    claimed, found = claim.words, evidence.words
    units = {root(w) for q in claim.quantities for w in words(written(claim.text, q))}
    stems, loose = set(evidence.stems), evidence.stems | title.stems | around.stems
    # Figures and dates are compared on their own, below.
    mine = list({w.stem: w for w in claimed if not w.figure}.values())
    signals: list[Signal] = []
    covered = [float(w.stem in stems) for w in mine]
    loosely = [held(w.stem, loose) for w in mine]
    reverse = {w.stem for w in claimed}
    names = [w for w in mine if w.name]
    subject = title.stems
    told = [w for w in mine if not w.name and w.stem not in units and not held(w.stem, subject)]
    told_around = "\n".join((evidence.folded, title.folded, around.folded))
    absent = [w for w in names if not held(w.stem, loose) and fold(w.text) not in told_around]
    strangers = [w for w in {w.stem: w for w in found if w.name}.values() if w.stem not in reverse]
    swapped = bool(absent and strangers) and _mean(loosely) >= 0.6
    numbers = _numbers(claim, evidence, signals)
    dates = _dates(claim, evidence, (title, around), written_on, signals)
    clash, agree, against = _polarity(claimed, found, signals)
    denied, denied_found = any(w.denied for w in claimed), any(w.denied for w in found)
    folded, folded_found = claim.folded, evidence.folded
    false = bool(FALSE & reverse) != bool(FALSE & stems)
    denial = bool(DENYING & reverse) != bool(DENYING & stems)
    differs = denied != denied_found
    if absent:
        missing = "\u00a0», «\u00a0".join(_whole_names(claim.text, absent))
        other = ", ".join(_whole_names(evidence.text, strangers)[:3]) if swapped else ""
        signals.append(
            Signal(
                "noms",
                f"«\u00a0{missing}\u00a0» n’est pas dans la phrase citée"
                + (f", qui nomme {other}" if other else ""),
                AGAINST if swapped else OPEN,
            )
        )
    coverage = _mean(loosely)
    tied = _relations(claim, evidence)
    conflicts = numbers[1] + numbers[2] + dates[1] + clash + against + differs + false
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
        "all_some": bool(ALL.search(folded) and _SOME.search(folded_found))
        or bool(_SOME.search(folded) and ALL.search(folded_found)),
        "only": bool(_ONLY.search(folded)) != bool(_ONLY.search(folded_found)),
        "maybe_differs": bool(_MAYBE.search(folded_found)) and not _MAYBE.search(folded),
        "debunk": bool(_DEBUNK.search(folded)) != bool(_DEBUNK.search(folded_found)),
        "roles": _roles(claimed, found),
        "similarity": similarity,
        "similar_negation": similarity * differs,
        "covered_negation": coverage * differs,
        "longer": min(len(stems), 60) / 30,
        "covered_opposed": coverage * bool(against),
        "covered_number_conflict": coverage * numbers[1],
        "covered_date_conflict": coverage * dates[1],
        "covered_swapped": coverage * swapped,
        "covered_clash": coverage * min(clash, 1),
        # Nothing stands against the claim and each figure, date and name of it is there.
        "covered_clean": coverage * (not conflicts and not absent),
        "relations": tied,
        "relations_clean": tied * (not conflicts and not absent),
    }
    own = _mean([_held_or_opposed(w, found, stems) for w in told]) if told else 1.0
    return Reading(
        {name: float(features[name]) for name in FEATURES},
        own,
        _predicate(claim, found, loose),
        tuple(signals),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


_NAME = re.compile(r"[A-ZÀ-Þ][\w’'-]*(?: (?:(?:de|du|des|d’|la|le) )?[A-ZÀ-Þ][\w’'-]*)*")


def _whole_names(text: str, found: Sequence[Word]) -> list[str]:
    """Return the names of a text that some words are of, whole: « Palo Alto » is one."""
    wanted = {w.text for w in found}
    whole = [m.group() for m in _NAME.finditer(text) if wanted & set(m.group().split())]
    rest = wanted - {part for name in whole for part in name.split()}
    return list(dict.fromkeys([*whole, *sorted(rest)]))


def _polarity(
    claimed: Sequence[Word], found: Sequence[Word], signals: list[Signal]
) -> tuple[int, int, int]:
    """Return how many shared words are denied on one side, on none or both, and how many oppose."""
    clash = agree = against = 0
    shared = {w.stem for w in found} | {w.surface for w in found}
    predicates = any(w.verb and (w.stem in shared or w.surface in shared) for w in claimed)
    for word in claimed:
        if word.name or word.figure:
            continue
        same = [w for w in found if word.stem == w.stem or word.surface == w.surface]
        if same:
            # Where a verb is shared, it is what is said or denied; else the nouns under it are.
            alone = predicates and not word.verb
            denied = word.denied_alone if alone else word.denied
            if any((w.denied_alone if alone else w.denied) == denied for w in same):
                agree += not alone
            else:
                clash += 1
                where = "l’affirmation" if denied else "l’article"
                signals.append(
                    Signal("négation", f"« {word.text} » est nié dans {where} seulement", AGAINST)
                )
            continue
        for other in found:
            if (
                other.main
                and opposed(word.stem, other.stem)
                and not any(w.stem == other.stem for w in claimed)
            ):
                if word.denied == other.denied:
                    against += 1
                    signals.append(
                        Signal(
                            "contraires",
                            f"« {word.text} » dans l’affirmation, « {other.text} » dans la phrase citée",
                            AGAINST,
                        )
                    )
                else:
                    agree += 1
                break
    return clash, agree, against


def _held_or_opposed(word: Word, found: Sequence[Word], stems: set[str]) -> float:
    if any(opposed(word.stem, w.stem) for w in found):
        return 1.0
    return held(word.stem, stems)


def _predicate(claim: Said, found: Sequence[Word], loose: AbstractSet[str]) -> bool:
    """Tell whether the claim's main verb, or its contrary, is in the evidence."""
    top = next((t for t in claim.doc if t.dep_ == "ROOT"), None)
    if top is None or top.pos_ not in {"VERB", "ADJ"} or fold(top.lemma_) in _LIGHT:
        return True
    verb = key(top)
    return (
        bool(held(verb, loose))
        or bool(held(root(top.text), loose))
        or any(opposed(verb, w.stem) for w in found)
    )


def _relations(claim: Said, evidence: Said) -> float:
    """Return the share of the claim's pairs of bound words that are bound in the evidence too.

    Bound: at most `_NEAR` steps apart in the parse. Words without their
    relations say little: « A a vendu B à C » holds all of « C a vendu A ».
    """
    wanted = claim.ties(1)
    if not wanted:
        return 0.5
    given = evidence.ties(_NEAR)
    stems = {stem for tie in given for stem in tie}
    alike = {w: {s for s in stems if w == s or same_root(w, s)} for tie in wanted for w in tie}
    held_ties = [
        t for t in wanted if any((a, b) in given for a in alike[t[0]] for b in alike[t[1]])
    ]
    return len(held_ties) / len(wanted)


def _roles(claimed: Sequence[Word], found: Sequence[Word]) -> float:
    """Return 1 when a shared verb has the same subject, -1 when another one, else 0."""
    score = 0
    for word in claimed:
        for other in found:
            both = word.verb and other.verb and word.subject and other.subject
            if both and word.stem == other.stem:
                score += 1 if word.subject == other.subject else -1
    return max(-1.0, min(1.0, float(score)))


def _numbers(claim: Said, evidence: Said, signals: list[Signal]) -> tuple[float, float, float]:
    """Return the shares of the claim's quantities that agree, conflict, and are not found."""
    wanted, given = claim.quantities, evidence.quantities
    agreed = conflicting = 0
    # A figure of the article that another figure of the claim agrees with counts something else.
    taken = {g for q in wanted for g in given if _comparable(q, g) and q.agrees(g)}
    for quantity in wanted:
        rivals = [g for g in given if _comparable(quantity, g)]
        rivals = [g for g in rivals if g not in taken or quantity.agrees(g)]
        mine = written(claim.text, quantity)
        match = next((g for g in rivals if quantity.agrees(g)), None)
        shown = match or (rivals[0] if rivals else None)
        agreed += match is not None
        conflicting += match is None and shown is not None
        if shown is None:
            signals.append(Signal("nombre", f"{mine} n’est pas dans la phrase citée", OPEN))
            continue
        theirs = written(evidence.text, shown)
        text = f"{mine} dans l’affirmation, {theirs} dans la phrase citée"
        signals.append(Signal("nombre", text, FOR if match else AGAINST))
    total = max(1, len(wanted))
    return agreed / total, conflicting / total, (len(wanted) - agreed - conflicting) / total


def _comparable(a: Quantity, b: Quantity) -> bool:
    if a.unit and b.unit:
        return a.unit == b.unit or (a.agrees(b) and a.exact and b.exact and a.value > 12
                                    and held(a.unit, {b.unit}) > 0)  # fmt: skip
    return a.value == b.value


def _dates(
    claim: Said,
    evidence: Said,
    context: Sequence[Said],
    written_on: date | None,
    signals: list[Signal],
) -> tuple[float, float, float]:
    """Return whether the claim's dates agree with the evidence, conflict, or are not found."""
    wanted = periods(claim.text, written_on)
    if not wanted:
        return 0.0, 0.0, 0.0
    given = periods(evidence.text, written_on)
    around = [p for said in context for p in periods(said.text, written_on)]
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
            signals.append(Signal("date", f"{_said(period)} n’est pas dans la phrase citée", OPEN))
    total = len(wanted)
    return agreed / total, conflicting / total, (total - agreed - conflicting) / total


def _one_measure(a: Period, b: Period) -> bool:
    """Tell whether two periods are of one kind, so that one can exclude the other.

    A day excludes a month, but a day in a sentence says little about a year.
    """
    return a.days == b.days or max(a.days, b.days) <= 31 or min(a.days, b.days) > 31


def _said(period: Period) -> str:
    if period.days == 1:
        return f"le {format_date(period.first)}"
    if period.days <= 31:
        return format_date(period.first).split(" ", 1)[1]
    return str(period.first.year)
