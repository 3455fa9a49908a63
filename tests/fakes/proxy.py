"""A TCP proxy that spoils a connection on command: latency, black hole, reset, slices, close."""

import asyncio
import contextlib
import socket
import struct
from types import TracebackType


class FaultProxy:
    """``async with FaultProxy(port) as proxy``: forwards ``proxy.port`` to ``port`` on loopback.

    ``latency_seconds``: delay of every piece, both ways; ``slice_bytes``: at most so many bytes at once towards the
    client; ``black_hole()``: nothing passes any more and nobody is told (no FIN, no RST) until ``heal()``."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self.latency_seconds = 0.0
        self.slice_bytes = 0
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "FaultProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()
        self.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def black_hole(self) -> None:
        self._open.clear()

    def heal(self) -> None:
        self._open.set()

    def reset(self) -> None:
        """RST to every client."""
        for writer in self._clients:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._clients.clear()

    def close(self) -> None:
        """FIN to every client."""
        for writer in self._clients:
            writer.close()
        self._clients.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._clients.append(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.close()
            return
        finally:
            self._tasks.discard(task)
        self._tasks.add(task)
        up = asyncio.create_task(self._pump(reader, up_writer, 0))
        down = asyncio.create_task(self._pump(up_reader, writer, self.slice_bytes))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in (up, down):
                pump.cancel()
            up_writer.close()
            writer.close()
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, slice_bytes: int) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.latency_seconds:
                    await asyncio.sleep(self.latency_seconds)
                for at in range(0, len(data), slice_bytes or len(data)):
                    await self._open.wait()
                    writer.write(data[at : at + (slice_bytes or len(data))])
                    await writer.drain()
                    if slice_bytes:
                        await asyncio.sleep(0)
