"""Which way a signal points, as the reader is told."""

AGAINST, FOR, OPEN = "contre", "pour", "à vérifier"
