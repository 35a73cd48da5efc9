"""What a French text says: words, sentences, numbers, quantities, periods, names, who speaks.

In goes text, out come spans and values. Knows nothing of articles, indexes or questions.
"""
