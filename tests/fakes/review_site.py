"""A hotline's recordings, transcripts and findings in a real store, with sound that can be played.

For the review page. The people are those of ``tests.fakes.web``; what is true now (seats, calls) is its ``Memory``,
everything stored is real.
"""

import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from callcenter.calls.model import EndedBy, Hold, Outcome, Phase
from callcenter.quality.audio import measures
from callcenter.quality.cards import shipped_card
from callcenter.quality.finding import Finding
from callcenter.quality.han import simplified
from callcenter.quality.scorecard import (
    Verdict,
)
from callcenter.quality.search import spoken_text
from callcenter.settings import (
    Asterisk,
    Settings,
)
from callcenter.speech.judging import row as row_of
from callcenter.speech.transcript import (
    Segment,
    Transcript,
    Turn,
    Word,
    joined,
    to_dict,
)
from callcenter.store import Store
from callcenter.store.said import spoken
from callcenter.store.schema import findings, recording_seats, recordings, transcripts
from callcenter.store.users import Role, User
from callcenter.web.ports import Ports
from callcenter.web_ports import RecordingsFolder, StoredTickets, StoredUsers
from tests.fakes.web import USERS, Doctor, Memory, Telephone
from tests.store.build import NOW, call, commit, ticket

Line = tuple[str, float, str]
"""Speaker, first second, words with spaces between them; ``?`` behind a word: the engine was not sure."""

DIALOGUE: tuple[Line, ...] = (
    ("seat", 2.0, "您好 远信 服务 我 是 018 号 值班员"),
    ("caller", 6.0, "你好 我 是 第一 医院 收费处 的 发票 又 打不出来 了"),
    ("seat", 12.0, "请问 您 贵姓"),
    ("caller", 15.0, "不知道 是 打印机? 坏 了 还是 系统 的 问题"),
    ("seat", 20.0, "请 您 稍等 马上 为 您 查询"),
    ("seat", 31.0, "这个 我 不知道 要 先 看 一下 驱动"),
    ("caller", 36.0, "行 我们 这 是 三号? 窗口 你 快 点"),
    ("seat", 41.0, "已经 装好 了 请 您 打 一张 试试"),
)
FOUND: tuple[Finding, ...] = (
    Finding("greeting", "A2", "required", True, "seat", 2.0, 5.2, "您好远信服务我是018号值班员", 0.95),
    Finding("ask_name", "A3", "required", True, "seat", 12.0, 13.2, "请问您贵姓", 0.71, "doubtful"),
    Finding("wait_announcement", "B1", "required", True, "seat", 20.0, 22.4, "请您稍等马上为您查询", 0.93),
    Finding("dont_know", "B8", "forbidden", True, "seat", 31.8, 32.2, "不知道", 0.97, "sure", 2),
    Finding("closing", "B7", "required", False, score=0.1),
)
CLEAN: tuple[Finding, ...] = tuple(
    replace(
        one, found=one.kind == "required", band="sure", start=one.start or 44.0, end=one.end or 45.0, speaker="seat"
    )
    if one.kind == "required"
    else replace(one, found=False, speaker=None, start=None, end=None, heard="", score=0.0)
    for one in FOUND
)
HOSTILE: tuple[Line, ...] = (
    ("caller", 1.0, "<script>alert(1)</script> \u202egnirts\u2066 \"quoted\" & 'so' <img/src=x/onerror=alert(2)>"),
    ("seat", 9.0, "好 的"),
)


def transcript(lines: Sequence[Line], seat: str = "018") -> Transcript:
    """Words of 0.4 seconds each."""
    segments = []
    for speaker, start, text in lines:
        words = [
            Word(
                one.removesuffix("?"),
                round(start + 0.4 * n, 2),
                round(start + 0.4 * n + 0.38, 2),
                0.4 if one[-1] == "?" else 0.9,
            )
            for n, one in enumerate(text.split(" "))
        ]
        segments.append(Segment(speaker, tuple(words)))  # type: ignore[arg-type]
    return Transcript("t", seat, "远信服务", tuple(segments))


LEVELS = {"seat": {"loudness": -11.0, "peak": -0.2, "clipped_share": 0.004, "speech_seconds": 20.0, "seconds": 60.0}}
"""A seat that is too near to the microphone."""


def _by(finding: Finding, seat: str) -> Finding:
    """Said or owed by the one seat of the call."""
    nobody = finding.kind == "forbidden" and not finding.found
    return finding if nobody else replace(finding, seat=seat)


async def add(
    store: Store,
    call_id: str,
    lines: Sequence[Line] | None = DIALOGUE,
    found: Sequence[Finding] = FOUND,
    *,
    seat: str = "1001",
    queue: str = "it",
    at: float = NOW,
    organisation: str = "北辰市第一医院",
    seconds: float = 50.0,
    state: str = "found",
    paths: bool = True,
    seats: Sequence[str] = (),
    turns: Sequence[Turn] = (),
    **facts: Any,
) -> int:
    """One recorded call with its ticket; returns the recording's id. ``seats``: who was on our side, if several."""
    told = call(
        call_id,
        queue=queue,
        arrived_at=at,
        answered_at=at + 2,
        ended_at=at + seconds,
        phase=Phase.ENDED,
        outcome=Outcome.ANSWERED,
        answered_by=seat,
        talk_seconds=seconds - 2,
        ended_by=EndedBy.CALLER,
        **{"holds": (Hold(seat, at + 24, at + 30),), **facts},
    )
    await commit(store, told)
    number = (await ticket(store, call_id)).id
    await store.tickets.save_fields(number, {"organisation": organisation}, "li", at, 1)
    track = {f"{one}_path": f"2026/{one}.wav" if paths else None for one in ("mixed", "seat", "caller")}
    row = {"server": "pbx", "call_id": call_id, "ticket_id": number, "seat": seat, "seconds": seconds, **track}
    database = store._database  # type: ignore[attr-defined]
    said = replace(transcript(lines), seats=tuple(turns)) if lines is not None else None

    def work(connection: Any) -> int:
        new = insert(recordings).values(
            **row, sha256="", state=state, retained_until=None, created_at=at, erased_at=None
        )
        recording_id = int(connection.execute(new).inserted_primary_key[0])
        on_our_side = [{"recording_id": recording_id, "seat": s, "position": n} for n, s in enumerate(seats or (seat,))]
        connection.execute(insert(recording_seats), on_our_side)
        if said is not None:
            text = simplified("\n".join(joined([w.word for w in segment.words]) for segment in said.segments))
            values = {"recording_id": recording_id, "language": "zh", "model": "test", "words": to_dict(said)}
            made = connection.execute(
                insert(transcripts).values(
                    **values, text=text, measures=measures(said, LEVELS, [], "zh"), created_at=at
                )
            )
            transcript_id = made.inserted_primary_key[0]
            connection.execute(insert(spoken).values(transcript_id=transcript_id, text=spoken_text(said)))
            for one in found:
                fields = row_of(one if one.seat or one.speaker == "caller" or turns else _by(one, seat))
                connection.execute(insert(findings).values(transcript_id=transcript_id, **fields))
        return recording_id

    return int(await database.write(work))


async def fill(store: Store, now: float = NOW) -> list[int]:
    """A day's calls of three seats, the first with every kind of finding."""
    made = [await add(store, "c1", at=now)]
    made.append(await add(store, "c2", DIALOGUE[:3], CLEAN, seat="1002", at=now - 1800, organisation="蓝湖物流"))
    made.append(await add(store, "c3", DIALOGUE[:2], FOUND[:2], at=now - 3600, organisation="市图书馆", queue="hr"))
    made.append(await add(store, "c4", None, (), seat="1002", at=now - 5400, organisation="恒岳制造"))
    made.append(await add(store, "c5", HOSTILE, (), seat="1002", at=now - 7200, organisation="<b>新河</b>\u202e小学"))
    made.append(await add(store, "c6", DIALOGUE, CLEAN, seat="1003", at=now - 86400 * 3, organisation="城东税务所"))
    return made


async def reviewed(store: Store, now: float) -> dict[str, int]:
    """Weeks of calls; one signed by two who differ and disputed, one in work. Returns which is which."""
    card = shipped_card()
    met = dict.fromkeys((question.id for question in card.questions), Verdict.MET)
    ids = await fill(store, now - 3600)
    for n in range(36):
        found = FOUND if n % 5 == 0 else CLEAN
        await add(store, f"w{n}", DIALOGUE, found, seat=f"100{1 + n % 3}", at=now - 86400 * (4 + n * 1.3))
    for reviewer, changes in (("qa", {"language": Verdict.MISSED, "closing": Verdict.MISSED}), ("root", {})):
        review = await store.reviews.begin(ids[5], reviewer, now - 3000, card, met | changes)
        await store.reviews.comment(review, "k", 31.8, "这里可以说“我帮您查一下”", reviewer, now - 2900)
        await store.reviews.write_note(review, "整体不错，注意服务忌语。", reviewer, now - 2800)
        await store.reviews.sign(review, card, reviewer, now - 2700)
        await store.reviews.dispute(review, "“不知道”是客户先说的，我只是重复。", "wu", now - 2000)
        if reviewer == "qa":
            await store.reviews.answer_dispute(review, "upheld", "31 秒是座席说的，维持。", "root", now - 1000)
    review = await store.reviews.begin(ids[3], "qa", now - 900, card, met)
    await store.reviews.sign(review, card, "qa", now - 800)
    draft = await store.reviews.begin(ids[0], "qa", now - 600, card, {"greeting": Verdict.MET, "hold": Verdict.MET})
    await store.reviews.comment(draft, "k", 2.0, "问候清楚", "qa", now - 500)
    own = await add(store, "own", DIALOGUE, FOUND, at=now - 7000)
    review = await store.reviews.begin(own, "qa", now - 900, card, met | {"language": Verdict.MISSED})
    await store.reviews.write_note(review, "请用“我帮您查”代替“不知道”。", "qa", now - 850)
    await store.reviews.sign(review, card, "qa", now - 800)
    await store.reviews.dispute(review, "是客户先说的“不知道”。", "li", now - 700)
    return {"draft": ids[0], "signed": ids[5], "own": own, "silent": ids[3]}


async def people(store: Store) -> None:
    for one in USERS:
        user = User(
            one.name,
            one.password_hash,
            Role(one.role.value),
            one.extension,
            one.work_number,
            one.display_name,
            one.language,
            True,
            NOW,
        )
        await store.users.add(user)


def sound(folder: Path, seconds: float = 50.0, rate: int = 8000) -> None:
    """Three tracks that can be told apart: tones where the dialogue has words."""
    (folder / "2026").mkdir(parents=True, exist_ok=True)
    spans = {"seat": [], "caller": []}  # type: dict[str, list[tuple[float, float]]]
    for speaker, start, text in DIALOGUE:
        spans[speaker].append((start, start + 0.4 * len(text.split())))
    tracks = {}
    for speaker, pitch in (("seat", 220.0), ("caller", 330.0)):
        samples = [0] * int(seconds * rate)
        for first, last in spans[speaker]:
            for n in range(int(first * rate), int(last * rate)):
                samples[n] = int(9000 * math.sin(n * 2 * math.pi * pitch / rate) * (0.4 + 0.6 * abs(math.sin(n / 900))))
        tracks[speaker] = samples
    tracks["mixed"] = [a + b for a, b in zip(tracks["seat"], tracks["caller"], strict=True)]
    for name, samples in tracks.items():
        with wave.open(str(folder / "2026" / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def stored_ports(store: Store, memory: Memory, folder: Path | None) -> Ports:
    """Everything that is stored is real; the seats and the link are the memory's."""
    return Ports(
        StoredUsers(store),
        StoredTickets(store, "pbx", memory.now),
        memory,
        Telephone(),
        RecordingsFolder(Settings(asterisk=Asterisk(recordings_dir=folder)), store),
        Doctor(),
        reviews=store.reviews,
    )
