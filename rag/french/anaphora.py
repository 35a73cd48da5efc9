"""Sentences that cannot be read without the one before."""

from __future__ import annotations

import re

from rag.french.words import fold

_OPENING = re.compile(  # on folded text
    r"[«“\"—–\s]*(?:(?:mais|et|or|puis|ensuite|pourtant|toutefois|cependant|ainsi|alors|aussi),? )?"
    r"((?:il|elle|ils|elles|celui-ci|celle-ci|ceux-ci|celles-ci|lui|eux|son|sa|ses|leurs?|cela|ca"
    r"|ce|cet|cette|ces)\b|c')"
)
_IMPERSONAL = re.compile(
    r"il (?:n')?(?:ne )?(?:faut|fallait|faudra|faudrait|y a|y avait|y aura|pleut|pleuvait|neige"
    r"|convient|est (?:interdit|possible|necessaire|prevu|question|\d))"
    r"|(?:ce|cet|cette|ces) (?:annee|semaine|nuit|mois|matin|soir|apres-midi|jour|jours|ete|hiver"
    r"|printemps|automne|week-end|fois|saison|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)\b"
)


def has_unresolved_anaphora(sentence: str) -> bool:
    """Tell whether a sentence opens with a word whose meaning is in the one before.

    « Elle représente… », « Sa présidente… », « Cette décision… »; not « Il
    faut… », « Il y a… » or « Cette année… ».
    """
    folded = fold(sentence)
    opening = _OPENING.match(folded)
    return opening is not None and not _IMPERSONAL.match(folded, opening.start(1))
