"""From hits to an answer made of the articles' own sentences, or to a refusal.

In go a question and its hits, out come statements with the exact spans they rest on.
"""
