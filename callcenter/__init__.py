"""callcenter: a telephony/CTI daemon for support hotlines on Asterisk.

The path of one call runs ``pipeline`` -> ``ami/codec`` -> ``ami/events`` -> ``calls/model`` -> ``calls/fold`` ->
``rules/decide`` -> one rule -> ``effects/outbox`` -> ``effects/pops`` -> ``app``; ARCHITECTURE.md walks it.
"""

__version__ = "0.1.0"
