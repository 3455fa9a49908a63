"""What a recording is read together with: its ticket, its call, its transcript; and the time of its call.

On the path of a call: below the queries of the review page. Never: reads.
"""

from sqlalchemy import and_, func

from callcenter.store.schema import calls, recordings, tickets, transcripts

AT = func.coalesce(calls.c.arrived_at, tickets.c.opened_at, recordings.c.created_at)
JOINED = (
    recordings.outerjoin(tickets, tickets.c.id == recordings.c.ticket_id)
    .outerjoin(calls, and_(calls.c.server == recordings.c.server, calls.c.call_id == recordings.c.call_id))
    .outerjoin(transcripts, transcripts.c.recording_id == recordings.c.id)
)
KEPT = recordings.c.state != "erased"
