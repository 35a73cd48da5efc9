"""French words, folded and stemmed, for searching and for checking.

Folding is for comparison only: what is shown keeps its typography.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import Stemmer

_STEMMER = Stemmer.Stemmer("french")
SHORTEST_ROOT = 4  # characters that alike stems have in common at least
WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*", re.UNICODE)
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
# Those of them that bear an accent; what another accent makes of the rest is no grammatical word.
_ACCENTED = frozenset(
    """
    à après déjà dès désormais même mêmes où là très étaient était étant été être êtes voilà fût
    à-dire au-delà çà
    """.split()
)
_PLAIN = str.maketrans({"’": "'", "ʼ": "'", "‑": "-", "\u00a0": " ", "\u202f": " "})
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


def lowered(text: str) -> str:
    """Return `text` in lower case, its apostrophes and spaces plain; accents stay.

    For what an accent decides: « né » is not « ne », « sûr » not « sur », « où » not « ou ».
    """
    return text.lower().translate(_PLAIN)


def is_grammatical(word: str) -> bool:
    """Tell whether a word as it is written is grammatical: « ne » and « à » are, « né » is not."""
    low = lowered(word)
    accented = any(ord(c) > 127 and c.isalpha() and fold(c) != c for c in low)
    return low in _ACCENTED if accented else is_function_word(fold(low))


def words(text: str) -> list[str]:
    """Return the folded words of `text`, elisions and hyphens split, in order."""
    return WORD.findall(fold(text))


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


def begins_with(text: str, title: str) -> bool:
    """Tell whether the first words of `text` are those of `title`, whatever the typography."""
    wanted = words(title)
    return bool(wanted) and words(text[: 2 * len(title) + 20])[: len(wanted)] == wanted


def shorten(text: str, length: int) -> str:
    """Return `text`, cut between words and ended by « … » past `length` characters."""
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0] + "…"


def excerpt(text: str, length: int) -> str:
    """Return `text` on one line, shortened."""
    return shorten(" ".join(text.split()), length)


def same_root(a: str, b: str) -> float:
    """Return 1 for equal stems, 0.7 for a long common beginning, else 0."""
    if a == b:
        return 1.0
    shorter = min(len(a), len(b))
    if shorter < SHORTEST_ROOT or a[0].isdigit() or b[0].isdigit():
        return 0.0
    common = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        common += 1
    return 0.7 if common >= max(SHORTEST_ROOT, 0.75 * shorter) else 0.0
