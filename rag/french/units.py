"""Units of measure as French writes them, and one measure for each kind of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a sign of a text, where it stands, and itself folded.

    The methods are those that text2num's `find_numbers` calls.
    """

    raw: str
    start: int
    end: int
    folded: str

    def text(self) -> str:
        """Return it folded."""
        return self.folded

    def nt_separated(self, previous: Token) -> bool:
        """Tell whether a sign before it ends the number that it might go on."""
        return not previous.raw.isalpha() and previous.raw != "-"

    def not_a_number_part(self) -> bool:
        """Tell whether it is written in digits, which are read apart."""
        return self.raw[0].isdecimal()


class Measure(NamedTuple):
    """A unit: its kind, how many of the kind's unit it is worth, and the token after it."""

    kind: str
    factor: float
    end: int


_UNITS = {
    "%": ("%", 1.0), "pourcent": ("%", 1.0),
    "€": ("euro", 1.0), "euro": ("euro", 1.0), "eur": ("euro", 1.0),
    "$": ("dollar", 1.0), "dollar": ("dollar", 1.0), "£": ("sterling", 1.0),
    "franc": ("franc", 1.0),
    "kilometre": ("metre", 1e3), "km": ("metre", 1e3), "metre": ("metre", 1.0), "m": ("metre", 1.0),
    "centimetre": ("metre", 0.01), "cm": ("metre", 0.01),
    "millimetre": ("metre", 1e-3), "mm": ("metre", 1e-3),
    "hectare": ("hectare", 1.0), "ha": ("hectare", 1.0),
    "tonne": ("kilo", 1e3), "t": ("kilo", 1e3), "kilo": ("kilo", 1.0), "kilogramme": ("kilo", 1.0),
    "kg": ("kilo", 1.0), "gramme": ("kilo", 1e-3), "g": ("kilo", 1e-3),
    "litre": ("litre", 1.0), "l": ("litre", 1.0), "hectolitre": ("litre", 100.0),
    "centilitre": ("litre", 0.01), "cl": ("litre", 0.01),
    "degre": ("degre", 1.0), "°": ("degre", 1.0),
    "heure": ("heure", 1.0), "h": ("heure", 1.0), "minute": ("heure", 1 / 60),
    "min": ("heure", 1 / 60), "mn": ("heure", 1 / 60), "seconde": ("heure", 1 / 3600),
    "jour": ("jour", 1.0), "semaine": ("jour", 7.0),
    "mois": ("mois", 1.0), "an": ("mois", 12.0), "annee": ("mois", 12.0),
    "trimestre": ("mois", 3.0), "semestre": ("mois", 6.0), "decennie": ("mois", 120.0),
    "watt": ("watt", 1.0), "kilowatt": ("watt", 1e3), "kw": ("watt", 1e3),
    "megawatt": ("watt", 1e6), "mw": ("watt", 1e6), "gigawatt": ("watt", 1e9), "gw": ("watt", 1e9),
    "wattheure": ("watt-heure", 1.0), "wh": ("watt-heure", 1.0),
    "kilowattheure": ("watt-heure", 1e3), "kwh": ("watt-heure", 1e3),
    "megawattheure": ("watt-heure", 1e6), "mwh": ("watt-heure", 1e6),
    "gigawattheure": ("watt-heure", 1e9), "gwh": ("watt-heure", 1e9),
}  # fmt: skip
CURRENCIES = frozenset({"euro", "dollar", "sterling", "franc"})
KINDS = frozenset(kind for kind, _ in _UNITS.values())
_SECOND = ("heure", 1 / 3600)  # « s », below a bar alone: elsewhere it is a word
_LETTERS = frozenset("mgtlLhH%€$£°")  # symbols of one sign; « 5 M » are millions, not metres
_TIMES = frozenset({"heure", "jour", "mois"})
_PRICED = CURRENCIES | {"%"}
_POWERS = {"carre": 2, "cube": 3, "2": 2, "3": 3}
# Whoever is counted, by whatever name: a crowd has one size.
PEOPLE = frozenset(
    "personne habitant visiteur spectateur participant manifestant gens fidele electeur "
    "signataire coureur festivalier public ame riverain".split()
)


def measure_at(tokens: Sequence[Token], at: int) -> Measure | None:
    """Return the unit that begins at a token, or None.

    One unit over another is a kind of its own (« km/h », « kilomètres-heure »,
    « mètres par seconde », « g/km »), but for what only says how often an
    amount comes back (« tonnes par an ») and for prices, which French also
    writes without a bar (« 2 euros le kilo »).
    """
    upper = _simple(tokens, at)
    if upper is None:
        return None
    place = _denominator(tokens, upper.end)
    lower = _simple(tokens, place, below=True) if place else None
    if lower is None:
        return upper
    joined = _raw(tokens, upper.end) == "-"
    if joined and upper.kind == "watt" and lower.kind == "heure":
        return Measure("watt-heure", upper.factor, lower.end)
    speed = upper.kind == "metre" and lower.kind in _TIMES
    density = lower.kind not in _TIMES and not joined and upper.kind not in _PRICED
    if speed or density:
        return Measure(f"{upper.kind}/{lower.kind}", upper.factor / lower.factor, lower.end)
    return Measure(upper.kind, upper.factor, lower.end)


def _simple(tokens: Sequence[Token], at: int, *, below: bool = False) -> Measure | None:
    if at >= len(tokens):
        return None
    word, raw = tokens[at].text(), tokens[at].raw
    if word == "pour" and _text(tokens, at + 1) == "cent":
        return Measure("%", 1.0, at + 2)
    # « 12 m’ont dit »: an elision is no unit.
    if len(raw) == 1 and (_raw(tokens, at + 1) in {"'", "’"} or not (below or raw in _LETTERS)):
        return None
    power, symbol = 1, word
    if raw[-1] in "²³":
        power, symbol = _POWERS[word[-1]], word[:-1]
    entry = _UNITS.get(symbol) or _UNITS.get(symbol.rstrip("s")) if symbol else None
    if below and word == "s":
        entry = _SECOND
    if entry is None:
        return None
    (kind, factor), end = entry, at + 1
    if kind == "metre":
        power, end = _power(tokens, at, power)
        if power > 1:
            # An area in hectares, a volume in litres.
            kind, unit = ("hectare", 1e-4) if power == 2 else ("litre", 1e3)
            factor = factor**power * unit
    return Measure(kind, factor, end)


def _power(tokens: Sequence[Token], at: int, power: int) -> tuple[int, int]:
    """Return the power of a length (« km2 », « mètres carrés ») and the token after it."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if power > 1 or after is None:
        return power, at + 1
    glued = after.start == tokens[at].end
    found = _POWERS.get(after.text().rstrip("s"))
    if found and (glued or not after.raw.isdecimal()):
        return found, at + 2
    return 1, at + 1


def _denominator(tokens: Sequence[Token], at: int) -> int:
    """Return the token where the unit under a bar begins, or 0 when there is no bar at `at`."""
    sign = _text(tokens, at)
    if sign in {"/", "par"}:
        return at + 1
    if sign == "-" and tokens[at].start == tokens[at - 1].end:
        return at + 1
    spoken = [_text(tokens, at + step) for step in range(4)]
    return at + 3 if spoken == ["a", "l", "'", "heure"] else 0


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text() if at < len(tokens) else ""


def _raw(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].raw if at < len(tokens) else ""
