"""A scripted AMI server, for faults and loads that a real Asterisk does not show on demand.

It reads input as Asterisk's ``get_input`` does (a bare LF ends a line too, lines over 1,024 bytes are errors) and
answers in the words that 22.10 was seen to use. What it is told to leave unanswered, it leaves unanswered.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Iterable
from types import TracebackType

Headers = dict[str, str]
LEAST_RIGHTS = {
    "Originate": "Originate a call.  (Priv: originate,all)",
    "Redirect": "Redirect (transfer) a call.  (Priv: call,all)",
    "BlindTransfer": "Blind transfer  (Priv: call,all)",
    "MixMonitorMute": "Mute / unMute a Mixmonitor recording.  (Priv: system,call,all)",
    "QueuePause": "Makes a queue member temporarily unavailable.  (Priv: agent,all)",
    "CoreShowChannels": "List currently active channels.  (Priv: system,reporting,all)",
    "QueueStatus": "Show queue status.  (Priv: <none>)",
}
"""Some of the lines with which ``ListCommands`` answers the least-rights account."""
BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def read_actions(data: bytes) -> list[list[tuple[str, str]]]:
    """What Asterisk reads from ``data``: one list of headers per action. Independent of ``ami/actions.encode``."""
    actions: list[list[tuple[str, str]]] = []
    current: list[tuple[str, str]] = []
    for raw in data.split(b"\n"):
        line = raw.removesuffix(b"\r")
        if len(raw) + 1 > 1024:
            raise ValueError("Asterisk refuses a line over 1,024 bytes")
        if line:
            key, _, value = line.decode().partition(":")
            current.append((key, value.lstrip(" ")))
        elif current:
            actions.append(current)
            current = []
    if current:
        raise ValueError("an action without its empty line")
    return actions


def render(*headers: tuple[str, str]) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in headers).encode() + b"\r\n"


class Connection:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.logged_in = False

    def send(self, data: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(data)


class FakeAsterisk:
    """``async with FakeAsterisk() as pbx``: listens on a free loopback port.

    ``received``: every action read, as a dict; ``silent``: names left unanswered; ``refuse``: name -> error text;
    ``answers``: name -> function from the action's headers to the bytes of the whole answer."""

    def __init__(
        self,
        *,
        user: str = "callcenter",
        secret: str = "s3cret",
        version: str = "22.10.1~dfsg",
        channels: int = 0,
        clock_offset: float = 0.0,
        tls: ssl.SSLContext | None = None,
        banner: bytes = BANNER,
    ) -> None:
        self.user, self.secret, self.version = user, secret, version
        self.clock_offset, self.tls, self.banner = clock_offset, tls, banner
        self.channels: list[Headers] = [channel(n) for n in range(channels)]
        self.received: list[Headers] = []
        self.silent: set[str] = set()
        self.refuse: dict[str, str] = {}
        self.answers: dict[str, Callable[[Headers], bytes]] = {}
        self.commands = dict(LEAST_RIGHTS)
        self.during_channels = b""
        self.connections: list[Connection] = []
        self.connected_at: list[float] = []
        self.login_at: list[float] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "FakeAsterisk":
        await self.listen()
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.stop()

    async def listen(self) -> None:
        """(Re)opens the port, the same one after ``stop``."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def drop(self) -> None:
        """Cuts every connection with a reset, as kill -9 does."""
        for connection in self.connections:
            connection.writer.transport.abort()
        self.connections.clear()

    def send(self, data: bytes) -> None:
        """Raw bytes to every logged-in connection."""
        for connection in self.connections:
            if connection.logged_in:
                connection.send(data)

    def event(self, name: str, *headers: tuple[str, str]) -> bytes:
        stamp = f"{time.time() + self.clock_offset:.6f}"
        return render(("Event", name), ("Privilege", "call,all"), ("Timestamp", stamp), *headers)

    def names(self) -> list[str]:
        """Names of all actions received, in order."""
        return [action.get("Action", "") for action in self.received]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection(writer)
        self.connections.append(connection)
        self.connected_at.append(time.monotonic())
        connection.send(self.banner)
        pending: list[tuple[str, str]] = []
        try:
            while line := await reader.readline():
                if len(line) > 1024:
                    connection.send(render(("Response", "Error"), ("Message", "Failed to parse message")))
                    pending = []
                elif text := line.decode().rstrip("\r\n"):
                    key, _, value = text.partition(":")
                    pending.append((key, value.lstrip(" ")))
                elif pending:
                    self._act(connection, dict(pending))
                    pending = []
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            with contextlib.suppress(ValueError):
                self.connections.remove(connection)
            writer.close()

    def _act(self, connection: Connection, action: Headers) -> None:
        self.received.append(action)
        name = action.get("Action", "")
        if name == "Login":
            self.login_at.append(time.monotonic())
        if name in self.silent:
            return
        if name in self.refuse:
            connection.send(self.error(action, self.refuse[name]))
        elif name in self.answers:
            connection.send(self.answers[name](action))
        elif name == "Login":
            self._login(connection, action)
        elif not connection.logged_in:
            connection.send(self.error(action, "Permission denied"))
        else:
            connection.send(self._answer(action))

    def _login(self, connection: Connection, action: Headers) -> None:
        if (action.get("Username"), action.get("Secret")) != (self.user, self.secret):
            connection.send(self.error(action, "Authentication failed"))
            connection.writer.close()
            return
        connection.logged_in = True
        connection.send(self.success(action, ("Message", "Authentication accepted")))

    def success(self, action: Headers, *headers: tuple[str, str]) -> bytes:
        return render(("Response", "Success"), ("ActionID", action.get("ActionID", "")), *headers)

    def error(self, action: Headers, message: str) -> bytes:
        return render(("Response", "Error"), ("ActionID", action.get("ActionID", "")), ("Message", message))

    def listing(self, action: Headers, item: str, items: Iterable[Headers], end: str, amid: bytes = b"") -> bytes:
        """A list answer: start, items, end; ``amid`` (events) stands between the items, as on a busy Asterisk."""
        action_id = ("ActionID", action.get("ActionID", ""))
        head = self.success(action, ("EventList", "start"), ("Message", f"{item} will follow"))
        body = b"".join(render(("Event", h.get("Event", item)), action_id, *_without_event(h)) for h in items)
        return head + body + amid + render(("Event", end), action_id, ("EventList", "Complete"))

    def _answer(self, action: Headers) -> bytes:
        match action.get("Action"):
            case "Ping":
                stamp = f"{time.time() + self.clock_offset:.6f}"
                return self.success(action, ("Ping", "Pong"), ("Timestamp", stamp))
            case "CoreSettings":
                settings = ("AMIversion", "11.0.0"), ("AsteriskVersion", self.version), ("SystemName", "lab")
                return self.success(action, *settings)
            case "ListCommands":
                return self.success(action, *self.commands.items())
            case "CoreStatus":
                return self.success(action, ("CoreStartupDate", "2026-11-22"), ("CoreStartupTime", "08:00:00"))
            case "CoreShowChannels":
                end, amid = "CoreShowChannelsComplete", self.during_channels
                return self.listing(action, "CoreShowChannel", self.channels, end, amid)
            case "QueueStatus":
                return self.listing(action, "QueueParams", queue_status(), "QueueStatusComplete")
            case "Originate":
                return self.success(action, ("Message", "Originate successfully queued"))
            case "Logoff":
                return render(("Response", "Goodbye"), ("ActionID", action["ActionID"]))
            case "Redirect" | "Hangup" | "QueuePause":
                return self.success(action, ("Message", "Done"))
            case _:
                return self.error(action, "Invalid/unknown command: " + action.get("Action", ""))


def _without_event(headers: Headers) -> list[tuple[str, str]]:
    return [(key, value) for key, value in headers.items() if key != "Event"]


def channel(n: int) -> Headers:
    """A CoreShowChannel item, its headers as Asterisk 22 sends them; channels ``2k`` and ``2k+1`` talk."""
    return {
        "Channel": f"PJSIP/trunk-{n:08x}",
        "ChannelState": "6",
        "ChannelStateDesc": "Up",
        "CallerIDNum": f"139{n:08d}",
        "CallerIDName": "张三",
        "ConnectedLineNum": "1001",
        "ConnectedLineName": "<unknown>",
        "Language": "en",
        "AccountCode": "",
        "Context": "cc-hotline",
        "Exten": "support",
        "Priority": "2",
        "Uniqueid": f"lab-1795000000.{n}",
        "Linkedid": f"lab-1795000000.{n // 2 * 2}",
        "Application": "Queue",
        "ApplicationData": "support,r,,,15",
        "Duration": "00:01:05",
        "BridgeId": f"bridge-{n // 2}",
    }


def queue_status() -> list[Headers]:
    """One queue with one member and one waiting caller."""
    return [
        {"Event": "QueueParams", "Queue": "support", "Max": "0", "Strategy": "ringall", "Calls": "1"},
        {
            "Event": "QueueMember",
            "Queue": "support",
            "Name": "1001",
            "Location": "Local/1001@cc-seat/n",
            "StateInterface": "PJSIP/1001",
            "Membership": "static",
            "Status": "1",
            "Paused": "0",
            "PausedReason": "",
        },
        {
            "Event": "QueueEntry",
            "Queue": "support",
            "Position": "1",
            "Channel": "PJSIP/trunk-00000000",
            "Uniqueid": "lab-1795000000.0",
            "CallerIDNum": "13900000000",
            "Wait": "7",
            "Priority": "0",
        },
    ]
