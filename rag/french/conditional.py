"""Whether a French verb form of the third person is in the conditional, told by its ending.

Conditionals and imperfects both end in « -rait » where the stem of a verb ends in r (« montrait »,
« mourrait »). Conjugation tells most of them apart; the few verbs that it does not are named.
"""

from __future__ import annotations

import re

_ENDING = re.compile(r"^(?P<stem>[\wà-ÿœ-]*r)ai(?:t|ent)$")
# Stems of the conditional, by how they end: infinitives in -er and -ir, the others named.
_CONDITIONAL = re.compile(
    r"(?:er|ir|dr|mpr|vaincr|(?:e|ui|viv|pleu)vr|(?:sur)?vivr|tt?r(?<=ttr|îtr|itr)|"
    r"(?:pou|cou|mou|que|(?:^|re|entre)ve|enve)rr|^s?aur|(?:con|ex|in)clur)$"
)
# Imperfects that end alike: « tirer », « engendrer », « attrait », a noun.
_IMPERFECT = re.compile(
    r"(?:(?:(?:^|at|re|é|sou)t|(?:^|ad)m|(?:^|re|cha)v|dés|^c|déch|dél|emp|sp|xp|soup|écla|fla)ir|"
    r"(?:ca|gen|pou|lin|effon)dr|^sevr|attr|titr|filtr|arbitr)$"
)


def is_conditional(word: str) -> bool:
    """Tell whether a word in lower case is a conditional of the third person."""
    found = _ENDING.match(word.rpartition("'")[2])
    if not found:
        return False
    stem = found["stem"]
    return bool(_CONDITIONAL.search(stem)) and not _IMPERFECT.search(stem)
