"""The arithmetic that is chosen for a machine."""

from cxrseg import hardware


def test_precision_is_what_the_hardware_does(monkeypatch):
    monkeypatch.setattr(hardware, "gpus", lambda: [])
    for flags, expected in (({"avx512_bf16"}, "mixed_bfloat16"), ({"avx2"}, "float32")):
        monkeypatch.setattr(hardware, "_cpu_flags", lambda flags=flags: flags)
        assert hardware.native_precision() == expected
    for capability, expected in (((9, 0), "mixed_bfloat16"), ((7, 5), "mixed_float16"), ((6, 1), "float32")):
        monkeypatch.setattr(hardware, "gpus", lambda c=capability: [{"name": "GPU", "capability": c}])
        assert hardware.native_precision() == expected
