"""Measures of retrieval and answers on questions whose answers are known."""
