"""Whether a sentence denies or declines what it names: « il dément avoir… », « elle refuse de… ».

The verb that denies stands before what is denied, and holds all of it: whoever « dément avoir
menti » does not say that he lied, though every word of it is there.
"""

from __future__ import annotations

import re

from rag.french.words import lowered

# By stem; « refuser », « décliner », « rejeter » and the like deny what follows them alone.
_DENIES = re.compile(
    r"\b(?:dément(?:i\w*|ent|ait|aient|ir|ant)?|ni(?:e|ent|ait|aient|er|ant|ée?s?)|"
    r"contest(?:e|ent|ait|aient|er|ant|ée?s?)|réfut\w+|récus\w+|infirm(?:e|ent|ait|er|ant|ée?s?)|"
    r"désapprouv\w+)\b|"
    r"\b(?:refus(?:e|ent|ait|aient|er|ant|ée?s?)|déclin(?:e|ent|ait|aient|er|ant|ée?s?)|"
    r"rejett\w+|rejet(?:ait|aient|er|ant|ée?s?)|écart(?:e|ent|ait|aient|er|ant|ée?s?)|"
    r"exclu(?:t|ent|ait|aient|re|ant)?|s'abst\w+|se garde\w* bien)\b"
    r"(?= (?:\w+ ){0,3}?(?:de |d'|toute?s? |l'(?:idée|accusation|hypothèse)|"
    r"les? accusations?|la thèse|l'affirmation|ces? \w+))"
)


def denial(sentence: str) -> str:
    """Return the word by which a sentence denies what it names; "" where it does not."""
    found = _DENIES.search(lowered(sentence))
    return found.group() if found else ""
