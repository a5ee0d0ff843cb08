"""Makes the files beside it, with PyTorch 2.13.0 on CPU: ``python make.py``. Nothing else here needs PyTorch.

``numbers.npz`` holds what PyTorch itself says that the tensors of ``numbers_*.pt`` are.
"""

import pathlib
import pickle
import sys
import types

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent


def numbers():
    """Every type of number; transposed, sliced, strided, empty, scalar, shared and frozen tensors."""
    base = torch.arange(24.0).reshape(4, 6)
    kinds = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
    kinds += ["complex64", "complex128"]
    found = {name: torch.arange(6).reshape(2, 3).to(getattr(torch, name)) for name in kinds}
    found |= {
        "base": base,
        "transposed": base.T,
        "row": base[2],
        "column": base[:, 1],
        "every_second": base[::2, ::3],
    }
    found |= {
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "permuted": base.reshape(2, 3, 4).permute(2, 0, 1),
    }
    found |= {"parameter": torch.nn.Parameter(base[1:3]), "untyped": torch.arange(4).to(torch.uint16)}
    return found


def as_numpy(tensor):
    tensor = tensor.detach()
    return tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


class Tiny(torch.nn.Module):
    """The naming of score_sde_pytorch: modules in one list, frozen frequencies, noise levels as a buffer."""

    def __init__(self):
        super().__init__()
        fourier = torch.nn.Module()
        fourier.W = torch.nn.Parameter(torch.randn(2), requires_grad=False)
        self.all_modules = torch.nn.ModuleList([fourier, torch.nn.Linear(4, 3), torch.nn.Conv2d(1, 2, 3)])
        self.register_buffer("sigmas", torch.linspace(1, 0.01, 5))


def checkpoint():
    """What score_sde_pytorch saves, here after two updates: model, optimizer, averages, step."""
    torch.manual_seed(0)
    model = torch.nn.DataParallel(Tiny())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    trained = [p for p in model.parameters() if p.requires_grad]
    shadow = [p.clone().detach() for p in trained]
    for _ in range(2):
        loss = sum((p**2).sum() for p in trained)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    shadow = [0.5 * s + 0.5 * p.detach() for s, p in zip(shadow, trained, strict=True)]
    averages = {"decay": 0.999, "num_updates": 2, "shadow_params": shadow}
    return {"optimizer": optimizer.state_dict(), "model": model.state_dict(), "ema": averages, "step": 2}


def persistent():
    """A pickle in the way of EDM's: objects as (a function's name, {class_name, module_src, state})."""
    room = types.ModuleType("torch_utils.persistence")
    room._reconstruct_persistent_obj = lambda meta: meta
    room._reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    room._reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    sys.modules |= {"torch_utils": types.ModuleType("torch_utils"), "torch_utils.persistence": room}
    sys.modules |= {"dnnlib": types.ModuleType("dnnlib"), "dnnlib.util": types.ModuleType("dnnlib.util")}
    easy = type("EasyDict", (dict,), {"__module__": "dnnlib.util"})
    sys.modules["dnnlib.util"].EasyDict = easy

    class Persistent(torch.nn.Module):
        def __reduce__(self):
            source = "raise SystemExit('this must not be executed')"
            meta = {"type": "class", "version": 6, "module_src": source, "class_name": type(self).__name__}
            return room._reconstruct_persistent_obj, ({**meta, "state": dict(self.__dict__)},)

    class Block(Persistent):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(3, 2))
            self.register_buffer("resample_filter", None)
            self.register_buffer("cache", torch.ones(3), persistent=False)
            self.skip_scale, self._init_args, self._init_kwargs = (
                np.sqrt(0.5),
                (),
                {"skip_scale": np.sqrt(0.5)},
            )

    class EDMPrecond(Persistent):
        def __init__(self):
            super().__init__()
            self.model = torch.nn.ModuleDict({"8x8_block0": Block(), "norm": torch.nn.GroupNorm(1, 2)})
            self.register_buffer("freqs", torch.arange(2.0))
            self._init_args = ()
            self._init_kwargs = easy(img_resolution=8, model_type="SongUNet", channel_mult=[1, 2])

    torch.manual_seed(1)
    network = EDMPrecond()
    np.savez(HERE / "edm.npz", **{name: as_numpy(t) for name, t in network.state_dict().items()})
    return {"ema": network, "loss_fn": None, "dataset_kwargs": easy(path="x.zip")}


if __name__ == "__main__":
    np.savez(HERE / "numbers.npz", **{name: as_numpy(tensor) for name, tensor in numbers().items()})
    torch.save(numbers(), HERE / "numbers_zip.pt")
    saved = {name: tensor for name, tensor in numbers().items() if name != "untyped"}
    torch.save(saved, HERE / "numbers_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(checkpoint(), HERE / "score_sde_zip.pth")
    torch.save(checkpoint(), HERE / "score_sde_legacy.pth", _use_new_zipfile_serialization=False)
    kept = checkpoint()
    model = {name.removeprefix("module."): as_numpy(t) for name, t in kept["model"].items()}
    shadows = {f"shadow_{i}": as_numpy(t) for i, t in enumerate(kept["ema"]["shadow_params"])}
    moments = {
        f"{name}_{i}": as_numpy(state[name])
        for i, state in kept["optimizer"]["state"].items()
        for name in ("exp_avg", "exp_avg_sq")
    }
    np.savez(HERE / "score_sde.npz", **model, **shadows, **moments)
    (HERE / "edm.pkl").write_bytes(pickle.dumps(persistent()))
