"""The environment variables that every library reads when it is loaded."""

import os

# If set, these pin NumPy's BLAS to the kernels of older processors.
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
# BLAS of NumPy and SciPy, OpenMP and MKL of torch, jax; the other peers get an argument.
THREADS = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NPROC",
)


def environment(threads):
    """Return the environment of a process that measures with so many threads."""
    kept = {name: value for name, value in os.environ.items() if name not in PINS}
    return kept | dict.fromkeys(THREADS, str(threads)) | {"JAX_PLATFORMS": "cpu"}
