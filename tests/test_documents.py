"""Documents, mail, agencies' files, archives: each read from a real file of its format."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from fpdf import FPDF

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import Article, Failure, Reading
from rag.errors import ReadError
from rag.readers import read_files
from rag.readers.articles import read_bytes
from rag.settings import load_settings

FERRY = "Le bac de Lérins a repris ses traversées mardi matin, après onze jours d’arrêt."
MOTOR = "La réparation du moteur a coûté 84 000 euros à la compagnie."
PRICE = "Le billet reste à 6,80 euros jusqu’à la fin de la saison."


def read(name: str, data: bytes) -> tuple[list[Article], list[Failure]]:
    return read_bytes(data, name, f"/corpus/{name}")


def one(name: str, data: bytes) -> Article:
    (article,), failed = read(name, data)
    assert not failed
    return article


def pdf(pages: list[list[str]], title: str = "") -> bytes:
    """Return a PDF with a head and a foot on each page, its lines as they are given."""
    made = FPDF()
    made.set_creation_date(datetime(2024, 5, 7, 8, 0))
    if title:
        made.set_title(title)
    made.set_font("helvetica", size=11)
    for number, lines in enumerate(pages, 1):
        made.add_page()
        for line in [f"Le Rivage - édition du 7 mai - {number}", "", *lines, "", f"{number}"]:
            latin = line.replace("’", "'").encode("latin-1", "replace").decode("latin-1")
            made.cell(0, 6, latin, new_x="LMARGIN", new_y="NEXT")
    return bytes(made.output())


PDF_PAGES = [
    ["Le bac de Lérins repart", "",
     "Le bac de Lérins a repris ses traversées mardi matin, après onze jours d'ar-",
     "rêt et une réparation du moteur. La compagnie annonce six départs par jour",
     "jusqu'à la fin de la saison, au même tarif."],
    ["La réparation du moteur a coûté 84 000 euros à la compagnie, qui a fait venir",
     "une pièce de Saint-Nazaire. Le porte-parole de la compagnie, Paul Ory, l'a dit",
     "devant les élus, qui attendaient depuis le début du mois une explication de ce"],
    ["retard. Un second bac sera loué pour l'été.", "",
     "Le billet reste à 6,80 euros jusqu'à la fin de la saison."],
]  # fmt: skip


def test_a_pdf_is_read_without_heads_and_with_its_words_mended() -> None:
    article = one("bac.pdf", pdf(PDF_PAGES))
    assert article.source.title == "Le bac de Lérins repart"
    assert article.source.published == date(2024, 5, 7)
    assert article.source.deduced
    assert "onze jours d'arrêt et une réparation du moteur." in article.text
    assert "une explication de ce retard." in article.text
    assert "Le porte-parole de la compagnie" in article.text
    assert "édition du" not in article.text
    assert not any(line.strip().isdigit() for line in article.text.split("\n"))


def test_compounds_keep_their_hyphen_and_figures_their_place() -> None:
    lines = [
        "Le porte-", "parole de la mairie a répondu, a-t-", "il précisé, que la restau-", "ration suivra.",
        "Les dépenses de la commune atteignent, pour toute cette année de travaux,", "2024",
    ]  # fmt: skip
    article = one("fin.pdf", pdf([lines, ["habitants et 12 millions."], ["La suite."]]))
    flat = " ".join(article.text.split())
    assert (
        "Le porte-parole de la mairie a répondu, a-t-il précisé, que la restauration suivra."
        in flat
    )
    assert "2024" in flat


def test_a_citation_of_a_pdf_says_its_page(tmp_path: Path) -> None:
    (tmp_path / "bac.pdf").write_bytes(pdf(PDF_PAGES))
    assistant = LocalAssistant(load_settings(index_dir=tmp_path / "index", passage_tokens=60))
    assistant.ingest(read_files([tmp_path / "bac.pdf"]))
    pages = {}
    for question in ("Combien a coûté la réparation du moteur ?", "À combien reste le billet ?",
                     "Quand le bac de Lérins a-t-il repris ?"):  # fmt: skip
        answer = assistant.ask(question)
        (citation, *_) = answer.statements[0].citations
        pages[question[:9]] = citation.page
        stored = assistant.article(citation.article_id)
        assert stored.text[citation.start : citation.end] == citation.quote
        assert f"p.\u00a0{citation.page}" in texts.cited(citation)
    assert pages == {"Combien a": "2-3", "À combien": "3", "Quand le ": "1"}
    assistant.close()


def test_a_page_without_text_is_named_and_a_scan_is_refused() -> None:
    made = FPDF()
    made.set_font("helvetica", size=11)
    made.add_page()
    made.multi_cell(0, 6, FERRY.replace("’", "'"))
    made.add_page()
    (article,), (failure,) = read("mixte.pdf", bytes(made.output()))
    assert "traversées" in article.text
    assert failure.name == "mixte.pdf, page 2"
    assert "pas de texte" in failure.reason
    blank = FPDF()
    blank.add_page()
    with pytest.raises(ReadError, match="OCR"):
        read("scan.pdf", bytes(blank.output()))


def test_two_columns_are_read_one_after_the_other() -> None:
    made = FPDF()
    made.set_font("helvetica", size=10)
    made.add_page()
    left = "Le bac de Lérins a repris ses traversées mardi matin après onze jours."
    right = "À Sarrelle la digue a tenu pendant la tempête de jeudi soir."
    with made.text_columns(ncols=2, gutter=10) as columns:
        columns.write(left)
        columns.new_column()
        columns.write(right)
    text = " ".join(one("colonnes.pdf", bytes(made.output())).text.split())
    assert left in text
    assert right in text


def locked() -> bytes:
    made = FPDF()
    made.set_encryption(owner_password="maître", user_password="secret")
    made.set_font("helvetica", size=11)
    made.add_page()
    made.cell(0, 6, "Le bac")
    return bytes(made.output())


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("abime.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog", "abîmé"),
        ("coupe.pdf", pdf(PDF_PAGES)[:700], "abîmé"),
        ("texte.pdf", b"ce n'est pas un PDF", "abîmé"),
        ("clos.pdf", locked(), "mot de passe"),
        ("abime.docx", b"PK\x03\x04rien", "abîmé"),
        ("abime.odt", b"PK\x03\x04rien", "abîmé"),
        ("abime.epub", b"", "vide"),
        ("abime.zip", b"PK\x03\x04rien", "abîmée"),
        ("vide.eml", b"\n\nrien", "message"),
        ("vide.mbox", b"rien", "mbox"),
        ("rien.mhtml", b"Subject: x\nContent-Type: text/plain\n\nrien", "MHTML"),
        ("autre.xml", b"<catalogue><livre/></catalogue>", "genre inconnu"),
        (
            "bombe.xml",
            b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><nitf>&c;</nitf>',
            "texte",
        ),
        ("coupe.xml", b"<nitf><body>", "abîmé"),
        ("vide.json", b"{}", "texte"),
        ("coupe.json", b'{"text": "', "JSON"),
        ("profond.json", b"[" * 100_000, "JSON"),
    ],
)
def test_a_damaged_file_is_one_reason(name: str, data: bytes, why: str) -> None:
    try:
        made, failed = read(name, data)
    except ReadError as error:
        assert why in str(error)
    else:
        assert not made
        assert [why in f.reason for f in failed] == [True]


def word() -> bytes:
    made = docx.Document()
    made.core_properties.title = "Le bac de Lérins repart"
    made.core_properties.author = "Inès Caron"
    made.core_properties.created = datetime(2024, 5, 7)
    made.add_heading("Le bac de Lérins repart", 0)
    made.add_paragraph(FERRY)
    made.add_heading("Le prix", 1)
    made.add_paragraph(PRICE)
    table = made.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Départs", "six par jour"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_a_word_document_keeps_its_headings_and_tables() -> None:
    article = one("bac.docx", word())
    assert (article.source.title, article.source.author) == (
        "Le bac de Lérins repart",
        "Inès Caron",
    )
    assert article.source.published == date(2024, 5, 7)
    assert article.source.deduced
    assert [article.text[a:b] for a, b in article.headings] == ["Le prix"]
    assert "Départs – six par jour" in article.text
    assert FERRY in article.text


def packed(files: dict[str, bytes | str], name: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()


def test_an_opendocument_text_is_read() -> None:
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    office = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    content = (
        f'<o:document-content xmlns:o="{office}" xmlns:text="{text}"><o:body><o:text>'
        f"<text:h>Le bac repart</text:h><text:p>{FERRY}<text:note><text:p>une note</text:p></text:note>"
        f" {MOTOR}</text:p><text:p>Six<text:s/>départs par jour<text:line-break/>en été.</text:p>"
        "</o:text></o:body></o:document-content>"
    )
    meta = (
        f'<o:document-meta xmlns:o="{office}" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:m="urn:oasis:names:tc:opendocument:xmlns:meta:1.0"><o:meta><dc:creator>Inès Caron'
        "</dc:creator><m:creation-date>2024-05-07T08:00:00</m:creation-date></o:meta></o:document-meta>"
    )
    article = one("bac.odt", packed({"content.xml": content, "meta.xml": meta}))
    assert article.source.title == "Le bac repart"
    assert article.source.published == date(2024, 5, 7)
    assert f"{FERRY} {MOTOR}" in article.text
    assert "une note" not in article.text
    assert "Six départs par jour en été." in article.text


def test_the_chapters_of_a_book_are_articles_in_order() -> None:
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/livre.opf"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>Le Rivage, numéro 12</dc:title><dc:date>2024-05-07</dc:date></metadata><manifest>"
        '<item id="c" href="couv.xhtml"/><item id="a" href="un.xhtml"/><item id="b" href="deux.xhtml"/>'
        '<item id="z" href="absent.xhtml"/></manifest><spine><itemref idref="c"/><itemref idref="a"/>'
        '<itemref idref="z"/><itemref idref="b"/></spine></package>'
    )

    def chapter(title: str, *lines: str) -> str:
        body = "".join(f"<p>{line}</p>" for line in lines)
        return f"<html><body><h1>{title}</h1>{body}</body></html>"

    files: dict[str, bytes | str] = {
        "META-INF/container.xml": container, "OEBPS/livre.opf": package,
        "OEBPS/couv.xhtml": chapter("Le Rivage"),
        "OEBPS/un.xhtml": chapter("Le bac repart", FERRY, MOTOR),
        "OEBPS/deux.xhtml": chapter("Le tarif", PRICE, FERRY),
    }  # fmt: skip
    made, (failure,) = read("rivage.epub", packed(files))
    assert [a.source.title for a in made] == ["Le bac repart", "Le tarif"]
    assert {a.source.name for a in made} == {"Le Rivage, numéro 12"}
    assert len({a.id for a in made}) == 2
    assert "absent.xhtml" in failure.name


def letter(subject: str, body: str, kind: str = "plain", key: str = "1") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "Le Rivage <lettre@rivage.example>"
    message["Date"] = "Tue, 07 May 2024 08:00:00 +0200"
    message["Message-ID"] = f"<{key}@rivage.example>"
    message.set_content(body, subtype=kind)
    return message


def test_a_newsletter_is_an_article_of_its_sender() -> None:
    page = f"<html><head><style>p {{}}</style></head><body><table><tr><td><h2>Le bac</h2><p>{FERRY}</p></td></tr></table></body></html>"
    article = one("lettre.eml", letter("Le bac repart é", page, "html").as_bytes())
    assert (article.source.title, article.source.name) == ("Le bac repart é", "Le Rivage")
    assert article.source.published == date(2024, 5, 7)
    assert FERRY in article.text
    assert "{}" not in article.text


def test_text_beside_a_block_is_read_and_what_is_hidden_is_not() -> None:
    page = (
        f'<body><div style="display: none">Aperçu caché de la lettre.</div>Première ligne.<br><br>'
        f"Seconde ligne.<div>{FERRY}<br>{MOTOR}<p>Merci de votre lecture.</p> À demain, tous.</div>"
        "<table><tr><td>Un prix <p>Six euros.</p> par jour</td></tr></table></body>"
    )
    text = one("lettre.eml", letter("Lettre", page, "html").as_bytes()).text
    assert "Aperçu" not in text
    assert text.split("\n\n") == [
        "Première ligne.", "Seconde ligne.", f"{FERRY} {MOTOR}", "Merci de votre lecture.",
        "À demain, tous.", "Un prix", "Six euros.", "par jour",
    ]  # fmt: skip


def test_marked_up_text_in_json_is_read_without_its_tags() -> None:
    data = json.dumps([{"title": "Le bac", "content": f"<p>{FERRY}</p><p>{PRICE}</p>"}, {"t": 1}])
    made, _ = read("page.json", data.encode())
    assert made[0].text == f"{FERRY}\n\n{PRICE}"


def test_sentences_and_figures_at_the_edges_of_pages_stay() -> None:
    pages = [[f"Bureau {n} : 30{n} voix pour Mme Dupont.", FERRY.replace("’", "'"),
              f"Participation : 5{n} pour cent."] for n in range(1, 5)]  # fmt: skip
    text = one("bureaux.pdf", pdf(pages)).text
    assert all(f"Bureau {n} : 30{n} voix" in " ".join(text.split()) for n in range(1, 5))
    assert "Participation : 54 pour cent." in text


def test_letters_as_they_really_are() -> None:
    raw = f"Subject: Le =?utf-8?q?march=C3=A9?=\nFrom: Le Rivage <l@r.example>\n\n{FERRY}\n"
    assert FERRY in one("nue.eml", raw.encode()).text
    odd = raw.replace("\n\n", "\nContent-Type: text/plain; charset=x-inconnu\n\n", 1)
    assert FERRY in one("inconnu.eml", odd.encode()).text
    flowed = raw.replace("\n\n", "\nContent-Type: text/plain; charset=utf-8; format=flowed\n\n", 1)
    wrapped = flowed.replace("mardi matin, ", "mardi \nmatin, ")
    assert FERRY in one("coule.eml", wrapped.encode()).text
    outer = letter("Tr : Le bac", "", key="tr")
    outer.clear_content()
    outer.make_mixed()
    outer.attach(letter("Le bac", FERRY))
    assert FERRY in one("transmis.eml", outer.as_bytes()).text


def test_a_line_that_begins_like_an_envelope_ends_no_message() -> None:
    box = (
        b"From a@b.example Tue May  7 08:00:00 2024\n"
        + letter("Un", f"{FERRY}\n\nFrom Paris with love, {PRICE}").as_bytes()
    )
    ((article,), failed) = read("une.mbox", box)
    assert not failed
    assert PRICE in article.text


def test_a_mailbox_has_a_message_a_row_and_one_bad_one_loses_no_other() -> None:
    box = b""
    for key, body in (("1", FERRY), ("2", ""), ("3", f"From là, tout repart.\n{PRICE}")):
        content = (
            letter(f"Lettre {key}", body, key=key).as_bytes().replace(b"\nFrom l", b"\n>From l")
        )
        box += b"From lettre@rivage.example Tue May  7 08:00:00 2024\n" + content + b"\n\n"
    made, (failure,) = read("lettres.mbox", box)
    assert [a.source.title for a in made] == ["Lettre 1", "Lettre 3"]
    assert failure.name == "lettres.mbox#2"
    assert "From là, tout repart." in made[1].text


def test_a_page_that_a_browser_saved_keeps_its_address() -> None:
    page = f"<html><head><title>Le bac</title></head><body><article><h1>Le bac</h1><p>{FERRY}</p><p>{MOTOR}</p></article></body></html>"
    data = (
        b"From: <Saved by Blink>\r\nSnapshot-Content-Location: https://rivage.example/bac\r\n"
        b'Subject: Le bac\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="z"\r\n\r\n'
        b"--z\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + page.encode() + b"\r\n--z--\r\n"
    )  # fmt: skip
    article = one("bac.mhtml", data)
    assert article.source.url == "https://rivage.example/bac"
    assert FERRY in article.text


NITF = (
    "<nitf><head><title>Bac</title><docdata><doc-id id-string='rivage-12'/>"
    "<date.issue norm='20240507T080000'/></docdata><pubdata name='Le Rivage'/></head><body><body.head>"
    "<hedline><hl1>Le bac de Lérins repart</hl1></hedline><byline>Inès Caron</byline></body.head>"
    f"<body.content><p>{FERRY}</p><hl2>Le prix</hl2><p>{PRICE}</p></body.content></body></nitf>"
)


def newsml(content: str, status: str = "usable", guid: str = "urn:rivage:12") -> str:
    return (
        f'<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="{guid}"><itemMeta>'
        f'<provider><name>Agence du Littoral</name></provider><pubStatus qcode="stat:{status}"/>'
        "<firstCreated>2024-05-07T08:00:00+02:00</firstCreated></itemMeta><contentMeta>"
        "<headline>Le bac de Lérins repart</headline><by>Inès Caron</by></contentMeta>"
        f"<contentSet>{content}</contentSet></newsItem>"
    )


@pytest.mark.parametrize(
    "data",
    [
        NITF,
        newsml(f"<inlineXML>{NITF}</inlineXML>"),
        newsml(f"<inlineXML><html xmlns='http://www.w3.org/1999/xhtml'><body><p>{FERRY}</p>"
               f"<h2>Le prix</h2><p>{PRICE}</p></body></html></inlineXML>"),
        newsml(f"<inlineData>{FERRY}\n\nLe prix\n\n{PRICE}</inlineData>"),
    ],
)  # fmt: skip
def test_what_agencies_send_is_read(data: str) -> None:
    article = one("depeche.xml", data.encode())
    assert article.source.title == "Le bac de Lérins repart"
    assert article.source.published == date(2024, 5, 7)
    assert article.source.author == "Inès Caron"
    assert article.source.name
    assert FERRY in article.text
    assert PRICE in article.text


def test_agencies_write_dates_and_blocks_their_own_way() -> None:
    compact = newsml("<inlineXML><html><body><blockquote><p>Dit une fois seulement.</p></blockquote>"
                     f"<ul><li><p>{FERRY}</p></li></ul><p>Un<br/>deux.</p></body></html></inlineXML>")  # fmt: skip
    compact = compact.replace("2024-05-07T08:00:00+02:00", "20240507T080000Z")
    article = one("compact.xml", compact.encode())
    assert article.source.published == date(2024, 5, 7)
    assert article.text.count("Dit une fois seulement.") == 1
    assert article.text.count(FERRY) == 1
    assert "Un deux." in article.text


def test_several_items_of_one_message_and_what_was_cancelled() -> None:
    items = newsml(f"<inlineData>{FERRY}</inlineData>") + newsml(
        f"<inlineData>{PRICE}</inlineData>", "canceled", "urn:rivage:13"
    )
    made, (failure,) = read("message.xml", f"<newsMessage>{items}</newsMessage>".encode())
    assert [a.text for a in made] == [FERRY]
    assert "annulée" in failure.reason


@pytest.mark.parametrize("listed", [False, True])
def test_ninjs_and_other_objects_are_read(listed: bool) -> None:
    item = {
        "uri": "urn:rivage:12", "headline": "Le bac de Lérins repart", "byline": "Inès Caron",
        "firstcreated": "2024-05-07T06:00:00Z", "body_xhtml": f"<p>{FERRY}</p><p>{PRICE}</p>",
    }  # fmt: skip
    other = {"titre": "Le tarif", "texte": PRICE, "date": "2024-05-08"}
    said = {"items": [item, other, 3]} if listed else item
    made, failed = read("flux.json", json.dumps(said).encode())
    assert made[0].source.title == "Le bac de Lérins repart"
    assert (made[0].source.published, made[0].source.author) == (date(2024, 5, 7), "Inès Caron")
    assert FERRY in made[0].text
    if listed:
        assert made[1].source.title == "Le tarif"
        assert [f.name for f in failed] == ["flux.json#3"]


def test_an_archive_of_anything_is_read_file_by_file() -> None:
    inner = packed({"prix.txt": f"Titre : Le prix\n\n{PRICE}"})
    files: dict[str, bytes | str] = {
        "bac.txt": f"Titre : Le bac\n\n{FERRY}", "dossier/moteur.docx": word(),
        "dossier/dedans.zip": inner, "vide.txt": "", "logo.png": b"\x89PNG",
        "__MACOSX/bac.txt": "x", ".cache.txt": "x", "casse.pdf": b"%PDF",
        "rangs.jsonl": json.dumps({"title": "Rang", "text": MOTOR}) + "\n{",
        "../../evade.txt": f"Titre : Le tarif\n\n{PRICE}",
    }  # fmt: skip
    made, failed = read("tout.zip", packed(files))
    assert {a.source.title for a in made} == {
        "Le bac", "Le bac de Lérins repart", "Le prix", "Rang", "Le tarif",
    }  # fmt: skip
    assert len({a.id for a in made}) == 5
    assert {f.name for f in failed} == {
        "tout.zip (vide.txt)", "tout.zip (casse.pdf)", "tout.zip (rangs.jsonl)#2",
    }  # fmt: skip


def test_an_article_of_an_archive_keeps_its_id_when_others_come() -> None:
    before = one("tout.zip", packed({"bac.txt": f"Titre : Le bac\n\n{FERRY}"}))
    made, _ = read(
        "tout.zip",
        packed({"a.txt": f"Titre : A\n\n{PRICE}", "bac.txt": f"Titre : Le bac\n\n{FERRY}"}),
    )
    assert before.id in {a.id for a in made}


def test_bombs_are_told_by_what_they_unpack_to() -> None:
    nested = packed({"x.txt": FERRY})
    for _ in range(3):
        nested = packed({"z.zip": nested})
    made, (failure,) = read("poupees.zip", nested)
    assert not made
    assert "dépliez-la" in failure.reason
    big = packed({"gros.txt": b"a " * 30_000_000})
    assert len(big) < 1_000_000
    made, (failure,) = read("gros.zip", big)
    assert "se déplie" in failure.reason
    with pytest.raises(ReadError, match="se déplie"):
        read("gros.odt", packed({"content.xml": b" " * 200_000_000}))
    many = packed({f"{n}.txt": "x" for n in range(10_001)})
    with pytest.raises(ReadError, match="10000 fichiers"):
        read("mille.zip", many)


def test_a_missing_library_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for module, name, data in (("pypdf", "x.pdf", pdf(PDF_PAGES)), ("docx", "x.docx", word())):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ReadError, match="pas installé"):
            read(name, data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bac.pdf").write_bytes(pdf(PDF_PAGES))
    (tmp_path / "bac.docx").write_bytes(word())
    (tmp_path / "abime.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "lettre.eml").write_bytes(letter("Lettre", FERRY).as_bytes())
    (tmp_path / "depeche.xml").write_text(NITF, "utf-8")
    return tmp_path


def test_in_the_workers_one_bad_file_is_one_failure(folder: Path) -> None:
    reading = Reading.of(read_files(sorted(folder.iterdir())))
    assert len(reading.articles) == 4
    assert [Path(f.name).name for f in reading.failures] == ["abime.pdf"]
