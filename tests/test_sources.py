"""Sources of the web, kept in step: a small newspaper over real HTTP, a real index."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import pytest

from rag import messages
from rag.assistant import LocalAssistant
from rag.domain import IngestReport, SourceState
from rag.readers import Bounds
from rag.settings import load_settings
from rag.sources.memory import Memory
from rag.sources.watch import Watch, silence
from rag.sources.web import CrawlPolicy, Web
from tests.newspaper import Newspaper, Story, loopback, slow_answer, story

POLICY = CrawlPolicy(interval=0, seconds=5, bounds=Bounds(seconds=10), allowed=loopback)


@pytest.fixture
def paper() -> Iterator[Newspaper]:
    made = Newspaper()
    made.publish(*(story(number) for number in range(8)))
    with made.serving():
        yield made


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    yield made
    made.close()


def web(assistant: LocalAssistant, policy: CrawlPolicy = POLICY) -> Web:
    return Web(assistant, assistant.memory, policy)


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return len(report.new), len(report.updated), len(report.failed), len(report.withdrawn)


def texts_of(assistant: LocalAssistant) -> dict[str, str]:
    """Return the text of each article that may answer, by title."""
    records = [r for r in assistant.index.records() if r.withdrawn is None]
    return {r.source.title: assistant.article(r.id).text for r in records}


def published(paper: Newspaper) -> dict[str, str]:
    return {s.title: s.text for s in paper.listed}


def says_what_is_published(assistant: LocalAssistant, paper: Newspaper) -> bool:
    held = texts_of(assistant)
    return held.keys() == published(paper).keys() and all(
        line in held[title] for title, text in published(paper).items() for line in text.split("\n")
    )


@pytest.mark.parametrize("place", ["/sitemap.xml", "/feed.xml", "/feed.json", "/atom.xml", "/"])
def test_each_kind_of_list_brings_its_articles(
    assistant: LocalAssistant, paper: Newspaper, place: str
) -> None:
    report = web(assistant).sync(paper.url + place)
    assert counts(report) == (8, 0, 0, 0)
    assert says_what_is_published(assistant, paper)


def test_the_second_reading_asks_for_little_and_embeds_nothing(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    following = web(assistant)
    following.sync(paper.url + "/sitemap.xml")
    asked = len(paper.asked)
    assert counts(following.sync(paper.url + "/sitemap.xml")) == (0, 0, 0, 0)
    paths = [path for path, _ in paper.asked[asked:]]
    assert paths == ["/robots.txt", "/.well-known/tdmrep.json", "/sitemap.xml"]
    # A list that has changed names pages that have not: those are not asked for again.
    paper.publish(story(20))
    assert counts(following.sync(paper.url + "/sitemap.xml")) == (1, 0, 0, 0)
    assert paper.asked_for("/a/kerguen-4") == 1


def test_a_feed_that_dates_no_change_asks_its_pages_whether_they_changed(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    following = web(assistant)
    following.sync(paper.url + "/feed.xml")
    paper.publish(story(4, amount=777_000))
    report = following.sync(paper.url + "/feed.xml")
    assert counts(report) == (0, 1, 0, 0)
    assert len(report.unchanged) == 7
    assert all(tag for path, tag in paper.asked[-8:] if path.startswith("/a/"))
    assert says_what_is_published(assistant, paper)


def test_an_article_in_two_lists_and_at_two_addresses_is_one(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    following = web(assistant)
    twin = story(4)
    twin.slug, twin.canonical = "copie-du-4", f"{paper.url}/a/kerguen-4"
    paper.publish(twin)
    assert len(following.sync(paper.url + "/sitemap.xml").new) == 8
    assert counts(following.sync(paper.url + "/feed.xml")) == (0, 0, 0, 0)
    assert assistant.index.articles() == 8


def test_the_copy_may_come_first(assistant: LocalAssistant, paper: Newspaper) -> None:
    twin = story(4)
    twin.slug, twin.canonical = "copie-du-4", f"{paper.url}/a/kerguen-4"
    paper.stories = {"copie-du-4": twin, **paper.stories}
    following = web(assistant)
    assert len(following.sync(paper.url + "/sitemap.xml").new) == 8
    assert counts(following.sync(paper.url + "/feed.xml")) == (0, 0, 0, 0)


@pytest.mark.parametrize("place", ["", "/", "/a/kerguen-4"])
def test_one_address_written_into_all_pages_makes_them_no_single_article(
    assistant: LocalAssistant, paper: Newspaper, place: str
) -> None:
    for each in paper.stories.values():
        each.canonical = paper.url + place
    following = web(assistant)
    assert len(following.sync(paper.url + "/feed.xml").new) == 8
    assert says_what_is_published(assistant, paper)
    assert len(following.sync(paper.url + "/sitemap.xml").unchanged) == 8
    assert assistant.index.articles() == 8


def test_an_article_that_moves_stays_one(assistant: LocalAssistant, paper: Newspaper) -> None:
    following = web(assistant)
    following.sync(paper.url + "/feed.xml")
    moved = paper.stories.pop("kerguen-4")
    moved.slug = "kerguen-4-bis"
    paper.publish(moved)
    for path in ("/a/kerguen-4", "/a/kerguen-4?utm_source=rss"):
        paper.hooks[path] = _answering(301, "Location", "/a/kerguen-4-bis")
    following.sync(paper.url + "/a/kerguen-4")
    following.sync(paper.url + "/feed.xml")
    assert assistant.index.articles() == 8
    assert says_what_is_published(assistant, paper)


@pytest.mark.parametrize("where", ["/", "/a/login"])
def test_a_page_that_leads_elsewhere_is_missing_not_changed(
    assistant: LocalAssistant, paper: Newspaper, where: str
) -> None:
    following = web(assistant)
    following.sync(paper.url + "/feed.xml")
    paper.stories["login"] = Story("login", "Connexion", "Connectez-vous pour lire la suite ici.")
    paper.stories["login"].status = 200
    paper.hooks["/a/kerguen-4"] = _answering(302, "Location", where)
    (failure,) = following.sync(paper.url + "/a/kerguen-4").failed
    assert "autre page" in failure.reason
    assert story(4).text.split("\n")[1] in texts_of(assistant)[story(4).title]
    assert counts(following.sync(paper.url + "/a/kerguen-4"))[3] == 1


def test_a_page_cannot_take_the_place_of_another_site_s_article(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    other = Newspaper()
    with other.serving():
        other.publish(story(4))
        following = web(assistant)
        following.sync(f"{other.url}/a/kerguen-4")
        thief = story(5)
        thief.canonical = f"{other.url}/a/kerguen-4"
        paper.publish(thief)
        following.sync(f"{paper.url}/a/{thief.slug}")
        assert assistant.index.articles() == 2
        assert story(4).text.split("\n")[1] in texts_of(assistant)[story(4).title]


def test_what_is_withdrawn_stays_and_answers_nothing(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    following = web(assistant)
    following.sync(paper.url + "/sitemap.xml")
    question = "Combien a coûté le chantier du numéro 4 à Kerguen ?"
    assert "124000 euros" in assistant.ask(question).text
    paper.withdraw("kerguen-4")
    report = following.sync(paper.url + "/sitemap.xml")
    assert counts(report) == (0, 0, 0, 1)
    assert assistant.index.articles() == 8
    assert "124000 euros" not in assistant.ask(question).text
    assert not any(h.passage.article_id in report.withdrawn for h in assistant.search(question, 20))
    (gone,) = (r for r in assistant.index.records() if r.withdrawn)
    assert gone.source.title == story(4).title
    # It comes back as it was.
    paper.stories["kerguen-4"].status = 200
    following.sync(paper.url + "/sitemap.xml")
    assert "124000 euros" in assistant.ask(question).text


def test_a_page_that_is_missing_once_is_not_withdrawn(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    following = web(assistant)
    following.sync(paper.url + "/feed.xml")
    paper.hooks["/a/kerguen-4?utm_source=rss"] = _answering(404)
    paper.hooks["/a/kerguen-4"] = _answering(404)
    assert counts(following.sync(paper.url + "/feed.xml")) == (0, 0, 1, 0)
    assert counts(following.sync(paper.url + "/feed.xml")) == (0, 0, 0, 1)
    del paper.hooks["/a/kerguen-4"]
    following.sync(paper.url + "/feed.xml")
    assert says_what_is_published(assistant, paper)


def test_what_was_removed_on_purpose_does_not_come_back_by_itself(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    following = web(assistant)
    following.sync(paper.url + "/feed.xml")
    (gone,) = (r.id for r in assistant.index.records() if r.source.title == story(4).title)
    assert assistant.remove([gone]) == [gone]
    following.sync(paper.url + "/feed.xml")
    following.sync(paper.url + "/sitemap.xml")
    assert assistant.index.articles() == 7
    # Asked for by its address it stays away too, and that is said; until somebody takes it back.
    report = following.sync(paper.url + "/a/kerguen-4")
    assert (report.new, len(report.barred)) == ((), 1)
    assert following.sync(paper.url + "/a/kerguen-4", readmit=True).new == (gone,)


def test_robots_are_obeyed_but_where_the_site_is_one_s_own(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    paper.robots = "User-agent: *\nDisallow: /a/kerguen-4\n"
    report = web(assistant).sync(paper.url + "/sitemap.xml")
    assert len(report.new) == 7
    (failure,) = report.failed
    assert "robots.txt" in failure.reason
    assert not paper.asked_for("/a/kerguen-4")
    own = CrawlPolicy(0, ("127.0.0.1",), seconds=5, allowed=loopback)
    assert len(web(assistant, own).sync(paper.url + "/sitemap.xml").new) == 1


def test_a_newsroom_s_own_network_is_followed_where_it_is_named(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    refused = web(assistant, CrawlPolicy(0, seconds=5)).sync(paper.url + "/feed.xml")
    (failure,) = refused.failed
    assert "RECOUPE_OWN_HOSTS" in failure.reason
    assert "robots" not in failure.reason
    own = CrawlPolicy(0, ("127.0.0.1",), seconds=5)
    assert len(web(assistant, own).sync(paper.url + "/feed.xml").new) == 8
    # A name under one that is named is somebody else's to point.
    under = Web(
        assistant, Memory(assistant.settings.index_dir), CrawlPolicy(0, ("0.0.1",), seconds=5)
    )
    assert under.sync(paper.url + "/feed.xml").failed


def test_a_reservation_of_mining_is_obeyed(assistant: LocalAssistant, paper: Newspaper) -> None:
    def tdmrep(handler: BaseHTTPRequestHandler) -> None:
        body = b'[{"location": "/a/kerguen*", "tdm-reservation": 1}]'
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(body)

    def header(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("TDM-Reservation", "1")
        handler.end_headers()
        handler.wfile.write(story(3).page(paper.url))

    paper.hooks |= {"/.well-known/tdmrep.json": tdmrep, "/a/sarrelle-3": header}
    report = web(assistant).sync(paper.url + "/sitemap.xml")
    assert len(report.new) == 6
    assert [f.reason for f in report.failed] == [messages.RESERVED] * 2


def test_what_is_reserved_later_answers_no_more(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    place = paper.url + "/sitemap.xml"
    assert counts(web(assistant).sync(place)) == (8, 0, 0, 0)
    reserved = _answering(200, "TDM-Reservation", "1", story(3).page(paper.url))
    paper.hooks["/a/sarrelle-3"] = reserved
    paper.stories["sarrelle-3"].changed = "2024-05-09T08:00:00+00:00"
    report = web(assistant).sync(place)
    assert counts(report) == (0, 0, 1, 1)
    assert report.failed[0].reason == messages.RESERVED
    assert len(texts_of(assistant)) == 7
    # And again once it is free.
    del paper.hooks["/a/sarrelle-3"]
    web(assistant).sync(place)
    assert says_what_is_published(assistant, paper)


SECTION = """<html><head><meta property="og:type" content="website"><title>Littoral</title></head>
<body><nav><a href="/">Une</a></nav><main><h1>Littoral</h1><ul>{}</ul></main></body></html>"""


def test_a_page_that_lists_others_is_no_article(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    items = "".join(
        f'<li><a href="/a/{n}">{story(n).title}, après des semaines de travaux payés par la mairie'
        "</a> Littoral</li>"
        for n in range(30)
    )
    paper.hooks["/rub/littoral"] = _answering(
        200, "Content-Type", "text/html", SECTION.format(items).encode()
    )
    report = web(assistant).sync(paper.url + "/rub/littoral")
    assert counts(report) == (0, 0, 1, 0)
    assert "page de rubrique" in report.failed[0].reason
    # An article stays one, whatever its page says of itself.
    prose = f"<p>{story(1).text}</p><p>{story(2).text}</p>"
    paper.hooks["/a/site"] = _answering(
        200, "Content-Type", "text/html", SECTION.format(prose).encode()
    )
    assert counts(web(assistant).sync(paper.url + "/a/site")) == (1, 0, 0, 0)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_robots_file_that_cannot_be_had_forbids(
    assistant: LocalAssistant, paper: Newspaper, status: int
) -> None:
    paper.hooks["/robots.txt"] = _answering(status)
    report = web(assistant).sync(paper.url + "/feed.xml")
    assert counts(report) == (0, 0, 1, 0)
    assert "robots.txt" in report.failed[0].reason


def test_what_was_fetched_before_a_stop_is_indexed(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    served: list[str] = []

    def rationed(slug: str) -> Callable[[BaseHTTPRequestHandler], None]:
        def hook(handler: BaseHTTPRequestHandler) -> None:
            if len(served) >= 3:
                _answering(429)(handler)
                return
            served.append(slug)
            _sending("text/html", paper.stories[slug].page(paper.url))(handler)

        return hook

    for slug in paper.stories:
        paper.hooks[f"/a/{quote(slug)}"] = rationed(slug)
    following = web(assistant)
    for turn in range(1, 4):
        served.clear()
        following.sync(paper.url + "/sitemap.xml")
        assert assistant.index.articles() == min(8, 3 * turn)


def test_what_moved_and_was_removed_can_be_asked_for(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    following = web(assistant)
    following.sync(paper.url + "/feed.xml")
    moved = paper.stories.pop("kerguen-4")
    moved.slug = "kerguen-4-bis"
    paper.publish(moved)
    paper.hooks["/a/kerguen-4"] = _answering(301, "Location", "/a/kerguen-4-bis")
    following.sync(paper.url + "/a/kerguen-4")
    (gone,) = (r.id for r in assistant.index.records() if r.source.title == moved.title)
    assistant.remove([gone])
    following.sync(paper.url + "/feed.xml")
    assert assistant.index.articles() == 7
    assert len(following.sync(paper.url + "/a/kerguen-4", readmit=True).new) == 1


def test_a_feed_that_holds_pages_is_a_feed(assistant: LocalAssistant, paper: Newspaper) -> None:
    item = f"<item><link>{paper.url}/a/kerguen-4</link><description><![CDATA[<html><body>x</body></html>]]></description></item>"
    rss = f'<?xml version="1.0"?>\n<!-- x -->\n<rss version="2.0"><channel>{item}</channel></rss>'
    paper.hooks["/cdata.xml"] = _sending("text/html", rss.encode())
    assert len(web(assistant).sync(paper.url + "/cdata.xml").new) == 1


@pytest.mark.parametrize("kind", ["application/x-robots", "text/html", ""])
def test_robots_of_any_type_and_length_are_obeyed(
    assistant: LocalAssistant, paper: Newspaper, kind: str
) -> None:
    rules = b"User-agent: *\nDisallow: /a/\n" + b"# rien\n" * 120_000
    paper.hooks["/robots.txt"] = _sending(kind, rules)
    report = web(assistant).sync(paper.url + "/feed.xml")
    assert len(report.failed) == 8
    assert not any(path.startswith("/a/") for path, _ in paper.asked)


def test_robots_that_do_not_come_forbid(assistant: LocalAssistant, paper: Newspaper) -> None:
    paper.hooks["/robots.txt"] = slow_answer(3)
    hasty = CrawlPolicy(0, seconds=0.5, bounds=Bounds(seconds=10), allowed=loopback)
    report = web(assistant, hasty).sync(paper.url + "/feed.xml")
    assert counts(report) == (0, 0, 1, 0)
    assert "robots.txt" in report.failed[0].reason


def test_a_redirect_is_asked_of_the_rules_too(assistant: LocalAssistant, paper: Newspaper) -> None:
    paper.robots = "User-agent: *\nDisallow: /a/kerguen-4\n"
    paper.hooks["/va"] = _answering(302, "Location", "/a/kerguen-4")
    paper.hooks["/tourne"] = _answering(302, "Location", "/tourne")
    (failure,) = web(assistant).sync(paper.url + "/va").failed
    assert "robots.txt" in failure.reason
    assert not paper.asked_for("/a/kerguen-4")
    (failure,) = web(assistant).sync(paper.url + "/tourne").failed
    assert "redirections" in failure.reason


def test_pages_known_by_a_query_are_pages(assistant: LocalAssistant, paper: Newspaper) -> None:
    links = "".join(f"<item><link>{paper.url}/?p={n}</link></item>" for n in (60, 61))
    rss = f'<rss version="2.0"><channel><title>x</title>{links}</channel></rss>'
    paper.hooks["/rss"] = _sending("application/rss+xml", rss.encode())
    for number in (60, 61):
        each = story(number)
        each.canonical = f"{paper.url}/?p={number}"
        paper.hooks[f"/?p={number}"] = _sending("text/html", each.page(paper.url))
    report = web(assistant).sync(paper.url + "/rss")
    assert counts(report) == (2, 0, 0, 0)


def test_a_sitemap_is_told_by_what_it_holds(assistant: LocalAssistant, paper: Newspaper) -> None:
    body = paper.answer("/sitemap.xml")[2]
    head, _, rest = body.partition(b"<urlset")
    comment = head + b"<!-- " + b"x" * 4000 + b" --><urlset" + rest
    prefixed = (
        f'<sm:urlset xmlns:sm="http://www.google.com/schemas/sitemap/0.84"><sm:url><sm:loc>'
        f"{paper.url}/a/kerguen-4</sm:loc></sm:url></sm:urlset>"
    )
    for path, kind, content, count in (
        ("/plan.xml.gz", "application/octet-stream", gzip.compress(body), 8),
        ("/commente.xml", "text/xml", comment, 8),
        ("/prefixe.xml", "text/xml", prefixed.encode(), 1),
    ):
        paper.hooks[path] = _sending(kind, content)
        report = web(assistant).sync(paper.url + path)
        assert not report.failed, path
        assert len(report.new) + len(report.unchanged) == count, path


def test_a_day_of_change_that_is_not_over_says_nothing_yet(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    today = datetime.now(UTC).date().isoformat()
    for each in paper.stories.values():
        each.changed = today
    following = web(assistant)
    following.sync(paper.url + "/sitemap.xml")
    paper.publish(story(4, amount=555_000, changed=today))
    assert len(following.sync(paper.url + "/sitemap.xml").updated) == 1
    for each in paper.stories.values():
        each.changed = "2024-05-07"
    following.sync(paper.url + "/sitemap.xml")
    asked = paper.asked_for("/a/kerguen-4")
    following.sync(paper.url + "/sitemap.xml")
    assert paper.asked_for("/a/kerguen-4") == asked


def test_misses_count_in_a_row(assistant: LocalAssistant, paper: Newspaper) -> None:
    following = web(assistant)
    following.sync(paper.url + "/feed.xml")
    for status in (404, 500, 404):
        paper.hooks["/a/kerguen-4"] = _answering(status)
        assert counts(following.sync(paper.url + "/feed.xml")) == (0, 0, 1, 0)
    assert counts(following.sync(paper.url + "/feed.xml")) == (0, 0, 0, 1)


def test_every_page_that_left_a_list_is_looked_at_in_time(
    assistant: LocalAssistant, paper: Newspaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.sources.web._MOST_GONE", 2)
    following = web(assistant)
    following.sync(paper.url + "/sitemap.xml")
    slugs = list(paper.stories)[:5]
    left = [paper.stories.pop(slug) for slug in slugs]
    for at, each in enumerate(left):  # three are still there, unlisted; two are gone
        path = f"/a/{quote(each.slug)}"
        alive = _sending("text/html", each.page(paper.url))
        paper.hooks[path] = alive if at < 3 else _answering(410)
    for turn in range(3):
        paper.publish(story(40 + turn))
        following.sync(paper.url + "/sitemap.xml")
    gone = {r.source.title for r in assistant.index.records() if r.withdrawn}
    assert gone == {each.title for each in left[3:]}


def test_a_server_that_asks_to_wait_is_waited_for(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    asked: list[float] = []

    def busy(handler: BaseHTTPRequestHandler) -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            del paper.hooks["/a/kerguen-4"]
        handler.send_response(429)
        handler.send_header("Retry-After", "1")
        handler.end_headers()

    paper.hooks["/a/kerguen-4"] = busy
    report = web(assistant).sync(paper.url + "/sitemap.xml")
    assert counts(report) == (8, 0, 0, 0)
    assert asked[1] - asked[0] >= 1


def test_a_server_that_is_too_busy_is_left_and_gone_on_with(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    paper.hooks["/a/kerguen-4"] = _answering(429, "Retry-After", "86400")
    following = web(assistant)
    report = following.sync(paper.url + "/sitemap.xml")
    assert "attendre 86400\u00a0secondes" in report.failed[-1].reason
    assert assistant.memory.source(paper.url + "/sitemap.xml").problem
    del paper.hooks["/a/kerguen-4"]
    following.sync(paper.url + "/sitemap.xml")
    assert says_what_is_published(assistant, paper)


def test_sitemaps_of_an_index_are_read_and_taken_up_where_they_were_left(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    paper.publish(*(story(number) for number in range(8, 100)))
    paper.split = 25
    following = web(assistant)
    met: list[str] = []

    def page(url: str) -> None:
        met.append(url)
        if len(met) == 60:
            paper.hooks["/sitemap-75.xml"] = _answering(500)
            paper.hooks[f"/a/{quote(list(paper.stories)[70])}"] = _answering(
                429, "Retry-After", "9999"
            )

    following.sync(paper.url + "/sitemap.xml", page)
    assert 40 <= assistant.index.articles() < 100
    paper.hooks.clear()
    before = len(paper.asked)
    report = following.sync(paper.url + "/sitemap.xml")
    assert not report.failed
    assert says_what_is_published(assistant, paper)
    fetched = sum(path.startswith("/a/") for path, _ in paper.asked[before:])
    assert fetched <= 62, "the groups that were taken are not fetched again"


def test_a_list_of_too_much_or_that_is_broken_is_a_failure(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "xxxxxxxxxx">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 if n > 1 else str()};" * 10}">' for n in range(1, 9))
        + f']><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{paper.url}/&a8;</loc></url></urlset>'
    )
    for name, kind, body in (
        ("/bombe.xml", "application/xml", bomb),
        ("/texte.xml", "application/xml", "<a>ni flux ni plan</a>"),
        ("/tronque.json", "application/json", '{"items": ['),
        ("/vide.xml", "application/rss+xml", ""),
        ("/script.xml", "application/rss+xml",
         '<rss version="2.0"><channel><item><link>javascript:alert(1)</link></item>'
         "<item><link>file:///etc/passwd</link></item><item><link>http://10.0.0.1/x</link></item>"
         "</channel></rss>"),
    ):  # fmt: skip
        paper.hooks[name] = _sending(kind, body.encode())
        report = web(assistant).sync(paper.url + name)
        assert not report.new, name
        assert report.failed or name == "/bombe.xml", name
    assert assistant.index.articles() == 0


def test_a_sitemap_of_a_million_addresses_is_bounded(
    assistant: LocalAssistant, paper: Newspaper
) -> None:
    head = b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    row = b"<url><loc>http://127.0.0.1:9/a</loc></url>"
    paper.hooks["/immense.xml"] = _sending("application/xml", head + row * 1_000_000)
    small = CrawlPolicy(0, max_bytes=5_000_000, seconds=10, allowed=loopback)
    report = web(assistant, small).sync(paper.url + "/immense.xml")
    assert "dépasse 5\u00a0Mo" in report.failed[0].reason
    large = CrawlPolicy(0, max_bytes=50_000_000, seconds=20, allowed=loopback)
    report = web(assistant, large).sync(paper.url + "/immense.xml")
    assert any("plus de" in f.reason for f in report.failed)


def test_fifty_changes_are_followed_and_nothing_is_embedded_twice(
    assistant: LocalAssistant, paper: Newspaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[str] = []
    embed = assistant.index.embedder.embed_passages

    def counted(passages):  # type: ignore[no-untyped-def]
        embedded.extend(passages)
        return embed(passages)

    monkeypatch.setattr(assistant.index.embedder, "embed_passages", counted)
    following = web(assistant)
    following.sync(paper.url + "/sitemap.xml")
    for change in range(50):
        if change % 5 == 4:
            paper.withdraw(paper.listed[0].slug, 404 if change % 2 else 410)
        elif change % 5 == 3:
            changed = story(100 + change - 3, amount=1_000_000 + change)
            changed.changed = f"2024-06-01T00:00:{change:02}+00:00"
            paper.publish(changed)
        else:
            paper.publish(story(100 + change))
        following.sync(paper.url + ("/sitemap.xml", "/")[change % 2])
        assert says_what_is_published(assistant, paper), change
    repeated = {p for p in embedded if embedded.count(p) > 1}
    assert not repeated
    assert not assistant.check()


def test_watching_follows_a_feed_and_a_folder(
    assistant: LocalAssistant, paper: Newspaper, tmp_path: Path
) -> None:
    folder = tmp_path / "depeches"
    folder.mkdir()
    (folder / "un.txt").write_text("Le bac de Lérins reprend ses traversées mardi matin.\n")
    settings = load_settings(index_dir=tmp_path / "index", source_minutes=0.01)
    lines: list[str] = []
    watch = Watch(assistant, assistant.memory, settings, [paper.url + "/feed.xml", str(folder)],
                  prune=True, policy=POLICY, tell=lines.append)  # fmt: skip
    watch.start()
    try:
        _until(lambda: assistant.index.articles() == 9)
        paper.publish(story(30))
        (folder / "deux.txt").write_text(
            "La digue de Sarrelle a tenu pendant la tempête de jeudi.\n"
        )
        _until(lambda: assistant.index.articles() == 11)
        (folder / "un.txt").unlink()
        _until(lambda: assistant.index.articles() == 10)
        paper.hooks["/feed.xml"] = _answering(500)
        _until(lambda: bool(assistant.memory.source(paper.url + "/feed.xml").problem))
        paper.hooks.clear()
        _until(lambda: not assistant.memory.source(paper.url + "/feed.xml").problem)
    finally:
        watch.stop()
    assert any("500" in line for line in lines)
    assert all("\n" not in line for line in lines)


def test_a_folder_that_is_not_there_is_waited_for(
    assistant: LocalAssistant, tmp_path: Path
) -> None:
    folder, one = tmp_path / "plus-tard", tmp_path / "seul.txt"
    one.write_text("La digue de Sarrelle a tenu pendant la tempête de jeudi.\n", "utf-8")
    lines: list[str] = []
    settings = load_settings(index_dir=tmp_path / "index")
    watch = Watch(assistant, assistant.memory, settings, [str(folder), str(one)], prune=True,
                  tell=lines.append)  # fmt: skip
    watch.start()
    try:
        _until(lambda: assistant.index.articles() == 1)
        folder.mkdir()
        (folder / "un.txt").write_text("Le bac de Lérins reprend ses traversées mardi.\n", "utf-8")
        _until(lambda: assistant.index.articles() == 2)
        # A folder that goes whole may be unmounted: its articles stay.
        (folder / "un.txt").unlink()
        folder.rmdir()
        _until(lambda: sum("n’est pas là" in line for line in lines) == 2)
        assert assistant.index.articles() == 2
    finally:
        watch.stop()


def test_a_document_has_an_address_too(assistant: LocalAssistant, paper: Newspaper) -> None:
    from tests.test_documents import PDF_PAGES, pdf

    paper.hooks["/compte-rendu.pdf"] = _sending("application/pdf", pdf(PDF_PAGES))
    assert len(web(assistant).sync(paper.url + "/compte-rendu.pdf").new) == 1
    citation = assistant.ask("Combien a coûté la réparation du moteur ?").statements[0].citations[0]
    assert citation.source.url == paper.url + "/compte-rendu.pdf"
    assert citation.page == "2-3"


def test_a_source_that_falls_silent_is_told_in_words() -> None:
    day = 86_400.0
    fine = SourceState("https://x.example/feed", "feed", succeeded=9 * day, fed=9 * day)
    assert not silence(fine, 72, 10 * day)
    quiet = SourceState("https://x.example/feed?key=s", "feed", succeeded=9 * day, fed=5 * day)
    told = silence(quiet, 72, 10 * day)
    assert "n’a rien donné de neuf depuis 5 jours" in told
    assert "key" not in told
    down = SourceState(
        "https://x.example/feed", "feed", succeeded=5 * day, fed=5 * day, problem="x"
    )
    assert "ne se lit plus depuis 5 jours" in silence(down, 72, 10 * day)


def test_two_processes_may_remember_at_once(tmp_path: Path) -> None:
    first, second = Memory(tmp_path), Memory(tmp_path)
    first.keep_source(SourceState("https://a.example/"))
    second.keep_source(SourceState("https://b.example/"))
    assert [s.address for s in first.sources()] == ["https://a.example/", "https://b.example/"]
    assert first.forget_source("https://a.example/")
    assert not second.forget_source("https://a.example/")
    first.close()
    second.close()


def _until(told) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + 60
    while not told():
        assert time.monotonic() < end
        time.sleep(0.05)


def _answering(  # type: ignore[no-untyped-def]
    status: int, name: str = "X-None", value: str = "", body: bytes = b""
):
    def hook(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header(name, value)
        if body and name != "Content-Type":
            handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(body)

    return hook


def _sending(kind: str, body: bytes):  # type: ignore[no-untyped-def]
    def hook(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:  # the reader has had enough
            handler.close_connection = True

    return hook


def test_an_own_host_is_named_with_its_port_or_is_an_ipv6_address() -> None:
    named = load_settings(own_hosts=("Journal.fr:8443", "127.0.0.1", "::1"))
    assert CrawlPolicy.of(named).own == ("journal.fr", "127.0.0.1", "::1")
