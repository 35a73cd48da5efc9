"""What is quoted: of an article that readers pay for, of a forged state, of an erased article."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from bench.attack import corpus
from bench.attack.stage import TOKEN, Answer, App, Attempt, Stage, new_session, strings, together

_MOST = 330  # characters of a paid article in one reply: `paid_characters` is 300
_BLOCK = 25  # characters in a row that are no chance
_FOLD = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " ", "\n": " ", "“": '"', "”": '"'})
_FORGED = ("Affirmation forgée par le banc", "raison forgée par le banc", "citation forgée du banc")
_FORMS = ("json", "md", "html", "csv", "jsonld")
_RPC = {"Accept": "application/json, text/event-stream"}
_STREAM = {"Accept": "text/event-stream"}


class Paid:
    """The text that readers pay for, and how much of it a reply has."""

    def __init__(self, app: App) -> None:
        listed = json.loads(app.request("GET", "/api/v1/articles?limit=200").text)["articles"]
        self.id = next(a.get("article_id") or a["id"] for a in listed if a["paywalled"])
        whole = app.request("GET", f"/api/v1/articles/{self.id}", token=TOKEN).text
        # The longest string of what a keeper reads is the text.
        self.text = max(strings(whole), key=len)
        self._folded = self.text.translate(_FOLD)
        self._at: dict[str, int] = {}
        for start in range(len(self._folded) - _BLOCK + 1):
            self._at.setdefault(self._folded[start : start + _BLOCK], start)

    def shown(self, reply: str, asked: str) -> int:
        """Return how many characters of the text are in a reply and not in what was asked."""
        seen: set[int] = set()
        for text in strings(reply):
            seen |= self._covered(text)
        return len(seen - self._covered(asked))

    def _covered(self, text: str) -> set[int]:
        folded, found = text.translate(_FOLD), set[int]()
        for at in range(len(folded) - _BLOCK + 1):
            if (start := self._at.get(folded[at : at + _BLOCK])) is not None:
                found.update(range(start, start + _BLOCK))
        return found


def paid(stage: Stage) -> Iterator[Attempt]:
    """Gather the text of a paid article from each way to quote it."""
    app = stage.main
    text = Paid(app)
    yield Attempt(
        "paid",
        "the article is there, and long",
        len(text.text) > 5000,
        f"{len(text.text)} characters",
    )
    for name, asked, got in _replies(app, text, fast=stage.fast):
        count = text.shown(got.text, asked)
        held = count <= _MOST and 0 < got.status < 500
        yield Attempt("paid", name, held, f"{got.status}, {count} characters of {len(text.text)}")


def _questions() -> list[str]:
    sentences = corpus.paid_sentences()
    return [
        corpus.PAID_TITLE,
        "Combien la commune de Valbrune a-t-elle reçu de la région ?",
        "Que s'est-il passé dans l'affaire des fonds de la région ?",
        "Fais-moi le récit complet de l'enquête sur les fonds de la région",
        sentences[0],
        " ".join(sentences[4:7]),
    ]


def _texts(*, fast: bool) -> dict[str, str]:
    """Return texts whose claims are near to sentences of the article."""
    every = corpus.paid_sentences()
    some = every[::4]
    contrary = (
        _short(s).replace(" a ", " n'a pas ").replace(" sont ", " ne sont pas ") for s in some
    )
    made = {
        "its title": corpus.PAID_TITLE + ".",
        "one sentence": every[0],
        "paraphrases": "\n".join(map(_short, some)),
        "beginnings": "\n".join(" ".join(s.split()[:9]) + "." for s in some),
        "ends": "\n".join("On sait que " + " ".join(s.split()[-8:]) for s in some),
        "the contrary": "\n".join(contrary),
    }
    return {name: made[name] for name in list(made)[: 3 if fast else None]}


def _short(sentence: str) -> str:
    """Return a sentence without every fourth word: less than what is quoted of it."""
    words = sentence.rstrip(".").split()
    return " ".join(w for at, w in enumerate(words) if at % 4 != 3) + "."


def _replies(app: App, text: Paid, *, fast: bool) -> Iterator[tuple[str, str, Answer]]:
    """Yield each way to be quoted something: its name, what was asked, the reply."""
    for number, question in enumerate(_questions()[: 4 if fast else None]):
        body: dict[str, Any] = {"question": question}
        for path in ("/api/v1/ask", "/api/v1/search"):
            asked = body | ({"limit": 100} if path.endswith("search") else {})
            yield f"{path}, question {number}", question, app.request("POST", path, json=asked)
        got = app.request("POST", "/api/v1/ask", json=body, headers=_STREAM)
        yield f"/api/v1/ask as a stream, question {number}", question, got
        for stream in (False, True):
            chat = {"messages": [{"role": "user", "content": question}], "stream": stream}
            got = app.request("POST", "/v1/chat/completions", json=chat)
            yield f"/v1/chat/completions, stream {stream}, question {number}", question, got
        for tool, argument in (("ask", "question"), ("search", "query")):
            got = _tool(app, tool, {argument: question})
            yield f"/mcp {tool}, question {number}", question, got
        got = app.chat("ask", [question, None, "", [], [], [], "", "", ""])
        yield f"the chat, question {number}", question, got
    for name, claims in _texts(fast=fast).items():
        body = {"text": claims}
        got = app.request("POST", "/api/v1/verify", json=body, seconds=40)
        yield f"/api/v1/verify, {name}", claims, got
        got = app.request("POST", "/api/v1/verify", json=body, headers=_STREAM, seconds=40)
        yield f"/api/v1/verify as a stream, {name}", claims, got
        yield f"/mcp verify, {name}", claims, _tool(app, "verify", {"text": claims})
        yield f"the Vérifier tab, {name}", claims, app.chat("check", [claims], seconds=40)
    for path in ("", "/history", "/copies", "?whole=true"):
        got = app.request("GET", f"/api/v1/articles/{text.id}{path}")
        yield f"GET /api/v1/articles/ID{path}", "", got
    for span in ("", "#0-9999", "#300-6000", "#-1-9999", "#6000-1"):
        yield f"/mcp fetch ID{span}", "", _tool(app, "fetch", {"id": text.id + span})


def _tool(app: App, name: str, arguments: dict[str, Any], visitor: str = "") -> Answer:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": name, "arguments": arguments}}  # fmt: skip
    return app.request("POST", "/mcp", json=call, headers=_RPC, visitor=visitor, seconds=40)


def handed_back(stage: Stage) -> Iterator[Attempt]:
    """Hand back a state that the app did not make."""
    app = stage.main
    text = Paid(app)
    real = _kept(
        app.chat("check", ["La commune de Valbrune a reçu 312 000 euros pour refaire la toiture."])
    )
    yield Attempt(
        "handed back", "a verification is kept", real is not None, f"{type(real).__name__}"
    )
    states = {f"forged, {name}": state for name, state in _forged(text).items()}
    states |= {f"a real one, {name}": state for name, state in _changed(real).items()}
    events: dict[str, list[Any]] = {
        "evidence": [{"claim": 0, "evidence": 0}],
        "exports": [{"export": form} for form in _FORMS],
        "decisions": [{"claim": 0, "note": "n"}, {"claim": 0, "decision": "accepted"}],
    }
    for name, state in states.items():
        for what, tried in events.items():
            got = [app.chat("act", [state], event=event) for event in tried]
            parts = [_rendered(text, str(e), g) for e, g in zip(tried, got, strict=True)]
            yield together("handed back", f"{what} of {name}", parts)
        yield _rendered(text, f"restore {name}", app.chat("restore", [state]))
    conversation = [{"question": "x", "statements": [], "text": text.id}]
    for event in ({"turn": 0, "number": 1}, {"turn": -1, "near": 0}, {"turn": 0, "near": -1}):
        opened = app.chat("open", [conversation], event=event)
        yield _rendered(text, f"a conversation handed in, {event}", opened)


def _rendered(text: Paid, name: str, got: Answer) -> Attempt:
    count = text.shown(got.text, "")
    shown = [s for s in strings(got.text) if any(f in s for f in _FORGED)]
    detail = f"{got.status}, {count} characters"
    if shown:
        detail += ", the forged words are shown"
    held = count <= _MOST and not shown and 0 < got.status < 500
    return Attempt("handed back", name, held, detail)


def _forged(text: Paid) -> dict[str, Any]:
    """Return verifications of our own making, which cite the paid article."""
    source = {"title": "t", "name": "n", "author": "", "published": "2024-03-01",
              "url": "https://a.example/", "section": "", "correction": False, "modified": None,
              "deduced": False, "paywalled": True}  # fmt: skip
    made: dict[str, Any] = {}
    # What stands before an offset below 0 is the end of the text: a full stop there is the quote.
    spans = {
        "the whole": (0, len(text.text), _FORGED[2]),
        "from -1": (-1, len(text.text), "."),
        "from -1, past the end": (-1, 10**9, "."),
        "from far below": (-(10**9), 10**9, _FORGED[2]),
        "said to be free": (0, len(text.text), _FORGED[2]),
        "backwards": (len(text.text), 0, ""),
    }
    for name, (start, end, quote) in spans.items():
        mine = source | ({"paywalled": False} if name == "said to be free" else {})
        cited = {
            "article_id": text.id,
            "source": mine,
            "start": start,
            "end": end,
            "quote": quote,
            "page": "",
        }
        proof = {"citation": cited, "stance": "supports", "probability": 0.99, "coverage": 1.0,
                 "attribution": {"kind": "fait rapporté par la rédaction", "speaker": "", "marker": ""},
                 "own": 1.0, "predicate": True, "before": "", "after": "", "signals": [], "also": []}  # fmt: skip
        claim = {"text": _FORGED[0], "verdict": "Soutenu", "reason": _FORGED[1], "confidence": "élevée",
                 "sources": 3, "oldest": "2024-03-01", "newest": "2024-03-01", "evidence": [proof],
                 "review": {"decision": "", "verdict": None, "note": ""}}  # fmt: skip
        made[name] = {"claims": [claim], "checked_on": "2024-03-01T10:00:00+00:00", "engine": "e",
                      "embedding": "e", "corpus": "c", "articles": 1, "version": "1"}  # fmt: skip
    return made


def _changed(real: Any) -> dict[str, Any]:
    """Return what the app had the browser keep, with changes."""
    if isinstance(real, str):
        flipped = ("A" if real[:1] != "A" else "B") + real[1:]
        return {"a letter changed": flipped, "cut": real[: len(real) // 2], "grown": real + real}
    made: dict[str, Any] = {}
    for name, start, end, quote in (
        ("all of the text", 0, 10**6, _FORGED[2]),
        ("from -1", -1, 10**6, "."),
    ):
        changes = {"start": start, "end": end, "quote": quote, "paywalled": False, "text": _FORGED[0],
                   "reason": _FORGED[1], "verdict": "Contredit"}  # fmt: skip
        made[name] = _with(deepcopy(real), changes)
    made["only its reason"] = _with(deepcopy(real), {"reason": _FORGED[1]})
    return made


def _with(value: Any, changes: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {k: changes.get(k, _with(v, changes)) for k, v in value.items()}
    return [_with(v, changes) for v in value] if isinstance(value, list) else value


def _kept(got: Answer) -> Any:
    """Return what a function of the tab had the browser keep: the last value that is no HTML."""
    kept: Any = None
    for line in got.text.splitlines():
        if not line.startswith("data:"):
            continue
        output = (json.loads(line[5:]).get("output") or {}).get("data") or []
        value = output[1] if len(output) > 1 else None
        if isinstance(value, list) and value and isinstance(value[0], list):  # a difference
            whole = [op[2] for op in value if op[0] in {"replace", "add"} and not op[1]]
            value = whole[0] if whole else None
        if value and not (isinstance(value, dict) and value.get("__type__")):
            kept = value
    return kept


def erasure(stage: Stage) -> Iterator[Attempt]:
    """Quote an article, remove it, and look for the quote where it was shown."""
    app = stage.main
    for number, name in enumerate(("Zéphyrin", "Quillebourg")):
        quote = (f"Le moulin de {name} a brûlé dans la nuit du 2 au 3 mai, et douze pompiers "
                 f"ont sauvé la grange voisine")  # fmt: skip
        body = {"title": f"Incendie au moulin de {name}", "text": quote + ".", "source": "Le Courrier",
                "published": "2024-05-03"}  # fmt: skip
        put = app.request(
            "PUT", f"/api/v1/articles/moulin-{number}", json=body, token=TOKEN, seconds=30
        )
        session, question = new_session(), f"Qu'est-il arrivé au moulin de {name} ?"
        first = app.chat("ask", [question, None, "", [], [], [], "", "", ""], session=session)
        tab = app.chat("check", [f"Le moulin de {name} a brûlé dans la nuit du 2 au 3 mai."])
        kept = _kept(tab)
        ready = _has(first, quote) and put.status < 300
        yield Attempt("erasure", f"{name}: quoted before", ready, f"{put.status}, {first.status}")
        yield Attempt("erasure", f"{name}: quoted by the tab", _has(tab, quote), f"{tab.status}")
        gone = app.request("DELETE", f"/api/v1/articles/moulin-{number}", token=TOKEN)
        yield Attempt("erasure", f"{name}: removed", gone.status == 204, gone.brief)
        past = [{"question": question, "answer": "Il a brûlé."}]
        later = {
            "the session asks something else": app.chat(
                "ask", ["Quand rouvre la halle ?", None, "", [], [], [], "", "", ""], session=session),
            "the session opens the citation": app.chat(
                "open", [None], session=session, event={"turn": 0, "number": 1}),
            "the session asks again": app.chat("ask", [question, None, "", [], [], [], "", "", ""], session=session),
            "another session asks": app.chat("ask", [question, None, "", [], [], [], "", "", ""]),
            "the API asks": app.request("POST", "/api/v1/ask", json={"question": question, "history": past}),
            "the API searches": app.request("POST", "/api/v1/search", json={"question": question}),
            "the API reads it": app.request("GET", f"/api/v1/articles/moulin-{number}"),
            "the API reads its past": app.request("GET", f"/api/v1/articles/moulin-{number}/history"),
            "the browser hands its verification back": app.chat("restore", [kept]),
            "the browser opens the evidence": app.chat("act", [kept], event={"claim": 0, "evidence": 0}),
        } | {
            f"the browser exports {form}": app.chat("act", [kept], event={"export": form})
            for form in _FORMS
        }  # fmt: skip
        for what, got in later.items():
            shown = _has(got, quote)
            detail = f"{got.status}, {'the erased quote' if shown else 'no quote'}"
            yield Attempt("erasure", f"{name}: {what}", not shown and got.status > 0, detail)


def _has(got: Answer, quote: str) -> bool:
    wanted = quote[-60:].translate(_FOLD)
    return any(wanted in text.translate(_FOLD) for text in strings(got.text))
