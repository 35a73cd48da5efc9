"""Whether a sentence denies or declines what it names: « il dément avoir… », « elle refuse de… ».

The verb that denies stands before what is denied, and holds all of it: whoever « dément avoir
menti » does not say that he lied, though every word of it is there.
"""

from __future__ import annotations

import re

from rag.french.words import fold

# By stem; « refuser », « décliner », « rejeter » and the like deny what follows them alone.
_DENIES = re.compile(
    r"\b(?:dement(?:i\w*|ent|ait|aient|ir|ant)?|ni(?:e|ent|ait|aient|er|ant)|"
    r"conteste\w*|contestai\w*|refut\w+|recus\w+|infirm\w+|desapprouv\w+)\b|"
    r"\b(?:refus(?:e|ent|ait|aient|er|ant|es?|ee?s?)|declin(?:e|ent|ait|aient|er|ant|ee?s?)|"
    r"rejett\w+|rejet(?:e|ait|aient|er|ant|es?|ee?s?)|ecart(?:e|ent|ait|aient|er|ant)|"
    r"exclu(?:t|ent|ait|aient|re|ant)?|s'abst\w+|se garde\w* bien)\b"
    r"(?= (?:\w+ ){0,3}?(?:de |d'|toute?s? |l'(?:idee|accusation|hypothese)|"
    r"les? accusations?|la these|l'affirmation|ces? \w+))"
)


def denial(sentence: str) -> str:
    """Return the word by which a sentence denies what it names, folded; "" where it does not."""
    found = _DENIES.search(fold(sentence))
    return found.group() if found else ""
