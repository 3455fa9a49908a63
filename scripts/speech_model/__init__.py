"""Builds and judges the tiny speech models of the tests: scripts/speech-model."""
