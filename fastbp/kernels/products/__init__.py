"""Matrix products on panels of weights."""
