"""``callcenter phrases verdicts``: the words of reviewed calls, with what their signed reviews say of phrases.

Place on the path of a call: long after it, beside a running daemon; ``callcenter phrases test`` reads what is printed.
Promises: words as they are stored, long numbers hidden; one call at a time is in memory.
Never: writes to the store; prints a number of a caller, or who reviewed.
"""

import argparse
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from callcenter.day_options import named_days
from callcenter.opening import beside
from callcenter.quality.review import Recorded, Wanted
from callcenter.quality.verdicts import verdicts_of
from callcenter.settings import Settings
from callcenter.speech.transcript import to_dict
from callcenter.store.store import Store

OK, USAGE = 0, 2
PAGE_ROWS = 100


async def print_verdicts(settings: Settings, options: argparse.Namespace) -> int:
    """A JSON object per call on standard output; the exit code. Raises ``BadInput``."""
    wanted = wanted_of(options, ZoneInfo(settings.site.timezone))
    count = 0
    try:
        async with beside(settings) as store:
            async for told in lines(store, wanted, options.language):
                sys.stdout.write(orjson.dumps(told).decode() + "\n")
                count += 1
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough
        sys.stderr.close()
        return OK
    if not count:
        sys.stderr.write("No signed review of these calls says anything of a phrase; name other days.\n")
    return OK if count else USAGE


async def lines(store: Store, wanted: Wanted, language: str) -> AsyncIterator[dict[str, Any]]:
    """What is printed of each reviewed call whose words are in this language, the newest first."""
    while True:
        page = await store.reviews.find(wanted)
        for row in page.rows:
            found = await store.reviews.recorded(row.id)
            told = line_of(found) if found is not None and found.language == language else None
            if told is not None:
                yield told
        if page.next is None:
            return
        wanted = replace(wanted, before=page.next)


def line_of(found: Recorded) -> dict[str, Any] | None:
    """``None`` where no words are stored, or no review tells of a phrase."""
    verdicts = verdicts_of(found.reviews, found.row.findings)
    return to_dict(found.transcript) | {"verdicts": verdicts} if found.transcript and verdicts else None


def wanted_of(options: argparse.Namespace, zone: ZoneInfo) -> Wanted:
    """Calls with signed reviews of these days, the last one included. Raises ``BadInput``."""
    since, until = named_days("phrases", options.since, options.until, zone)
    return Wanted(
        review="signed",
        queue=options.queue,
        since=since,
        until=until,
        limit=PAGE_ROWS,
    )
