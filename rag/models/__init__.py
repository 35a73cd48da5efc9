"""Networks and services that turn texts into vectors or scores.

In go texts, out come arrays; each backend is one file, loaded at its first use.
"""
