"""The small language that kernels are written in: explicit vector code that reads as its equation."""
