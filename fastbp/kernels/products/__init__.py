"""Matrix products C = A B + I on panels of weights: dense, over the entries that are not 0, and what turns a panel."""
