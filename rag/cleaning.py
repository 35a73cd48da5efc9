"""Repair what scraping did to an article, and say what was cut.

Works on blocks (a heading or a paragraph). What is kept keeps its typography:
apostrophes, guillemets and French spaces are never normalised here.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from rag.french import fold

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a heading of an article, one line."""

    text: str
    heading: bool = False


# Invisible characters that scraping leaves: zero-width marks, soft hyphens, controls.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u2060\ufeff\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff]"
)
_BLANKS = re.compile("[ \t\u00a0\u202f]{2,}|\t")
_MISSING_SPACE = re.compile(
    r"(?<=[a-zà-öø-ÿ0-9»)])([.!?…]|\.»)(?=(?:[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]*['’ \u00a0]|[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+[ ,]|«\s?[A-Z]))"
)
_ADDRESS = re.compile(r"(?:https?://|www\.|\S+@)\S*")
_READING_TIMES = (
    re.compile(
        r"""^(?:(?:temps\s+de\s+)?lecture\s*:?\s*\d{1,3}\s*(?:min(?:utes?)?|mn)\b\.?
              | \d{1,3}\s*(?:min(?:utes?)?|mn)\.?\s+de\s+lecture\.?
              | \d{1,3}\s*(?:minutes?|min|mn)\.?$)\s*[|·–-]?\s*""",
        re.VERBOSE | re.IGNORECASE,
    ),
    # Glued to a capital: case tells « 2 minutesSécurité » from « 2 minutes suffisent ».
    re.compile(r"^\d{1,3}\s*(?:minutes?|min|mn)\.?(?=[A-ZÀ-ÖØ-Þ«])"),
)

_NOISE = [
    (
        "date de publication",
        re.compile(
            r"^(?:publie|mis a jour|modifie|paru)e?s? le .{4,40}\d{4}(?: a \d{1,2} ?[h:] ?\d{0,2})?\.?$"
        ),
    ),
    (
        "renvoi",
        re.compile(
            r"^[\[(►▶→>•\s-]*(?:(?:a )?(?:lire|voir|ecouter|decouvrir)(?: aussi| egalement)|lire (?:la suite|plus)|sur le meme sujet|dans la meme rubrique|nos articles sur|les plus lus|notre dossier|a lire)\b(?=\s*(?:[:»\])>…]|$|\S))(?!.{220})"
        ),
    ),
    (
        "partage",
        re.compile(
            r"^(?:partager?(?:z)?\b(?: (?:cet|l'|cette|sur|par|via|le lien)\b.*)?|(?:facebook|twitter|x|linkedin|whatsapp|e-?mail|courriel|imprimer|copier le lien|bluesky|telegram|messenger|instagram)(?:[\s,|·/-]+(?:facebook|twitter|x|linkedin|whatsapp|e-?mail|courriel|imprimer|copier le lien|bluesky|telegram|messenger|instagram|partager))*|suivez-nous\b.{0,80}|(?:imprimer|envoyer par (?:e-?mail|courriel)|ajouter aux favoris|commenter|reagir)|\d+ (?:commentaires?|partages?))\s*[.!]?$"
        ),
    ),
    (
        "cookies",
        re.compile(
            r"^(?=.{0,500}$)(?=.*\bcookies?\b)(?=.*\b(?:nous (?:et nos partenaires )?utilisons|(?:ce|notre) site(?: web)? utilise|en poursuivant (?:votre|la|sur)|(?:acceptez|acceptez-vous|gerer|parametrer) (?:les|nos|vos|mes) cookies|nos partenaires)\b).*$"
        ),
    ),
    (
        "cookies",
        re.compile(
            r"^(?:tout accepter|tout refuser|continuer sans accepter|parametrer(?: mes choix)?|accepter et fermer|j'accepte|gerer mes (?:choix|preferences))\.?$"
        ),
    ),
    (
        "promotion",
        re.compile(
            r"^(?:publicite|la suite apres (?:cette|la) publicite|(?:article|contenu) (?:reserve aux abonnes|sponsorise)|je m'abonne|s'abonner|abonnez-vous\b.{0,120}|deja abonne.{0,60}|(?:inscrivez-vous|s'inscrire) (?:a|aux) (?:notre|nos|la) (?:newsletters?|lettres?)\b.{0,120}|recevez (?:notre|nos|chaque|toute)\b.{0,120}|telechargez (?:notre|l') ?appli.{0,80})\s*[.!]?$"
        ),
    ),
]
_FINAL = ".!…;:,"
_LIST_MARK = re.compile(r"^(?:[-–—•*]|\d{1,2}[.)])\s")


def clean(blocks: Iterable[Block], title: str, name: str = "") -> list[Block]:
    """Return the blocks of an article without what is not the article.

    Cuts reading times, the repeated title, « Lire aussi » and share lines,
    cookie and subscription notices; mends spaces; marks bare subheads as
    headings. What is cut is logged at INFO under `name`.
    """
    kept: list[Block] = []
    for block in blocks:
        text = tidy(block.text)
        trimmed = strip_reading_time(text)
        glued = trimmed != text
        if glued:
            _log_cut(name, "temps de lecture", text[: len(text) - len(trimmed)])
        if not kept:
            trimmed = _strip_title(trimmed, title, name)
            # A title cut off may uncover a reading time that was glued to it.
            rest = strip_reading_time(trimmed)
            glued = glued or rest != trimmed
            trimmed = rest
        if not trimmed:
            continue
        if reason := noise(trimmed):
            _log_cut(name, reason, trimmed)
            continue
        kept.append(Block(trimmed, block.heading or (glued and _short(trimmed))))
    return _mark_subheads(kept)


def tidy(text: str) -> str:
    """Return one line with single spaces and the spaces missing after full stops.

    A run of spaces that holds a no-break space keeps one of that kind.
    """
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).replace("\n", " ")
    text = _BLANKS.sub(_one_space, text).strip()
    addresses = [m.span() for m in _ADDRESS.finditer(text)]

    def mend(match: re.Match[str]) -> str:
        if any(a <= match.start() < b for a, b in addresses):
            return match.group()
        return match.group() + " "

    return re.sub(r"»(?=[A-ZÀ-ÖØ-Þ])", "» ", _MISSING_SPACE.sub(mend, text))


def strip_reading_time(text: str) -> str:
    """Return `text` without a reading time at its start, glued to a heading or not."""
    for pattern in _READING_TIMES:
        text = pattern.sub("", text, count=1)
    return text


def noise(line: str) -> str:
    """Return what kind of page furniture a line is, or "" for a line of the article."""
    folded = fold(line).strip()
    for reason, pattern in _NOISE:
        if pattern.match(folded):
            return reason
    return ""


def assemble(blocks: Iterable[Block]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the text of blocks, one blank line between them, and its heading spans."""
    parts: list[str] = []
    headings: list[tuple[int, int]] = []
    at = 0
    for block in blocks:
        if block.heading:
            headings.append((at, at + len(block.text)))
        parts.append(block.text)
        at += len(block.text) + 2
    return "\n\n".join(parts), tuple(headings)


def blocks_of(text: str) -> list[Block]:
    """Return the paragraphs of plain text: lines, or blank-line groups when hard-wrapped."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    groups = [
        [ln.strip() for ln in g.split("\n") if ln.strip()] for g in re.split(r"\n\s*\n", text)
    ]
    inner = [line for g in groups for line in g[:-1]]
    wrapped = [ln for ln in inner if len(ln) >= 45 and ln[-1] not in ".!?…»:"]
    if inner and len(wrapped) >= 0.5 * len(inner) and all(len(ln) <= 120 for ln in inner):
        return [Block(" ".join(g)) for g in groups if g]
    return [Block(line) for g in groups for line in g]


def _one_space(match: re.Match[str]) -> str:
    for blank in match.group():
        if blank in "\u00a0\u202f":
            return blank
    return " "


def _strip_title(text: str, title: str, name: str) -> str:
    """Cut the title repeated as the first line, or glued in front of it."""
    if not title:
        return text
    if _bare(text) == _bare(title):
        _log_cut(name, "titre répété", text)
        return ""
    rest = text[len(title) :]
    if text.startswith(title) and rest[:1] and (rest[0].isupper() or rest[0].isdigit()):
        _log_cut(name, "titre répété", title)
        return rest
    return text


def _bare(text: str) -> str:
    return re.sub(r"[^\w]+", " ", fold(text)).strip()


def _short(text: str) -> bool:
    """Tell whether a line has the shape of a heading."""
    return (
        len(text) <= 100
        and len(text.split()) <= 14
        and text[-1] not in _FINAL
        and not text.endswith(("»", "”"))
        and (text[0].isupper() or text[0].isdigit() or text[0] in "«“")
        and not _LIST_MARK.match(text)
    )


def _mark_subheads(blocks: list[Block]) -> list[Block]:
    """Mark as headings the short bare lines that a full paragraph follows."""
    marked = []
    for i, block in enumerate(blocks):
        following = blocks[i + 1].text if i + 1 < len(blocks) else ""
        before = blocks[i - 1].text if i else "."
        bare = (
            not block.heading
            and _short(block.text)
            and len(following) > max(80, len(block.text))
            and following[0] not in "-–•"
            and before[-1] in ".!?…»”:)"
        )
        marked.append(Block(block.text, block.heading or bare))
    return marked


def _log_cut(name: str, reason: str, text: str) -> None:
    log.info("%s : retiré (%s) : %s", name, reason, text[:200])
