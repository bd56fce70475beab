"""Train the paper's U-Net in PyTorch on data in memory, and print the images per second as one line of JSON.

`gpu.py` starts this file in a process of its own, so that PyTorch and JAX share neither libraries nor memory. Its
arguments are ``PRECISION BATCH SIDE WIDTH DEPTH SECONDS``.
"""

import json
import sys
import time

from contenders import RATE, torch_unet


def images_per_second(precision: str, batch: int, side: int, width: int, depth: int, seconds: float) -> dict:
    """Return the images per second with and without ``torch.compile``, and what compilation took.

    Parameters
    ----------
    precision : str
        ``"bfloat16"`` (autocast), ``"tf32"`` or ``"float32"``.
    batch, side, width, depth : int
        Images of a step, pixels a side, channels of the first level and levels.
    seconds : float
        How long each is measured.
    """
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.benchmark = True  # as anybody would who trains on images of one size
    torch.manual_seed(2023)
    model = torch_unet(width, depth).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), RATE, fused=device == "cuda")
    inputs = torch.rand(batch, 1, side, side, device=device).to(memory_format=torch.channels_last)
    targets = (torch.rand(batch, 1, side, side, device=device) > 0.5).float()

    def steps(network, number: int) -> float:
        began = time.perf_counter()
        for _ in range(number):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
                logits = network(inputs)
            loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), targets)
            loss.backward()
            optimizer.step()
        loss.item()  # waits until the card is done
        return time.perf_counter() - began

    found = {"torch": torch.__version__, "device": device}
    for name, network in {"eager": model, "compiled": torch.compile(model)}.items():
        try:
            found[f"{name}_first_steps_seconds"] = steps(network, 2)
            number = max(2, round(seconds / steps(network, 2) * 2))
            found[name] = number * batch / steps(network, number)
        except Exception as error:  # no compiler, say: the other number still counts
            found[f"{name}_error"] = f"{type(error).__name__}: {str(error).strip().splitlines()[-1:]}"
    return found


if __name__ == "__main__":
    print(json.dumps(images_per_second(sys.argv[1], *map(int, sys.argv[2:6]), float(sys.argv[6]))))
