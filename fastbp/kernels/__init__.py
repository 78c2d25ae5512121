"""Kernels: the equations as numba functions. Arrays in, arrays out; nothing is allocated, nothing is raised."""
