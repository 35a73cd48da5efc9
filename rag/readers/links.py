"""Links to other articles that scraping glued to a sentence: « Lire aussi : » and a title.

Nothing marks where such a title ends and the sentence begins. A link is cut where that can be
told: the title ends its sentence, a capital is stuck to its last word (« la crueLe maire »), or
a word follows that begins sentences and no name (« la crue Cette mesure »). Elsewhere it stays:
a sentence is worth more than a clean one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.french.sentences import sentence_spans
from rag.french.words import fold, is_function_word

_LONGEST_TITLE = 200  # characters of a title
_TITLE_WINDOW = 1000  # in which the sentence ends that a title begins
_FEWEST_WORDS = 4  # words of what is left as a sentence
_MOST_WORDS = 16  # words of a label and a title

_CAPITAL = "A-ZÀ-ÖØ-ÞŒ"
_SMALL = "a-zà-öø-ÿœ"
_LABEL = re.compile(
    rf"(?:^|(?<=[.!?…»”)\]])|(?<=[{_SMALL}])(?=[{_CAPITAL}]))\s?"
    rf"[\[(>►▶→➔•*|·–—-]{{0,3}}\s?(?=[{_CAPITAL}])"
    r"(?i:(?:[àa]\s)?(?:(?:re)?(?:lire|voir)|écouter|découvrir|(?:re)?lisez|découvrez)\s"
    r"(?:aussi|également|surtout)|[àa]\ssurtout\slire)"
    r"(?i:\ssur\s[^:.!?]{1,40}|\s(?:le|la|les|notre|nos)\s\w{1,20}|\sl['’]\w{1,20})?"
    rf"\s?(?::|[>►▶→➔]{{1,3}})\s?(?=[«“{_CAPITAL}0-9])"
)
# A capital within a title, after the end of a word; and stuck to that word.
_SPACED = re.compile(rf"(?<=[\w»”)%€]\s)[{_CAPITAL}][{_SMALL}]*")
_STUCK = re.compile(rf"(?<=[{_SMALL}0-9])(?:[{_CAPITAL}][{_SMALL}]+(?=[\s'’])|[CDJLMNSQ](?=['’]))")
_JOINED = re.compile(rf"[{_SMALL}0-9][{_CAPITAL}]")
# They begin sentences, and no name of a paper, a town or a party.
_OPENING = frozenset(
    "ce cet cette ces il ils elles selon mais depuis lors cependant toutefois pourtant".split()
)
_ENDS = ".!?…»”"
_PREDICATE = re.compile(r"\b(?:a|ont|avait|avaient|est|sont|était|étaient|sera|seront|va|vont)\b")


def without_links(text: str) -> tuple[str, list[str]]:
    """Return a line without the links glued into it, and what was cut."""
    parts: list[str] = []
    cuts: list[str] = []
    at = 0
    for start, end in _links(text):
        parts.append(text[at:start].rstrip())
        cuts.append(text[start:end].strip())
        at = end
    if not cuts:
        return text, []
    return " ".join(part for part in (*parts, text[at:].strip()) if part), cuts


def may_hold_sentence(text: str) -> bool:
    """Tell whether a sentence may follow a title, unmarked, in a line that ends as one does."""
    if not text.rstrip().endswith("."):
        return False
    capitals = [m.group() for m in _SPACED.finditer(text)]
    long = len(text.split()) > _MOST_WORDS or _PREDICATE.search(text)
    return bool(any(map(_begins, capitals)) or (capitals and long) or _JOINED.search(text))


def _links(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of links, label and title, whose end can be told."""
    at = 0
    for label in _LABEL.finditer(text):
        length = _title_length(text[label.end() : label.end() + _TITLE_WINDOW])
        if length and label.start() >= at:
            at = label.end() + length
            yield label.start(), at


def _title_length(text: str) -> int:
    """Return how long the title is that a text begins with; 0 where that cannot be told."""
    _, end = sentence_spans(text)[0]
    sentence = text[:end]
    if at := _boundary(sentence):
        return at
    capitals = [m.group() for m in _SPACED.finditer(sentence)]
    if end == len(text.rstrip()) and sentence[-1] not in _ENDS:
        is_title = True  # no sentence would end so
    elif _JOINED.search(sentence):
        is_title = False
    elif sentence.endswith("."):
        is_title = not capitals
    else:
        is_title = not any(map(_begins, capitals))
    return end if is_title and end <= _LONGEST_TITLE else 0


def _boundary(sentence: str) -> int:
    """Return where a sentence begins after a title, 0 if nowhere for sure."""
    stuck = next(
        (m for m in _STUCK.finditer(sentence, 0, _LONGEST_TITLE) if _begins(m.group())), None
    )
    for spaced in _SPACED.finditer(sentence, 0, stuck.start() if stuck else _LONGEST_TITLE):
        if fold(spaced.group()) in _OPENING:
            return _if_sentence(sentence, spaced.start())
        if _begins(spaced.group()) and not stuck:
            return 0  # the sentence, or a name: « Grève à La Poste »
    return _if_sentence(sentence, stuck.start()) if stuck else 0


def _if_sentence(sentence: str, at: int) -> int:
    """Return `at` if what follows has the shape of a sentence, else 0."""
    rest = sentence[at:]
    return at if rest[-1] in _ENDS and len(rest.split()) >= _FEWEST_WORDS else 0


def _begins(word: str) -> bool:
    """Tell whether a capitalised word may begin a sentence rather than be a name."""
    return is_function_word(fold(word))
