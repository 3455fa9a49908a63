"""A little OTLP receiver: takes what an OpenTelemetry collector takes over HTTP, and reads the protobuf.

``python -m tests.fakes.collector PORT FILE``: as a process of its own that can be killed; each span as a line of JSON.
"""

import gzip
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def spans_of(body: bytes) -> list[dict[str, Any]]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    return [
        {
            "trace": span.trace_id.hex(),
            "id": span.span_id.hex(),
            "parent": span.parent_span_id.hex(),
            "name": span.name,
            "start": span.start_time_unix_nano / 1e9,
            "end": span.end_time_unix_nano / 1e9,
            "links": len(span.links),
            "attributes": {one.key: _value(one.value) for one in span.attributes},
            "service": {one.key: _value(one.value) for one in of_resource.resource.attributes},
        }
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


class Collector:
    """Listens on loopback. ``status``: what it answers; ``asked``: headers of each request."""

    def __init__(self, port: int = 0) -> None:
        self.spans: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
                if outer.status == 200:
                    outer.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body: bytes) -> None:
        self.spans += spans_of(body)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> "Collector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Writing(Collector):
    def __init__(self, port: int, file: Path) -> None:
        self.file = file
        super().__init__(port)

    def take(self, body: bytes) -> None:
        with self.file.open("a") as out:
            out.writelines(json.dumps(span) + "\n" for span in spans_of(body))


if __name__ == "__main__":
    _Writing(int(sys.argv[1]), Path(sys.argv[2]))
    print("ready", flush=True)
    threading.Event().wait()
