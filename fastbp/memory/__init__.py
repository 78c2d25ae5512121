"""Where the bytes lie: parameters, and what a mini-batch needs."""
