"""From a question to the passages that may answer it.

In goes a question understood once, out come hits, best first.
"""
