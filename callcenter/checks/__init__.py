"""What ``callcenter check`` judges: facts about an Asterisk in, findings out. ``check.py`` gathers the facts."""
