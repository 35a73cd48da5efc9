"""Small real HTTP servers for tests, on loopback, scripted."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.models.embedding import Embedder

Answer = Callable[[str, bytes], tuple[int, object]]


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def json_server(answer: Answer) -> Iterator[str]:
    """Serve what `answer(path, body)` returns as (status, JSON)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, payload = answer(self.path, body)
            data = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(BrokenPipeError):  # the client did not wait
                self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    with running(Handler) as url:
        yield url


class ScriptedModel:
    """An OpenAI-compatible chat server that says what it is told to, streamed or whole.

    `say` is the next answer, or a function of the request that returns it.
    `status` other than 200 refuses, `cut` breaks the stream off after so many
    characters, `delay` waits before the first byte. Requests are kept.
    """

    def __init__(self) -> None:
        self.say: str | Callable[[dict[str, object]], str] = ""
        self.status = 200
        self.cut: int | None = None
        self.delay = 0.0
        self.requests: list[dict[str, object]] = []

    @contextmanager
    def serving(self) -> Iterator[str]:
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                script.requests.append(request)
                time.sleep(script.delay)
                if script.status != 200:
                    data = json.dumps({"error": {"message": "no"}}).encode()
                    self.send_response(script.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                    return
                said = script.say if isinstance(script.say, str) else script.say(request)
                if not request.get("stream"):
                    self._whole(said)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                whole = said if script.cut is None else said[: script.cut]
                for at in range(0, len(whole), 7):
                    self._event({"content": whole[at : at + 7]}, None)
                if script.cut is None:
                    self._event({}, "stop")
                    self.wfile.write(b"data: [DONE]\n\n")
                self.close_connection = True

            def _whole(self, said: str) -> None:
                message = {"role": "assistant", "content": said}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                answer = {"id": "c", "object": "chat.completion", "created": 0, "model": "scripted"}
                data = json.dumps({**answer, "choices": [choice]}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _event(self, delta: dict[str, str], finish: str | None) -> None:
                chunk = {
                    "id": "c",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": "scripted",
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
                }
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()

            def log_message(self, *args: object) -> None:
                pass

        with running(Handler) as url:
            yield f"{url}/v1"


class EmbeddingService:
    """An OpenAI-compatible `/v1/embeddings` service whose vectors come from a real embedder.

    It refuses more than `most` texts a call, as such services do. `inputs`
    keeps the texts of each call.
    """

    def __init__(self, embedder: Embedder, most: int = 2048) -> None:
        self.embedder = embedder
        self.most = most
        self.inputs: list[list[str]] = []

    @contextmanager
    def serving(self) -> Iterator[str]:
        with json_server(self._answer) as url:
            yield f"{url}/v1"

    def _answer(self, path: str, body: bytes) -> tuple[int, object]:
        asked = json.loads(body)
        texts = asked["input"]
        self.inputs.append(texts)
        if path != "/v1/embeddings" or not texts or not all(texts):
            return 400, {"error": {"message": "input is missing"}}
        if len(texts) > self.most:
            return 413, {"error": {"message": f"batch size {len(texts)} > {self.most}"}}
        # Three times as long as unit vectors: a client has to bring them back.
        vectors = (3 * self.embedder.embed_passages(texts)).tolist()
        rows = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]
        return 200, {"object": "list", "data": rows, "model": asked["model"]}
