"""A search in transcripts finds what looking through all their words finds, on SQLite and on PostgreSQL."""

import random

import pytest
from sqlalchemy import insert, select

from callcenter.quality.review import Wanted
from callcenter.quality.search import all_said, terms
from callcenter.speech.transcript import Segment, Transcript, Word, from_dict, to_dict
from callcenter.store import Store
from callcenter.store.jobs import Written
from callcenter.store.said import spoken
from callcenter.store.schema import recordings, transcription_jobs
from tests.store.build import NOW

PIECES = (
    *(
        "您好",
        "電話",
        "电话",
        "打",
        "不通",
        "018",
        "零",
        "一",
        "洞",
        "幺",
        "八",
        "1",
        "8",
        "13",
        "800",
        "１３",
        "勾",
        "0",
    ),
    *(
        "It's",
        "CAFÉ",
        "Straße",
        "ЖУК",
        "e\u0301",
        "50%",
        "a_b",
        "a/b",
        "*****78",
        "，",
        "。",
        "？",
        "",
        "\u200b",
        "ﬁ",
        "乾隆",
    ),
)
"""Words that are written in several ways, that hold nothing of their own, or that a database reads in its own way."""


def _some_talk(random: random.Random) -> Transcript:
    said = []
    for n in range(random.randint(0, 4)):
        words = tuple(Word(random.choice(PIECES), float(k), k + 0.5, 1.0) for k in range(random.randint(0, 8)))
        said.append(Segment("seat" if n % 2 else "caller", words))
    return Transcript("t", "018", "", tuple(said))


def _some_query(random: random.Random) -> str:
    words = ("".join(random.choice(PIECES) for _ in range(random.randint(1, 3))) for _ in range(random.randint(1, 2)))
    return " ".join(words)


@pytest.mark.parametrize("seed", range(3))
async def test_a_search_finds_what_the_words_themselves_hold(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    talks = {n: _some_talk(chance) for n in range(1, 121)}
    await stored(store, talks)
    found = 0
    for _ in range(60):
        wanted = terms(_some_query(chance))
        if not wanted:
            continue
        page = await store.reviews.find(Wanted(terms=wanted, limit=100))
        expected = [n for n in sorted(talks, reverse=True) if all_said(from_dict(to_dict(talks[n])), wanted)]
        assert [row.id for row in page.rows] == expected[:100], wanted
        found += len(expected)
    assert found > 200


async def stored(store: Store, talks: dict[int, Transcript]) -> None:
    """As workers write them, the later the newer."""
    database = store.speech._database
    rows = [
        {"id": n, "server": "pbx", "call_id": str(n), "seat": "1001", "sha256": "", "state": "found", "created_at": n}
        for n in talks
    ]
    await database.write(lambda connection: connection.execute(insert(recordings), rows) and None)
    jobs = store.jobs("pbx")
    job_row = {"state": "waiting", "attempts": 0, "claimed_by": "", "not_before": 0.0, "error": "", "created_at": 0.0}
    queued = [{**job_row, "recording_id": n} for n in talks]
    await database.write(lambda connection: connection.execute(insert(transcription_jobs), queued) and None)
    for _ in talks:
        job = await jobs.claim("w", NOW, 60)
        assert job is not None
        assert await jobs.done(job, "w", NOW, Written("zh", "m", to_dict(talks[job.recording_id]), "", {}))


async def test_what_is_erased_leaves_nothing_to_search_in(store: Store) -> None:
    talk = Transcript("t", "018", "", (Segment("seat", (Word("您好", 0.0, 1.0, 1.0),)),))
    await stored(store, {1: talk})
    assert len((await store.reviews.find(Wanted(terms=("您好",)))).rows) == 1
    assert await store.keeping.erased(1, NOW, "retention", 3)
    assert await store.speech._database.rows(select(spoken)) == []
