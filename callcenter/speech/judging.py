"""Judging a fresh transcript against the standard's phrases, where ``quality`` can.

Place on the path of a call: after the transcript is masked, before both are stored together.
Never: judges by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from callcenter.calls.model import Call
from callcenter.settings import Settings
from callcenter.speech.service import Judge
from callcenter.speech.transcript import Transcript


def judged(settings: Settings) -> Judge:
    """What finds the phrases of a queue's language."""
    scripts: dict[str, Any] = {}

    def found(transcript: Transcript, call: Call | None) -> Sequence[Mapping[str, Any]]:
        # Half a second of pinyin tables, for sites that transcribe.
        from callcenter.quality.matching import judge
        from callcenter.quality.scripts import default_script

        language = settings.queue(call.queue if call else None).language or settings.site.language
        if language not in scripts:
            scripts[language] = default_script(language)
        return [row(finding) for finding in judge(transcript, scripts[language])]

    return found


def row(finding: Any) -> dict[str, Any]:
    """A ``quality.finding.Finding`` as a row of the table."""
    names = ("phrase", "rule", "kind", "found", "speaker", "start", "heard", "score", "band", "severity")
    return {name: getattr(finding, name) for name in names} | {"end_at": finding.end}
