"""From articles to the index, and back: passages, sentences, the store, the words.

In go articles as readers made them, out come stored passages with what was understood of
them. One process owns an embedded index; a change is whole or absent.
"""
