"""One thing changed in a French sentence, and sentences put otherwise that still say the same.

What a small network overlooks: another figure, date, unit or name, who did what, a contrary, a
negation, hearsay taken for fact, what is said of some told of all, two facts joined. Rules over the
words and the parse; a sentence to which a rule does not apply gives None.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.french.dates import MONTHS
from rag.french.words import fold

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

Change = Callable[[random.Random, "Doc", str], str | None]

NAME = re.compile(
    r"(?<![.!?…] )(?<!^)\b[A-ZÀ-ÖØ-Þ][\w’-]{2,}(?: (?:(?:de|du|des|la|le) )?[A-ZÀ-ÖØ-Þ][\w’-]+)*"
)
_NUMBER = re.compile(r"(?<![\w,.])\d{1,3}(?:[ \u00a0\u202f.]\d{3})*(?:,\d+)?(?![\w,]|\.\d)")
_MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
_DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
_DAY = re.compile(rf"\b(?:{'|'.join(_DAYS)})\b", re.IGNORECASE)
_SPELLED = "deux trois quatre cinq six sept huit neuf dix onze douze quinze vingt trente".split()
_WRITTEN = re.compile(rf"\b(?:{'|'.join(_SPELLED)})\b")
_DIGIT_WORDS = {str(n): w for n, w in zip((*range(2, 13), 15, 20, 30), _SPELLED, strict=True)}
_UNITS = (
    ("millions", "milliards", "milliers"),
    ("million", "milliard", "millier"),
    ("euros", "dollars", "francs", "livres"),
    ("mètres", "kilomètres", "centimètres", "pieds"),
    ("km", "m", "hectares"),
    ("kilogrammes", "tonnes", "grammes"),
    ("heures", "jours", "semaines", "mois", "ans", "minutes"),
    ("heure", "jour", "semaine", "mois", "an", "minute"),
    ("hommes", "femmes", "enfants"),
    ("morts", "blessés", "disparus"),
    ("habitants", "ménages", "électeurs"),
    ("%", " millions"),
    ("°C", "°F"),
)
_UNIT_WORDS = [{w: [o for o in family if o != w] for w in family} for family in _UNITS]


def other_number(draw: random.Random, text: str, around: str = "") -> str | None:
    """Return a text with another number in place of one of its own."""
    places = [m for m in _NUMBER.finditer(text) if not _YEAR.fullmatch(m.group())]
    spelled = list(_WRITTEN.finditer(text))
    if spelled and (not places or draw.random() < 0.4):
        m = draw.choice(spelled)
        return _put(text, m.span(), draw.choice([w for w in _SPELLED if w != m.group()]))
    if not places:
        return None
    m = draw.choice(places)
    known = {n.group() for n in _NUMBER.finditer(around)} - {n.group() for n in places}
    if known and draw.random() < 0.4:
        return _put(text, m.span(), draw.choice(sorted(known)))
    digits = [i for i in range(m.start(), m.end()) if text[i].isdigit()]
    at = draw.choice(digits[: max(1, len(digits) - 1)])
    others = [d for d in "123456789" if d != text[at]]
    return _put(text, (at, at + 1), draw.choice(others))


def other_date(draw: random.Random, text: str, _around: str = "") -> str | None:
    """Return a text with another month, year or day of the week."""
    for pattern, others in draw.sample([(_MONTH, list(MONTHS)), (_YEAR, []), (_DAY, _DAYS)], 3):
        if found := list(pattern.finditer(text)):
            m = draw.choice(found)
            if not others:
                shift = draw.choice((-20, -10, -3, -2, -1, 1, 2, 3, 10, 20))
                return _put(text, m.span(), str(int(m.group()) + shift))
            chosen = draw.choice([o for o in others if fold(o) != fold(m.group())])
            return _put(text, m.span(), chosen)
    return None


def other_unit(draw: random.Random, text: str, _around: str = "") -> str | None:
    """Return a text with a number of another unit, or of another thing counted."""
    found = []
    for m in re.finditer(r"(?<=[\d ])(?:%|°C|[a-zà-ÿ]+)\b|(?<=\d[ \u00a0\u202f])%", text):
        before = text[max(0, m.start() - 12) : m.start()]
        if re.search(r"\d|\b(?:deux|trois|quatre|cinq|six|sept|huit|dix|cent|mille)\b", before):
            found += [(m.span(), o) for family in _UNIT_WORDS for o in family.get(m.group(), ())]
    return _put(text, *draw.choice(found)) if found else None


def other_name(draw: random.Random, text: str, around: str = "") -> str | None:
    """Return a text with another name in place of one of its own."""
    mine = list(NAME.finditer(text))
    if not mine:
        return None
    m = draw.choice(mine)
    others = {n.group() for n in NAME.finditer(around)}
    others = {n for n in others if not shares(n, text)}
    return _put(text, m.span(), draw.choice(sorted(others))) if others else None


def exchanged(draw: random.Random, text: str, _around: str = "") -> str | None:
    """Return a text with two of its names, or two of its numbers, in each other's place."""
    for pattern in draw.sample([NAME, _NUMBER], 2):
        found = list(pattern.finditer(text))
        if len(found) < 2:
            continue
        a, b = sorted(draw.sample(found, 2), key=lambda m: m.start())
        between = text[a.end() : b.start()]
        # « A et B » says the same as « B et A ».
        if not shares(a.group(), b.group()) and not re.fullmatch(r"[\s,]*(?:et|ou|,)?\s*", between):
            return text[: a.start()] + b.group() + between + a.group() + text[b.end() :]
    return None


def shares(a: str, b: str) -> bool:
    """Tell whether two texts have a word of some length in common."""
    return not {w for w in fold(a).split() if len(w) > 2}.isdisjoint(fold(b).split())


def _put(text: str, span: tuple[int, int], new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]


# What the parse tells.


def _phrase(token: Token) -> tuple[int, int]:
    """Return the span in the text of a word with all that hangs on it, final commas left out."""
    start, end = token.left_edge.idx, token.right_edge.idx + len(token.right_edge)
    return start, end


def roles(_draw: random.Random, doc: Doc, text: str) -> str | None:
    """Return a text in which subject and object, or agent, of a verb have changed places."""
    for verb in doc:
        subject = next((c for c in verb.children if c.dep_ in {"nsubj", "nsubj:pass"}), None)
        other = next(
            (c for c in verb.children if c.dep_ in {"obj", "obl:agent", "iobj"} and c.i > verb.i),
            None,
        )
        if (
            subject is None
            or other is None
            or other.text == "lieu"
            or {subject.pos_, other.pos_} & {"PRON", "DET", "NUM"}
        ):
            continue
        (a, b), (c, d) = _phrase(subject), _phrase(other)
        if b > c or b - a > 60 or d - c > 60:
            continue
        left, right = text[a:b], text[c:d]
        if right.startswith(("par ", "Par ")):
            right, left = right[4:], f"par {left}"
        if a == 0:
            left, right = _small(left, subject), right[:1].upper() + right[1:]
        return text[:a] + right + text[b:c] + left + text[d:]
    return None


def _small(text: str, token: Token) -> str:
    first = token.left_edge
    return text if first.pos_ == "PROPN" else text[:1].lower() + text[1:]


def negated(draw: random.Random, doc: Doc, text: str) -> str | None:
    """Return a text with a negation more, or one less, at its main verb."""
    denied = re.search(r"\b(ne |n['’])(\w+(?:[-\w]*)?) (pas|plus|jamais)\b", text)
    if denied and draw.random() < 0.8:
        return text[: denied.start()] + denied[2] + text[denied.end() :]
    root = next((t for t in doc if t.dep_ == "ROOT"), None)
    if root is None:
        return None
    finite = next(
        (c for c in root.children if c.dep_ in {"aux:tense", "aux:pass", "cop", "aux"}), root
    )
    if finite.pos_ not in {"AUX", "VERB"} or "Fin" not in finite.morph.get("VerbForm", []):
        return None
    start = finite.idx
    if re.search(r"\bc['’]$", text[:start], re.IGNORECASE):
        return None
    governed = {"obj", "iobj", "expl:comp", "expl:pass", "expl:subj"}
    clitics = [
        c
        for c in root.children
        if finite.i - 2 <= c.i < finite.i and c.pos_ == "PRON" and c.dep_ in governed
    ]
    if clitics:
        start = min(c.idx for c in clitics)
    if re.search(r"\bn(?:e |['’])$", text[:start]):
        return None
    ne = "n'" if fold(text[start : start + 1]) in "aeiouyh" else "ne "
    end = finite.idx + len(finite)
    return text[:start] + ne + text[start:end] + " pas" + text[end:]


_SURE = {
    "a": "aurait", "ont": "auraient", "est": "serait", "sont": "seraient", "avait": "aurait",
    "était": "serait", "fut": "aurait été", "furent": "auraient été", "sera": "pourrait être",
    "seront": "pourraient être", "va": "pourrait", "vont": "pourraient",
}  # fmt: skip
_HEARSAY = (
    "Selon des informations de presse, {}", "Selon plusieurs témoins, {}", "D'après la rumeur, {}",
    "Le ministre affirme que {}", "Selon l'opposition, {}", "D'après la police, {}",
    "La direction assure que {}", "Le gouvernement souhaite que l'on dise que {}",
    "Certains observateurs estiment que {}",
)  # fmt: skip
_PLANS = (
    "prévoit de", "envisage de", "souhaite", "a promis de", "voudrait", "pourrait", "espère",
    "a refusé de", "a renoncé à",
)  # fmt: skip


def doubtful(draw: random.Random, doc: Doc, text: str) -> str | None:
    """Return a text that says less surely what a sentence says."""
    root = next((t for t in doc if t.dep_ == "ROOT"), None)
    if root is None:
        return None
    kind = draw.random()
    finite = next((c for c in root.children if c.dep_.startswith(("aux", "cop"))), root)
    if kind < 0.4 and finite.text in _SURE:
        return _put(text, (finite.idx, finite.idx + len(finite)), _SURE[finite.text])
    if kind < 0.7 and finite.dep_ == "aux:tense" and finite.text in {"a", "ont"} and (
        root.morph.get("VerbForm", []) == ["Part"] and root.i == finite.i + 1
        and root.lemma_.endswith(("er", "ir", "re"))
    ):  # fmt: skip
        plan = draw.choice(_PLANS)
        if finite.text == "ont" and not plan.startswith("a "):
            return None
        plan = plan.replace("a ", "ont ", 1) if finite.text == "ont" else plan
        verb = root.lemma_
        vowel = plan.endswith(" de") and fold(verb[0]) in "aeiouh"
        joined = f"{plan[:-1]}'{verb}" if vowel else f"{plan} {verb}"
        return _put(text, (finite.idx, root.idx + len(root)), joined)
    first = doc[0]
    lowered = text if first.pos_ == "PROPN" else text[:1].lower() + text[1:]
    made = draw.choice(_HEARSAY).format(lowered)
    vowel = fold(lowered[:1]) in "aeiouyh"
    return made.replace(f"que {lowered}", f"qu'{lowered}") if vowel else made


def shorter(draw: random.Random, doc: Doc, text: str) -> str:
    """Return a text without some of what can be left out, which says no more than it."""
    gone: list[tuple[int, int]] = []
    for token in doc:
        if (
            token.dep_ in {"acl:relcl", "advcl", "acl", "appos", "parataxis"}
            and draw.random() < 0.6
        ):
            a, b = _phrase(token)
            if (
                token.dep_ in {"acl:relcl", "acl", "appos", "parataxis"}
                and "," not in text[max(0, a - 3) : a]
            ):
                continue  # without it the noun may be another
            gone.append((a, b))
        elif (
            token.dep_ == "advmod"
            and token.pos_ == "ADV"
            and token.text.endswith("ment")
            and draw.random() < 0.5
        ):
            gone.append(_phrase(token))
    brackets = re.finditer(r"\s?\([^()]{1,80}\)", text)
    gone += [m.span() for m in brackets if draw.random() < 0.7]
    left, done = [], 0
    for a, b in sorted(gone):
        if a >= done and b - a < 0.6 * len(text):
            left.append(text[done:a])
            done = b
    made = "".join((*left, text[done:]))
    made = re.sub(r"\s*,(?:\s*,)+", ",", made)
    made = re.sub(r"\s*,\s*([.;:])", r"\1", re.sub(r"^[\s,]+", "", made))
    made = re.sub(r"\s{2,}", " ", re.sub(r"\s+([,.])", r"\1", made)).strip()
    return made[:1].upper() + made[1:] if len(made) > 25 else text


def moved(text: str) -> str | None:
    """Return a text with the circumstance that opens it put last."""
    m = re.match(
        r"^((?:En|Le|À|Dans|Depuis|Après|Avant|Pendant|Lors)\b[^,;:()]{3,60}), (.+?)([.!]?)$", text
    )
    if not m or any(c in m[2] for c in ";:"):
        return None
    return f"{m[2][:1].upper()}{m[2][1:]} {m[1][:1].lower()}{m[1][1:]}{m[3]}"


def rewritten(draw: random.Random, text: str) -> str:
    """Return a text with numbers in letters for digits, or the other way round."""

    def letters(m: re.Match[str]) -> str:
        return _DIGIT_WORDS.get(m.group(), m.group())

    def digits(m: re.Match[str]) -> str:
        return next(d for d, w in _DIGIT_WORDS.items() if w == m.group())

    if draw.random() < 0.5:
        return _NUMBER.sub(letters, text)
    return _WRITTEN.sub(digits, text)


_SHARES = {
    "10": "un dixième", "20": "un cinquième", "25": "un quart", "33": "un tiers", "50": "la moitié",
    "66": "les deux tiers", "67": "les deux tiers", "75": "les trois quarts", "100": "la totalité",
}  # fmt: skip
_ABOUT = {
    "10": "une dizaine", "12": "une douzaine", "15": "une quinzaine", "20": "une vingtaine",
    "30": "une trentaine", "40": "une quarantaine", "50": "une cinquantaine",
    "60": "une soixantaine", "100": "une centaine",
}  # fmt: skip
_SEASONS = (
    "hiver", "hiver", "printemps", "printemps", "printemps", "été", "été", "été", "automne",
    "automne", "automne", "hiver",
)  # fmt: skip
_FULL_DATE = re.compile(rf"\b[Ll]e (\d{{1,2}})(?:er)? ({'|'.join(MONTHS)}) ((?:1\d|20)\d\d)\b")
_SPAN = re.compile(r"\b[Dd]e ((?:1\d|20)\d\d) à ((?:1\d|20)\d\d)\b")
_IN_YEAR = re.compile(r"\b[Ee]n ((?:1\d|20)\d\d)\b")


def rounded(draw: random.Random, text: str, *, true: bool = True) -> str | None:
    """Return a text with a figure, a share or a date given less exactly, or given wrongly so."""
    found = [
        made
        for make in (_rounded_share, _rounded_number, _rounded_date)
        if (made := make(draw, text, true=true))
    ]
    return draw.choice(found) if found else None


def _entry(draw: random.Random, table: dict[str, str], key: str, *, true: bool) -> str:
    return table[key] if true else draw.choice([v for v in table.values() if v != table[key]])


def _rounded_share(draw: random.Random, text: str, *, true: bool) -> str | None:
    places = [
        m
        for m in re.finditer(r"(?<![\d,.])(\d{2,3})(?:,\d+)?[ \u00a0\u202f]?% des? ", text)
        if m[1] in _SHARES
    ]
    if not places:
        return None
    m = draw.choice(places)
    tail = m.group().rsplit("%", 1)[1]
    return _put(text, m.span(), _entry(draw, _SHARES, m[1], true=true) + tail)


def _rounded_number(draw: random.Random, text: str, *, true: bool) -> str | None:
    places = list(_counts(text))
    if not places:
        return None
    m, value = draw.choice(places)
    if str(value) in _ABOUT and draw.random() < 0.6 and text[m.end() : m.end() + 1] == " ":
        joined = " d'" if fold(text[m.end() + 1 : m.end() + 2]) in "aeiouh" else " de "
        about = _entry(draw, _ABOUT, str(value), true=true)
        return _put(text, (m.start(), m.end() + 1), about + joined)
    step = 10 ** (len(str(value)) - (1 if len(str(value)) < 3 else 2))
    less, more = value // step * step, -(-value // step) * step
    if less == more:
        less, more = value - step, value + step
    if less <= 0:
        return None
    if not true:
        less, more = more, less
    if draw.random() < 0.5:
        return _put(text, m.span(), f"plus de {_spaced(less)}")
    return _put(text, m.span(), f"{draw.choice(('moins de', 'près de'))} {_spaced(more)}")


def _counts(text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Yield the numbers of a text that can be rounded, with their values."""
    for m in _NUMBER.finditer(text):
        plain = re.sub(r"[ \u00a0\u202f.]", "", m.group())
        after = text[m.end() :].strip()
        if not plain.isdigit() or _YEAR.fullmatch(m.group()) or after[:1] in {"%", "°"}:
            continue
        compared = re.search(r"(?:de|que|n°|à) ?$", text[max(0, m.start() - 4) : m.start()])
        if not compared and 9 < int(plain) < 10_000_000 and not _MONTH.match(after):
            yield m, int(plain)


def _spaced(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def _rounded_date(draw: random.Random, text: str, *, true: bool) -> str | None:
    if m := _FULL_DATE.search(text):
        day, month, year = int(m[1]), MONTHS.index(m[2].lower()), int(m[3])
        if not true:
            month, day = (month + draw.choice((3, 4, 6, 8))) % 12, (day + 15) % 30
        name = MONTHS[month]
        of = "d'" if fold(name[0]) in "ao" else "de "
        part = "au début" if day < 11 else "au milieu" if day < 21 else "à la fin"
        season = _SEASONS[month]
        in_season = f"au {season}" if season == "printemps" else f"à l'{season}"
        chosen = draw.choice(
            (f"en {name} {year}", f"{part} {of}{name} {year}", f"{in_season} {year}")
        )
        return _put(text, m.span(), chosen[:1].upper() + chosen[1:] if not m.start() else chosen)
    if m := _SPAN.search(text):
        years = int(m[2]) - int(m[1])
        if 1 < years < 200:
            shown = years if true else years + draw.choice((-3, -2, 2, 3, 5, 10))
            if shown > 0:
                made = f"pendant {shown} ans"
                return _put(text, m.span(), made.capitalize() if not m.start() else made)
    if m := _IN_YEAR.search(text):
        decade = int(m[1]) // 10 * 10 + (0 if true else draw.choice((-20, -10, 10, 20)))
        century = (int(m[1]) - 1) // 100 + 1 + (0 if true else draw.choice((-1, 1)))
        roman = {14: "XIV", 15: "XV", 16: "XVI", 17: "XVII", 18: "XVIII", 19: "XIX", 20: "XX",
                 21: "XXI"}.get(century)  # fmt: skip
        made = f"dans les années {decade}"
        if roman and draw.random() < 0.3:
            made = f"au {roman}e siècle"
        return _put(text, m.span(), made.capitalize() if not m.start() else made)
    return None


def voiced(_draw: random.Random, doc: Doc, text: str) -> str | None:
    """Return a passive sentence in the active voice: who did what stays the same."""
    for verb in doc:
        children = {c.dep_: c for c in verb.children}
        subject, agent = children.get("nsubj:pass"), children.get("obl:agent")
        helper = children.get("aux:pass")
        if subject is None or agent is None or helper is None or subject.pos_ == "PRON":
            continue
        (a, b), (c, d) = _phrase(subject), _phrase(agent)
        start = min(t.idx for t in verb.children if t.dep_ in {"aux:pass", "aux:tense"})
        if not (b <= start < verb.idx < c) or not text[c:d].startswith("par "):
            continue
        if re.search(r"\bn(?:e |['’])", text[b:c]) or d - c > 80 or b - a > 80:
            continue
        has = "ont" if "Plur" in agent.morph.get("Number", []) else "a"
        doer = text[c + 4 : d]
        if a == 0:
            doer = doer[:1].upper() + doer[1:]
        done = _small(text[a:b], subject) if a == 0 else text[a:b]
        said = f"{doer} {has} {verb.text} {done}"
        return text[:a] + said + text[verb.idx + len(verb) : c].rstrip() + text[d:]
    return None


ALIKE = 0.925  # cosine of two words from which one is put for the other
THESAURUS = Path("/usr/share/mythes/thes_fr.dat")
_KINDS = {"(Nom)": "NOUN", "(Verbe)": "VERB", "(Adjectif)": "ADJ", "(Adverbe)": "ADV"}


@lru_cache(maxsize=1)
def _synonyms() -> dict[tuple[str, str], list[str]]:
    """Return words that the French thesaurus of LibreOffice (Debian's mythes-fr) deems alike.

    Only of words that each name the other, for it mixes the senses of a word. Empty where the
    file is absent.
    """
    if not THESAURUS.exists():
        return {}
    given: dict[tuple[str, str], set[str]] = {}
    word = ""
    for line in THESAURUS.read_text(encoding="utf-8").splitlines()[1:]:
        kind, *others = line.split("|")
        if not kind.startswith("("):
            word = kind
        elif pos := _KINDS.get(kind):
            given[word, pos] = {o for o in others if o.isalpha() and len(o) > 3}
    against = {(a, b) for a, others in _verbs().items() for b in others}
    mutual = {
        (w, pos): sorted(
            o for o in others if w in given.get((o, pos), ()) and (w, o) not in against
        )
        for (w, pos), others in given.items()
    }
    return _alike(mutual)


def _alike(given: dict[tuple[str, str], list[str]]) -> dict[tuple[str, str], list[str]]:
    """Return the synonyms whose vectors are close to that of their word."""
    from rag.models.encoder import Encoder

    vocabulary = sorted({w for (w, _), others in given.items() if others} |
                        {o for others in given.values() for o in others})  # fmt: skip
    vectors = dict(zip(vocabulary, Encoder().embed_passages(vocabulary), strict=True))
    return {
        (w, pos): found
        for (w, pos), others in given.items()
        if (found := [o for o in others if float(vectors[w] @ vectors[o]) >= ALIKE])
    }


def synonymous(draw: random.Random, doc: Doc, text: str, most: int = 3) -> str | None:
    """Return a text with up to `most` of its words replaced by words alike, in the same form.

    `doc` is the parse of what the text was made of, which tells what its words are.
    """
    found = [
        (token.text, made)
        for token in doc
        for other in _synonyms().get((token.lemma_, token.pos_), ())
        if other != token.lemma_ and (made := _formed(token, other))
    ]
    draw.shuffle(found)
    put: set[str] = set()
    for word, made in found:
        if len(put) == most:
            break
        if word not in put and (m := re.search(rf"(?<![\w’'-]){re.escape(word)}(?![\w’'-])", text)):
            text = _put(text, m.span(), made)
            put.add(word)
    return text if put else None


def _formed(token: Token, other: str) -> str | None:
    """Return a word in the form of a token, where the endings are regular."""
    lemma, text = token.lemma_, token.text
    if token.pos_ == "VERB":
        if text == lemma:
            return other
        stem = lemma[:-2]
        regular = lemma.endswith("er") and other.endswith("er") and text.startswith(stem)
        if regular and _SUFFIX.fullmatch(text[len(stem) :]):
            return other[:-2] + text[len(stem) :]
        return None
    if not text.islower() and token.i:
        return None
    if text.lower() == lemma:
        return other
    if text.lower() == f"{lemma}s":
        return other if other[-1] in "sxz" else f"{other}s"
    if token.pos_ == "ADJ" and text.lower() in {f"{lemma}e", f"{lemma}es"}:
        return other + ("" if other.endswith("e") else "e") + ("s" if text.endswith("s") else "")
    return None


@lru_cache(maxsize=1)
def _verbs() -> dict[str, list[str]]:
    """Return the contraries of infinitives in -er, from those that Recoupe knows."""
    path = Path("rag/french/antonyms.txt")
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            left, right = (side.split() for side in line.split(" / "))
            for mine, theirs in ((left, right), (right, left)):
                for word in mine:
                    found.setdefault(word, []).extend(theirs)
    return found


_PAIRS = """
plus/moins hausse/baisse premier/dernier première/dernière avant/après nord/sud succès/échec
début/fin augmente/diminue grand/petit grande/petite ancien/nouveau ancienne/nouvelle haut/bas
victoire/défaite meilleur/pire gauche/droite riche/pauvre public/privé publique/privée
majorité/minorité vivant/mort
toujours/jamais souvent/rarement vend/achète gagne/perd ouvre/ferme entrée/sortie fort/faible
forte/faible rapide/lent jeune/vieux chaud/froid
"""
_CONTRARIES: dict[str, list[str]] = {}
for _one, _other in (pair.split("/") for pair in _PAIRS.split()):
    _CONTRARIES.setdefault(_one, []).append(_other)
    _CONTRARIES.setdefault(_other, []).append(_one)
_SUFFIX = re.compile(r"(?:er|é|ée|és|ées|e|es|ent|ait|aient|era|eront|a|èrent|ant)$")


def contrary(draw: random.Random, doc: Doc, text: str) -> str | None:
    """Return a text with the contrary of one of its words, in the same form."""
    found = []
    for token in doc:
        for other in _verbs().get(token.lemma_, ()):
            if token.text == token.lemma_:
                found.append((token, other))
            elif token.lemma_.endswith("er") and other.endswith("er"):
                stem = token.lemma_[:-2]
                if token.text.startswith(stem) and _SUFFIX.fullmatch(token.text[len(stem) :]):
                    found.append((token, other[:-2] + token.text[len(stem) :]))
    for token in doc:
        found += [(token, other) for other in _CONTRARIES.get(token.text, ()) if token.i > 0]
    if not found:
        return None
    token, other = draw.choice(found)
    return _put(text, (token.idx, token.idx + len(token)), other)


def general(draw: random.Random, _doc: Doc, text: str) -> str | None:
    """Return a text that says of all what is said of some."""
    found = list(
        re.finditer(
            r"\b(?:[Cc]ertaine?s|[Pp]lusieurs|[Dd]es|[Qq]uelques|[Ll]a plupart des|[Bb]eaucoup de"
            r"|[Dd]e nombreux|[Dd]e nombreuses|[Uu]ne partie des|[Ll]a majorité des"
            r"|(?:\w+ )?pour cent des|\d+(?:,\d+)? ?% des) (?=[a-zà-ÿ]{3,}s\b)",
            text,
        )
    )
    found = [m for m in found if not text[: m.start()].rstrip().endswith(("de", "pas"))]
    if not found:
        return None
    m = draw.choice(found)
    noun = text[m.end() :].split(maxsplit=1)[0]
    every = (
        "toutes les "
        if noun.endswith(("tions", "ées", "ités", "ues", "elles", "euses"))
        else "tous les "
    )
    return _put(text, m.span(), every if m.start() else every.capitalize())


def added(draw: random.Random, doc: Doc, text: str, elsewhere: Sequence[str]) -> str | None:
    """Return a text with a circumstance that another sentence gives."""
    if not elsewhere:
        return None
    extra = draw.choice(elsewhere)
    end = len(text) - (text[-1:] in ".!?")
    if draw.random() < 0.5:
        root = next((t for t in doc if t.dep_ == "ROOT"), None)
        objects = (
            [c for c in root.children if c.i > root.i and c.dep_ in {"obj", "obl:arg"}]
            if root
            else []
        )
        if objects:
            end = _phrase(objects[0])[1]
    return f"{text[:end]} {extra}{text[end:]}"


def circumstances(doc: Doc, text: str) -> Iterator[str]:
    """Yield the short circumstances of a sentence: « en 1998 », « avec son frère »."""
    for token in doc:
        if token.dep_ in {"obl:mod", "advcl"} and token.i > token.head.i:
            a, b = _phrase(token)
            if (
                8 < b - a < 45
                and text[a:b].split(maxsplit=1)[0].lower() in _OPENERS
                and "," not in text[a:b]
            ):
                yield text[a:b]


_OPENERS = frozenset(
    "en à au dans avec sans pour depuis après avant pendant lors sous malgré grâce chez".split()
)


def mixed(doc: Doc, text: str, other: Doc, other_text: str) -> str | None:
    """Return what one sentence says, of the subject of another."""
    mine, theirs = _subject(doc), _subject(other)
    if mine is None or theirs is None:
        return None
    (a, b), (c, d) = _phrase(mine), _phrase(theirs)
    subject = other_text[c:d]
    if shares(text[a:b], subject) or b - a > 60 or d - c > 60:
        return None
    if mine.morph.get("Number", []) != theirs.morph.get("Number", []):
        return None
    return text[:a] + (subject[:1].upper() + subject[1:] if a == 0 else subject) + text[b:]


def _subject(doc: Doc) -> Token | None:
    root = next((t for t in doc if t.dep_ == "ROOT"), None)
    if root is None:
        return None
    return next(
        (
            c
            for c in root.children
            if c.dep_ in {"nsubj", "nsubj:pass"} and c.pos_ in {"NOUN", "PROPN"}
        ),
        None,
    )
