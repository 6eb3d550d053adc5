"""Numbers below the normal range, for which a processor may take a hundred times as long."""

import ctypes
import platform
import sys
from contextlib import contextmanager

# glibc's fenv_t on x86-64 ends in the control register of vectors, whose bits 6 and 15 make
# subnormal operands and results 0.
CONTROL, FLUSH = 28, 0x8040
CAN_FLUSH = sys.platform == "linux" and platform.machine() == "x86_64"


@contextmanager
def flushed_to_zero():
    """Let this thread take them for 0, as jax does for itself; does nothing on other systems."""
    if not CAN_FLUSH:
        yield
        return
    libm = ctypes.CDLL("libm.so.6")
    before = ctypes.create_string_buffer(64)
    libm.fegetenv(before)
    flushing = ctypes.create_string_buffer(before.raw, 64)
    ctypes.c_uint32.from_buffer(flushing, CONTROL).value |= FLUSH
    libm.fesetenv(flushing)
    try:
        yield
    finally:
        libm.fesetenv(before)
