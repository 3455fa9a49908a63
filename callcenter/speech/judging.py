"""Judging a fresh transcript against the standard's phrases, where ``quality`` can.

Place on the path of a call: after the transcript is masked, before both are stored together. Beside the phrases stands
what the sound tells (``quality/audio``).
Never: judges by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from callcenter.calls.model import Call
from callcenter.settings import Settings
from callcenter.speech.service import Judge, Levels
from callcenter.speech.transcript import Transcript


def judged(settings: Settings) -> Judge:
    """What finds the phrases of a queue's own script, or of the shipped one of its language. Raises ``BadInput`` with
    all mistakes of a queue's script."""
    scripts: dict[Any, Any] = {}
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
        holds = waits_of(call, seconds)
        told = judge(transcript, script, holds)
        # Nobody waited: then nothing was owed, and nothing is missing.
        findings = [row(finding) for finding in told if finding.due or finding.found]
        return findings, measures(transcript, levels, holds, script.language)

    return found


def waits_of(call: Call | None, seconds: float | None) -> list[Any]:
    """The holds in seconds of the recording, which is so long and ends with the call. (It begins where sound begins to
    flow: with ringback alone that is the answer, with music before it the queue. Measured on 22.10 and 16.28.)"""
    from callcenter.quality.heard import Wait

    if call is None or call.ended_at is None or not seconds:
        return []
    begin = call.ended_at - seconds
    ends = ((hold, hold.ended_at if hold.ended_at is not None else call.ended_at) for hold in call.holds)
    return [Wait(max(0.0, hold.started_at - begin), end - begin) for hold, end in ends if end is not None]


def row(finding: Any) -> dict[str, Any]:
    """A ``quality.finding.Finding`` as a row of the table."""
    names = ("phrase", "rule", "kind", "found", "speaker", "start", "heard", "score", "band", "severity")
    return {name: getattr(finding, name) for name in names} | {"end_at": finding.end}
