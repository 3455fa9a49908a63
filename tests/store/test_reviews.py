"""Reviews in the store, the same on SQLite and PostgreSQL: filters, search, signing, disputes, what is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from callcenter.calls.model import Hold
from callcenter.quality.card_text import versioned
from callcenter.quality.cards import shipped_card
from callcenter.quality.finding import Finding, Kind
from callcenter.quality.review import KnownPhrase, ReviewError, Wanted, digest
from callcenter.quality.scorecard import YES_NO, Verdict, is_fault
from callcenter.quality.search import terms
from callcenter.speech.transcript import Turn
from callcenter.store import Store, StoreError, review_queries
from callcenter.store.review_tables import review_answers, review_comments, reviews, scorecards
from callcenter.store.said import spoken
from callcenter.store.schema import recordings, transcripts
from tests.fakes.review_site import CLEAN, DIALOGUE, FOUND, add, fill
from tests.store.build import NOW
from tests.store.places import Place

STANDARD = shipped_card()
MET = {question.id: Verdict.MET for question in STANDARD.questions}


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with place.open() as one:
        yield one


async def signed(store: Store, recording: int, reviewer: str = "qa", **changes: Verdict) -> int:
    review = await store.reviews.begin(recording, reviewer, NOW, STANDARD, MET | changes)
    await store.reviews.sign(review, STANDARD, reviewer, NOW + 1)
    return review


async def ids(store: Store, **wanted: Any) -> list[int]:
    return [row.id for row in (await store.reviews.find(Wanted(**wanted))).rows]


async def test_each_filter_keeps_what_it_says(store: Store) -> None:
    c1, c2, c3, c4, c5, c6 = await fill(store)
    assert await ids(store) == [c1, c2, c3, c4, c5, c6]
    assert await ids(store, seat="1001") == [c1, c3]
    assert await ids(store, queue="hr") == [c3]
    assert await ids(store, since=NOW - 2000) == [c1, c2]
    assert await ids(store, until=NOW - 2000) == [c3, c4, c5, c6]
    assert await ids(store, fault="B8") == [c1]
    assert await ids(store, fault="B7") == [c1]
    assert await ids(store, fault="doubtful") == [c1, c3]
    assert await ids(store, fault="A2") == []
    await signed(store, c1, language=Verdict.MISSED)
    await signed(store, c2)
    assert await ids(store, score="failed") == [c1]
    assert await ids(store, score="passed") == [c2]
    assert await ids(store, review="none") == [c3, c4, c5, c6]
    assert await ids(store, review="signed", seat="1001") == [c1]


def drawn(random: Random) -> dict[str, Any]:
    """A call's findings, holds and measures by lot, with the borders of the limit among them."""
    begin = NOW + 24
    lengths = [random.choice((5.0, 30.0, 40.0, 59.9, 60.0, 60.1, 200.0, None)) for _ in range(random.choice((0, 1, 3)))]
    holds = tuple(Hold("1001", begin, None if one is None else begin + one) for one in lengths)
    found = tuple(
        Finding(phrase, rule, kind, random.random() < 0.5, band=random.choice(("sure", "doubtful")))
        for phrase, rule, kind in PHRASES
        if random.random() < 0.6
    )
    overlaps = [
        {"start": 1.0, "end": 2.0, "by": random.choice(("seat", "caller")), "interruption": random.random() < 0.4}
        for _ in range(random.choice((0, 0, 1, 3)))
    ]
    waits = [{"start": 3.0, "end": 80.0}] * random.choice((0, 0, 2))
    measures = random.choice(({"overlaps": overlaps, "unexplained_waits": waits, "hints": ["loud"]},) * 4 + ({},))
    return {"holds": holds, "hold_seconds": sum(one or 10.0 for one in lengths), "found": found, "measures": measures}


PHRASES: tuple[tuple[str, str, Kind], ...] = (
    *(("greeting", "A2", "required"), ("closing", "B7", "required"), ("own_offer", "A5", "required")),
    *(("refusal", "B8", "forbidden"), ("own'word", "B8", "forbidden")),
)


def expected(fault: str, call: dict[str, Any]) -> bool:
    """What ``Wanted.fault`` promises, in plain words."""
    if fault == "hold":
        return any(one.ended_at is not None and one.ended_at - one.started_at > 60.0 for one in call["holds"])
    if fault == "unexplained":
        return bool(call["measures"].get("unexplained_waits"))
    if fault == "interruption":
        return any(one["interruption"] and one["by"] == "seat" for one in call["measures"].get("overlaps", ()))
    if fault == "doubtful":
        return any(one.band == "doubtful" for one in call["found"])
    of = [one for one in call["found"] if fault in (one.rule, f"phrase:{one.phrase}")]
    return any(is_fault(one) or (fault.startswith("phrase:") and one.band == "doubtful") for one in of)


async def test_a_filter_by_finding_finds_what_it_says_and_nothing_else(store: Store) -> None:
    random = Random(20261128)
    made: dict[int, dict[str, Any]] = {}
    for n in range(60):
        call = drawn(random)
        held = {name: call[name] for name in ("holds", "hold_seconds")}
        one = await add(store, f"c{n}", DIALOGUE[:1], call["found"], at=NOW - n, **held)
        changed = update(transcripts).where(transcripts.c.recording_id == one).values(measures=call["measures"])
        await store._database.write(lambda connection, sql=changed: connection.execute(sql))  # type: ignore[attr-defined]
        made[one] = call
    faults = ("hold", "unexplained", "interruption", "doubtful", *dict.fromkeys(rule for _, rule, _ in PHRASES))
    for fault in (*faults, *(f"phrase:{name}" for name, _, _ in PHRASES), "phrase:", "phrase:grEeting"):
        right = [one for one, call in made.items() if expected(fault, call)]
        page = await store.reviews.find(Wanted(fault=fault, limit=100))
        assert ([row.id for row in page.rows], page.total) == (right, len(right)), fault
        assert fault not in faults or 0 < len(right) < 60, fault


async def test_a_long_hold_is_found_without_a_transcript_and_by_the_sites_limit(store: Store) -> None:
    held = {"holds": (Hold("1001", NOW, NOW + 45),), "hold_seconds": 45.0}
    one = await add(store, "c1", None, (), **held)
    assert await ids(store, fault="hold") == []
    assert await ids(store, fault="hold", hold_limit_seconds=40.0) == [one]
    assert await ids(store, fault="hold", hold_limit_seconds=40.0, seat="1002") == []


async def test_a_filter_by_phrase_holds_on_every_page_and_in_a_sample(store: Store) -> None:
    missing = [await add(store, f"m{n}", found=FOUND, at=NOW - 2 * n) for n in range(5)]
    for n in range(5):
        await add(store, f"s{n}", found=CLEAN, at=NOW - 2 * n - 1)
    first = await store.reviews.find(Wanted(fault="phrase:closing", limit=3))
    second = await store.reviews.find(Wanted(fault="phrase:closing", limit=3, before=first.next))
    assert [row.id for row in (*first.rows, *second.rows)] == missing
    assert second.next is None
    sample = await store.reviews.find(Wanted(fault="phrase:closing", sample=2, seed="a"))
    assert len(sample.rows) == 2
    assert sample.total == 5
    assert {row.id for row in sample.rows} < set(missing)


async def test_the_phrases_of_all_scripts_are_known_by_their_findings(store: Store) -> None:
    assert await store.reviews.phrases() == ()
    own = Finding("own_offer", "A5", "required", False)
    await add(store, "c1", found=(*FOUND, own))
    await add(store, "c2", found=FOUND[:2])
    assert await store.reviews.phrases() == (
        *(KnownPhrase("greeting", "A2", "required"), KnownPhrase("ask_name", "A3", "required")),
        *(KnownPhrase("own_offer", "A5", "required"), KnownPhrase("wait_announcement", "B1", "required")),
        *(KnownPhrase("closing", "B7", "required"), KnownPhrase("dont_know", "B8", "forbidden")),
    )


HANDED_ON = (
    replace(FOUND[0], seat="1001"),
    replace(FOUND[3], seat="1002"),
    replace(FOUND[3], phrase="refusal", found=False, speaker=None, start=None, end=None, heard=""),
    replace(FOUND[4], seat="1002"),
)
"""1001 greeted and sent the caller on to 1002, who said what it must not and no goodbye."""


async def test_each_seat_of_a_call_that_was_sent_on_finds_it_and_is_counted_for_its_own_part(store: Store) -> None:
    one = await add(store, "c1", found=HANDED_ON, seats=("1001", "1002"), turns=(Turn("018", 0, 25, "1001"),))
    assert await ids(store, seat="1001") == await ids(store, seat="1002") == [one]
    assert await ids(store, seat="1003") == []
    (row,) = (await store.reviews.find(Wanted())).rows
    assert row.seats == ("1001", "1002")
    assert row.is_of("1002")
    assert not row.is_of("1003")
    assert not row.is_of(None)
    assert {(f.phrase, f.seat) for f in row.findings} == {
        *(("greeting", "1001"), ("dont_know", "1002"), ("closing", "1002"), ("refusal", None))
    }
    counted = await store.reviews.rates(NOW - 60, 1)
    assert [(c.seat, c.phrase, c.said, c.not_said) for c in counted] == [
        ("1001", "forbidden", 0, 1),
        ("1001", "greeting", 1, 0),
        ("1002", "closing", 0, 1),
        ("1002", "forbidden", 1, 0),
    ]
    assert {c.seat for c in await store.reviews.rates(NOW - 60, 1, "1002")} == {"1002"}
    found = await store.reviews.recorded(one)
    assert found is not None
    assert found.transcript is not None
    assert found.transcript.seats == (Turn("018", 0, 25, "1001"),)


BOTH = (
    replace(FOUND[3], seat="1001", start=8.0, end=9.0),
    replace(FOUND[3], seat="1002"),
)


async def test_what_two_seats_of_a_call_said_counts_for_each_and_what_one_said_not_for_the_other(store: Store) -> None:
    """Also where a script has one forbidden phrase only."""
    turns = (Turn("018", 0, 25, "1001"), Turn("011", 25, 50, "1002"))
    await add(store, "c1", found=BOTH, seats=("1001", "1002"), turns=turns)
    await add(store, "c2", found=BOTH[:1], seats=("1001", "1002"), turns=turns)
    counted = await store.reviews.rates(NOW - 60, 1)
    assert [(c.seat, c.phrase, c.said, c.not_said) for c in counted] == [
        ("1001", "forbidden", 2, 0),
        ("1002", "forbidden", 1, 1),
    ]
    assert [c.seat for c in await store.reviews.rates(NOW - 60, 1, "1002")] == ["1002"]


async def test_pages_go_on_where_the_last_one_ended(store: Store) -> None:
    made = [await add(store, f"c{n}", None, (), at=NOW - n // 2) for n in range(7)]
    expected = [one for _, one in sorted(((NOW - n // 2, one) for n, one in enumerate(made)), reverse=True)]
    seen: list[int] = []
    before = None
    while True:
        page = await store.reviews.find(Wanted(limit=3, before=before))
        seen += [row.id for row in page.rows]
        if page.next is None:
            break
        before = page.next
    assert seen == expected
    assert page.total == 7


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("不知道", ["c1", "c6"]),
        ("我 不知道", ["c1", "c6"]),
        ("018号", ["c1", "c2", "c3", "c6"]),
        ("０１８", ["c1", "c2", "c3", "c6"]),
        ("贵姓", ["c1", "c2", "c6"]),
        ("<SCRIPT>", ["c5"]),
        ("%", []),
        ("_", []),
        ("好的", ["c5"]),
        ("值班员你好", []),  # the end of one speaker's words and the beginning of the other's
        ("/", []),  # nothing of it can be said; it must not mean everything
        ("不，知道。", ["c1", "c6"]),
        ("“不知道”", ["c1", "c6"]),
        ("\u200b不知道\ufeff", ["c1", "c6"]),
        ("零一八号", ["c1", "c2", "c3", "c6"]),
        ("洞幺八", ["c1", "c2", "c3", "c6"]),
        ("'; DROP TABLE reviews; --", []),
    ],
)
async def test_words_are_found_in_what_was_said(store: Store, query: str, found: list[str]) -> None:
    await fill(store)
    page = await store.reviews.find(Wanted(terms=terms(query)))
    assert [row.call_id for row in page.rows] == found
    assert all(row.hits for row in page.rows)


async def test_marks_and_digits_as_recognisers_write_them_are_one_with_how_they_are_typed(store: Store) -> None:
    said = (("seat", 0.0, "谢谢 ， 再见 。"), ("caller", 4.0, "工号 洞 幺 八 ？ It's *****78"))
    await add(store, "c1", said, ())
    await add(store, "c2", (("seat", 0.0, "谢谢 您 再见"),), ())
    for query in ("谢谢再见", "谢谢，再见！", "018", "工号零一八", "its", "it’s 78"):
        page = await store.reviews.find(Wanted(terms=terms(query)))
        assert [row.call_id for row in page.rows] == ["c1"], query
        assert page.rows[0].hits, query


async def test_traditional_and_simplified_characters_are_one(store: Store) -> None:
    """In whichever the question is typed, and in whichever the recogniser wrote."""
    await add(store, "c1", (("seat", 0.0, "电话 打不通 后台 很 着急"),), ())
    await add(store, "c2", (("seat", 0.0, "電話 打不通 後臺 很 著急"),), ())
    await add(store, "c3", (("seat", 0.0, "打得通 前台"),), ())
    for query in ("電話", "电话", "後台", "后臺", "著急", "着急", "電话打不通"):
        page = await store.reviews.find(Wanted(terms=terms(query)))
        assert sorted(row.call_id for row in page.rows) == ["c1", "c2"], query
        assert all(row.hits for row in page.rows), query
    (shown,) = (row for row in page.rows if row.call_id == "c2")
    assert shown.hits[0].said == "電話打不通", "what was written is shown as it was written"


async def test_a_query_of_many_pieces_is_bounded(store: Store) -> None:
    query = " ".join(f"{letter}1" * 30 for letter in "abcdef")
    await add(store, "c1", (("seat", 0.0, query),), ())
    assert len(await ids(store, terms=terms(query))) == 1


async def test_letters_whose_case_the_database_may_not_know_are_found(store: Store) -> None:
    await add(store, "c1", (("seat", 0.0, "CAFÉ Straße ЖУК"),), ())
    for query in ("café", "CAFÉ", "straße", "жук"):
        assert len(await ids(store, terms=terms(query))) == 1, query
    assert await ids(store, terms=terms("cafe")) == []


async def test_a_search_is_joined_with_filters_and_tells_the_moment(store: Store) -> None:
    await fill(store)
    page = await store.reviews.find(Wanted(terms=terms("不知道"), seat="1001"))
    assert [(hit.speaker, hit.start) for hit in page.rows[0].hits] == [("caller", 15.0), ("seat", 31.8)]
    assert (len(page.rows), page.total) == (1, 1)


async def copied(store: Store, recording: int, times: int) -> None:
    """As many more recordings with the same words, each a second older; of calls that nobody knows. Somebody folded
    their words in another way."""
    database = store._database  # type: ignore[attr-defined]
    (row,) = await database.rows(select(recordings).where(recordings.c.id == recording))
    (words,) = await database.rows(select(transcripts).where(transcripts.c.recording_id == recording))
    del row["id"], words["id"]
    steps = range(1, times + 1)

    def work(connection: Connection) -> None:
        own = {"ticket_id": None}
        rows = [row | own | {"id": 1000 + n, "call_id": f"copy{n}", "created_at": NOW - n} for n in steps]
        connection.execute(insert(recordings), rows)
        connection.execute(insert(transcripts), [words | {"id": 1000 + n, "recording_id": 1000 + n} for n in steps])
        connection.execute(insert(spoken), [{"transcript_id": 1000 + n, "text": "不知道"} for n in steps])

    await database.write(work)


async def seem_to_match(store: Store) -> None:
    """What two said one after the other is as if one of them had said it."""
    new = update(spoken).values(text=func.replace(spoken.c.text, "\n", ""))
    await store._database.write(lambda connection: connection.execute(new) and None)  # type: ignore[attr-defined]


async def test_a_search_goes_on_behind_all_that_only_seem_to_match(store: Store) -> None:
    """What was folded in another way than today may look to the database as if somebody said it."""
    pattern = await add(store, "c", (("seat", 0.0, "不"), ("caller", 1.0, "知道")), ())
    true = await add(store, "true", (("seat", 0.0, "不知道"),), (), at=NOW - 505)
    await copied(store, pattern, 504)
    await seem_to_match(store)
    first = await store.reviews.find(Wanted(terms=terms("不知道")))
    assert (first.rows, first.total) == ((), None)
    second = await store.reviews.find(Wanted(terms=terms("不知道"), before=first.next))
    assert [row.id for row in second.rows] == [true]
    assert second.next is None


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_a_search_shows_every_hit_once_however_its_pages_fall(
    store: Store, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_queries, "MAX_SCANNED", 3)
    said = {True: (("seat", 0.0, "不知道"),), False: (("seat", 0.0, "不"), ("caller", 1.0, "知道"))}
    hits = [True, True, True, False, False, False, False, True, False, True, True, False]
    made = [await add(store, f"c{n}", said[hit], (), at=NOW - n // 2) for n, hit in enumerate(hits)]
    await seem_to_match(store)
    seen: list[int] = []
    wanted = Wanted(terms=terms("不知道"), limit=limit)
    for _ in hits:
        page = await store.reviews.find(wanted)
        seen += [row.id for row in page.rows]
        if page.next is None:
            break
        wanted = replace(wanted, before=page.next)
    assert page.next is None
    assert sorted(seen) == [one for one, hit in zip(made, hits, strict=True) if hit]


async def test_a_sample_is_the_same_for_the_same_seed(store: Store) -> None:
    for n in range(30):
        await add(store, f"c{n}", None, (), at=NOW - n, seat="1001" if n % 2 else "1002")
    one = await ids(store, sample=5, seed="a")
    assert one == await ids(store, sample=5, seed="a")
    assert len(set(one)) == 5
    others = {tuple(await ids(store, sample=5, seed=seed)) for seed in "bcdef"}
    assert len(others | {tuple(one)}) == 6
    assert set(await ids(store, sample=5, seed="a", seat="1001")) <= set(await ids(store, seat="1001"))
    assert len(await ids(store, sample=100, seed="a")) == 30


async def test_two_reviewers_and_what_differs_is_there(store: Store) -> None:
    recording = (await fill(store))[0]
    await signed(store, recording, "qa", language=Verdict.MISSED)
    await signed(store, recording, "wu")
    found = await store.reviews.recorded(recording)
    assert found is not None
    assert [(one.reviewer, one.score) for one in found.reviews] == [("qa", 50.0), ("wu", 100.0)]
    assert found.paths == {"mix": "2026/mixed.wav", "seat": "2026/seat.wav", "caller": "2026/caller.wav"}
    assert [one.text for one in found.transcript.segments][1][:4] == "你好我是"  # type: ignore[union-attr]


async def test_a_draft_is_begun_once_and_kept(store: Store) -> None:
    recording = (await fill(store))[0]
    first = await store.reviews.begin(recording, "qa", NOW, STANDARD, {"greeting": Verdict.MET})
    await store.reviews.answer(first, STANDARD, "greeting", Verdict.PARTLY, "qa", NOW)
    await store.reviews.answer(first, STANDARD, "closing", Verdict.MET, "qa", NOW)
    await store.reviews.answer(first, STANDARD, "closing", None, "qa", NOW)
    assert await store.reviews.begin(recording, "qa", NOW, STANDARD, MET) == first
    kept = await store.reviews.review(first)
    assert kept is not None
    assert (kept.answers, kept.proposed) == ({"greeting": Verdict.PARTLY}, {"greeting": Verdict.MET})


async def test_begun_at_the_same_time_it_is_one(store: Store) -> None:
    recording = (await fill(store))[0]
    made = await asyncio.gather(*(store.reviews.begin(recording, "qa", NOW, STANDARD, MET) for _ in range(6)))
    assert len(set(made)) == 1


async def test_signing_wants_every_answer_and_reckons_by_itself(store: Store) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, {"greeting": Verdict.MET})
    with pytest.raises(ReviewError, match="Not every question is answered"):
        await store.reviews.sign(review, STANDARD, "qa", NOW)
    for question in MET:
        await store.reviews.answer(review, STANDARD, question, Verdict.MET, "qa", NOW)
    await store.reviews.answer(review, STANDARD, "closing", Verdict.MISSED, "qa", NOW)
    done = await store.reviews.sign(review, STANDARD, "qa", NOW + 9)
    assert (done.score, done.signed_at) == (90.0, NOW + 9)
    assert done.signature == digest(replace(done, signature=""))


CHANGED = versioned(
    replace(
        STANDARD,
        passing=95.0,
        questions=(*STANDARD.questions[1:], replace(STANDARD.questions[0], id="welcome", verdicts=YES_NO)),
    )
)
"""One question has gone, another has come, and more points are asked."""


async def test_a_draft_follows_the_card_and_loses_no_answer(store: Store) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    with pytest.raises(ReviewError, match="Not every question is answered"):
        await store.reviews.sign(review, CHANGED, "qa", NOW)
    with pytest.raises(ReviewError, match="no such question"):
        await store.reviews.answer(review, CHANGED, "welcome", Verdict.PARTLY, "qa", NOW)
    draft = await store.reviews.answer(review, CHANGED, "welcome", Verdict.MISSED, "qa", NOW)
    assert draft.answers == MET | {"welcome": Verdict.MISSED}
    assert (draft.scorecard, draft.card) == (CHANGED.version, None)
    signed = await store.reviews.sign(review, CHANGED, "qa", NOW)
    assert (signed.score, signed.card, signed.scorecard) == (85.0, CHANGED, CHANGED.version)
    assert signed.signature == digest(replace(signed, signature=""))


async def test_what_was_signed_is_shown_and_counted_by_its_own_card(store: Store) -> None:
    c1, c2, *_ = await fill(store)
    await signed(store, c1, closing=Verdict.MISSED)
    review = await store.reviews.begin(c2, "qa", NOW, CHANGED, MET | {"welcome": Verdict.MET})
    await store.reviews.answer(review, CHANGED, "closing", Verdict.MISSED, "qa", NOW)
    await store.reviews.sign(review, CHANGED, "qa", NOW)
    assert [(await store.reviews.recorded(one)).reviews[0].card for one in (c1, c2)] == [STANDARD, CHANGED]  # type: ignore[union-attr]
    assert await ids(store, score="passed") == [c1]
    assert await ids(store, score="failed") == [c2]
    marks = [row.reviews[0] for row in (await store.reviews.find(Wanted(review="signed"))).rows]
    assert [(one.score, one.passing, one.passed) for one in marks] == [(90.0, 85.0, True), (90.0, 95.0, False)]


async def test_reviews_signed_before_cards_were_stored_keep_their_questions(empty_place: Place) -> None:
    await empty_place.migrate()
    async with empty_place.open() as store:
        review = await store.reviews.begin((await fill(store))[0], "qa", NOW, STANDARD, MET)
        old = update(reviews).values(scorecard="standard-1", signed_at=NOW, score=90.0)
        await store._database.write(lambda connection: connection.execute(old) and None)  # type: ignore[attr-defined]
        kept = await store.reviews.review(review)
    assert kept is not None
    assert kept.card is not None
    assert kept.card.passing == 85.0
    for old_one, new_one in zip(kept.card.questions, STANDARD.questions, strict=True):
        assert replace(old_one, text=new_one.text) == new_one


STEPS: list[Callable[[Store, int], Any]] = [
    lambda store, review: store.reviews.answer(review, STANDARD, "closing", Verdict.MISSED, "qa", NOW),
    lambda store, review: store.reviews.write_note(review, "other", "qa", NOW),
    lambda store, review: store.reviews.comment(review, "k2", 1.0, "late", "qa", NOW),
    lambda store, review: store.reviews.remove_comment(review, 1, "qa", NOW),
    lambda store, review: store.reviews.sign(review, STANDARD, "qa", NOW),
]


@pytest.mark.parametrize("step", STEPS, ids=["answer", "note", "comment", "uncomment", "sign"])
async def test_a_signed_review_is_changed_by_no_step(store: Store, step: Callable[[Store, int], Any]) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    await store.reviews.comment(review, "k1", 31.8, "here", "qa", NOW)
    before = await store.reviews.sign(review, STANDARD, "qa", NOW)
    with pytest.raises(ReviewError, match="cannot be changed"):
        await step(store, review)
    assert await store.reviews.review(review) == before


STATEMENTS = {
    "score": update(reviews).values(score=100.0),
    "signature": update(reviews).values(signature=""),
    "unsign": update(reviews).values(signed_at=None),
    "note": update(reviews).values(note="other"),
    "proposed": update(reviews).values(proposed={}),
    "delete": delete(reviews),
    "another card": update(reviews).values(scorecard="standard-1"),
    "the card's text": update(scorecards).values(text="{}"),
    "the card's pass": update(scorecards).values(passing=0.0),
    "the card gone": delete(scorecards),
    "answer": update(review_answers).values(verdict="met"),
    "answers gone": delete(review_answers),
    "comment": update(review_comments).values(text="other"),
    "comments gone": delete(review_comments),
    "another answer": insert(review_answers).values(review_id=1, question="more", verdict="met"),
    "another comment": insert(review_comments).values(review_id=1, key="z", moment=1.0, text="x", author="qa", at=NOW),
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
async def test_the_database_itself_refuses_to_change_what_is_signed(store: Store, statement: Any) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, MET | {"closing": Verdict.MISSED})
    await store.reviews.comment(review, "k1", 31.8, "here", "qa", NOW)
    assert review == 1
    before = await store.reviews.sign(review, STANDARD, "qa", NOW)
    with pytest.raises((StoreError, DBAPIError)):
        await store._database.write(lambda connection: connection.execute(statement) and None)
    assert await store.reviews.review(review) == before


async def test_the_erasure_of_a_recording_goes_before_a_signature(store: Store) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    await store.reviews.comment(review, "k1", 31.8, "the caller said so", "qa", NOW)
    await store.reviews.sign(review, STANDARD, "qa", NOW)

    def work(connection: Any) -> None:
        connection.execute(update(recordings).where(recordings.c.id == recording).values(state="erased"))
        connection.execute(delete(review_comments).where(review_comments.c.review_id == review))

    await store._database.write(work)
    assert await store.reviews.recorded(recording) is None
    assert recording not in await ids(store)
    with pytest.raises(ReviewError, match="no such recording"):
        await store.reviews.begin(recording, "wu", NOW, STANDARD, MET)


async def test_a_dispute_is_raised_once_and_answered_once(store: Store) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, MET | {"language": Verdict.MISSED})
    with pytest.raises(ReviewError, match="not signed"):
        await store.reviews.dispute(review, "no", "li", NOW)
    await store.reviews.sign(review, STANDARD, "qa", NOW)
    with pytest.raises(ReviewError, match="no open dispute"):
        await store.reviews.answer_dispute(review, "upheld", "so it is", "wu", NOW)
    await store.reviews.dispute(review, "客户先说的", "li", NOW + 5)
    assert await ids(store, review="disputed") == [recording]
    with pytest.raises(ReviewError, match="disputed already"):
        await store.reviews.dispute(review, "again", "li", NOW)
    done = await store.reviews.answer_dispute(review, "set_aside", "您说得对", "wu", NOW + 9)
    assert done.dispute is not None
    assert (done.dispute.outcome, done.dispute.answer, done.counts, done.score) == (
        "set_aside",
        "您说得对",
        False,
        50.0,
    )
    assert await ids(store, review="disputed") == []
    assert await ids(store, score="failed") == []
    assert recording in await ids(store, review="none")
    with pytest.raises(ReviewError, match="no open dispute"):
        await store.reviews.answer_dispute(review, "upheld", "no", "wu", NOW)


async def test_every_step_leaves_a_line(store: Store) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    await store.reviews.answer(review, STANDARD, "closing", Verdict.MISSED, "qa", NOW)
    await store.reviews.answer(review, STANDARD, "closing", Verdict.MISSED, "qa", NOW)
    await store.reviews.comment(review, "k", 3.0, "text of a comment", "qa", NOW)
    await store.reviews.comment(review, "k", 3.0, "text of a comment", "qa", NOW)
    await store.reviews.write_note(review, "a note", "qa", NOW)
    await store.reviews.sign(review, STANDARD, "qa", NOW)
    await store.reviews.dispute(review, "no", "li", NOW)
    await store.reviews.answer_dispute(review, "upheld", "yes", "wu", NOW)
    lines = await store.reviews.log(recording)
    assert [(one.what, one.by) for one in lines] == [
        *(("begun", "qa"), ("answered", "qa"), ("commented", "qa"), ("noted", "qa"), ("signed", "qa")),
        *(("disputed", "li"), ("dispute_answered", "wu")),
    ]
    assert lines[1].detail == {"question": "closing", "old": "met", "new": "missed"}
    assert "text of a comment" not in str(lines)


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
async def test_a_text_that_is_none_or_too_long_is_refused_with_a_sentence(store: Store, text: str) -> None:
    recording = (await fill(store))[0]
    review = await store.reviews.begin(recording, "qa", NOW, STANDARD, MET)
    with pytest.raises(ReviewError, match="text"):
        await store.reviews.comment(review, "k", 1.0, text, "qa", NOW)
    with pytest.raises(ReviewError, match="no such review"):
        await store.reviews.sign(999, STANDARD, "qa", NOW)
    with pytest.raises(ReviewError, match="no such question"):
        await store.reviews.answer(review, STANDARD, "other", Verdict.MET, "qa", NOW)


def test_the_sample_data_say_what_they_should() -> None:
    assert [one.start for one in FOUND if one.phrase == "dont_know"] == [31.8]
    assert all(one.found == (one.kind == "required") for one in CLEAN)
    assert DIALOGUE[5][2].split()[2] == "不知道"
