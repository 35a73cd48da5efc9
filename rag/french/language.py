"""Whether a text is in another language than French, told by its small words."""

from __future__ import annotations

from rag.french.words import words

_FRENCH = frozenset(
    "le la les l un une des du de d et est sont a ont que qui dans en au aux pour par sur ne pas "
    "se s il elle ils elles on ce cette ces son sa ses leur plus avec sera seront etait ete n y "
    "quoi quand comment combien pourquoi ou quel quelle quels quelles".split()
)
_FOREIGN = frozenset(
    "the of and to is was are were with that this for der die das und ist nicht mit von el los las "
    "una es con por il che di gli non sono "
    "how what who when why where which does did will much many wie wer wann wo warum como cuando "
    "donde quanto dove chi".split()
)


def is_foreign(text: str) -> bool:
    """Tell whether a text has more small words of other languages than of French."""
    tokens = words(text)
    return sum(w in _FOREIGN for w in tokens) > sum(w in _FRENCH for w in tokens)
