"""The sentences of the errors that a person may read, in one place.

Each says in French what is wrong, and what to do where something can be done; fields are filled
where the error is raised. What else Recoupe shows is in `rag/texts.py`.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

# What the system refuses
SYSTEM_ERRORS = {
    errno.ENOSPC: "il n’y a plus de place",
    errno.EDQUOT: "le quota est atteint",
    errno.EACCES: "les droits manquent",
    errno.EPERM: "les droits manquent",
    errno.EROFS: "le disque est en lecture seule",
    errno.ENOENT: "il n’y est pas",
    errno.EEXIST: "il y est déjà",
    errno.EISDIR: "c’est un dossier",
    errno.ENOTDIR: "un fichier y tient la place d’un dossier",
    errno.ENAMETOOLONG: "le nom est trop long",
    errno.EADDRINUSE: "un autre programme le tient",
    errno.EADDRNOTAVAIL: "l’adresse n’est pas de cette machine",
    errno.EIO: "le disque ne répond pas",
    errno.EMFILE: "trop de fichiers sont ouverts",
}
PAGE_MOVED = "la page est maintenant à l’adresse {}"

# Settings
BAD_SETTINGS_FILE = "{} ne se lit pas ({})\u00a0: corrigez-le."
UNKNOWN_VARIABLE = "La variable {} n’est pas un réglage\u00a0: {}"
RENAMED_SETTING = "il s’appelle {}."
NEAR_SETTING = "vouliez-vous {}\u202f?"
ALL_SETTINGS = "docs/settings.md les donne tous."
SETTING = "Le réglage «\u00a0{}\u00a0»"
SETTING_IN_FILE = "«\u00a0{}\u00a0», dans {},"
UNKNOWN_SETTING = "{} n’est pas un réglage\u00a0: {}"
NOT_EXPECTED = "ce n’est pas ce qui est attendu ({})"
SETTING_VALUE = " vaut «\u00a0{}\u00a0»"
FOR_EXAMPLE = ", par exemple {}"
BAD_SETTING = "{}{}, et {}\u00a0: corrigez{}."

# Readers
LATE_TEXT = "lecture arrêtée après {:g}\u00a0secondes"
LATE_FILE = "lecture arrêtée après {:g}\u00a0secondes (réglage RECOUPE_READ_SECONDS)"
SAME_ARTICLE = "même article que {}"
PATH_NOT_UTF8 = "chemin qui n’est pas en UTF-8\u00a0: renommez le fichier ou son dossier"
NO_TEXT = "pas de texte"
UNKNOWN_XML = "XML d’un genre inconnu (lus\u00a0: NewsML-G2 et NITF)"
CANCELLED_DISPATCH = "dépêche annulée par son agence"
NO_TEXT_IN_DISPATCH = "la dépêche n’a pas de texte"
DAMAGED_JSON = "JSON incomplet ou abîmé (caractère {})"
DEEP_JSON = "JSON trop imbriqué"
NO_ARTICLE_IN_JSON = "aucun article dans ce JSON"
MANY_ARTICLES = "plus de {} articles\u00a0: les premiers sont lus"
NOT_AN_OBJECT = "ce n’est pas un objet JSON"
NO_TEXT_IN_OBJECT = "l’objet n’a pas de texte (attendu\u00a0: texte, contenu, text ou body_text)"
DAMAGED_ARCHIVE = "l’archive est abîmée"
MANY_FILES_IN_ARCHIVE = "l’archive a plus de {} fichiers\u00a0: coupez-la"
LARGE_ARCHIVE = "l’archive se déplie en plus de {}\u00a0Mo"
NESTED_ARCHIVES = "archive dans une archive dans une archive\u00a0: dépliez-la"
EMPTY_FILE = "fichier vide"
ENCRYPTED_FILE = "protégé par un mot de passe"
UNPACKS_TOO_LARGE = "se déplie en plus de {}\u00a0Mo"
DAMAGED_IN_ARCHIVE = "abîmé dans l’archive"
UNKNOWN_FILE_TYPE = "type de fichier inconnu ({})"
NO_SUFFIX = "sans extension"
NO_ARTICLE_IN_FILE = "aucun article dans le fichier"
NO_LINE_IS_AN_ARTICLE = "aucune des {} lignes n’est un article (la première\u00a0: {})"
OTHER_UNREADABLE_LINES = "{} autres lignes ne se lisent pas"
LONG_LINE = "une ligne de plus de 2 millions de caractères\u00a0: ce n’est pas un article"
NO_SENTENCE = "aucune phrase trouvée"
NOT_ENOUGH_MEMORY = "demande plus de mémoire que permis (réglage RECOUPE_READ_MEMORY_MB)"
DEEP_CONTENT = "contenu trop imbriqué"
UNREADABLE_CONTENT = "contenu que Recoupe ne sait pas lire ({})"
TEMPORARY_FOLDER_FULL = "plus de place dans le dossier temporaire ({})\u00a0: libérez-en"
ENCRYPTED_PDF = "le PDF est protégé par un mot de passe\u00a0: ôtez-le"
DAMAGED_PDF = "le PDF est abîmé"
LONG_PDF = "le PDF a {} pages, plus de {}\u00a0: coupez-le"
SCANNED_PDF = (
    "aucune page n’a de texte\u00a0: ce sont des images, à passer par un logiciel de "
    "reconnaissance de caractères (OCR)"
)
PAGE_WITHOUT_TEXT = "pas de texte\u00a0: page numérisée, ou vide"
OTHER_PAGES_WITHOUT_TEXT = "{} autres pages n’ont pas de texte"
DAMAGED_WORD_FILE = "le document Word est abîmé"
NO_TEXT_IN_DOCUMENT = "le document n’a pas de texte"
NO_TEXT_IN_BOOK = "le livre n’a pas de texte"
DAMAGED_DOCUMENT = "le document est abîmé"
LARGE_DOCUMENT = "le document se déplie en plus de {}\u00a0Mo"
PART_MISSING = "il manque «\u00a0{}\u00a0» au document, ou il est abîmé"
DAMAGED_XML = "le XML est abîmé"
NOT_EDITABLE = "«\u00a0{}\u00a0» ne se corrige pas (possibles\u00a0: {})"
BAD_EDIT_DATE = "la date «\u00a0{}\u00a0» ne se lit pas\u00a0: écrivez-la comme 2024-12-31"
DATE_TOO_OLD = "la date «\u00a0{}\u00a0» n’est pas celle d’un article\u00a0: elle est trop ancienne"
DATE_TO_COME = "la date «\u00a0{}\u00a0» n’est pas celle d’un article\u00a0: elle est à venir"
BAD_EDIT_ADDRESS = "l’adresse «\u00a0{}\u00a0» n’en est pas une\u00a0: donnez-la en entier"
NO_TITLE = "un article a un titre\u00a0: donnez-en un"
BROKEN_UTF16 = "encodage abîmé (UTF-16 incomplet)"
BINARY_CONTENT = "contenu binaire, pas du texte"
BROKEN_UTF8 = "encodage abîmé\u00a0: UTF-8 interrompu à l’octet {}"
UNKNOWN_ENCODING = "encodage inconnu"
BAD_ADDRESS = "l’adresse est mal formée\u00a0: vérifiez-la"
MANY_REDIRECTS = "plus de {} redirections"
SLOW_PAGE = "la page met plus de {:g}\u00a0secondes à venir"
BROKEN_ANSWER = "la réponse est coupée, ou n’est pas du HTTP"
CONNECTION_REFUSED = "la page ne répond pas\u00a0: connexion refusée ou impossible"
CONNECTION_LOST = "la page ne répond plus\u00a0: connexion coupée"
LONG_ADDRESS = "adresse de plus de {} caractères"
NOT_HTTP = "seules les adresses http et https sans mot de passe sont lues"
UNKNOWN_HOST = "le nom «\u00a0{}\u00a0» est introuvable"
PRIVATE_HOST = (
    "«\u00a0{}\u00a0» n’est pas sur l’internet public\u00a0: adresse refusée\u202f; s’il est à "
    "vous, nommez-le dans RECOUPE_OWN_HOSTS"
)
REDIRECT_NOWHERE = "la page redirige ({}) sans dire où"
BAD_REDIRECT = "la page redirige vers une adresse mal formée"
BAD_STATUS = "la page répond {}"
WRONG_TYPE = "le type «\u00a0{}\u00a0» n’est pas d’un article"
NO_TYPE = "inconnu"
UNASKED_COMPRESSION = "la compression «\u00a0{}\u00a0» n’était pas demandée"
BAD_COMPRESSION = "la page est mal compressée"
LARGE_PAGE = "la page dépasse {:g}\u00a0Mo"
NAME_NOT_UTF8 = "nom qui n’est pas en UTF-8\u00a0: renommez-le"
NOT_A_FILE = "ce n’est pas un fichier ordinaire (tube, prise ou périphérique)\u00a0: retirez-le"
LARGE_FILE = "fichier de {}\u00a0Mo, plus grand que {}\u00a0Mo (réglage RECOUPE_MAX_FILE_MB)"
FILE_CHANGED = "le fichier a changé pendant la lecture\u00a0: relancez"
UNREADABLE_FILE = "illisible ({})"
BAD_FILE_NAME = "ce nom de fichier n’est pas valable"
FILE_ABSENT = "le fichier n’existe pas"
FILE_ERRORS = {
    errno.EACCES: "droits insuffisants\u00a0: rendez-le lisible",
    errno.EPERM: "droits insuffisants\u00a0: rendez-le lisible",
    errno.ENOENT: FILE_ABSENT,
    errno.ENOTDIR: FILE_ABSENT,
    errno.ELOOP: "lien en boucle\u00a0: corrigez-le",
    errno.ENAMETOOLONG: "chemin trop long\u00a0: raccourcissez-le",
    errno.EISDIR: "c’est un dossier, pas un fichier",
    errno.EIO: "le disque ne répond pas\u00a0: vérifiez-le",
    errno.ESTALE: "le disque ne répond pas\u00a0: vérifiez-le",
    errno.ENXIO: NOT_A_FILE,  # what opening a socket says
    errno.EMFILE: "trop de fichiers ouverts\u00a0: fermez d’autres programmes",
    errno.ENFILE: "trop de fichiers ouverts\u00a0: fermez d’autres programmes",
}
UNREADABLE_FOLDER = "dossier illisible\u00a0: {}"
NOT_A_READ_TYPE = "type de fichier inconnu (lus\u00a0: {})"
BROKEN_LINK = "lien brisé\u00a0: ce qu’il désigne n’existe pas"
LINK_TO_FOLDER = "lien vers un dossier, qui n’est pas suivi\u00a0: donnez ce dossier"
LINK_OUT_OF_FOLDER = "lien qui sort du dossier, qui n’est pas suivi\u00a0: donnez ce fichier"
NO_ARTICLE_IN_PAGE = "aucun article trouvé dans la page"
SECTION_PAGE = "page de rubrique, qui liste des articles et n’en est pas un"
MANY_TAGS = "la page a {} balises, plus que n’en a un article"
NO_READING_PROCESS = "les processus de lecture ne démarrent pas\u00a0: fermez d’autres programmes"
READING_DIED = "la lecture s’est arrêtée net\u00a0: fichier abîmé, ou trop gros pour la mémoire"
NOT_A_MAILBOX = "ce n’est pas une boîte de messages (mbox)"
MANY_MAILS = "plus de {} messages\u00a0: les premiers sont lus"
NO_PAGE_IN_MHTML = "aucune page dans le fichier MHTML"
NOT_A_MAIL = "ce n’est pas un message"
NO_TEXT_IN_MAIL = "le message n’a pas de texte"
DAMAGED_JSON_LINE = "ligne JSON incomplète ou abîmée (caractère {})"
DEEP_JSON_LINE = "ligne JSON trop imbriquée"
LINE_NOT_AN_OBJECT = "la ligne n’est pas un objet JSON"
NO_TEXT_COLUMN = "aucune colonne de texte parmi {} (attendue\u00a0: texte, contenu ou text)"
WRONG_NUMBER_OF_COLUMNS = "la ligne n’a pas le bon nombre de colonnes"
DAMAGED_CSV = "CSV abîmé ({})"
QUOTE_IN_CELL = "un guillemet au milieu d’une case\u00a0: doublez-le"
QUOTE_NOT_CLOSED = "un guillemet n’est pas fermé"
LONG_CELL = "une case de plus de 10 millions de caractères"
NEW_LINE_IN_CELL = "une fin de ligne au milieu d’une case sans guillemets"
NO_TEXT_FIELD = "pas de texte (champ attendu\u00a0: texte, contenu ou text)"
BAD_HEADER = "l’en-tête (entre «\u00a0---\u00a0») n’est pas du YAML lisible"
DEEP_HEADER = "l’en-tête (entre «\u00a0---\u00a0») est trop imbriqué"
LONG_HEADER = "l’en-tête (entre «\u00a0---\u00a0») dépasse {} caractères"
NO_LIBRARY = "le paquet «\u00a0{0}\u00a0» n’est pas installé\u00a0: «\u00a0pip install {0}\u00a0»"

# Models
NO_PROVIDER_LIBRARY = (
    "Le fournisseur «\u00a0{}\u00a0» demande un paquet de plus\u00a0: pip install langchain-{}."
)
UNUSABLE_MODEL = (
    "Le modèle «\u00a0{}\u00a0» ne peut pas être utilisé ({})\u00a0: RECOUPE_LLM s’écrit "
    "FOURNISSEUR:NOM, par exemple ollama:mistral."
)
MODEL_TIMEOUT = (
    "Le modèle «\u00a0{}\u00a0» n’a pas répondu à temps\u00a0: réessayez, ou augmentez "
    "RECOUPE_LLM_TIMEOUT."
)
MODEL_BUSY = "Le modèle «\u00a0{}\u00a0» est trop sollicité (429)\u00a0: réessayez dans une minute."
MODEL_KEY_REFUSED = "Le modèle «\u00a0{}\u00a0» refuse la clé\u00a0: vérifiez RECOUPE_LLM_API_KEY."
MODEL_UNREACHABLE = (
    "Le service du modèle «\u00a0{}\u00a0» est injoignable\u00a0: vérifiez RECOUPE_LLM_BASE_URL."
)
MODEL_FAILED = (
    "La réponse du modèle «\u00a0{}\u00a0» s’est interrompue ({})\u00a0: reposez la question."
)
BAD_VECTORS = (
    "Le modèle d’embedding «\u00a0{}\u00a0» a rendu {}\u00a0: vérifiez le modèle que nomme "
    "RECOUPE_EMBEDDING."
)
OTHER_DIMENSION = "{} nombres au lieu de {}"
VECTORS_WITHOUT_NUMBERS = "des vecteurs de tailles différentes, ou sans nombres"
UNEVEN_VECTORS = "des vecteurs de tailles différentes, ou vides"
WRONG_NUMBER_OF_VECTORS = "{} vecteur(s) pour {} texte(s)"
NOT_NUMBERS = "des valeurs qui ne sont pas des nombres"
HUB_MODEL_FAILED = (
    "Le modèle «\u00a0{}\u00a0» a échoué ({})\u00a0: vérifiez qu’il convient à du texte, et la "
    "mémoire libre."
)
HUB_MODEL_NOT_LOADED = (
    "Le modèle «\u00a0{}\u00a0» ne se charge pas ({})\u00a0: vérifiez son nom ou son dossier dans "
    "RECOUPE_EMBEDDING, ou l’accès au dépôt de modèles."
)
UNKNOWN_EMBEDDING = (
    "Le modèle d’embedding «\u00a0{}\u00a0» n’est pas connu\u00a0: mettez dans RECOUPE_EMBEDDING "
    "{}, sentence-transformers:NOM ou openai:NOM."
)
NETWORK_FAILED = (
    "Le modèle «\u00a0{}\u00a0» a échoué ({})\u00a0: libérez de la mémoire, puis recommencez."
)
NO_NETWORKS = (
    "Les réseaux de Recoupe ne sont pas installés\u00a0: pip install ./models, dans le dossier du "
    "projet."
)
UNCALIBRATED_MODEL = (
    "Le modèle d’embedding «\u00a0{}\u00a0» est non calibré\u00a0: il ne distingue pas assez des "
    "textes français proches de textes sans rapport ({:.0%} au lieu de {:.0%})\u202f; "
    "choisissez-en un autre dans RECOUPE_EMBEDDING et ré-indexez."
)
SERVICE_LATE = (
    "Le service d’embeddings ({}) n’a pas répondu en {:g}\u00a0secondes\u00a0: vérifiez qu’il "
    "n’est pas surchargé, puis réessayez."
)
SERVICE_UNREACHABLE = (
    "Le service d’embeddings ({}) est injoignable\u00a0: vérifiez qu’il tourne, et "
    "RECOUPE_EMBEDDING_BASE_URL."
)
NO_JSON = "pas de JSON"
NO_EMBEDDINGS = "pas d’embeddings"
SERVICE_STRANGE = (
    "Le service d’embeddings ({}) n’a pas répondu comme attendu ({})\u00a0: vérifiez "
    "RECOUPE_EMBEDDING_BASE_URL, qui finit souvent par /v1."
)
SERVICE_KEY_REFUSED = (
    "Le service d’embeddings ({}) refuse la clé\u00a0: vérifiez RECOUPE_EMBEDDING_API_KEY."
)
SERVICE_WITHOUT_MODEL = (
    "Le service d’embeddings ({}) ne connaît pas le modèle «\u00a0{}\u00a0» ou l’adresse "
    "(404)\u00a0: vérifiez RECOUPE_EMBEDDING et RECOUPE_EMBEDDING_BASE_URL."
)
SERVICE_BUSY = (
    "Le service d’embeddings ({}) est trop sollicité (429)\u00a0: réessayez dans une minute."
)
SERVICE_REFUSES_TEXT = (
    "Le service d’embeddings ({}) refuse un texte de {} caractères ({})\u00a0: réduisez "
    "RECOUPE_PASSAGE_TOKENS, ou vérifiez RECOUPE_EMBEDDING."
)
SERVICE_ERROR = (
    "Le service d’embeddings ({}) a échoué ({})\u00a0: consultez son journal, puis réessayez."
)

# Indexing
CATALOGUE_REFUSED = (
    "Le catalogue {file} ne peut pas être lu ou écrit ({error})\u00a0: vérifiez le disque et "
    "les droits, puis relancez\u202f; il sera mis à jour à la prochaine ouverture."
)
UNUSABLE_FOLDER = (
    "Le dossier {} ne peut pas être utilisé ({})\u00a0: choisissez-en un autre avec "
    "RECOUPE_INDEX_DIR."
)
UNUSABLE_INDEX_FOLDER = (
    "Le dossier d’index {} ne peut pas être utilisé ({})\u00a0: choisissez-en un autre avec "
    "RECOUPE_INDEX_DIR."
)
CLOSING = "Recoupe s’arrête\u00a0: relancez la commande\u202f; rien n’est perdu."
LITTLE_ROOM = (
    "Il ne reste que {}\u00a0Mo sur le disque de {}\u00a0: libérez de la place, puis "
    "relancez\u202f; l’index est resté entier."
)
CHROMA_AWAY = (
    "Le serveur Chroma {} ne répond pas\u00a0: vérifiez RECOUPE_CHROMA_URL et relancez le serveur, "
    "puis recommencez\u202f; ce qui était écrit est resté entier."
)
DISK_FULL = (
    "Le disque de {} est plein\u00a0: libérez de la place, puis relancez\u202f; l’index est resté "
    "entier."
)
INDEX_READ_ONLY = (
    "L’index {} ne peut pas être écrit\u00a0: vérifiez les droits du dossier, ou choisissez-en un "
    "autre avec RECOUPE_INDEX_DIR."
)
INDEX_FAILED = (
    "L’index {} n’a pas pu être lu ou écrit ({})\u00a0: relancez avec RECOUPE_LOG_LEVEL=INFO pour "
    "le détail, ou lancez «\u00a0recoupe doctor\u00a0»."
)
INDEX_NOT_OPENED = (
    "L’index {} ne s’ouvre pas ({})\u00a0: vérifiez RECOUPE_INDEX_DIR et RECOUPE_CHROMA_URL, puis "
    "lancez «\u00a0recoupe doctor\u00a0»."
)
COPY_GONE = "La copie {} a disparu\u00a0: l’index est resté comme il était."
WORDS_NOT_WRITTEN = (
    "L’index lexical {} ne peut pas être écrit ({})\u00a0: vérifiez le disque et les droits, puis "
    "relancez\u202f; il sera mis à jour à la prochaine ouverture."
)
FOLDER_NOT_WRITTEN = "Le dossier {} ne peut pas être écrit ({})\u00a0: donnez-en un autre."
BAD_EXPORT_LINE = "ligne abîmée, ou d’un autre format"
INCOMPLETE_EXPORT_LINE = "article sans texte ou sans identifiant"
NO_EXPORT = "il n’y a pas d’export dans {} (attendu\u00a0: {})"
FILE_NOT_READ = "le fichier ne se lit pas"
FOLDER_NOT_MADE = (
    "Le dossier {} ne peut pas être fait ({})\u00a0: vérifiez la place et les droits, puis "
    "relancez."
)
NOT_SWITCHED = (
    "L’index refait dans {} n’a pas pu prendre sa place ({})\u00a0: vérifiez la place et les "
    "droits, puis relancez\u202f; l’ancien index répond toujours."
)
HISTORY_REFUSED = (
    "L’historique {file} ne peut pas être lu ou écrit ({error})\u00a0: vérifiez le disque et les "
    "droits, puis relancez\u202f; l’index est resté entier."
)
INCOMPLETE_ARTICLE = (
    "L’article «\u00a0{}\u00a0» est incomplet dans l’index\u00a0: lancez «\u00a0recoupe doctor "
    "--repair\u00a0», puis ré-ingérez son fichier."
)
READ_BEFORE = "même article qu’un autre, lu avant"
NAMED_PROCESS = "«\u00a0{}\u00a0» (processus {})"
OTHER_PROCESS = "un autre processus"
INDEX_BUSY = "L’index est tenu par {}\u00a0: attendez qu’il finisse ou arrêtez-le, puis relancez."
OWNER_SILENT = (
    "{}, qui tient l’index, ne répond plus\u00a0: arrêtez-le s’il tourne encore, puis "
    "relancez\u202f; rien n’est perdu."
)
NO_SOCKET = (
    "Aucun socket ne peut être fait pour les autres commandes ({})\u00a0: vérifiez les droits de "
    "{} et du dossier temporaire."
)
COPY_FAILED = "La copie dans {} a échoué ({})\u00a0: vérifiez la place et les droits."
REMOVALS_REFUSED = (
    "La liste des articles retirés {file} ne peut pas être lue ou écrite ({error})\u00a0: vérifiez "
    "le disque et les droits, puis relancez\u202f; sans elle, rien n’est indexé."
)
OTHER_EMBEDDING = (
    "L’index a été fait avec le modèle «\u00a0{}\u00a0» et non «\u00a0{}\u00a0»\u00a0: remettez "
    "RECOUPE_EMBEDDING={}, ou refaites l’index avec «\u00a0recoupe reindex\u00a0»."
)
WRITING_LOST = (
    "L’écriture a été interrompue trop longtemps et un autre processus l’a défaite\u00a0: relancez "
    "l’ingestion\u202f; l’index est resté entier."
)
ARTICLES_WITHOUT_RECORD = "{} article(s) sans fiche dans le magasin\u00a0: {}."
INCOMPLETE_ARTICLES = (
    "{} article(s) incomplet(s), ou dont le texte a changé dans le magasin\u00a0: {}\u202f; "
    "«\u00a0recoupe doctor --repair\u00a0» relit leurs fichiers, leurs sources les redonnent, ou "
    "«\u00a0recoupe remove\u00a0» les retire."
)
STALE_PASSAGES = "{} passage(s) d’anciennes versions restent à balayer."
ARTICLES_WITHOUT_VECTOR = "{} article(s) sans vecteur qui vaille\u00a0: {}."
UNREACHABLE_PASSAGES = (
    "{} passage(s) sur {sample} pris au hasard ne se trouvent pas par leur vecteur\u00a0: le "
    "magasin est à refaire."
)
WORDS_DAMAGED = "L’index lexical est abîmé."
WORDS_DIFFER = "L’index lexical dit autre chose de {} article(s)\u00a0: {}."
WORDS_SURPLUS = "L’index lexical tient {} passage(s) de trop."
CATALOGUE_DIFFERS = "Le catalogue dit autre chose de {} article(s)\u00a0: {}."
CATALOGUE_SURPLUS = "Le catalogue tient {} passage(s) de trop."
PAST_WITHOUT_PRESENT = "L’historique garde le passé de {} article(s) qui ne sont plus là\u00a0: {}."
UNREADABLE_VERSIONS = "{} version(s) passée(s) ne se lisent plus."
DAMAGED_SQLITE = "Le fichier {} est abîmé ({})\u00a0: remettez celui d’une sauvegarde."
BAD_CURSOR = "La suite demandée n’existe pas\u00a0: reprenez la liste depuis le début."
BACKUP_THERE = "{} existe déjà\u00a0: donnez un dossier neuf."
NO_REINDEX = (
    "L’index est sur un serveur Chroma\u00a0: exportez-le («\u00a0recoupe export\u00a0»), importez "
    "l’export dans une autre base (RECOUPE_CHROMA_DATABASE), puis servez celle-là."
)
REINDEXING = "L’index est en train d’être refait\u00a0: attendez la fin, puis recommencez."
REINDEX_INCOMPLETE = (
    "{} article(s) incomplet(s) dans l’index ({})\u00a0: lancez «\u00a0recoupe doctor "
    "--repair\u00a0», ré-ingérez-les, puis relancez «\u00a0recoupe reindex\u00a0»."
)
INDEX_REPLACED = "L’index vient d’être refait\u00a0: recommencez."
DAMAGED_FILE = (
    "Le fichier {} est abîmé\u00a0: remettez celui d’une sauvegarde, ou renommez-le pour continuer "
    "sans lui\u202f; les articles et leur index n’en dépendent pas."
)
BAD_POINTER = (
    "Le fichier {} est abîmé\u00a0: remettez l’index d’une sauvegarde, ou effacez ce fichier si "
    "l’index n’a jamais été refait ni compacté."
)
STORE_GONE = (
    "Le dossier {} de l’index a disparu\u00a0: remettez l’index d’une sauvegarde, ou effacez ce "
    "qui reste de son dossier et relancez l’ingestion."
)
DAMAGED_WORDS = (
    "L’index lexical {} est abîmé\u00a0: lancez «\u00a0recoupe doctor --repair\u00a0», qui le "
    "refait."
)
DAMAGED_VECTORS = (
    "Les fichiers de vecteurs de {} sont abîmés\u00a0: lancez «\u00a0recoupe doctor "
    "--repair\u00a0», qui les refait à partir des textes."
)
REINDEX_BEGUN = (
    "Un «\u00a0recoupe reindex\u00a0» n’est pas fini\u00a0: relancez-le, il reprendra où "
    "il en était."
)
BACKUP_INSIDE = "{} est dans le dossier de l’index\u00a0: donnez un dossier ailleurs."
NO_ERASURE = (
    "L’index est sur un serveur Chroma\u00a0: rien ne peut être prouvé de son disque\u202f; "
    "retirez l’article sans --proof, puis faites compacter le serveur "
    "(«\u00a0chroma vacuum\u00a0»)."
)
NO_SUCH_ARTICLE = (
    "Aucun article «\u00a0{}\u00a0»\u00a0: «\u00a0recoupe list\u00a0» donne les identifiants."
)

# Searching
RERANKER_NOT_LOADED = (
    "Le réordonnanceur «\u00a0{}\u00a0» ne se charge pas\u00a0: vérifiez son nom ou son dossier "
    "dans RECOUPE_RERANKER, ou l’accès au dépôt de modèles."
)
EMPTY_QUESTION = "La question est vide\u00a0: écrivez-la en toutes lettres."
LONG_QUESTION = "La question dépasse {} caractères\u00a0: raccourcissez-la."
BAD_LIMIT = "{} passages ne se cherchent pas\u00a0: demandez-en au moins un."

# Answering
ANSWER_CUT_OFF = (
    "La réponse du modèle «\u00a0{}\u00a0» s’est interrompue\u00a0: reposez la question."
)

# Checking
STANCE_NOT_LOADED = (
    "Le modèle «\u00a0{}\u00a0» de RECOUPE_STANCE ne peut pas être chargé ({})\u00a0: vérifiez son "
    "nom, ou choisissez «\u00a0features\u00a0»."
)
NOT_AN_ENTAILMENT_MODEL = (
    "Le modèle «\u00a0{}\u00a0» de RECOUPE_STANCE n’est pas un modèle d’inférence (entailment, "
    "contradiction)\u00a0: choisissez-en un autre, ou «\u00a0features\u00a0»."
)
STANCE_WITHOUT_MODEL = (
    "RECOUPE_STANCE vaut «\u00a0llm\u00a0», et RECOUPE_LLM ne nomme aucun modèle\u00a0: nommez-en "
    "un, ou écrivez features ou cross-encoder:NOM."
)
EMPTY_CLAIM = "Il n’y a pas de phrase à vérifier\u00a0: écrivez une affirmation en toutes lettres."
LONG_CLAIM = "Le texte dépasse {} caractères\u00a0: vérifiez-le en plusieurs fois."
MANY_CLAIMS = "Le texte contient plus de {} affirmations\u00a0: vérifiez-le en plusieurs fois."
NOTHING_REVIEWED = (
    "ClaimReview ne publie que ce qu’un journaliste a accepté ou corrigé, et qui a un "
    "verdict\u00a0: acceptez ou corrigez d’abord une affirmation dans l’onglet "
    "«\u00a0Vérifier\u00a0»."
)
NO_PUBLISHER = (
    "ClaimReview demande l’adresse de la page qui publie la vérification et le nom de qui la "
    "signe\u00a0: donnez-les, comme RECOUPE_REVIEW_URL=https://www.journal.fr/verification et "
    'RECOUPE_REVIEW_AUTHOR="Le Journal".'
)

# Sources
NOT_A_LIST = "ni un article, ni un flux, ni un plan de site"
DAMAGED_JSON_IN_PAGE = "le JSON de la page est abîmé"
DAMAGED_SITEMAP = "le plan du site est abîmé"
SOURCES_REFUSED = (
    "La mémoire des sources {file} ne peut pas être lue ou écrite ({error})\u00a0: vérifiez le "
    "disque et les droits\u202f; sans ce fichier, les sources sont relues en entier."
)
ROBOTS_NOT_READ = "le robots.txt du site ne se lit pas\u00a0: {}"
ROBOTS_REFUSE = "le robots.txt du site ne veut pas qu’elle soit lue par un programme"
RESERVED = "son éditeur en réserve la fouille de textes (TDMRep)"
FOLLOWING_FAILED = (
    "{}\u00a0: problème inattendu, noté dans le journal\u202f; nouvel essai plus tard"
)
PAGE_ELSEWHERE = "l’adresse mène maintenant à une autre page"
MANY_ADDRESSES = "plus de {} adresses\u00a0: les premières sont lues"
MANY_LISTS = "plus de {} listes\u00a0: les premières sont lues"
STILL_BUSY = "le serveur répond toujours qu’il est trop sollicité"
READING_STOPPED = "lecture arrêtée\u00a0: la suite viendra à la prochaine"
LIST_NOT_ARTICLE = "cette adresse est une liste, pas un article"
SERVER_BUSY = "le serveur est trop sollicité ({})\u00a0: la suite viendra à la prochaine lecture"
SERVER_ASKS_TO_WAIT = (
    "le serveur demande d’attendre {:.0f}\u00a0secondes ({})\u00a0: la suite viendra à la "
    "prochaine lecture"
)

# Exchanges
EXCHANGES_REFUSED = (
    "Les questions gardées pour la rédaction, {file}, ne peuvent pas être lues ou écrites "
    "({error})\u00a0: vérifiez le disque et les droits\u202f; rien d’autre n’en dépend."
)
REFERENCES_REFUSED = (
    "Les questions de référence {} ne peuvent pas être lues ou écrites ({})\u00a0: vérifiez le "
    "fichier, le disque et les droits."
)

# Feedback
FEEDBACK_REFUSED = (
    "Les retours ne peuvent pas être gardés dans {} ({})\u00a0: vérifiez le disque et les droits."
)
FEEDBACK_UNREADABLE = (
    "Les retours des lecteurs ne se lisent pas ({})\u00a0: remettez le fichier feedback.sqlite "
    "d’une sauvegarde, ou ôtez-le."
)

# Another process
OWNER_FAILED = "Le processus qui tient l’index a échoué ({})\u00a0: voyez son journal."

# Sites
SITES_REFUSED = (
    "Les sites de {file} ne peuvent pas être lus ou écrits ({error})\u00a0: vérifiez le disque et "
    "les droits, puis recommencez."
)
NO_SITE = (
    "Aucun site ne s’appelle «\u00a0{}\u00a0»\u00a0: «\u00a0recoupe site list\u00a0» les donne."
)
SITE_THERE = (
    "Le site «\u00a0{}\u00a0» existe déjà\u00a0: «\u00a0recoupe site edit\u00a0» le change."
)
BAD_SITE_NAME = (
    "«\u00a0{}\u00a0» n’est pas un nom de site\u00a0: écrivez des lettres, des chiffres, des "
    "espaces et des tirets, 60 au plus, comme «\u00a0Le Rivage\u00a0»."
)
MANY_NAMES = "Trop de noms, ou trop longs\u00a0: donnez-en {} au plus, de {} caractères."
BAD_QUOTA = (
    "Le quota «\u00a0{}\u00a0» ne se lit pas\u00a0: écrivez un nombre de questions par jour, comme "
    "500/jour."
)
BAD_SITE_ORIGIN = (
    "L’origine «\u00a0{}\u00a0» n’est pas valable\u00a0: écrivez-la comme "
    "https://www.journal.fr, sans chemin ni joker, 50 au plus."
)
BAD_COLOUR = "La couleur «\u00a0{}\u00a0» n’est pas valable\u00a0: écrivez-la comme #7a2e1d."
BAD_FONT = (
    "La police «\u00a0{}\u00a0» n’est pas valable\u00a0: écrivez des noms séparés par des "
    "virgules, sans guillemets, comme Georgia, serif."
)
BAD_RADIUS = "L’arrondi {} n’est pas valable\u00a0: donnez des pixels, de 0 à {}."
BAD_THEME = (
    "Le thème {} ne se lit pas\u00a0: écrivez du JSON, comme "
    '{{"accent"\u00a0: "#7a2e1d", "font"\u00a0: "Georgia, serif", "radius"\u00a0: 4}}.'
)
NOT_OF_SITE = "Ce site n’a rien de ce qui est filtré\u00a0: ôtez ce filtre ou prenez-en un autre."
CLAIMS_OVER_QUOTA = (
    "Le texte contient {} affirmations, et ce site en vérifie {} au plus par jour\u00a0: coupez-le."
)

# Evaluation
NOT_ATTRIBUTIONS = (
    "{} ne se lit pas comme des phrases attribuées ({!r})\u00a0: il faut un objet JSON par ligne, "
    "avec text, kind (reported, statement, conditional) et speaker."
)
NOT_CLAIMS = (
    "{} ne se lit pas comme des affirmations ({})\u00a0: il faut un objet JSON par ligne, avec "
    "claim et verdict, et claims pour un paragraphe («\u00a0multiple\u00a0»)."
)
NOT_A_VERDICT = "{}\u00a0: «\u00a0{}\u00a0» n’est pas un verdict ({})."
DIFFERENT_MEASURES = (
    "Ces deux résultats ne mesurent pas la même chose (recherche et réponses)\u00a0: comparez deux "
    "résultats de la même commande."
)
NO_COMMON_QUESTION = "Ces deux résultats n’ont aucune question en commun\u00a0: rien à comparer."
NOT_SQUAD = (
    "«\u00a0{}\u00a0» n’est pas au format SQuAD ({!r})\u00a0: il faut "
    "data[].paragraphs[].{{context, qas[].question}}."
)
BAD_QUESTION_LINE = (
    'La ligne {} de «\u00a0{}\u00a0» ne se lit pas ({!r})\u00a0: il faut {{"question": …, '
    '"answers": [{{"article_id", "start", "end"}}]}}, ou «\u00a0quote\u00a0» au lieu de '
    "«\u00a0start\u00a0» et «\u00a0end\u00a0»."
)
NOT_JSON = "«\u00a0{}\u00a0» n’est pas du JSON ({})\u00a0: vérifiez le fichier."
DATA_NOT_READ = "«\u00a0{}\u00a0» ne se lit pas ({})\u00a0: vérifiez le fichier."
RESULT_NOT_WRITTEN = "«\u00a0{}\u00a0» ne s’écrit pas ({})\u00a0: choisissez un autre nom."
NOT_A_RESULT = (
    "«\u00a0{}\u00a0» n’est pas un résultat de «\u00a0recoupe eval\u00a0» ({})\u00a0: faites-en un "
    "avec --output."
)
OTHER_RESULT_VERSION = (
    "«\u00a0{}\u00a0» vient d’une autre version de Recoupe\u00a0: refaites la mesure."
)
NOT_PAIRS = (
    "{} ne se lit pas comme des paires de phrases ({})\u00a0: il faut un fichier TSV avec les "
    "colonnes premise, hypothesis et label ou label_text."
)
NOT_SUPPORT_PAIRS = (
    "{} ne se lit pas comme des phrases et leurs passages ({!r})\u00a0: il faut un objet JSON par "
    "ligne, avec passage, statement et supported."
)

# The command line
INTERRUPTED = "Interrompu\u202f; l’index est resté entier."
UNEXPECTED_PROBLEM = (
    "Erreur\u00a0: problème inattendu ({})\u202f; relancez avec RECOUPE_LOG_LEVEL=DEBUG et "
    "signalez-le."
)
INDEX_IN_USE = (
    "L’application tient l’index\u00a0: arrêtez-la pour mesurer la recherche, ou mesurez une copie "
    "(«\u00a0recoupe backup\u00a0»)."
)
HOLD_OUT_WITHOUT_SQUAD = (
    "--hold-out demande un fichier SQuAD\u00a0: il laisse des articles hors de l’index."
)
NOTHING_TO_MEASURE = (
    "L’index ne contient aucun article\u00a0: ingérez ceux dont parle «\u00a0{}\u00a0»."
)
BAD_DAY = (
    "La date «\u00a0{}\u00a0» de {} ne se lit pas\u00a0: écrivez-la comme 2024-12-31 ou «\u00a031 "
    "décembre 2024\u00a0»."
)
NO_INDEX = (
    "Il n’y a pas d’index dans {}\u00a0: lancez «\u00a0recoupe ingest DOSSIER\u00a0», ou nommez "
    "l’index avec --index ou RECOUPE_INDEX_DIR."
)
UNKNOWN_FORMAT = "Le format «\u00a0{}\u00a0» n’existe pas\u00a0: choisissez {}."
NOT_WRITTEN = "{} ne peut pas être écrit ({})\u00a0: choisissez un autre fichier."
NOT_READ = "{} ne peut pas être lu ({})\u00a0: donnez un fichier de texte, ou le texte lui-même."
NO_EXTRA = (
    "Il manque des paquets\u00a0: dans le dossier de Recoupe, "
    "«\u00a0.venv/bin/pip install -e '.[{0}]'\u00a0»."
)
NOTHING_TO_EDIT = (
    "Aucune correction\u00a0: donnez-en une, comme --date 2024-12-31, ou --annuler pour reprendre "
    "ce que dit l’article."
)
DAYS_REVERSED = (
    "--depuis ({}) est après --jusqu-au ({})\u00a0: aucun article n’est des deux, échangez-les."
)
NOTHING_TO_INGEST = (
    "rien à indexer\u00a0: donnez un fichier, un dossier ou une adresse, par exemple "
    "«\u00a0recoupe ingest presse\u00a0»."
)
DRY_ADDRESSES = (
    "--dry-run regarde des fichiers, non des adresses\u00a0: donnez des fichiers ou des dossiers."
)
NOTHING_TO_FOLLOW = (
    "Aucune source à suivre\u00a0: donnez des dossiers ou des adresses, ou réglez RECOUPE_SOURCES."
)
UNKNOWN_SOURCE = "La source {} n’est pas connue\u00a0: «\u00a0recoupe sources\u00a0» les liste."
NOTHING_TO_SET = "Rien à changer\u00a0: donnez une option, comme --quota 500/jour."

# The web
BAD_ORIGIN = (
    "L’origine «\u00a0{}\u00a0» n’est pas valable\u00a0: RECOUPE_ALLOWED_ORIGINS s’écrit "
    '["https://www.journal.fr"], sans chemin ni joker.'
)
BAD_HASH = "{} n’est pas une empreinte\u00a0: «\u00a0recoupe token\u00a0» en donne une."
BAD_LOGIN = "RECOUPE_CHAT_LOGIN s’écrit NOM:EMPREINTE."
BAD_PUBLIC_URL = (
    "L’adresse publique «\u00a0{}\u00a0» n’est pas valable\u00a0: RECOUPE_PUBLIC_URL s’écrit "
    "https://recoupe.journal.fr."
)
SENDER_LEFT = "celui qui envoyait des articles est parti"
SENDER_SILENT = "plus aucun article n’est venu en {:g}\u00a0secondes"
OPERATION_FAILED = "L’opération a échoué\u00a0: voyez le journal\u202f; l’index est resté entier."
NOT_INDEXABLE = "L’article ne peut pas être indexé\u00a0: {}."
BAD_JSON_DATE = "une date s’écrit 2024-12-31"
KEY_UNUSABLE = (
    "La clé {} ne peut être ni lue ni écrite ({})\u00a0: vérifiez les droits du dossier de l’index."
)
PORT_UNUSABLE = (
    "Le port {} de {} ne peut pas être ouvert ({})\u00a0: arrêtez ce qui l’occupe ou choisissez-en "
    "un autre avec RECOUPE_PORT."
)
ACCESS_DENIED = "Accès refusé."
CLAIMS_AGAIN = "Trop d’affirmations en ce moment\u00a0: réessayez dans {}\u00a0secondes."
CLAIMS_OVER_RATE = (
    "Le texte contient {} affirmations et {} au plus sont vérifiées d’affilée\u00a0: "
    "vérifiez-le en plusieurs fois."
)
ADMIN_OFF = (
    "L’administration par le web est fermée\u00a0: «\u00a0recoupe token\u00a0» donne un jeton et "
    "dit comment l’ouvrir."
)
NEEDS_ADMIN = "Cette opération demande le jeton d’administration (en-tête Authorization)."
NO_NEWSROOM = (
    "La page de la rédaction est fermée\u00a0: «\u00a0recoupe token\u00a0» donne un jeton, dont "
    "l’empreinte va dans RECOUPE_ADMIN_TOKEN_HASH."
)
NEEDS_LOGIN = (
    "La page de la rédaction demande le jeton d’administration\u00a0: ouvrez /redaction et "
    "donnez-le."
)
OTHER_PAGE = "Ce formulaire n’est pas venu de cette page\u00a0: ouvrez /redaction et recommencez."
EXCHANGE_GONE = "Cet échange n’est plus gardé, ou n’est pas une question\u00a0: rechargez la page."
NO_CHOICE = "Dites quel article répond, ou qu’aucun ne le fait\u00a0: rien n’a été gardé."
REFERENCE_WITHOUT_ARTICLE = (
    "Il n’y a pas d’article «\u00a0{}\u00a0» dans le corpus\u00a0: choisissez-le parmi ceux qui "
    "sont cités, ou donnez son titre entier (onglet «\u00a0Corpus\u00a0»)."
)
NOT_OUR_HOST = "ici, seules sont lues les pages de {}\u202f; collez le texte des autres"
NOT_AN_ARTICLE = "il n’y a pas d’article à cette adresse"
PAID_PAGE = "ses lecteurs paient cet article\u00a0: collez le texte que vous avez sous les yeux"
DAYS_TURNED = "Les dates des filtres sont à l’envers\u00a0: la première est après la dernière."
BAD_DATE = "La date du champ «\u00a0{}\u00a0» ne se lit pas\u00a0: écrivez-la comme 31/12/2024."
NO_MCP = "Le paquet «\u00a0mcp\u00a0» n’est pas installé\u00a0: «\u00a0pip install mcp\u00a0»."
NO_SUCH_MODEL = "Ce modèle n’existe pas\u00a0: le seul est «\u00a0{}\u00a0»."
LONG_SPLIT = (
    "Ce texte demande trop de travail\u00a0: vérifiez-en une partie à la fois, en phrases "
    "ordinaires."
)
READER_LEFT = "Le lecteur est parti\u00a0: le travail est arrêté."
REMOVED_BEFORE = (
    "Cet article a été retiré, et le reste\u00a0: envoyez-le avec «\u00a0?readmit=true\u00a0» pour "
    "le reprendre."
)
UNKNOWN_KEY = (
    "Cette clé de site n’est pas connue\u00a0: reprenez celle que donne "
    "«\u00a0recoupe site list\u00a0»."
)
SITE_REQUIRED = (
    "Ce service demande la clé d’un site\u00a0: donnez-la dans l’en-tête X-Recoupe-Site, ou dans "
    "l’attribut «\u00a0site\u00a0» du widget."
)
QUOTA_USED = (
    "Ce site a reçu toutes les questions permises pour aujourd’hui\u00a0: réessayez demain."
)


def several_articles(name: str, found: Sequence[str], count: int) -> str:
    """Return that a name means several articles, with some of them."""
    named = "\u202f; ".join(found) + ("\u202f; …" if count > len(found) else "")
    return (
        f"{count} articles répondent à «\u00a0{name}\u00a0»\u00a0: donnez l’identifiant "
        f"de l’un d’eux. {named}"
    )


LISTED_NAMES = "«\u00a0recoupe list\u00a0» donne ceux qu’il y a."
_NAMED_KINDS = {
    "sources": "Aucune source",
    "authors": "Aucun auteur",
    "sections": "Aucune rubrique",
}


def unknown_name(field: str, name: str, near: Sequence[str], all_names: str = LISTED_NAMES) -> str:
    """Return that no article has a source, an author or a section of this name.

    `all_names` says where they are, in French, where none is near.
    """
    hint = f"vouliez-vous «\u00a0{near[0]}\u00a0»\u202f?" if near else all_names
    return f"{_NAMED_KINDS[field]} ne s’appelle «\u00a0{name}\u00a0» dans l’index\u00a0: {hint}"
