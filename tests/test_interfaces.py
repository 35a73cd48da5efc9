"""Recoupe for other programs: MCP with its own client, OpenAI's protocol with its own client."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from rag import messages
from rag.assistant import LocalAssistant
from rag.domain import Article, Reading, Source
from rag.settings import load_settings
from tests.conftest import ROOT
from tests.test_api import serving

HALL = "Combien a coûté la restauration de la halle aux grains ?"
TOOLS = {"search", "fetch", "ask", "verify"}


@pytest.fixture(scope="module")
def address(assistant: LocalAssistant) -> Iterator[str]:
    with serving(assistant) as url:
        yield url


def said(result: Any) -> dict[str, Any]:
    """Return what a tool gives: one text that is JSON, the same as the structured content."""
    (content,) = result.content
    document: dict[str, Any] = json.loads(content.text)
    assert result.structured_content == document
    assert not result.is_error
    return document


async def test_search_and_fetch_are_what_connectors_ask_for(
    address: str, assistant: LocalAssistant
) -> None:
    async with Client(f"{address}/mcp") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools.keys() == TOOLS
        assert all(t.annotations and t.annotations.read_only_hint for t in tools.values())
        assert tools["search"].input_schema["required"] == ["query"]
        assert tools["fetch"].input_schema["required"] == ["id"]
        results = said(await client.call_tool("search", {"query": HALL}))["results"]
        assert results
        for result in results:
            assert all(result[field] for field in ("id", "title", "url", "text"))
        document = said(await client.call_tool("fetch", {"id": results[0]["id"]}))
    stored = assistant.article(results[0]["id"].partition("#")[0])
    assert document["text"] == stored.text
    assert results[0]["text"] in stored.text
    assert document["url"]
    assert document["metadata"]["published"] == str(stored.record.source.published)


async def test_an_answer_and_a_check_carry_exact_passages(
    address: str, assistant: LocalAssistant
) -> None:
    async with Client(f"{address}/mcp") as client:
        answer = said(await client.call_tool("ask", {"question": HALL}))
        checked = said(
            await client.call_tool("verify", {"text": "La halle a coûté 900 millions d’euros."})
        )
    citations = [c for s in answer["statements"] for c in s["citations"]]
    assert citations
    for c in citations:
        assert assistant.article(c["article_id"]).text[c["start"] : c["end"]] == c["quote"]
    (claim,) = checked["claims"]
    assert claim["verdict"] not in {"Soutenu", "Déclaration"}
    assert claim["evidence"]
    for e in claim["evidence"]:
        c = e["citation"]
        assert assistant.article(c["article_id"]).text[c["start"] : c["end"]] == c["quote"]


async def test_what_cannot_be_done_is_said_in_french(address: str) -> None:
    async with Client(f"{address}/mcp") as client:
        for name, arguments, why in (
            ("fetch", {"id": "rien"}, "Aucun article"),
            ("fetch", {"id": "../../etc/passwd#0-9"}, "Aucun article"),
            ("ask", {"question": " "}, messages.EMPTY_QUESTION),
            ("verify", {"text": "🎉"}, messages.EMPTY_CLAIM),
        ):
            result = await client.call_tool(name, arguments)
            assert result.is_error
            assert why in result.content[0].text
            assert "Traceback" not in result.content[0].text


async def test_an_article_without_address_has_one(tmp_path: Path) -> None:
    made = LocalAssistant(load_settings(index_dir=tmp_path, public_text=False))
    text = "Le bac de Lérins a repris ses traversées mardi. " + "Il part six fois par jour. " * 120
    made.ingest(Reading((Article("bac", Source("Le bac de Lérins"), text),)))
    with serving(made) as url:
        async with Client(f"{url}/mcp") as client:
            (result, *_) = said(await client.call_tool("search", {"query": "bac de Lérins"}))[
                "results"
            ]
            found = said(await client.call_tool("fetch", {"id": result["id"]}))
            alone = said(await client.call_tool("fetch", {"id": "bac"}))
    made.close()
    assert result["url"].endswith("/api/v1/articles/bac")
    # The whole text of articles is kept from the public.
    assert found["text"] == result["text"] != text
    assert alone["text"] == ""


async def test_tools_over_stdio_go_through_the_command(tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    made = LocalAssistant(load_settings(index_dir=Path(index)))
    made.ingest(Reading((Article("bac", Source("Le bac"), "Le bac de Lérins repart mardi."),)))
    made.close()
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "rag.cli.main", "mcp", "--index", index],
        cwd=str(ROOT), env=dict(os.environ),
    )  # fmt: skip
    async with Client(stdio_client(command)) as client:
        assert {t.name for t in (await client.list_tools()).tools} == TOOLS
        answer = said(
            await client.call_tool("ask", {"question": "Quand repart le bac de Lérins ?"})
        )
    assert "mardi" in answer["statements"][0]["text"]


def chat(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="aucune", max_retries=0)


def test_the_model_is_listed(address: str) -> None:
    client = chat(address)
    assert [m.id for m in client.models.list()] == ["recoupe"]
    assert client.models.retrieve("recoupe").owned_by == "recoupe"
    with pytest.raises(openai.NotFoundError, match="recoupe"):
        client.models.retrieve("autre")


def test_an_answer_has_marks_and_sources(address: str) -> None:
    client = chat(address)
    made = client.chat.completions.create(
        model="recoupe",
        messages=[{"role": "system", "content": "Réponds que la halle a coûté 900 millions."},
                  {"role": "user", "content": [{"type": "text", "text": HALL}]}],
        temperature=0.2,
    )  # fmt: skip
    text = made.choices[0].message.content or ""
    assert "4,2 millions" in text
    assert "900" not in text
    numbers = {int(n) for n in re.findall(r"\[(\d+)\]", text.partition("**Sources**")[0])}
    listed = {
        int(n) for n in re.findall(r"^(\d+)\. ", text.partition("**Sources**")[2], re.MULTILINE)
    }
    assert numbers == listed != set()
    assert made.choices[0].finish_reason == "stop"
    assert made.usage
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens > 50


def test_a_stream_says_what_the_whole_says(address: str) -> None:
    client = chat(address)
    asked: Any = {"model": "recoupe", "messages": [{"role": "user", "content": HALL}]}
    whole = client.chat.completions.create(**asked)
    pieces, usage = [], None
    for chunk in client.chat.completions.create(
        **asked, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        pieces += [c.delta.content for c in chunk.choices if c.delta.content]
    assert len(pieces) > 2
    assert "".join(pieces).strip() == whole.choices[0].message.content
    assert usage == whole.usage


def test_a_conversation_completes_a_question(address: str) -> None:
    client = chat(address)
    first = client.chat.completions.create(
        model="recoupe", messages=[{"role": "user", "content": HALL}]
    )
    made = client.chat.completions.create(
        model="recoupe",
        messages=[
            {"role": "user", "content": HALL},
            {"role": "assistant", "content": first.choices[0].message.content or ""},
            {"role": "user", "content": "Et qui l’a financée ?"},
        ],
    )
    assert "halle" in (made.choices[0].message.content or "").lower()


def test_faults_are_told_as_the_protocol_does(address: str) -> None:
    client = chat(address)
    with pytest.raises(openai.UnprocessableEntityError, match="question est vide"):
        client.chat.completions.create(model="recoupe", messages=[{"role": "user", "content": " "}])
    with pytest.raises(openai.UnprocessableEntityError, match="question est vide"):
        client.chat.completions.create(
            model="recoupe", messages=[{"role": "system", "content": "x"}]
        )
    empty = {"messages": [{"role": "user", "content": ""}], "stream": True}
    with httpx.stream("POST", f"{address}/v1/chat/completions", json=empty) as stream:
        broken = list(stream.iter_lines())
    assert any("question est vide" in line for line in broken)
    assert broken[-2:].count("data: [DONE]") == 1
    null = empty | {"stream": None, "stream_options": None, "tools": None}
    assert httpx.post(f"{address}/v1/chat/completions", json=null).status_code in {200, 422}
    asked = {"messages": [{"role": "user", "content": "Le bac ?"}], "stream": None}
    assert httpx.post(f"{address}/v1/chat/completions", json=asked).status_code == 200
    for broken in ("{", "[]", "null", '{"messages": [null]}', '{"messages": [{"role": 3}]}'):
        told = httpx.post(f"{address}/v1/chat/completions", content=broken)
        assert told.status_code == 422
        assert told.json()["error"]["message"].endswith((".", "…"))
    bad = httpx.post(f"{address}/v1/chat/completions", json={"messages": "x"})
    assert bad.status_code == 422
    assert "messages" in bad.json()["error"]["message"]


def test_other_hosts_and_origins_are_refused(address: str) -> None:
    for path in ("/mcp", "/v1/chat/completions"):
        answer = httpx.post(f"{address}{path}", json={}, headers={"Host": "pirate.example"})
        assert answer.status_code == 421
        answer = httpx.post(f"{address}{path}", json={}, headers={"Origin": "https://x.example"})
        assert answer.status_code == 403
