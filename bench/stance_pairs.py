"""Pairs of a claim and a sentence with a known stance, made from the sample corpus.

Contradictions change one thing of a sentence (a number, a month or year, a
name, a unit, a word for its contrary) or deny it; supports keep a part of it;
neutral pairs are neighbours. Seeded: the same corpus gives the same pairs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rag.domain import Reading
from rag.french.dates import MONTHS
from rag.french.quantities import quantities
from rag.french.sentences import sentence_spans
from rag.french.syntax import parse
from rag.readers import find_files, read_files

SUPPORTS, NEITHER, CONTRADICTS = 0, 1, 2
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_MONTH = re.compile(rf"\b({'|'.join(MONTHS)})\b")
_UNITS = (
    ("euros", "dollars"), ("mètres", "kilomètres"), ("hectares", "mètres carrés"),
    ("mois", "ans"), ("ans", "mois"), ("jours", "semaines"), ("minutes", "heures"),
    ("centimes", "euros"), ("tonnes", "kilos"), ("millions", "milliards"),
)  # fmt: skip
_CONTRARIES = (
    ("ouvert", "fermé"), ("rouvert", "fermé"), ("fermé", "rouvert"), ("annulé", "validé"),
    ("interdit", "autorisé"), ("interdits", "autorisés"), ("condamné", "relaxé"),
    ("relaxé", "condamné"), ("adopté", "rejeté"), ("validé", "annulé"), ("gratuit", "payant"),
    ("payante", "gratuite"), ("hausse", "baisse"), ("baisse", "hausse"), ("sud", "nord"),
    ("nord", "sud"), ("premier", "dernier"), ("première", "dernière"), ("moins", "plus"),
    ("plus de", "moins de"), ("fin", "début"), ("après", "avant"), ("ouvrira", "fermera"),
    ("rouvrira", "fermera"), ("rouvre", "ferme"), ("ferme", "rouvre"), ("promis", "refusé"),
    ("retrouvé", "perdu"), ("remporté", "perdu"), ("détruite", "épargnée"), ("accepté", "refusé"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim, a sentence, its stance, what surrounds it and its day."""

    evidence: str
    claim: str
    stance: int
    context: str = ""
    written_on: date | None = None


def generated(corpus: Path, seed: int = 13) -> list[Pair]:
    """Return pairs over the articles of a folder, in a fixed order."""
    draw = random.Random(seed)
    files, _ = find_files([corpus])
    articles = sorted(Reading.of(read_files(files)).articles, key=lambda a: a.id)
    told = [(a, [a.text[s:e].strip() for s, e in sentence_spans(a.text)]) for a in articles]
    people = sorted({n for _, ss in told for s in ss for n in _names(s)})
    pairs = []
    for article, sentences in told:
        usable = [s for s in sentences if 6 <= len(s.split()) <= 45]
        for at, sentence in enumerate(usable):
            context, day = article.source.title, article.source.published
            made = [(c, SUPPORTS) for c in _parts(sentence)]
            made += [(c, CONTRADICTS) for c in _changed(sentence, people, draw)]
            made.append((usable[at - 1], NEITHER))
            pairs += [Pair(sentence, c, k, context, day) for c, k in made]
    return pairs


def _parts(sentence: str) -> Iterator[str]:
    """Yield the sentence itself, reworded lightly, and parts of it that it implies."""
    bare = re.sub(r"^[A-ZÀ-Þ-]{4,}(?: \([^)]*\))? — ", "", sentence)
    yield bare
    for pattern in (
        r", (?:selon|d’après|d'après) [^,.]+(?=[,.])",
        r", (?:qui|dont|où) [^,.]+(?=[,.])",
        r", (?:a |ont )?\w+é (?:lundi |mardi |mercredi |jeudi |vendredi |dimanche )?(?:la|le|les|l[’'])[^,.]+(?=[,.])",
        r" \([^)]*\)",
    ):
        shorter = re.sub(pattern, "", bare)
        if shorter != bare:
            yield shorter
    head, comma, _ = bare.partition(", ")
    if comma and len(head.split()) >= 6 and any(t.pos_ == "VERB" for t in parse(head)):
        yield f"{head}."


def _changed(sentence: str, people: Sequence[str], draw: random.Random) -> Iterator[str]:
    for change in _CHANGES:
        changed = change(sentence, people, draw)
        if changed != sentence:
            yield changed


def _other_number(sentence: str, _people: Sequence[str], draw: random.Random) -> str:
    for quantity in quantities(sentence):
        raw = re.match(r"\d[\d\u202f\u00a0 ]*", sentence[quantity.start : quantity.end])
        if not raw:
            continue
        digits = int(re.sub(r"\D", "", raw.group()))
        other = max(1, round(digits * draw.choice((0.4, 0.6, 1.5, 1.8, 2.5))))
        grouped = f"{other + (other == digits):,}".replace(",", " ")
        end = quantity.start + len(raw.group().rstrip())
        return sentence[: quantity.start] + grouped + sentence[end:]
    for unit, other_unit in _UNITS:
        if re.search(rf"\b{unit}\b", sentence):
            return re.sub(rf"\b{unit}\b", other_unit, sentence, count=1)
    return sentence


def _other_time(sentence: str, _people: Sequence[str], draw: random.Random) -> str:
    if match := _YEAR.search(sentence):
        year = int(match.group()) + draw.choice((-3, -2, 2, 3))
        return sentence[: match.start()] + str(year) + sentence[match.end() :]
    if match := _MONTH.search(sentence):
        month = MONTHS[(MONTHS.index(match.group()) + draw.choice((2, 4, 6))) % 12]
        return sentence[: match.start()] + month + sentence[match.end() :]
    return sentence


def _other_name(sentence: str, people: Sequence[str], draw: random.Random) -> str:
    for name in _names(sentence):
        return sentence.replace(name, draw.choice([p for p in people if p != name]))
    return sentence


def _names(sentence: str) -> list[str]:
    return re.findall(r"(?<!^)(?<![.—«] )\b[A-ZÀ-Þ][a-zà-ÿ]+ [A-ZÀ-Þ][a-zà-ÿ]+\b", sentence)


def _denied(sentence: str, _people: Sequence[str], _draw: random.Random) -> str:
    """Deny the main verb: « a fermé » → « n’a pas fermé »."""
    doc = parse(sentence)
    root = next((t for t in doc if t.dep_ == "ROOT"), None)
    if root is None:
        return sentence
    helpers = [t for t in root.children if t.dep_ in {"aux:tense", "aux:pass", "cop", "aux"}]
    verb = min(helpers, key=lambda t: t.i) if helpers else root
    near = {t.text.lower() for t in doc[max(0, verb.i - 3) : verb.i + 3]}
    if verb.pos_ not in {"VERB", "AUX"} or near & {"ne", "n'", "pas", "plus"}:
        return sentence
    particle = "n’" if verb.text[0].lower() in "aeiouéèêhy" else "ne "
    start, end = verb.idx, verb.idx + len(verb)
    return f"{sentence[:start]}{particle}{sentence[start:end]} pas{sentence[end:]}"


def _contrary(sentence: str, _people: Sequence[str], _draw: random.Random) -> str:
    for word, contrary in _CONTRARIES:
        changed = re.sub(rf"\b{word}\b", contrary, sentence, count=1)
        if changed != sentence:
            return changed
    return sentence


_CHANGES: Sequence[Callable[[str, Sequence[str], random.Random], str]] = (
    _other_number, _other_time, _other_name, _denied, _contrary,
)  # fmt: skip
