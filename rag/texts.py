"""The French texts that Recoupe shows, in one place."""

from __future__ import annotations

NBSP = "\u00a0"
NNBSP = "\u202f"

NO_ANSWER = (
    "Je n’ai pas trouvé de réponse à cette question dans les articles. "
    "Voici les passages les plus proches\u202f; aucun n’y répond avec assez de certitude."
)
NO_PASSAGE = "Je n’ai trouvé aucun passage en rapport avec cette question dans les articles."
EMPTY_INDEX = "L’index ne contient aucun article\u00a0: lancez «\u00a0recoupe ingest corpus/\u00a0»."
UNSUPPORTED_MARK = "(non appuyé par les articles cités)"
UNSUPPORTED_NOTICE = "Une phrase au moins n’est pas appuyée par les articles cités\u00a0: vérifiez-la."
COMPLETED = "Question comprise ainsi\u00a0: {}"

NO_CITATION = "aucun passage n’est cité"
INVENTED_CITATION = "le passage cité n’existe pas"
ABSENT_NUMBER = "nombre absent des passages cités\u00a0: {}"
ABSENT_NAME = "nom absent des passages cités\u00a0: {}"
ABSENT_WORDS = "les passages cités ne disent pas cela"
REVERSED = "le passage cité semble dire le contraire"
FAR_MEANING = "le sens s’éloigne des passages cités"

EMPTY_QUESTION = "La question est vide\u00a0: écrivez-la en toutes lettres."
LONG_QUESTION = "La question dépasse {} caractères\u00a0: raccourcissez-la."
NO_MODEL_NOTICE = "{} Voici, en attendant, des extraits des articles."
