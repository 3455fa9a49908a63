"""Judging a fresh transcript against the standard's phrases, where ``quality`` can.

Place on the path of a call: after the transcript is masked, before both are stored together. Beside the phrases stands
what the sound tells (``quality/audio``). Several threads may ask.
Never: judges by itself.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from callcenter.calls.model import Call, Hold, Pause
from callcenter.calls.recorded import begun_at
from callcenter.settings import Settings
from callcenter.speech.service import Judge, Levels
from callcenter.speech.transcript import Segment, Transcript, Word

_PLACE = ("speaker", "start", "end", "heard", "score", "band", "seat")
"""What each further place of a phrase tells for itself."""


def judged(settings: Settings) -> Judge:
    """What finds the phrases of a queue's own script, or of the shipped one of its language. Raises ``BadInput`` with
    all mistakes of a queue's script."""
    scripts: dict[Any, Any] = {}
    one_at_a_time = threading.Lock()
    for queue in (settings.queue_defaults, *settings.queues.values()):
        if queue.script is not None and queue.script not in scripts:
            from callcenter.quality.scripts import read_script

            scripts[queue.script] = read_script(queue.script)

    def found(
        transcript: Transcript, call: Call | None, levels: Levels, seconds: float | None
    ) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
        # Half a second of pinyin tables, for sites that transcribe.
        from callcenter.quality.audio import measures
        from callcenter.quality.matching import judge
        from callcenter.quality.scripts import default_script

        rules = settings.queue(call.queue if call else None)
        key = rules.script or rules.language or settings.site.language
        if key not in scripts:
            scripts[key] = default_script(str(key))
        script = scripts[key]
        holds, paused = waits_of(call, seconds), pauses_of(call, seconds)
        with one_at_a_time:  # what the matcher remembers is not for several threads
            told = judge(transcript, script, holds, paused, every_place=True)
        # Nobody waited: then nothing was owed, and nothing is missing.
        findings = [row(finding) for finding in told if finding.due or finding.found]
        return findings, measures(transcript, levels, [*holds, *paused], script.language)

    return found


def warm(settings: Settings) -> None:
    """What the first judging would build: modules, tables of sounds, the site's script. Its pieces hold the whole
    interpreter for a sixth of a second, whichever thread asks; done before the doors open, nobody waits for it."""
    word = Segment("seat", (Word("好", 0.0, 0.4, 0.9),))
    judged(settings)(Transcript("", "", "", (word,)), None, {}, None)


def waits_of(call: Call | None, seconds: float | None) -> list[Any]:
    """The holds in seconds of the recording, which is so long."""
    return _in_recording(call, seconds, call.holds if call else ())


def pauses_of(call: Call | None, seconds: float | None) -> list[Any]:
    """When nothing was recorded, in seconds of the recording, which is so long."""
    return _in_recording(call, seconds, call.pauses if call else ())


def _in_recording(call: Call | None, seconds: float | None, parts: Sequence[Hold | Pause]) -> list[Any]:
    from callcenter.quality.heard import Wait

    begin = begun_at(call, seconds) if call is not None else None
    if call is None or begin is None:
        return []
    ends = ((one, one.ended_at if one.ended_at is not None else call.ended_at) for one in parts)
    return [Wait(max(0.0, one.started_at - begin), end - begin) for one, end in ends if end is not None]


def row(finding: Any) -> dict[str, Any]:
    """A ``quality.finding.Finding`` as a row of the table."""
    names = ("phrase", "rule", "kind", "found", "speaker", "start", "heard", "score", "band", "severity", "seat")
    more = [{name: getattr(place, name) for name in _PLACE} for place in finding.more]
    return {name: getattr(finding, name) for name in names} | {"end_at": finding.end, "more": more}
