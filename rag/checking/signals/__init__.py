"""What a person can check of a hypothesis and a premise: each signal is a file of its own.

A signal takes a `Pair` and returns what it found, in French, or None. The registry is what the
comparison weighs (`compare.json`) and shows: a new signal is a file here, a line below and a fit
(`python -m bench.compare`). None may count in favour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rag.checking.signals import (
    allegation,
    currency,
    figures,
    modality,
    names,
    polarity,
    quantifier,
    roles,
    source,
)
from rag.checking.signals import swapped as swaps
from rag.checking.signals.pair import Pair
from rag.domain import Signal

__all__ = ["DECISIVE", "REGISTRY", "Pair", "signals_of"]

REGISTRY: Mapping[str, Callable[[Pair], Signal | None]] = {
    "quantity_conflict": figures.quantity_conflict,
    "quantity_absent": figures.quantity_absent,
    "currency": currency.find,
    "date_conflict": figures.date_conflict,
    "date_absent": figures.date_absent,
    "swapped_arguments": swaps.find,
    "roles": roles.find,
    "name_absent": names.absent,
    "substituted_name": names.substituted,
    "modality": modality.find,
    "allegation": allegation.find,
    "negation": polarity.negation,
    "contrary": polarity.contrary,
    "quantifier": quantifier.find,
    "statement_as_fact": source.statement_as_fact,
    "hearsay_as_fact": source.hearsay_as_fact,
}
# One of these is enough for a sentence to say something else than a claim.
DECISIVE = (
    "swapped_arguments", "quantity_conflict", "date_conflict", "modality", "allegation", "negation",
    "contrary", "quantifier",
)  # fmt: skip


def signals_of(pair: Pair) -> dict[str, Signal]:
    """Return what each signal of the registry finds in a pair, by name."""
    signals = {name: find(pair) for name, find in REGISTRY.items()}
    return {name: signal for name, signal in signals.items() if signal}
