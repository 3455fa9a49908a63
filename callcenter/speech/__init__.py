"""Hearing the calls: recordings, what was said in them, and the engines that listen."""
