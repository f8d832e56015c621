"""The reference: entries of recipes, listings of sources, records of measurements."""
