"""Measures of retrieval, answers, stances and verdicts on data whose truth is known.

In go files of labelled questions, pairs or claims; out come results with intervals.
"""
