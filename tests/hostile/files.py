"""Hostile files and their good neighbours, each with what must become of it."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.domain import Failure, Reading
from rag.markup import printable

SENTENCE = "Le pont {} de Vélone est fermé depuis lundi, selon l’adjoint à la voirie."


@dataclass(frozen=True)
class Input:
    """One hostile file: how it is made, how many articles it gives, and what is named of it.

    `failures` holds what follows the path in the names of its failures, with a piece of
    the reason: ("", "vide") for the file, ("#2", "JSON") for a row.
    """

    name: str
    what: str
    make: Callable[[Path], object]
    articles: int = 0
    failures: tuple[tuple[str, str], ...] = ()
    under: bool = False  # the failure names a folder somewhere under it


def story(key: object) -> str:
    return SENTENCE.format(key)


def data(content: bytes | str) -> Callable[[Path], object]:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return lambda path: path.write_bytes(raw)


def good(name: str, what: str, content: bytes | str) -> Input:
    return Input(name, what, data(content), articles=1)


def bad(name: str, what: str, content: bytes | str, why: str) -> Input:
    return Input(name, what, data(content), failures=(("", why),))


def rows(name: str, what: str, content: bytes | str, articles: int, **failures: str) -> Input:
    """A file of several rows; `r2="JSON"` says that the second fails, and why."""
    named = tuple((f"#{row[1:]}", why) for row, why in failures.items())
    return Input(name, what, data(content), articles, named)


def special(name: str, what: str, make: Callable[[Path], object], why: str) -> Input:
    return Input(name, what, make, failures=(("", why),))


def md(header: str, key: object) -> str:
    return f"---\n{header}\n---\n# Un titre\n\n{story(key)}\n"


def page(key: object, head: str = "", body: str = "") -> str:
    return (
        f"<html><head><title>Pont {key}</title>{head}</head><body><article><h1>Pont {key}</h1>"
        f"<p>{story(key)} Les travaux doivent durer un mois, dit-elle à la mairie.</p>{body}"
        "</article></body></html>"
    )


def row(key: object, **fields: object) -> str:
    return json.dumps({"titre": f"Pont {key}", "texte": story(key)} | fields)


def lines(*each: str) -> str:
    return "\n".join(each) + "\n"


# Text


def plain() -> Iterator[Input]:
    yield bad("vide.txt", "empty", b"", "fichier vide")
    yield bad("blancs.txt", "white space alone", b" \n\t\r\n ", "fichier vide")
    yield bad("marque.txt", "a byte order mark alone", b"\xef\xbb\xbf", "aucune phrase")
    yield bad("nul.txt", "a NUL in the text", story("a") + "\0", "binaire")
    yield bad("image.txt", "a PNG named .txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9, "binaire")
    yield bad("archive.txt", "gzip named .txt", gzip.compress(story("a").encode() * 9), "binaire")
    yield bad("utf16-nu.txt", "UTF-16 without mark", story("b").encode("utf-16-le"), "binaire")
    yield bad(
        "utf16-coupe.txt",
        "UTF-16, half a character",
        ("\ufeff" + story("c")).encode("utf-16-le")[:-1],
        "UTF-16",
    )
    yield good("utf16.txt", "UTF-16, big-endian", ("\ufeff" + story("d")).encode("utf-16-be"))
    yield good("utf32.txt", "UTF-32 with its mark", story("e").encode("utf-32"))
    yield good("cp1252.txt", "cp1252", story("f").encode("cp1252"))
    yield good("latin1.txt", "Latin-1", story("g").replace("’", "'").encode("latin-1"))
    yield good("macroman.txt", "Mac Roman, read as cp1252", story("h").encode("mac-roman"))
    yield bad(
        "utf8-coupe.txt",
        "UTF-8 cut in a character",
        story("i").encode() + "é".encode()[:1],
        "abîmé",
    )
    yield bad(
        "trop-long.txt", "overlong UTF-8 among good", story("j").encode() + b"\xc0\xaf", "abîmé"
    )
    yield bad(
        "surrogats.txt",
        "CESU-8: halves of characters as bytes",
        story("k") + "\ud83d\ude00",
        "abîmé",
    )
    yield good(
        "droite.txt", "right-to-left marks", f"\u202e{story('l')}\u202c \u2066{story('m')}\u2069"
    )
    yield good("invisible.txt", "zero-width marks in words", story("n").replace("o", "o\u200b"))
    yield good(
        "zalgo.txt",
        "2,000 combining marks",
        story("o") + "e" + "\u0301\u0327" * 1000 + " " + story("o2"),
    )
    yield good(
        "echappe.txt", "terminal escapes", f"\x1b[31m{story('p')}\x1b]0;titre\x07 {story('p2')}\n"
    )
    yield good(
        "separateurs.txt",
        "NEL, line and paragraph separators",
        f"{story('q')}\x85{story('r')}\u2028{story('s')}\u2029",
    )
    yield good(
        "retours.txt",
        "line ends of all kinds",
        f"Titre : Un\r\rDate : hier\r\n{story('t')}\r{story('u')}\n\r",
    )
    yield good("lignes-vides.txt", "two million empty lines first", "\n" * 2_000_000 + story("v"))
    yield good(
        "espaces.txt", "a million spaces in a line", story("w") + " " * 1_000_000 + story("x")
    )
    yield bad("une-ligne.txt", "one line of 19 MB", b"mot " * 4_750_000, "2 millions")
    yield bad("gros.txt", "larger than the bound", b"mot \n" * 4_200_000, "plus grand que 20")
    yield special(
        "creux.txt", "sparse, 10 GB", lambda p: _sparse(p, 10_000_000_000), "plus grand que 20"
    )
    yield special(
        "creux-19.txt", "sparse, 19 MB of zeros", lambda p: _sparse(p, 19_000_000), "binaire"
    )
    yield bad("points.txt", "no sentence", "Titre : Rien\n\n...\n", "aucune phrase")
    yield bad(
        "titre-seul.txt", "metadata alone", "Titre : Rien\nDate : 1er mai 2024\n", "aucune phrase"
    )
    yield good(
        "dates.txt", "a date that no calendar has", f"Titre : T\nDate : 99/99/9999\n\n{story('y')}"
    )
    yield good(
        "date-longue.txt",
        "a date of 10,000 digits",
        f"Titre : T\nDate : {'9' * 10_000}\n\n{story('z')}",
    )
    yield good("date-an-0.txt", "the year 0", f"Titre : T\nDate : 0000-00-00\n\n{story('0')}")
    yield good(
        "titre-long.txt",
        "a title of 100,000 characters",
        f"Titre : {'mot ' * 25_000}\n\n{story('1')}",
    )
    yield good(
        "auteur-long.txt",
        "an author of 50,000 characters",
        f"Titre : T\nAuteur : {'é' * 50_000}\n\n{story('2')}",
    )
    yield good(
        "adresse-longue.txt",
        "an address of 100,000 characters",
        f"Titre : T\nURL : https://x.example/{'a' * 100_000}\n\n{story('3')}",
    )
    yield good(
        "adresse-js.txt",
        "a javascript: address",
        f"Titre : T\nURL : javascript:alert(1)\n\n{story('4')}",
    )
    yield good(
        "balises.txt",
        "mark-up as text",
        f"<script>alert(1)</script> {story('5')} <img src=x onerror=alert(1)>",
    )
    yield good("parentheses.txt", "6,000 opening parentheses", f"{story('6')} {'(' * 6000}")
    yield good("crochets.txt", "20,000 opening brackets", f"{story('7')} {'[' * 20_000}")
    yield good("guillemets.txt", "2,000 opening quotes", f"{story('8')} {'« ' * 2000}")


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


# Markdown and its front matter


def markdown() -> Iterator[Input]:
    for name, what, header in (
        ("date-0", "date: 0000-00-00", "date: 0000-00-00"),
        ("date-30", "the 30th of February", "titre: T\ndate: 2024-02-30"),
        ("date-grande", "a date past any calendar", "titre: T\ndate: 99999999999999999999"),
        ("date-inf", "an infinite date", "titre: T\ndate: .inf"),
        ("titre-date", "a title that YAML takes for a date", "titre: 2024-13-45"),
        ("titre-non", "a title that YAML takes for false", "titre: non"),
        ("titre-nul", "a title that YAML takes for null", "titre: ~"),
        ("titre-octal", "a title that YAML takes for a number", "titre: 0o777"),
        ("titre-carte", "a title that is a mapping", "titre: {a: {b: [c]}}"),
        (
            "objet",
            "a tag that runs a program",
            'titre: !!python/object/apply:os.system ["touch pris"]',
        ),
        ("binaire", "a binary tag", "titre: !!binary |\n  R0lGODlhDAAMAIQAAP"),
        ("etiquette", "unknown tags", "titre: !inconnu texte\nauteur: !!timestamp pas une date"),
        ("doublons", "a key twice", "titre: Un\ntitre: Deux"),
        ("fusion", "a merge key", "base: &a {titre: Un}\n<<: *a"),
        ("surrogat", "half a character, escaped", 'titre: "T \\ud800"\nauteur: "\\udfff"'),
        ("rien", "empty front matter", ""),
        ("scalaire", "front matter that is a text", "juste du texte"),
        ("liste", "front matter that is a list", "- titre\n- date"),
        ("long", "fields of 20,000 characters", f"titre: {'mot ' * 5000}\nauteur: {'é' * 20_000}"),
    ):
        yield good(f"yaml-{name}.md", f"front matter: {what}", md(header, name))
    laughs = "\n".join(
        f"{b}: &{b} [{', '.join(['*' + a] * 9)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    yield good(
        "yaml-rires.md",
        "front matter: a billion laughs",
        md(f"a: &a [rire]\n{laughs}\ntitre: *i", "rires"),
    )
    yield good(
        "yaml-alias.md",
        "front matter: one long text 9,000 times",
        md(f"a: &a {'x' * 40_000}\nauteur: [{', '.join(['*a'] * 9000)}]", "alias"),
    )
    loop = md("titre: &a [x, *a]", "boucle")
    yield bad("yaml-boucle.md", "front matter: a list that holds itself", loop, "YAML")
    key = md(f"{'k' * 50_000}: v", "a")
    yield bad("yaml-cle.md", "front matter: a key of 50,000 characters", key, "YAML")
    yield bad(
        "yaml-cle-liste.md", "front matter: a key that is a list", md("? [a]\n: b", "a"), "YAML"
    )
    yield bad("yaml-tab.md", "front matter: tabs", md("titre: T\n\tauteur: U", "a"), "YAML")
    yield bad("yaml-guillemet.md", "front matter: a quote left open", md('titre: "T', "a"), "YAML")
    yield bad(
        "yaml-controle.md", "front matter: a control character", md("titre: T\x07", "a"), "YAML"
    )
    yield bad("yaml-ancre.md", "front matter: an alias of nothing", md("titre: *rien", "a"), "YAML")
    yield bad(
        "yaml-imbrique.md",
        "front matter: 20,000 lists in lists",
        md("titre: " + "[" * 20_000, "a"),
        "imbriqué",
    )
    yield bad(
        "yaml-gros.md", "front matter of 5 MB", md("- a\n" * 1_250_000, "a"), "100 000 caractères"
    )
    yield bad("yaml-seul.md", "front matter alone", "---\ntitre: T\n---\n", "aucune phrase")
    yield good("yaml-ouvert.md", "front matter never closed", f"---\ntitre: T\n\n{story('ouvert')}")
    yield good(
        "json-en-tete.md", "front matter in JSON, broken", '{\n"titre": \n}\n\n' + story("json")
    )
    yield good("crochets-6000.md", "6,000 opening brackets", f"# T\n\n{story('c6')} {'[' * 6000}")
    yield good("images.md", "2,000 pictures opened", f"# T\n\n{story('im')} {'![' * 2000}")
    yield good(
        "citations.md", "quotes in quotes, 5,000 deep", f"# T\n\n{story('ci')}\n\n{'> ' * 5000}a"
    )
    yield good("listes.md", "lists in lists, 2,000 deep", f"# T\n\n{story('li')}\n\n{'- ' * 2000}a")
    yield good("accents.md", "2,500 accents graves", f"# T\n\n{story('ac')} {'`a``b' * 600}")
    yield good("etoiles.md", "2,500 stars", f"# T\n\n{story('et')} {'*a_ ' * 600}")
    yield good(
        "entites.md",
        "impossible character references",
        f"# T\n\n{story('en')} &#xD800; &#0; &#99999999; &#x110000;",
    )
    yield good("barriere.md", "a code fence never closed", f"# T\n\n{story('ba')}\n\n```\nx = 1\n")
    yield good(
        "lien-js.md", "a javascript: link", f"# T\n\n{story('lj')} [ici](javascript:alert(1))"
    )
    yield good(
        "titre-geant.md", "a heading of 3,000 characters", f"# {'mot ' * 750}\n\n{story('tg')}"
    )
    yield bad("html-seul.md", "HTML alone", "<div>\n<p>Texte.</p>\n</div>\n", "aucune phrase")
    yield bad("commentaire.md", "a comment alone", "<!-- rien -->\n", "aucune phrase")
    yield bad("zip.md", "a zip named .md", b"PK\x03\x04\x14\0\0\0\x08\0" * 20, "binaire")


# HTML


def pages() -> Iterator[Input]:
    yield bad("vide.html", "an empty page", "<html></html>", "aucun")
    yield bad(
        "script.html", "scripts alone", "<html><script>document.write('a')</script></html>", "aucun"
    )
    yield bad("json.html", "JSON named .html", '{"a": 1}', "aucun")
    yield bad(
        "pdf.html", "a PDF named .html", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0\1\2" * 9, "binaire"
    )
    yield bad("divs.html", "50,000 tags in one another", "<div>" * 50_000 + story("d"), "aucun")
    yield bad(
        "spans.html",
        "50,000 inline tags in one another",
        "<p>" + "<b><i>" * 25_000 + story("s"),
        "aucun",
    )
    yield bad(
        "tableaux.html", "5,000 tables in tables", "<table><tr><td>" * 5000 + story("t"), "aucun"
    )
    yield good(
        "profond.html",
        "an article, then 20,000 tags in one another",
        page("pr", body="<div>" * 20_000 + "fond"),
    )
    yield good(
        "citations.html",
        "an article, then 5,000 quotes in quotes",
        page("ci", body="<blockquote>" * 5000),
    )
    yield good(
        "entites.html",
        "entities that double, twenty times",
        "<!DOCTYPE html [<!ENTITY a0 'rire'>"
        + "".join(f"<!ENTITY a{i} '&a{i - 1};&a{i - 1};'>" for i in range(1, 21))
        + "]>"
        + page("en", body="<p>&a20;</p>"),
    )
    yield good(
        "externe.xhtml",
        "an external entity: /etc/passwd",
        "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        + page("ex", body="<p>&x;</p>"),
    )
    yield good(
        "declaration.xhtml",
        "an XML declaration",
        "<?xml version='1.0' encoding='UTF-16'?>" + page("de"),
    )
    yield good(
        "references.html",
        "impossible character references",
        page("re", body="<p>&#xD800; &#0; &#1114112; &#x;</p>"),
    )
    yield good(
        "charset.html",
        "an encoding that is none",
        page("ch", head="<meta charset='unicode_escape'>"),
    )
    yield good(
        "charset-latin.html",
        "an encoding that lies",
        page("cl", head="<meta charset='utf-8'>").encode("cp1252", "replace"),
    )
    yield good(
        "ouvertes.html", "20,000 « < » that open nothing", page("ou", body="<p>" + "<" * 20_000)
    )
    yield good("commentaire.html", "a comment never closed", page("co") + "<!-- " + "x" * 100_000)
    # The parser compares each attribute with those before it: hours.
    many = "<p " + "".join(f"a{i}=1 " for i in range(400_000)) + ">fin</p>"
    yield bad("attributs.html", "400,000 attributes", page("at", body=many), "secondes")
    yield good(
        "image.html",
        "a picture of 5 MB in the page",
        page("im", body=f"<img src='data:image/png;base64,{'A' * 5_000_000}'>"),
    )
    yield good(
        "jsonld.html",
        "JSON-LD, 50,000 lists in lists",
        page("jl", head="<script type='application/ld+json'>" + "[" * 50_000 + "</script>"),
    )
    yield good(
        "jsonld-casse.html",
        "JSON-LD, broken",
        page(
            "jc",
            head='<script type=\'application/ld+json\'>{"@type":"NewsArticle","headline":</script>',
        ),
    )
    yield good(
        "meta.html",
        "a title of 100,000 characters",
        page("me", head=f"<meta property='og:title' content='{'mot ' * 25_000}'>"),
    )
    yield good(
        "date.html",
        "a date that no calendar has",
        page("da", head="<meta property='article:published_time' content='0000-00-00T99:99:99Z'>"),
    )
    yield good(
        "canonique.html",
        "a canonical javascript: address",
        page("ca", head="<link rel='canonical' href='javascript:alert(1)'>"),
    )
    yield good(
        "balises.html",
        "mark-up escaped in the text",
        page("ba", body="<p>&lt;script&gt;alert(1)&lt;/script&gt; dans le texte de la page.</p>"),
    )
    yield good(
        "inconnues.html", "tags that do not exist", page("in", body="<x-1><\x01y><p>fin</x-1>")
    )
    yield bad("milliers.html", "a million tags", "<html><body>" + "<p>a<b>b" * 1_000_000, "balises")


# JSON Lines


def json_lines() -> Iterator[Input]:
    yield good(
        "id-surrogat.jsonl",
        "an id of half a character",
        row("is", id="x").replace('"x"', '"\\ud800"'),
    )
    yield good(
        "titre-surrogat.jsonl",
        "a title with half a character",
        row("ts").replace("Pont", "\\udc00Pont\\ud800"),
    )
    yield good(
        "texte-surrogat.jsonl",
        "a text with half a character",
        row("xs").replace("lundi", "lundi\\ud83d"),
    )
    yield good(
        "url-surrogat.jsonl",
        "an address with half a character",
        row("us", url="https://x.example/a").replace("/a", "/a\\ud800"),
    )
    yield good(
        "paire.jsonl",
        "a character in two halves",
        row("pa").replace("lundi", "lundi \\ud83d\\ude00"),
    )
    yield good(
        "chiffres.jsonl", "an id of 5,000 digits", row("ch").replace("}", f', "id": {"9" * 5000}}}')
    )
    yield good(
        "infini.jsonl",
        "NaN, Infinity, 1e999",
        row("in").replace("}", ', "auteur": NaN, "source": Infinity, "id": 1e999, "date": -1}'),
    )
    yield good(
        "types.jsonl",
        "fields of wrong types",
        row("ty", auteur={"nom": "A"}, source=[["B"]], rubrique=True, url=12, date=[2024]),
    )
    yield good(
        "cles.jsonl",
        "a key twice, a key of 1 MB",
        row("cl").replace("{", f'{{"titre": "Autre", "{"k" * 1_000_000}": 1, '),
    )
    yield good(
        "longs.jsonl",
        "fields of 1 MB",
        row(
            "lo",
            titre="mot " * 250_000,
            auteur="é" * 1_000_000,
            id="i" * 1_000_000,
            url="https://x.example/" + "a" * 1_000_000,
        ),
    )
    yield rows(
        "imbrique.jsonl",
        "100,000 lists in lists, in a row",
        lines(row("i1"), "[" * 100_000, row("i2")),
        2,
        r2="imbriquée",
    )
    yield rows(
        "imbrique-champ.jsonl",
        "100,000 objects in a field",
        lines(row("j1"), '{"a":' * 100_000, row("j2")),
        2,
        r2="imbriquée",
    )
    yield rows("coupe.jsonl", "the last row cut", lines(row("k1")) + row("k2")[:30], 1, r2="JSON")
    yield rows(
        "formes.jsonl",
        "rows that are no object",
        lines(row("f1"), "null", "[1]", '"a"', "12", row("f2")),
        2,
        r2="objet",
        r3="objet",
        r4="objet",
        r5="objet",
    )
    yield rows(
        "nul.jsonl",
        "a NUL in a row",
        lines(row("n1"), row("n2") + "\0", row("n3")),
        2,
        r2="binaire",
    )
    yield rows(
        "utf8.jsonl",
        "broken UTF-8 in a row",
        lines(row("u1")).encode()
        + b'{"titre": "caf\xe9"}\n'
        + lines(row("u3"), '{"titre": "é", "texte": "É."}').encode(),
        2,
        r2="abîmé",
        r4="aucune phrase",
    )
    yield rows(
        "sans-texte.jsonl",
        "rows without text",
        lines(row("s1"), '{"titre": "T"}', '{"texte": ""}', '{"texte": 12}', row("s2")),
        2,
        r2="pas de texte",
        r3="pas de texte",
        r4="aucune phrase",
    )
    yield rows(
        "ligne-longue.jsonl",
        "a text of 3 MB on one line",
        lines(row("l1"), row("l2", texte="mot " * 750_000)),
        1,
        r2="2 millions",
    )
    yield rows(
        "meteo.jsonl",
        "two rows of one title, no date",
        lines(*(row(k, titre="Météo") for k in ("m1", "m2"))),
        2,
    )
    yield rows(
        "doublon.jsonl", "one row twice", lines(row("d1"), row("d1")), 1, r2="même article que"
    )
    yield Input(
        "bom.jsonl",
        "a mark, CRLF, empty rows",
        data("\ufeff\r\n" + row("b1") + "\r\n\r\n" + row("b2") + "\r\n"),
        2,
    )
    yield bad(
        "joli.jsonl",
        "one object over many lines",
        json.dumps({"titre": "T", "texte": story("jo")}, indent=1),
        "aucune des 4 lignes",
    )
    yield rows("texte.jsonl", "text named .jsonl", story("te"), 0, r1="JSON")
    listed = json.dumps([{"texte": story("ta")}])
    yield rows("tableau.jsonl", "a list on one line", listed, 0, r1="objet")
    yield bad(
        "binaire.jsonl", "a picture named .jsonl", b"\xff\xd8\xff\xe0\0\x10JFIF\0\n" * 50, "binaire"
    )


# CSV


def tables() -> Iterator[Input]:
    def table(*each: str, head: str = "titre;texte") -> str:
        return lines(head, *each)

    def cell(key: object) -> str:
        return f'Pont {key};"{story(key)}"'

    yield rows(
        "guillemet.csv",
        "a quote in the middle of a cell",
        table(cell("g1"), 'Pont;"a"b', cell("g3")),
        2,
        r2="guillemet",
    )
    yield rows(
        "ouvert.csv",
        "a quote never closed",
        table(cell("o1"), 'Pont;"ouvert', "sur deux lignes", cell("o3")),
        2,
        r2="guillemet",
    )
    yield rows(
        "fin.csv",
        "a quote never closed, at the end",
        table(cell("f1"), cell("f2"), 'Pont;"ouvert', "", "fin"),
        2,
        r3="guillemet",
    )
    yield rows(
        "colonnes.csv",
        "rows too long and too short",
        table(cell("c1"), "a;b;c", "a", cell("c4")),
        2,
        r2="colonnes",
        r3="colonnes",
    )
    yield rows(
        "nul.csv",
        "a NUL in a row",
        table(cell("n1"), cell("n2") + "\0", cell("n3")),
        2,
        r2="binaire",
    )
    yield rows(
        "utf8.csv",
        "broken UTF-8 in a row",
        table(cell("u1")).encode() + b"Pont;caf\xe9\n" + cell("u3").encode(),
        2,
        r2="abîmé",
    )
    yield rows(
        "geante.csv",
        "a cell of 11 MB",
        table(cell("k1"), "Pont;" + "a" * 11_000_000, cell("k3")),
        2,
        r2="10 millions",
    )
    yield Input(
        "latin.csv", "Latin-1", data(table(cell("l1")).replace("’", "'").encode("latin-1")), 1
    )
    yield Input("utf16.csv", "UTF-16", data(("\ufeff" + table(cell("t1"))).encode("utf-16-le")), 1)
    yield Input(
        "mac.csv",
        "line ends of an old Mac",
        data(table(cell("m1"), cell("m2")).replace("\n", "\r")),
        2,
    )
    yield Input("formule.csv", "a formula", data(table(f"=cmd|' /C calc'!A0;{story('fo')}")), 1)
    yield Input(
        "noms.csv",
        "columns without name, or of one name",
        data(table(f"a;b;{story('no')};{story('x')}", head="titre;;texte;texte")),
        1,
    )
    yield Input(
        "meteo.tsv",
        "two rows of one title, no date",
        data(lines("titre\ttexte", f"Météo\t{story('m4')}", f"Météo\t{story('m5')}")),
        2,
    )
    yield bad("sans-colonne.csv", "no column of text", "a,b\n1,2\n", "aucune colonne de texte")
    yield bad(
        "colonnes-10000.csv",
        "20,000 columns",
        ",".join(map(str, range(20_000))) + "\n",
        "aucune colonne de texte",
    )
    yield bad(
        "noms-hostiles.csv",
        "columns with escapes and line breaks",
        '"\x1b[2J\nÉchec : bon.txt",b\n1,2\n',
        "aucune colonne de texte",
    )
    yield bad("en-tete.csv", "no row", "titre;texte\n", "aucun article")
    yield bad("premiere.csv", "the first row broken", '"a"b,texte\n1,2\n', "CSV abîmé")
    yield bad(
        "excel.csv", "a workbook named .csv", b"PK\x03\x04\x14\0\x06\0\x08\0\n" * 20, "binaire"
    )


# Names, links and what is no file


def names() -> Iterator[Input]:
    latin1 = os.fsdecode("café.txt".encode("latin-1"))
    yield bad(latin1, "a name in Latin-1", story("la"), "UTF-8")
    folder = os.fsdecode("été".encode("latin-1"))
    yield special(folder, "a folder named in Latin-1", lambda p: _inside(p, "a.txt"), "UTF-8")
    yield bad("deux\nlignes.txt", "a line break in a name", "", "vide")
    yield bad("\x1b[2Jefface.txt", "a terminal escape in a name", "", "vide")
    yield bad("\u202etxt.exe\u2066.md", "right-to-left marks in a name", "", "vide")
    yield bad("<img src=x onerror=alert(1)>.txt", "mark-up in a name", "", "vide")
    yield good("deux\r\nlignes bonnes.txt", "line breaks in a name", story("db"))
    yield good("'; DROP TABLE articles; --.txt", "SQL in a name", story("sq"))
    yield good("%s%n{0}${HOME}`id`.txt", "formats and commands in a name", story("fm"))
    yield good("-rf.txt", "an option for a name", story("rf"))
    yield good("article.jsonl#3.txt", "a name like a row's", story("li"))
    yield good("c:\\..\\windows.txt", "a path of another system for a name", story("wi"))
    yield good("a" * 251 + ".txt", "a name of 255 bytes", story("lg"))
    yield good(
        "e\u0301te\u0301 \U0001f600.TXT", "decomposed accents and a picture in a name", story("nf")
    )
    yield Input("dossier.txt", "a folder named like a file", lambda p: _inside(p, "dedans.txt"), 1)
    yield Input(
        "profond", "1,500 folders in one another", lambda p: _deep(p, "d", 1500, "fond.txt"), 1
    )
    yield Input(
        "trop-profond",
        "a path longer than systems take",
        lambda p: _deep(p, "d" * 50, 90, "fond.txt"),
        failures=(("", "trop long"),),
        under=True,
    )
    yield special("tube.txt", "a pipe", os.mkfifo, "ordinaire")
    yield special("prise.txt", "a socket", _socket, "ordinaire")
    yield special("brise.txt", "a broken link", lambda p: p.symlink_to("absent.txt"), "lien brisé")
    yield special("boucle.txt", "a link to itself", lambda p: p.symlink_to(p.name), "boucle")
    yield special("boucle-a.md", "links in a ring", _ring, "boucle")
    yield special(
        "parent", "a link to the folder above", lambda p: p.symlink_to(".."), "lien vers un dossier"
    )
    yield special(
        "dehors", "a link to another folder", lambda p: p.symlink_to("/etc"), "lien vers un dossier"
    )
    yield special(
        "zero.txt", "a link to /dev/zero", lambda p: p.symlink_to("/dev/zero"), "sort du dossier"
    )
    yield special(
        "passwd.txt",
        "a link out of the folder",
        lambda p: p.symlink_to("/etc/passwd"),
        "sort du dossier",
    )
    yield special(
        "vers-tube.txt",
        "a link to a pipe of the folder",
        lambda p: p.symlink_to("tube.txt"),
        "ordinaire",
    )
    yield Input(
        "encore.txt",
        "a link to a good neighbour",
        lambda p: p.symlink_to("bon-00.txt"),
        failures=(("", "même article que"),),
    )


def _inside(folder: Path, name: str) -> None:
    folder.mkdir()
    (folder / name).write_text(story(name), "utf-8")


def _deep(top: Path, name: str, depth: int, last: str) -> None:
    """Make folders in one another, step by step: the whole path may be too long to name."""
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    file = os.open(last, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here)
    os.write(file, story(depth).encode())
    os.close(file)
    os.close(here)


def _socket(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket has 107 bytes at most
    try:
        listener.bind(path.name)
    finally:
        os.chdir(here)
        listener.close()


def _ring(path: Path) -> None:
    other = path.with_name("boucle-b.text.lien")
    path.symlink_to(other.name)
    other.symlink_to(path.name)


def neighbours() -> Iterator[Input]:
    for i in range(9):
        text = f"Titre : Pont {i}\nDate : {i + 1} mai 2024\n\n{story(f'bon {i}')}"
        yield good(f"bon-{i:02}.txt", "a good neighbour", text)
    for i in range(9, 12):
        yield good(
            f"bon-{i:02}.md",
            "a good neighbour",
            md(f"titre: Pont {i}\ndate: 2024-05-01", f"bon {i}"),
        )
    for i in range(12, 14):
        yield good(f"bon-{i:02}.html", "a good neighbour", page(f"bon {i}"))
    yield Input("bon-14.jsonl", "a good neighbour", data(lines(row("bon 14"), row("bon 15"))), 2)
    yield good("bon-16.csv", "a good neighbour", f"titre;texte\nPont 16;{story('bon 16')}\n")


def documents() -> Iterator[Input]:
    entities = "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' if n else '<!ENTITY e0 "lol">' for n in range(12)
    )
    doll = _packed({"x.txt": story("poupee")})
    for _ in range(40):
        doll = _packed({"poupee.zip": doll})
    yield bad("coupe.pdf", "a PDF that ends early", b"%PDF-1.7\n1 0 obj\n<</Type/Catalog", "abîmé")
    yield bad("boucle.pdf", "a PDF whose pages are their own parent", _looped_pdf(), "")
    yield bad("rien.docx", "an archive that is no document", _packed({"a": "b"}), "abîmé")
    yield bad("bombe.odt", "400 MB of spaces in a document",
              _packed({"content.xml": b" " * 400_000_000}), "se déplie")  # fmt: skip
    yield bad(
        "entites.xml", "entities of entities", f"<!DOCTYPE a [{entities}]><nitf>&e11;</nitf>", ""
    )
    yield bad("externe.xml", "an entity that is a file",
              '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><nitf><body><body.content><p>&x;</p>'
              "</body.content></body></nitf>", "phrase")  # fmt: skip
    yield bad("profond.json", "a million brackets", "[" * 1_000_000, "JSON")
    yield Input("poupees.zip", "forty archives in each other", data(doll),
                failures=((" (poupee.zip) (poupee.zip)", "dépliez-la"),))  # fmt: skip
    yield Input("evade.zip", "a path out of the archive", data(_packed({
        "../../../evade.txt": story("evade"), "../bombe.txt": b"a " * 60_000_000,
    })), articles=1, failures=((" (../bombe.txt)", "se déplie"),))  # fmt: skip


def _packed(members: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _looped_pdf() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 9/Kids[2 0 R]/Parent 2 0 R>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF"
    )


def inputs() -> list[Input]:
    """Return all hostile files and their good neighbours."""
    kinds = (plain, markdown, pages, json_lines, tables, documents, names, neighbours)
    found = [each for kind in kinds for each in kind()]
    assert len({each.name for each in found}) == len(found)
    return found


def write(folder: Path) -> list[Input]:
    """Write the inputs into a folder; return those that the file system could take."""
    written = []
    for each in inputs():
        try:
            each.make(folder / each.name)
        except (OSError, UnicodeError):
            if each.name.isascii():  # macOS refuses names that are not UTF-8
                raise
        else:
            written.append(each)
    return written


def named(each: Input, folder: Path, failures: tuple[Failure, ...]) -> list[Failure]:
    """Return the failures that name an input or one of its rows."""
    path = printable(str(folder / each.name))
    own = {path} | {path + row for row, _ in each.failures}
    under = path + "/"
    return [f for f in failures if f.name in own or (each.under and f.name.startswith(under))]


def articles_of(each: Input, folder: Path, reading: Reading) -> list[str]:
    """Return the ids of the articles that came from an input or from under it."""
    path = os.path.realpath(folder) + "/" + each.name
    return [
        a.id
        for a in reading.articles
        if a.path == path or a.path.startswith((path + "#", path + "/"))
    ]


def erase(folder: Path) -> None:
    """Remove what `write` made: some of it is deeper than Python's own removal goes."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)
