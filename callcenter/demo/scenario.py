"""SIPp scenarios, written from the few verbs that a phone needs.

Place on the path of a call: what the phones at both ends do. It promises text that SIPp accepts, and nothing else: no
process, no file. It never decides when a phone acts; phones.py does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

SDP = """v=0
o=- 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a={direction}"""

REFUSALS = (400, 403, 404, 408, 410, 480, 484, 486, 487, 488, 500, 503, 600, 603, 604)
VIA = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]"


@dataclass(frozen=True, slots=True)
class Talk:
    """Talk for so many seconds; the other side may hang up meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the other side on hold for so many seconds, then take it back."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Digits:
    """Press keys, one every 0.2 s (SIP INFO)."""

    keys: str


@dataclass(frozen=True, slots=True)
class Refer:
    """Blind transfer by SIP REFER; the phone then waits for the other side's BYE."""

    target: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """Say BYE."""


Act = Talk | Hold | Digits | Refer | Hangup


@dataclass
class Scenario:
    """Builds one scenario from top to bottom. Labels and the version of the SDP only grow."""

    ours: str
    theirs: str
    target: str
    voice: str
    parts: list[str] = field(default_factory=list)
    labels: int = 0
    version: int = 0
    cseq: int = 100

    def text(self, variables: str) -> str:
        body = "\n".join(self.parts)
        reference = f'<Reference variables="{variables}"/>' if variables else ""
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="phone">\n{body}\n{reference}\n</scenario>\n'

    def label(self) -> int:
        self.labels += 1
        return self.labels

    def add(self, part: str) -> None:
        self.parts.append(part)

    def mark(self, label: int) -> None:
        self.add(f'<label id="{label}"/>')

    def send(self, *lines: str, sdp: str = "", attributes: str = "") -> None:
        body = ""
        if sdp:
            self.version += 1
            body = SDP.format(version=self.version, direction=sdp)
            lines = (*lines, "Content-Type: application/sdp")
        text = "\n".join((*lines, f"Content-Length: {'[len]' if body else '0'}", "", body))
        self.add(f"<send {attributes}><![CDATA[\n{text}\n]]></send>")

    def receive(
        self,
        what: str,
        seconds: float | None = None,
        late: int | None = None,
        follow: int | None = None,
        optional: bool = False,
    ) -> None:
        """Wait for a request or a status. After *seconds* go on at *late*; on arrival go on at *follow*."""
        kind = "response" if what.isdigit() else "request"
        attributes = f'{kind}="{what}"'
        if seconds is not None:
            attributes += f' timeout="{max(1, round(seconds * 1000))}" ontimeout="{late}"'
        if follow is not None:
            attributes += f' next="{follow}"'
        if optional:
            attributes += ' optional="true"'
        self.add(f"<recv {attributes}/>")

    def answer(self, status: str, *lines: str, sdp: str = "", attributes: str = "", cseq: str = "[last_CSeq:]") -> None:
        """Answer the last request that came in."""
        self.send(
            f"SIP/2.0 {status}",
            "[last_Via:]",
            "[last_From:]",
            "[last_To:];tag=[call_number]-seat",
            "[last_Call-ID:]",
            cseq,
            "Contact: <sip:phone@[local_ip]:[local_port]>",
            *lines,
            sdp=sdp,
            attributes=attributes,
        )

    def reply(self, status: str = "200 OK") -> None:
        """Answer a request inside the dialog, whose To has its tag already."""
        self.send(f"SIP/2.0 {status}", "[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]")

    def request(self, method: str, *lines: str, sdp: str = "", cseq: int = 0) -> None:
        if not cseq:
            self.cseq += 1
        self.send(
            f"{method} {self.target} SIP/2.0",
            VIA,
            f"From: {self.ours}",
            f"To: {self.theirs}",
            "Call-ID: [call_id]",
            f"CSeq: {cseq or self.cseq} {method}",
            "Contact: <sip:phone@[local_ip]:[local_port]>",
            "Max-Forwards: 70",
            *lines,
            sdp=sdp,
            attributes="" if method == "ACK" else 'retrans="500"',
        )

    def speak(self) -> None:
        if self.voice:
            self.add(f'<nop><action><exec rtp_stream="{self.voice},-1,8,PCMA/8000"/></action></nop>')

    def perform(self, acts: Sequence[Act]) -> None:
        """Do *acts* in an answered call. Whoever hangs up ends the scenario; without a Hangup the other side has to."""
        over, end = self.label(), self.label()
        for act in acts:
            self._act(act, over, end)
        self.receive("BYE")
        self.mark(over)
        self.reply()
        self.mark(end)
        self.add('<pause milliseconds="50"/>')

    def _act(self, act: Act, over: int, end: int) -> None:
        match act:
            case Talk(seconds):
                self._wait(seconds, over)
            case Hold(seconds):
                self._reinvite("sendonly")
                self._wait(seconds, over)
                self._reinvite("sendrecv")
            case Digits(keys):
                for key in keys:
                    self._press(key)
                    self._wait(0.2, over)
            case Refer(target):
                self.request("REFER", f"Refer-To: <{target}>", "Referred-By: <sip:phone@[local_ip]>")
                self.receive("202")
            case Hangup():
                self.request("BYE")
                self.receive("200")
                self.add(f'<nop next="{end}"/>')

    def _wait(self, seconds: float, over: int) -> None:
        late = self.label()
        self.receive("BYE", seconds, late, over)
        self.mark(late)

    def _press(self, key: str) -> None:
        self.cseq += 1
        body = f"Signal={key}\nDuration=160"
        text = "\n".join(
            (
                f"INFO {self.target} SIP/2.0",
                VIA,
                f"From: {self.ours}",
                f"To: {self.theirs}",
                "Call-ID: [call_id]",
                f"CSeq: {self.cseq} INFO",
                "Max-Forwards: 70",
                "Content-Type: application/dtmf-relay",
                "Content-Length: [len]",
                "",
                body,
            )
        )
        self.add(f'<send retrans="500"><![CDATA[\n{text}\n]]></send>')
        self.receive("200")

    def _reinvite(self, direction: str) -> None:
        self.request("INVITE", sdp=direction)
        self.receive("100", optional=True)
        self.receive("200")
        self.request("ACK", cseq=self.cseq)


def customer(
    dialled: str,
    caller: str,
    voice: str,
    acts: Sequence[Act],
    give_up: float | None = None,
    provisional: Sequence[int] = (100, 180),
    headers: Sequence[str] = (),
) -> str:
    """A phone that calls *dialled* and does *acts* when answered, or gives up *give_up* seconds after *provisional*.

    *caller* is the content of From before the tag. Who gives up has to know which provisional answers will come.
    """
    number = f"sip:{dialled}@[remote_ip]:[remote_port]"
    scenario = Scenario(f"{caller};tag=[call_number]-caller", f"<{number}>[peer_tag_param]", number, voice)
    scenario.send(
        f"INVITE {number} SIP/2.0",
        VIA,
        f"From: {scenario.ours}",
        f"To: <{number}>",
        "Call-ID: [call_id]",
        "CSeq: 1 INVITE",
        "Contact: <sip:phone@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
        *headers,
        sdp="sendrecv",
        attributes='retrans="500"',
    )
    if give_up is None:
        _wait_answer(scenario, acts)
    else:
        _give_up(scenario, provisional, give_up)
    return scenario.text("")


def _wait_answer(scenario: Scenario, acts: Sequence[Act]) -> None:
    refused, end = scenario.label(), scenario.label()
    for status in (100, 180, 183):
        scenario.receive(str(status), optional=True)
    for status in REFUSALS:
        scenario.receive(str(status), optional=True, follow=refused)
    scenario.receive("200")
    scenario.request("ACK", cseq=1)
    scenario.speak()
    scenario.perform(acts)
    scenario.add(f'<nop next="{end}"/>')
    scenario.mark(refused)
    _acknowledge(scenario)
    scenario.mark(end)
    scenario.add('<pause milliseconds="10"/>')


def _acknowledge(scenario: Scenario) -> None:
    """ACK of a refusal: same branch as the INVITE (RFC 3261 17.1.1.3)."""
    scenario.send(
        f"ACK {scenario.target} SIP/2.0",
        "[last_Via:]",
        "[last_From:]",
        "[last_To:]",
        "Call-ID: [call_id]",
        "CSeq: 1 ACK",
        "Max-Forwards: 70",
    )


def _give_up(scenario: Scenario, provisional: Sequence[int], seconds: float) -> None:
    for status in provisional:
        scenario.receive(str(status))
    cancel = scenario.label()
    scenario.receive("200", seconds, cancel)
    scenario.mark(cancel)
    scenario.send(
        f"CANCEL {scenario.target} SIP/2.0",
        "[last_Via:]",
        f"From: {scenario.ours}",
        f"To: <{scenario.target}>",
        "Call-ID: [call_id]",
        "CSeq: 1 CANCEL",
        "Max-Forwards: 70",
        attributes='retrans="500"',
    )
    scenario.receive("200")
    scenario.receive("487")
    _acknowledge(scenario)


Manner = Literal["answer", "busy", "decline", "silent"]
REFUSE = {"busy": "486 Busy Here", "decline": "603 Decline"}


def seat(voice: str, manner: Manner, after: float | None, acts: Sequence[Act], early_media: bool = False) -> str:
    """A phone that is called, any number of times: rings and answers *after* seconds (None: rings until cancelled),
    or refuses at once."""
    scenario = Scenario("[$ours];tag=[call_number]-seat", "[$theirs]", "[$contact]", voice)
    scenario.add(
        '<recv request="INVITE"><action>'
        '<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="contact"/>'
        '<ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="theirs"/>'
        '<ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="ours"/>'
        "</action></recv>"
    )
    scenario.answer("100 Trying")
    if manner in REFUSE:
        scenario.answer(REFUSE[manner], attributes='retrans="500"')
        scenario.receive("ACK")
    else:
        _ring(scenario, after, acts, early_media)
    return scenario.text("contact,theirs,ours")


def _ring(scenario: Scenario, after: float | None, acts: Sequence[Act], early_media: bool) -> None:
    cancelled, lift, end = scenario.label(), scenario.label(), scenario.label()
    if early_media:
        scenario.answer("183 Session Progress", sdp="sendrecv")
        scenario.speak()
    else:
        scenario.answer("180 Ringing")
    if after is None:
        scenario.receive("CANCEL", follow=cancelled)
    else:
        scenario.receive("CANCEL", after, lift, cancelled)
        scenario.mark(lift)
        scenario.answer("200 OK", sdp="sendrecv", attributes='retrans="500"')
        scenario.receive("ACK")
        if not early_media:
            scenario.speak()
        scenario.perform(acts)
        scenario.add(f'<nop next="{end}"/>')
    scenario.mark(cancelled)
    scenario.send(
        "SIP/2.0 200 OK",
        "[last_Via:]",
        "[last_From:]",
        "[last_To:];tag=[call_number]-seat",
        "[last_Call-ID:]",
        "[last_CSeq:]",
    )
    scenario.answer("487 Request Terminated", cseq="CSeq: [last_cseq_number] INVITE", attributes='retrans="500"')
    scenario.receive("ACK")
    scenario.mark(end)
    scenario.add('<pause milliseconds="10"/>')
