"""Claims and statements, checked against what was published.

In go a claim, or a model's sentence, and hits; out come evidence, who says it, and a verdict
that claims no more than the evidence.
"""
