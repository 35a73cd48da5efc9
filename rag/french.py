"""French words, numbers, names and dates, for searching and for checking.

Folding is for comparison only: what is shown keeps its typography. Nothing
here splits text into sentences (see `sentences.py`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import Stemmer

_STEMMER = Stemmer.Stemmer("french")
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*", re.UNICODE)
_LIGATURES = {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "’": "'", "ʼ": "'", "‑": "-"}

# Grammatical words, folded: they carry no subject and are not evidence.
_FUNCTION_WORDS = frozenset(
    """
    a ai ainsi alors apres as au aucun aucune auquel auquelle aussi autre autres aux auxquelles
    auxquels avaient avait avant avec avez avoir ayant c ca car ce ceci cela celle celles celui
    cependant ces cet cette ceux chaque chez ci comme comment d dans de depuis des desormais dont
    donc du elle elles en encore entre es est et etaient etait etant ete etre eu eux fait faire
    font fut ici il ils j je jusqu jusque l la laquelle le lequel les lesquelles lesquels leur
    leurs lors lorsque lui m ma mais me meme memes mes moi moins mon n ne ni non nos notre nous on
    ont or ou par parce pas pendant peu peut peuvent plus plusieurs pour pourquoi puis puisque qu
    quand que quel quelle quelles quels quelqu quelque quelques qui quoi s sa sans se selon sera
    seront ses si sien soit son sont sous sur t ta te tel telle telles tels tes toi ton tous tout
    toute toutes tres tu un une va vers voici voila vont vos votre vous y avons aurait auraient
    sera serait seraient aura auront etes suis sommes avais etais combien est-ce
    quelles-sont lesquels dit-on cela-dit afin ailleurs
    """.split()
)
# Words of a question that ask rather than name what is asked about.
_ASKING_WORDS = frozenset(
    """
    date annee nombre prix cout raison nom personne lieu endroit moment heure montant somme
    chiffre duree age taille longueur quantite pourcentage compte comptent comptait comptaient
    doit doivent devait devra sait savoir pense pensent dit disent dire bien finalement reellement
    appelle appelait nomme nommait represente montre trouve trouvait lieu nouveau nouveaux nouvelle
    nouvelles eu aura donne donnee donnees recu sert servira ceci
    """.split()
)

MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
)
_SPELLED = frozenset(
    "zero deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "vingt vingts trente quarante cinquante soixante cent cents mille".split()
)
_COUNTING = _SPELLED | {"un", "une", "et", "million", "millions", "milliard", "milliards"}
# A number in digits. Thousands are set apart by spaces or by full stops, never
# both, and after one to three digits: « en 2024 300 personnes » has two numbers.
DIGITS = (
    r"(?:[1-9]\d{0,2}(?:(?:[ \u00a0\u202f]\d{3})+|(?:\.\d{3})+)(?:,\d+|\.\d{1,2})?(?!\d)"
    r"|0\.\d+|\d+(?:,\d+|\.\d{1,2}(?!\d))?)"
)
_DIGITS = re.compile(DIGITS)
_GAP = re.compile(r"[\W_]")
_PIECE = 1000  # characters: text2num's time is quadratic in the length of what it reads


class _Folding(dict[int, str]):
    """What each character becomes, found when it is first met.

    Characters are decomposed one by one: normalising a whole text puts runs of
    combining marks in order in quadratic time, and they go anyway.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if 0xD800 <= code < 0xE000:  # half a character, which no library in Rust takes
            char = "\ufffd"
        plain = _LIGATURES.get(char) or "".join(
            c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c)
        )
        folded = self[code] = plain.casefold()
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Return `text` without accents, ligatures, case or typographic variants.

    For comparison and search; the length may change.
    """
    return text.translate(_FOLDING)


def words(text: str) -> list[str]:
    """Return the folded words of `text`, elisions and hyphens split, in order."""
    return _WORD.findall(fold(text))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the Snowball French stem of a folded word, itself folded."""
    return str(_STEMMER.stemWord(word))


def is_function_word(word: str) -> bool:
    """Tell whether a folded word is grammatical (« le », « dont », « pourquoi »)."""
    return word in _FUNCTION_WORDS or (len(word) == 1 and not word.isdigit())


def content_stems(text: str) -> list[str]:
    """Return the stems of the words of `text` that carry meaning, in order."""
    return [stem(w) for w in words(text) if not is_function_word(w)]


def question_stems(question: str) -> list[str]:
    """Return the content stems of a question, without the words that only ask.

    « À quelle date la halle rouvre-t-elle ? » gives the stems of *halle* and
    *rouvre*; a question made of asking words alone keeps them.
    """
    content = [w for w in words(question) if not is_function_word(w)]
    named = [w for w in content if w not in _ASKING_WORDS]
    return list(dict.fromkeys(stem(w) for w in (named or content)))


def numbers(text: str) -> set[str]:
    """Return the numbers of `text`, normalised: « 1 200 » → `1200`, « trois » → `3`.

    Decimals keep a point (`3.5`). Spelled-out numbers above a hundred are read
    by `text2num`.
    """
    return {read_digits(m.group()) for m in _DIGITS.finditer(text)} | _spelled_numbers(text)


def read_digits(raw: str) -> str:
    """Return what `DIGITS` matched as digits, with a point before decimals: « 1 200,50 » → 1200.5.

    A full stop before three digits sets thousands apart, as French prints them.
    """
    whole, mark, decimals = raw.partition(",")
    if not mark and (decimal := _DECIMAL.search(raw)):
        whole, decimals = raw[: decimal.start()], decimal.group()[1:]
    whole = _THOUSANDS.sub("", whole).lstrip("0") or "0"
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


_THOUSANDS = re.compile(r"\D")
_DECIMAL = re.compile(r"(?:(?<=^0)\.\d+|\.\d{1,2})$")


def _spelled_numbers(text: str) -> set[str]:
    letters = _DIGITS.sub(" ", text)
    if not any(w in _SPELLED for w in words(letters)):
        return set()
    from text_to_num import alpha2digit

    found: set[str] = set()
    for piece in _pieces(fold(letters).replace("'", " ")):
        found.update(re.findall(r"\d+", alpha2digit(piece, "fr")))
    return found - {"1"}


def _pieces(folded: str) -> Iterator[str]:
    """Cut a folded text into bounded pieces: between words, after one that counts nothing."""
    start = 0
    while start < len(folded):
        gap = _GAP.search(folded, start + _PIECE)
        end = gap.start() if gap else len(folded)
        for word in _WORD.finditer(folded, end, end + _PIECE):
            end = word.start()
            if word.group() not in _COUNTING:
                break
        yield folded[start:end]
        start = end


def names(text: str) -> set[str]:
    """Return the folded proper-name words of `text`: capitalised, not first in a sentence.

    A heuristic: a name that only ever opens sentences is missed, which makes
    checks built on it more lenient, never less exact.
    """
    return {fold(m.group()) for m in _inner_capitals(text)}


_CAPITALISED = re.compile(r"(?<![^\W\d_])[A-ZÀ-ÖØ-Þ][\w]+", re.UNICODE)
_SENTENCE_OPENING = re.compile(r"(?:^|[.!?…:»«“\"\n])[\s«“\"—–\-(]*$")


def _inner_capitals(text: str) -> Iterator[re.Match[str]]:
    for match in _CAPITALISED.finditer(text):
        opening = _SENTENCE_OPENING.search(text[max(0, match.start() - 12) : match.start()])
        if (match.start() == 0 or opening) and not match.group().isupper():
            continue
        if not is_function_word(fold(match.group())):
            yield match


def begins_with(text: str, title: str) -> bool:
    """Tell whether the first words of `text` are those of `title`, whatever the typography."""
    wanted = words(title)
    return bool(wanted) and words(text[: 2 * len(title) + 20])[: len(wanted)] == wanted


def format_date(day: date | None) -> str:
    """Return a date as French prints it: « 1er mars 2024 », « 12 mars 2024 »; "" for none."""
    if day is None:
        return ""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"


def shorten(text: str, length: int) -> str:
    """Return `text`, cut between words and ended by « … » past `length` characters."""
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0] + "…"


def excerpt(text: str, length: int) -> str:
    """Return `text` on one line, shortened."""
    return shorten(" ".join(text.split()), length)


def parse_date(text: str) -> date | None:
    """Return the day that `text` names, or None.

    ISO 8601 first (with or without a time), then French forms through
    dateparser: « 12 mars 2024 », « mardi 1er août 2023 », « 05/02/2019 »
    (day first). Relative dates (« hier ») are not dates of publication.
    """
    text = text.strip()
    if iso := re.match(r"(\d{4})-(\d{2})-(\d{2})(?!\d)", text):
        try:
            return date(*(int(g) for g in iso.groups()))
        except ValueError:
            return None
    if not re.search(r"\d", text) or len(text) > 80:
        return None
    import dateparser

    parsed = dateparser.parse(
        re.sub(r"(?i)^(publi[ée]e?|mis à jour|paru)\s*(le)?\s*:?\s*", "", text),
        languages=["fr"],
        settings={"DATE_ORDER": "DMY", "PARSERS": ["absolute-time"], "STRICT_PARSING": True},
    )
    return parsed.date() if parsed else None
