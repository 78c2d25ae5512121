"""fastbp against its peers: the same network, data, mini-batches and dtype, interleaved in one run.

It belongs to the repository and is not installed. Nothing is imported here: `blas` has to run before NumPy is loaded.
"""
