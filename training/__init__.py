"""Makes the shipped encoder again, from public parts; nothing here runs in production."""
