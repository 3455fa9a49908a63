"""Hooks: what the dialplan asks of the daemon while a call waits, and what it tells about the call."""
