"""What is asked of Recoupe itself or of what it has, not of what the articles say.

Greetings, thanks, who it is and what it can do, the hour and the day, how many articles there are,
of whom and from when. The forms are few and closed; whatever else a question says makes it one for
the articles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag import texts
from rag.domain import Answer, Facets
from rag.french.dates import format_date
from rag.french.words import fold

_MODE = "corpus"
_MOST_SOURCES = 5  # names of sources that are told
_NAMED = r"(?:,? ?(?:recoupe|a tous|a toutes|a vous|monsieur|madame))?"
_GREETING = re.compile(
    rf"(?:bonjour|bonsoir|salut|coucou|hello|hey|allo){_NAMED}"
    r"(?:,? (?:comment )?(?:ca va|vas[- ]tu|allez[- ]vous|tu vas bien|vous allez bien))?"
)
_THANKS = re.compile(
    r"(?:(?:ok|d'accord|parfait|super|genial|tres bien|nickel),? )?(?:un grand |mille )?mercis?"
    r"(?: (?:beaucoup|bien|infiniment|a (?:toi|vous)|pour (?:tout|ton aide|votre aide))){0,2}"
    rf"{_NAMED}"
    r"(?:,? (?:et )?(?:au revoir|bonne (?:journee|soiree|nuit)|a bientot))?"
    rf"|(?:au revoir|a bientot|bonne (?:journee|soiree|nuit)){_NAMED}"
)
_WHO = re.compile(
    r"(?:(?:tu es|vous etes) qui|qui (?:es[- ]tu|etes[- ]vous)(?: vraiment)?|c'est quoi recoupe|"
    r"qu'est[- ]ce que (?:c'est que )?recoupe|comment (?:t'appelles[- ]tu|vous appelez[- ]vous)|"
    r"(?:es[- ]tu|etes[- ]vous) (?:un robot|une (?:ia|intelligence artificielle|machine)|humaine?)|"
    r"quel est (?:ton|votre) nom)"
)
_CAN = re.compile(
    r"(?:que|qu'est[- ]ce que) (?:peux[- ]tu|sais[- ]tu|tu peux|tu sais|pouvez[- ]vous|vous pouvez)"
    r" (?:faire|me dire)(?: pour moi)?"
    r"|(?:que|qu'est[- ]ce que) (?:puis[- ]je|je peux|peut[- ]on|on peut) (?:te |vous )?demander"
    r"|comment (?:ca marche|(?:tu|vous) fonctionne[sz]|fonctionnes[- ]tu|fonctionnez[- ]vous)"
    r"|aide(?:[- ]moi)?|a quoi (?:sers[- ]tu|servez[- ]vous|tu sers)|help"
)
_HAVE = (
    r"(?:avez[- ]vous|as[- ]tu|tu as|vous avez|y a[- ]t[- ]il|il y a|"
    r"contient (?:le corpus|la base|l'index))"
)
_WHERE = r"(?: (?:dans (?:le corpus|la base|l'index|ta base|votre base)|en tout|au total|en base))?"
_COUNT = re.compile(
    rf"(?:combien d'articles {_HAVE}|{_HAVE} combien d'articles){_WHERE}"
    r"(?:,? et (?:de quelles? dates?|de quand|de quelles? sources?|de qui))?"
)
_SOURCES = re.compile(
    r"quell?e?s? (?:sont (?:tes|vos|les) )?(?:sources|journaux|medias|titres)"
    rf"(?: {_HAVE})?{_WHERE}|"
    r"d'ou viennent (?:tes|vos|les) (?:articles|informations)"
)
_WHEN = re.compile(
    r"(?:de quand (?:datent|a quand vont)|sur quelle periode (?:portent|vont)|jusqu'a quand vont|"
    r"de quelles? dates? (?:sont|datent)|quelles sont les dates de) "
    r"(?:tes|vos|les) articles"
)
_NEWEST = re.compile(
    r"(?:quel(?:le)? (?:est|serait) |montre[rz]?(?:[- ]moi)? |donne[rz]?(?:[- ]moi)? )?"
    r"(?:l'article le plus recent|(?:le|ton|votre) dernier article|les (?:derniers articles|"
    r"articles les plus recents))" + _WHERE
)
_OPINION = re.compile(
    r"(?:que|qu'est[- ]ce que) (?:penses[- ]tu|pensez[- ]vous|tu penses|vous pensez)\b.*"
    r"|(?:quel est )?(?:ton|votre) (?:avis|opinion)\b.*"
    r"|(?:es[- ]tu|etes[- ]vous) (?:pour|contre|d'accord|sure?)\b.*|(?:tu es|vous etes) sure?"
)
# What is now, where and when it is asked: no article tells.
_NOW = re.compile(
    r"(?:(?:quelle heure est[- ]il|il est quelle heure|quel temps fait[- ]il|il fait quel temps"
    r"|quel jour (?:est[- ]on|sommes[- ]nous|on est)|(?:on est|nous sommes) quel jour"
    r"|en quelle annee (?:est[- ]on|sommes[- ]nous))"
    r"(?: (?:maintenant|aujourd'hui|dehors|en ce moment|actuellement))?"
    r"|quelle est la date (?:du jour|d'aujourd'hui))"
)
_THE_ARTICLE = re.compile(
    r"(?:de quoi (?:parle|traite|est[- ]il question dans)|que dit|que raconte|"
    r"resume[rz]?(?:[- ]moi)?|quel est le sujet de) (?:l'|cet |ce )(?:article|texte|papier)"
)
_THEIR = r"(?:tes|vos|les|ces) (?:articles|textes|papiers|documents)"
_TOPICS = re.compile(
    r"(?:de quoi|de quels? (?:sujets?|themes?)) "
    rf"(?:parlent|traitent|est[- ]il question dans) {_THEIR}"
    rf"|(?:de|sur) quoi (?:peux[- ]tu|pouvez[- ]vous|sais[- ]tu|savez[- ]vous) (?:me )?parler"
    r"|(?:sur|de) quoi (?:puis[- ]je|peut[- ]on|je peux) (?:te |vous )?(?:poser|interroger).*"
    r"|(?:sur |de )?quel(?:le)?s? (?:sont (?:tes|vos|les) )?(?:sujets?|themes?|rubriques?)"
    r"(?: (?:couvre[sz]?[- ](?:tu|vous)|(?:tu|vous) couvre[sz]|traite[sz]?[- ](?:tu|vous)"
    r"|(?:abordent|couvrent|traitent) "
    + _THEIR
    + rf"|{_HAVE}(?: des articles)?|connais(?:sez)?[- ](?:tu|vous)"
    r"|sont (?:couverts|traites|abordes)))?" + _WHERE + rf"|que (?:disent|racontent) {_THEIR}"
)


def reply(
    question: str,
    facets: Facets,
    titles: Callable[[], Sequence[str]],
    *,
    following: bool = False,
) -> Answer | None:
    """Return what Recoupe says of itself or of the corpus, where that is what is asked.

    `titles` returns those of some articles, newest first, and is asked only where they are told.
    None for a question to the articles; when it is `following` an answer, « l'article » is that of
    the answer.
    """
    asked = " ".join(fold(question).split()).strip(" ?!.,;:…-")
    if text := _fixed_reply(asked, facets):
        return _answer(question, text)
    if _NEWEST.fullmatch(asked) and (named := titles()):
        return _answer(question, texts.NEWEST_ARTICLES.format(_quoted(named)))
    if _TOPICS.fullmatch(asked):
        return _answer(question, _topics(facets, titles()))
    many = not following and facets.articles > 1
    if many and _THE_ARTICLE.fullmatch(asked) and (named := titles()):
        return _answer(question, texts.WHICH_ARTICLE.format(_quoted(named)))
    return None


def _quoted(titles: Sequence[str]) -> str:
    return "\u202f; ".join(f"«\u00a0{title}\u00a0»" for title in titles)


def _topics(facets: Facets, titles: Sequence[str]) -> str:
    """Return what there is, and of what: sections where articles have them, titles."""
    parts = [corpus_summary(facets)]
    if facets.sections:
        parts.append(
            texts.SECTIONS.format(", ".join(n for n, _ in facets.sections[:_MOST_SOURCES]))
        )
    if titles:
        parts.append(texts.TOPICS.format(_quoted(titles)))
    return " ".join(parts)


def _fixed_reply(asked: str, facets: Facets) -> str:
    if _GREETING.fullmatch(asked):
        return texts.HELLO
    if _THANKS.fullmatch(asked):
        return texts.YOU_ARE_WELCOME
    if _WHO.fullmatch(asked):
        return texts.WHO_I_AM
    if _OPINION.fullmatch(asked):
        return texts.NO_OPINION
    if _NOW.fullmatch(asked):
        return texts.NOT_NOW
    if _CAN.fullmatch(asked):
        return texts.WHAT_I_CAN
    if _COUNT.fullmatch(asked) or _WHEN.fullmatch(asked) or _SOURCES.fullmatch(asked):
        return corpus_summary(facets)
    return ""


def corpus_summary(facets: Facets) -> str:
    """Return what an index is made of, in words: how many articles, of whom, from when to when."""
    if not facets.articles:
        return texts.EMPTY_INDEX
    parts = [f"{texts.articles(facets.articles)} dans l’index"]
    if facets.sources:
        named = [f"{name} ({count})" for name, count in facets.sources[:_MOST_SOURCES]]
        rest = len(facets.sources) - len(named)
        more = f" et {rest} autre{'s' if rest > 1 else ''}" if rest > 0 else ""
        parts[0] += f"\u00a0: {', '.join(named)}{more}"
    if facets.first and facets.last:
        first, last = format_date(facets.first), format_date(facets.last)
        parts.append(f"du {first} au {last}" if first != last else f"du {first}")
    text = "\u202f; ".join(parts) + "."
    undated = facets.articles - sum(count for _, count in facets.months)
    return f"{text} {texts.undated_of(undated, facets.articles)}" if undated else text


def _answer(question: str, text: str) -> Answer:
    return Answer(
        question, (), (), refused=False, mode=_MODE, text=text, asked=question, intro=text
    )
