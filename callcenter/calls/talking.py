"""What happened once somebody had lifted: the conversation, holds, transfers, and who hung up first (B6).

The third step of ``calls/derive``. Facts of Asterisk it rests on: only ``HangupRequest`` tells whose device hung up,
and none means that the PBX did; a transfer sends an Unhold without Hold, and a feature code a Hold without Unhold; talk
begins at the lifting of the phone, while a greeting may still be played.
Never: reads a clock: what is open lasts until the last event of the call.
"""

from dataclasses import replace

from callcenter.calls import intervals as iv
from callcenter.calls.evidence import Leg, Transferred
from callcenter.calls.fold import RECORDING_PAUSED, RECORDING_RESUMED
from callcenter.calls.model import Direction, EndedBy, Hold, Pause, Transfer, TransferKind
from callcenter.calls.naming import endpoint
from callcenter.calls.parties import Parties
from callcenter.calls.waiting import SAME_MOMENT

NO_SOUND_CAUSE = 44
"""Q.850 "requested channel not available": what chan_pjsip says of a phone from which no sound came for ``rtp_timeout``
seconds, without a HangupRequest."""
NETWORK_CAUSES = frozenset((18, 34, 38, 41))
"""Q.850: no user responding (SIP 408), no circuit (503), network out of order (500), temporary failure."""
NETWORK_STATUSES = frozenset((408, 503))
"""SIP: a session timer that nobody answers ends a call with 408 and the cause of an ordinary hang-up (16)."""


def together(p: Parties) -> list[iv.Interval]:
    """When the caller was in a bridge with somebody, from the lifting of the phone; where the caller transferred the
    other side and left, when that other side was."""
    if p.caller is None or p.answering is None or p.answered_at is None:
        return []
    answered_at, until = p.answered_at, p.call.last_at
    met = _met(p, p.caller)
    if any(transfer.leg == p.caller.uniqueid for transfer in p.call.transfers):
        met = iv.union([*met, *_met(p, p.answering)])
    met = [(start, end) for start, end in iv.intersect(met, _present(p)) if end > answered_at]
    first = met[0][0] if met else iv.earliest(p.answering.hangup_at, p.caller_gone_at) or until
    return iv.union([(answered_at, max(first, answered_at)), *met])


def _met(p: Parties, who: Leg) -> list[iv.Interval]:
    """When this leg was in a bridge with any other."""
    until = p.call.last_at
    others: dict[str, list[iv.Interval]] = {}
    for leg in p.call.legs.values():
        if leg is not who:
            for bridge, stay in iv.stays(leg.moves, leg.hangup_at, until):
                others.setdefault(bridge, []).append(stay)
    return iv.union(
        part
        for bridge, stay in iv.stays(who.moves, who.hangup_at, until)
        for part in iv.intersect([stay], iv.union(others.get(bridge, [])))
    )


def _present(p: Parties) -> list[iv.Interval]:
    """When another phone was lifted: over a Local channel the caller's bridge stays while a transfer's target rings.
    A phone that called by itself and was joined (it took a parked caller back, say) counts from there on."""
    until = p.call.last_at
    called = {leg.uniqueid: leg.lifted_at for leg in p.attempts}
    away = {transfer.leg: transfer.at for transfer in p.call.transfers}
    legs = [*p.attempts, *(leg for leg in p.real if leg is not p.caller and leg.uniqueid not in called)]
    since = ((leg, called.get(leg.uniqueid, leg.joined_at)) for leg in legs)
    return iv.union(
        (at, max(at, iv.earliest(_left_at(leg, at), away.get(leg.uniqueid)) or until))
        for leg, at in since
        if at is not None
    )


def holds(p: Parties) -> list[Hold]:
    """Holds that a seat's phone pressed, in order."""
    if p.answered_at is None:
        return []
    found = [
        Hold(p.seat(leg), start, iv.earliest(end, _left_at(leg, start), _handed_over_at(p, leg, start)))
        for leg in p.real
        if leg.holds and (p.ours(leg) or p.direction is Direction.INTERNAL)
        for start, end in iv.pairs(leg.holds)
        if start >= p.answered_at - SAME_MOMENT
    ]
    return sorted(found, key=lambda hold: hold.started_at)


def _handed_over_at(p: Parties, leg: Leg, since: float) -> float | None:
    """When a leg brought the held caller together with somebody, be it in a conference of three; no Unhold tells."""
    return min((t.at for t in p.call.transfers if t.leg == leg.uniqueid and t.at >= since), default=None)


def _left_at(leg: Leg, since: float) -> float | None:
    """When a leg left the conversation for good: a hold ends there, Unhold or not."""
    left = max((at for at, _, entered in leg.moves if not entered), default=None)
    stayed = any(entered and left is not None and at > left for at, _, entered in leg.moves)
    return iv.earliest(leg.hangup_at, None if stayed or left is None or left < since else left)


def held(p: Parties, found: list[Hold]) -> list[iv.Interval]:
    """The time on hold, whoever pressed."""
    return iv.union((hold.started_at, hold.ended_at or p.call.last_at) for hold in found)


def talking_to(p: Parties) -> list[str]:
    """Seats whose phone is lifted and in a bridge, or about to be (a greeting is played first)."""
    return [
        p.seat(leg)
        for leg in p.attempts
        if leg.lifted and leg.hangup_at is None and (not leg.moves or max(leg.moves)[2])
    ]


def pauses(p: Parties, ended_at: float | None) -> tuple[Pause, ...]:
    """When the recording was silent. Whoever paused it twice paused it once; the call's end ends it."""
    found: list[Pause] = []
    for at, what, by in sorted(p.call.marks):
        pausing = bool(found) and found[-1].ended_at is None
        if what == RECORDING_PAUSED and not pausing:
            found.append(Pause(at, None, by))
        elif what == RECORDING_RESUMED and pausing:
            found[-1] = replace(found[-1], ended_at=at)
    if found and found[-1].ended_at is None and ended_at is not None:
        found[-1] = replace(found[-1], ended_at=max(found[-1].started_at, ended_at))
    return tuple(found)


def transfers(p: Parties) -> tuple[Transfer, ...]:
    """Who sent the caller on to whom, in order."""
    return tuple(
        Transfer(TransferKind(t.kind), _transferer(p, t), _target(p, t), t.at)
        for t in sorted(p.call.transfers, key=lambda t: t.at)
    )


def _transferer(p: Parties, transfer: Transferred) -> str:
    leg = p.call.legs.get(transfer.leg)
    if leg is not None and leg is p.caller:
        return p.caller_number() or p.seat(leg)
    return p.seat(leg) if leg is not None else endpoint(transfer.channel)


def _target(p: Parties, transfer: Transferred) -> str:
    """Who got the caller: the dialled extension, the target's phone, or the last one lifted in a consultation."""
    if transfer.to:
        return transfer.to
    leg = p.call.legs.get(transfer.target)
    if leg is not None and not leg.local:
        return p.seat(leg)
    if transfer.target_channel:
        return endpoint(transfer.target_channel)
    away = {t.leg for t in p.call.transfers}
    consulted = [
        other
        for other in p.attempts
        if other.lifted_at is not None and other.lifted_at <= transfer.at and other.uniqueid not in away
    ]
    return p.seat(consulted[-1]) if consulted else ""


def ended_by(p: Parties, conversation: list[iv.Interval]) -> EndedBy | None:
    """Whose hang-up ended the call; ``None`` while it runs."""
    if not p.ended:
        return None
    caller = p.caller
    if p.call.lost or caller is None or (caller.hangup_at is None and caller.requested_at is None):
        return EndedBy.UNKNOWN
    moments: list[tuple[float, EndedBy]] = []
    if caller.requested_at is not None and all(transfer.leg != caller.uniqueid for transfer in p.call.transfers):
        moments.append((caller.requested_at, EndedBy.SEAT if p.ours(caller) else EndedBy.CALLER))
    if p.answering is not None:
        moments += _other_hangups(p, conversation[-1][1] if conversation else None)
    return min(moments)[1] if moments else EndedBy.SYSTEM


def cut_off(p: Parties, conversation: list[iv.Interval]) -> str | None:
    """Why the last conversation broke off, of what was observed to (B5); ``None`` where somebody hung up.

    Whoever hung up first tells by its own leg's cause; where no phone did, a leg of either side may."""
    if not p.ended or p.call.lost or p.direction is not Direction.INBOUND or p.answering is None or not conversation:
        return None
    parted_at = conversation[-1][1]
    ended = [leg for leg in _last_talking(p) if abs((leg.gone_at or 0.0) - parted_at) <= SAME_MOMENT]
    asked = [leg for leg in ended if leg.requested_at is not None]
    told = [min(asked, key=lambda leg: leg.requested_at or 0.0)] if asked else ended
    if any(leg.cause in NETWORK_CAUSES or leg.tech_cause in NETWORK_STATUSES for leg in told):
        return "network"
    return "no_sound" if any(leg.cause == NO_SOUND_CAUSE for leg in told) else None


def _last_talking(p: Parties) -> list[Leg]:
    """The caller's leg and those that were lifted; not one that transferred the other side away."""
    away = {transfer.leg for transfer in p.call.transfers}
    legs = [leg for leg in (p.caller, *p.attempts) if leg is not None and leg.lifted]
    return [leg for leg in legs if leg.uniqueid not in away]


def _other_hangups(p: Parties, parted_at: float | None) -> list[tuple[float, EndedBy]]:
    """Hang-ups of phones that were in the last conversation; a seat that transferred the caller away is not.

    In an outgoing call the other side is the customer: B6 asks who hung up first, the customer or we."""
    away = {transfer.leg for transfer in p.call.transfers}
    return [
        (leg.requested_at, EndedBy.SEAT if p.ours(leg) else EndedBy.CALLER)
        for leg in p.attempts
        if leg.requested_at is not None
        and leg.lifted
        and leg.uniqueid not in away
        and (parted_at is None or leg.requested_at >= parted_at - SAME_MOMENT)
    ]
