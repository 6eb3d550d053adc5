"""Machine and versions, which the figures depend on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import fastmlp
from benches.compare import OURS


def setting(libraries):
    """Describe where this process runs, and which of these libraries it measures."""
    return {
        "processor": processor("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        OURS: fastmlp.__version__,
        "numpy": f"{np.__version__} {blas_of('numpy')}",
        **{name: version(name) for name in libraries if name not in (OURS, "numpy")},
        "remark": remark() if "torch" in libraries else "",
    }


def blas_of(package):
    """Name the BLAS that comes with a package, and the processor its kernels are for."""
    for pool in threadpool_info():
        if pool["user_api"] == "blas" and package in Path(pool["filepath"]).parent.name:
            return f"({pool['internal_api']} {pool['version']} for {pool.get('architecture')})"
    return "(BLAS unknown)"


def remark():
    """Say what the figures of torch owe to the processor's maker."""
    import torch

    if torch.backends.mkl.is_available() and processor("vendor_id") == "AuthenticAMD":
        return "torch's MKL takes a slower path on AMD's processors than on Intel's"
    return ""


def processor(key):
    """Ask Linux for the processor's property of this name; "" elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
