"""Sentences for tuning by somebody who knew neither matcher nor script, and what is said around them in a call.

Place: ``confusion.cases`` makes garbled calls of it. ``phrase_proof`` has the other half, and the neutral sentences.
"""

from tests.unit.phrase_proof import PROOF
from tests.unit.phrase_templates import Templates
from tests.unit.phrase_wide_forbidden import BREACHES, HARMLESS
from tests.unit.phrase_wide_required import FULFILLED, MISSED

WIDE = Templates(PROOF.openings, PROOF.neutral, FULFILLED | BREACHES, MISSED | HARMLESS)
