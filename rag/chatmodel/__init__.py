"""A chat model that writes, splits and judges, when the settings name one.

In go questions and hits, out come statements that were checked; nothing it writes is
shown unchecked.
"""
