"""Who counts as one visitor, and what his refusals, clicks and places cost the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx
import pytest
from mcp import Client
from starlette.testclient import TestClient

from rag.assistant import LocalAssistant
from rag.errors import QuestionError, SettingsError
from rag.settings import load_settings
from rag.web.limits import Rates, TooManyError, subscriber
from tests.test_api import page_config, serving, with_settings

MANY = "100000/minute"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "203.0.113.9", False),
        ("testclient", "garbage1", True),
        ("1.2.3.300", "garbage1", True),
    ],
)
def test_a_subscriber_is_an_address_or_a_64(one: str, other: str, same: bool) -> None:
    assert (subscriber(one) == subscriber(other)) is same


def test_addresses_of_one_64_share_a_rate() -> None:
    rates = Rates(load_settings(rate_client="3/minute"))
    for n in range(3):
        rates.take(f"2001:db8::{n}")
    with pytest.raises(TooManyError):
        rates.take("2001:db8::99")
    rates.take("2001:db8:0:1::1")


def test_pages_are_counted_once_and_clicks_each() -> None:
    rates = Rates(load_settings(rate_sessions="2/minute", rate_events="10/minute"))
    for _ in range(3):
        rates.take_event("192.0.2.1", "s1")
    rates.take_event("192.0.2.1", "s2")
    with pytest.raises(TooManyError):
        rates.take_event("192.0.2.1", "s3")
    rates.take_event("192.0.2.2", "s1")
    for _ in range(5):
        rates.take_event("192.0.2.1", "s1")
    with pytest.raises(TooManyError):
        rates.take_event("192.0.2.1", "s1")


@pytest.mark.parametrize(
    "rate", [f"rate_{n}" for n in "client global claims events sessions".split()]
)
def test_a_rate_that_cannot_be_read_is_told(rate: str) -> None:
    with pytest.raises(SettingsError, match=f"{rate}.*beaucoup"):
        load_settings(**{rate: "beaucoup"})


def test_what_cannot_be_read_costs_its_sender_alone(assistant: LocalAssistant) -> None:
    """Forty malformed bodies of a dozen visitors used to spend the rate of all."""
    served = with_settings(
        assistant, rate_client="10/minute", rate_global="12/minute", trusted_proxies=("127.0.0.1",)
    )
    with serving(served) as url:
        for n in range(40):
            told = {"X-Forwarded-For": f"203.0.113.{n % 12}"}
            for path, body in (("ask", {"q": 1}), ("verify", {}), ("search", [])):
                got = httpx.post(f"{url}/api/v1/{path}", json=body, headers=told)
                assert got.status_code in {422, 429}
        got = httpx.post(
            f"{url}/api/v1/search", json={"question": "La halle"}, timeout=60,
            headers={"X-Forwarded-For": "198.51.100.7"},
        )  # fmt: skip
        assert got.status_code == 200


async def test_each_client_of_mcp_has_its_rates(assistant: LocalAssistant) -> None:
    """All clients used to count for one."""
    served = with_settings(
        assistant, rate_claims="2/hour", rate_client=MANY, trusted_proxies=("127.0.0.1",)
    )
    claim = {"text": "La halle a coûté 4,2 millions d’euros. Le pont de Saint-Cyprin est fermé."}
    with serving(served) as url:
        for address, failed in (
            ("203.0.113.1", False),
            ("203.0.113.1", True),
            ("203.0.113.2", False),
        ):
            http = httpx.AsyncClient(headers={"X-Forwarded-For": address}, timeout=60)
            called = await called_by(http, f"{url}/mcp", "verify", claim)
            assert called is failed, address


async def called_by(
    http: httpx.AsyncClient, url: str, tool: str, arguments: dict[str, str]
) -> bool:
    """Call a tool as a client does that sends these headers; tell whether it failed."""
    from mcp.client.streamable_http import streamable_http_client

    async with http, Client(streamable_http_client(url, http_client=http)) as client:
        return bool((await client.call_tool(tool, arguments)).is_error)


def test_one_visitor_does_not_fill_the_queue_of_the_chat(assistant: LocalAssistant) -> None:
    """A hundred joins that nobody reads used to shut everybody out."""
    served = with_settings(
        assistant, rate_client=MANY, rate_events=MANY, trusted_proxies=("127.0.0.1",)
    )
    with serving(served) as url, httpx.Client(base_url=url, timeout=60) as client:
        ask = function_of(client, "rc-send", "click")
        for n in range(130):
            joined(client, ask, f"flot{n}", "203.0.113.1")
        began = time.monotonic()
        assert joined(client, ask, "lecteur", "203.0.113.2") == 200
        assert "4,2 millions" in answered(client, "lecteur")
        assert time.monotonic() - began < 30


def test_clicks_of_a_visitor_are_bounded(assistant: LocalAssistant) -> None:
    served = with_settings(assistant, rate_events="5/minute")
    with serving(served) as url, httpx.Client(base_url=url, timeout=60) as client:
        ask = function_of(client, "rc-send", "click")
        statuses = [joined(client, ask, f"page{n}", "") for n in range(7)]
    assert statuses == [200] * 5 + [429] * 2


def function_of(client: httpx.Client, element: str, event: str) -> int:
    config = page_config(client)
    which = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == element)
    return int(next(d["id"] for d in config["dependencies"] if [which, event] in d["targets"]))


def joined(client: httpx.Client, function: int, session: str, address: str) -> int:
    data = [
        "Combien a coûté la restauration de la halle aux grains ?",
        None,
        "",
        [],
        [],
        [],
        "",
        "",
        "",
    ]
    body = {"fn_index": function, "session_hash": session, "data": data}
    told = {"X-Forwarded-For": address} if address else {}
    return client.post("/gradio_api/queue/join", json=body, headers=told).status_code


def answered(client: httpx.Client, session: str) -> str:
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as response:
        return "".join(line for line in response.iter_lines() if "process_" in line)


def test_what_a_visitor_typed_does_not_stay_with_his_session(assistant: LocalAssistant) -> None:
    """Gradio keeps a copy of every value of ten thousand sessions, a megabyte each."""
    from rag.web.server import build_app

    app = build_app(with_settings(assistant, rate_client=MANY))
    chat = next(r.app for r in app.routes if getattr(r, "path", None) == "" and hasattr(r, "app"))
    typed = "Zanzibar " * 5000
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        check = function_of(client, "rc-check", "click")
        for n in range(3):
            body = {"fn_index": check, "session_hash": f"p{n}", "data": [typed]}
            assert client.post("/gradio_api/queue/join", json=body).status_code == 200
            assert "process_completed" in answered(client, f"p{n}")
        sessions = chat.state_holder
        assert set(sessions.session_data) == {"p0", "p1", "p2"}
        assert all("Zanzibar" not in repr(s.config_values) for s in sessions.session_data.values())
        assert sessions.capacity == 1000
        sessions.capacity = 3
        sessions["p3"]
        sessions["p4"]
        assert len(sessions.session_data) == 3


def timed(function: Callable[[], object]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def test_a_text_is_counted_before_it_is_parsed(assistant: LocalAssistant) -> None:
    """250 questions took 33 seconds, and were refused then."""
    from rag.checking.claims import split_claims

    split_claims("Le pont est fermé depuis lundi.")  # loads the parser

    def refused() -> None:
        with pytest.raises(QuestionError, match="plus de 200"):
            split_claims("Est-ce vrai que le pont est fermé ? " * 250)

    assert timed(refused) < 0.5


def test_a_text_is_split_in_turns(assistant: LocalAssistant) -> None:
    """A question beside two texts of 9 KB waited 8.5 seconds."""
    served = with_settings(assistant, rate_client=MANY, rate_claims=MANY, concurrent=1)
    hard = (
        "Le maire, qui l’a dit lundi, et le préfet l’ont promis ; ils l’ont fait, et l’ont redit. "
    )
    with serving(served) as url:
        ask = {"question": "Combien a coûté la restauration de la halle aux grains ?"}
        httpx.post(f"{url}/api/v1/verify", json={"text": "Le pont est fermé."}, timeout=60)
        httpx.post(f"{url}/api/v1/ask", json=ask, timeout=60)
        texts = [
            threading.Thread(
                target=lambda: httpx.post(
                    f"{url}/api/v1/verify", json={"text": hard * 100}, timeout=300
                )
            )
            for _ in range(2)
        ]
        for text in texts:
            text.start()
        time.sleep(0.3)
        began = time.monotonic()
        assert httpx.post(f"{url}/api/v1/ask", json=ask, timeout=60).status_code == 200
        waited = time.monotonic() - began
        for text in texts:
            text.join()
    assert waited < 6
