"""Recoupe: cited answers in French over a corpus of press articles."""

__version__ = "0.1.0"
