"""Inputs that try to end, hold up or fool an ingestion, and what must become of each.

`files.write(folder)` makes the files, `site.Site` serves the answers. `python -m tests.hostile`
reads them all and prints what was done with each, as a Markdown table.
"""
