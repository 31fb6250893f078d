"""Averaging, peaks and limbs where the network ran, so that its maps need not come to the host.

Plain PyTorch: on CUDA it saves the way of all maps to the host, on the CPU it serves the tests.
"""
