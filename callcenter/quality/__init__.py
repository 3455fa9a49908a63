"""Judging what was said against the standard's phrases (A2, A3, B1, B7, B8), and people's reviews of it (E1)."""
