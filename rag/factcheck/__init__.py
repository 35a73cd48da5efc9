"""Check claims: evidence for and against, who said it, and a verdict that claims no more."""
