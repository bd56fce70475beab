"""Describe the machine, and choose the arithmetic that it computes natively."""

import os
import platform
from pathlib import Path

import keras


def gpus() -> list[dict]:
    """List the GPUs that Keras' backend sees.

    Returns
    -------
    list of dict
        ``name`` and ``capability``, CUDA's compute capability as a (major, minor) tuple or None.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        found = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
        return [{"name": d.get("device_name", "GPU"), "capability": d.get("compute_capability")} for d in found]
    if backend == "jax":
        import jax

        found = [device for device in jax.devices() if device.platform == "gpu"]
        return [{"name": d.device_kind, "capability": _capability(getattr(d, "compute_capability", ""))} for d in found]
    if backend == "torch":
        import torch

        found = range(torch.cuda.device_count())
        return [
            {"name": torch.cuda.get_device_name(i), "capability": torch.cuda.get_device_capability(i)} for i in found
        ]
    return []


def native_precision() -> str:
    """Return the fastest Keras dtype policy that the hardware computes natively.

    Returns
    -------
    str
        ``"mixed_bfloat16"`` on NVIDIA GPUs from Ampere (compute capability 8) and on x86 processors with
        bfloat16 dot products; ``"mixed_float16"`` on NVIDIA Volta and Turing (7); else ``"float32"``.
    """
    found = gpus()
    if found:
        major = (found[0]["capability"] or (0, 0))[0]
        return "mixed_bfloat16" if major >= 8 else "mixed_float16" if major == 7 else "float32"
    return "mixed_bfloat16" if _cpu_flags() & {"avx512_bf16", "amx_bf16"} else "float32"


def describe() -> dict:
    """Describe the machine for the record of a run.

    Returns
    -------
    dict
        ``cpu``, ``cores`` usable by this process, ``memory_gib``, ``gpu`` (name or None), ``system``.
    """
    found = gpus()
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": found[0]["name"] if found else None,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _capability(text: str) -> tuple[int, int] | None:
    major, _, minor = str(text).partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def _cpuinfo(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _cpu_flags() -> set[str]:
    return set(_cpuinfo("flags").split())


def _cpu_name() -> str:
    return _cpuinfo("model name") or platform.processor() or platform.machine()
