"""What tells a private person in a text that a reader wrote, masked before the text is kept.

E-mail addresses, telephone numbers, long runs of digits (IBAN, social security, cards) and full
names, by their form alone. It finds no name without a capital, no lone family name without a
civility, no postal address, no number spelt out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.french.words import fold, is_function_word

EMAIL, PHONE, NUMBER, NAME = "[adresse]", "[téléphone]", "[numéro]", "[nom]"
_EMAIL = re.compile(r"[\w.+’'%-]{1,64}\s?[@＠]\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_SEP = r"[\s.\-/()]{0,2}"
_PHONES = re.compile(
    rf"(?<![\w+])(?:\+|00){_SEP}\d(?:{_SEP}\d){{7,14}}(?!\d)"  # international
    rf"|(?<!\d)0{_SEP}[1-9](?:{_SEP}\d\d){{4}}(?!\d)"  # France
)
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[\s-]?[A-Za-z0-9]{4}){2,7}(?:[\s-]?[A-Za-z0-9]{1,3})?\b")
_DIGITS = re.compile(r"(?<![\d.,])\d(?:[\s.\-/]?\d){8,}")
_THOUSANDS = re.compile(r"\d{1,3}(?:[\s.]\d{3}){2,4}")  # « 1 200 000 000 » is a figure
_YEARS = re.compile(r"(?:1\d|20)\d\d(?:[\s.\-/](?:1\d|20)\d\d){1,5}")  # « 1914-1918 1939-1945 »
_WORD = re.compile(r"[^\W\d_](?:[\w’'‑-]{0,60}\w)?\.?")
_ELISION = re.compile(r"[dlDLjJnNsSqQcCmMtT]['’](?=[^\W\d_])|[Qq]u['’](?=[^\W\d_])")
_CIVILITIES = frozenset(
    "m. mm. mr mme mmes mlle monsieur madame mademoiselle dr docteur me".split()
)
_PARTICLES = frozenset("le la les de du des d von van der den ben bin ibn al el da dos".split())
_LONGEST_NAME = 8  # words of what may be somebody's name; more in capitals are masked unasked
IsPublic = Callable[[str], bool]


def mask(text: str, is_public: IsPublic) -> str:
    """Return a text without what tells a private person.

    `is_public` tells whether a full name is one that the articles hold. Done twice, nothing
    changes.
    """
    text = _EMAIL.sub(EMAIL, text)
    text = _PHONES.sub(PHONE, text)
    text = _IBAN.sub(_iban, text)
    text = _DIGITS.sub(_digits, text)
    return _without_names(text, is_public)


def _iban(match: re.Match[str]) -> str:
    """Mask what has the digits of an account: « Le20 grands mots » has none after its fourth."""
    return NUMBER if sum(c.isdigit() for c in match.group()) >= 10 else match.group()


def _digits(match: re.Match[str]) -> str:
    run = match.group()
    figure = _THOUSANDS.fullmatch(run) or _YEARS.fullmatch(run)
    return run if figure else NUMBER


def _without_names(text: str, is_public: IsPublic) -> str:
    pieces, at = [], 0
    for words, civil in _candidates(text):
        for start, end in _private(words, text, is_public, civil=civil):
            pieces += [text[at:start], NAME]
            at = end
    return "".join([*pieces, text[at:]])


Span = tuple[int, int]


def _candidates(text: str) -> Iterator[tuple[list[Span], bool]]:
    """Yield the words of each run of capitalised words, and whether a civility precedes it."""
    run: list[Span] = []
    civil = after_civility = False
    for start, end in _words(text):
        word = text[start:end]
        joined = not run or not text[run[-1][1] : start].strip()
        if fold(word) in _CIVILITIES:
            yield from _ended(run, text, civil=civil)
            run, after_civility = [], True
            continue
        if not joined:
            yield from _ended(run, text, civil=civil)
            run, after_civility = [], False
        is_name = word[0].isupper() and not is_function_word(fold(word).rstrip("."))
        initial = len(word.rstrip(".")) == 1 and word[0].isupper() and word.endswith(".")
        if is_name or initial:
            if not run:
                civil, after_civility = after_civility, False
            run.append((start, end))
        elif run and fold(word) in _PARTICLES:
            run.append((start, end))
        else:
            yield from _ended(run, text, civil=civil)
            run, after_civility = [], False
    yield from _ended(run, text, civil=civil)


def _words(text: str) -> Iterator[Span]:
    """Yield the spans of words, without what is elided before them or the stop after them."""
    for match in _WORD.finditer(text):
        start, end = match.span()
        if elided := _ELISION.match(text, start, end):
            start = elided.end()
        word = text[start:end]
        if word.endswith(".") and len(word) > 2 and fold(word) not in _CIVILITIES:
            end -= 1
        yield start, end


def _ended(run: list[Span], text: str, *, civil: bool) -> Iterator[tuple[list[Span], bool]]:
    """Yield a run without particles at its end, where it may be a name."""
    while run and fold(text[slice(*run[-1])]) in _PARTICLES:
        run = run[:-1]
    if len(run) > 1 or (run and civil):
        yield run, civil


def _private(run: Sequence[Span], text: str, is_public: IsPublic, *, civil: bool) -> Iterator[Span]:
    """Yield the spans of a run that are no public name: what stands around one is looked at too."""
    if len(run) < 2 and not civil:
        return
    if len(run) <= _LONGEST_NAME:
        shortest = 1 if civil and len(run) == 1 else 2
        for size in range(len(run), shortest - 1, -1):
            for at in range(len(run) - size + 1):
                if is_public(text[run[at][0] : run[at + size - 1][1]]):
                    yield from _private(run[:at], text, is_public, civil=False)
                    yield from _private(run[at + size :], text, is_public, civil=False)
                    return
    yield run[0][0], run[-1][1]
