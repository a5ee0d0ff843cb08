"""Records what k-diffusion and diffusers draw from an exact denoiser: ``python make.py``.

It wants torch, diffusers, k-diffusion (whose own requirements are many: --no-deps will do), torchsde,
torchdiffeq, scipy and pillow. Of k-diffusion only
``sampling.py`` is imported, in float64. diffusers computes in float32 by casts of its own; here the same code
runs with float64 in the place of float32 (``Wide``), so that methods can be compared beyond rounding.
"""

import importlib
import importlib.metadata
import importlib.util
import pathlib
import sys
import types

import numpy as np
import torch

MEANS = np.array([[-2.0, -1.0], [1.5, 0.5], [0.0, 2.0]])
STD, WEIGHTS = 0.6, np.array([0.5, 0.3, 0.2])
STEPS = 12


def denoised(y, ratio):
    """E[x_0 | y] for y = x_0 + ratio z, in NumPy."""
    total = STD**2 + ratio**2
    logs = np.log(WEIGHTS) - np.square(y[:, None] - MEANS).sum(-1) / (2 * total)
    shares = np.exp(logs - logs.max(1, keepdims=True))
    mean = shares / shares.sum(1, keepdims=True) @ MEANS
    return (STD**2 * y + ratio**2 * mean) / total


def k_sampling():
    """``k_diffusion.sampling`` without what the rest of the package wants to import."""
    package = pathlib.Path(importlib.util.find_spec("k_diffusion").submodule_search_locations[0])
    stub = types.ModuleType("k_diffusion")
    stub.__path__ = [str(package)]
    sys.modules["k_diffusion"] = stub
    for name in ("torchvision", "torchvision.transforms", "torchvision.transforms.functional"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["torchvision.transforms"].functional = sys.modules["torchvision.transforms.functional"]
    found = importlib.import_module("k_diffusion.sampling")
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]  # diffusers asks whether it is there
    return found


def k_diffusion(noise):
    sampling = k_sampling()
    sigmas = sampling.get_sigmas_karras(STEPS, 0.02, 20.0).double()
    latents = 20.0 * torch.tensor(noise[-1])

    def model(x, sigma):
        return torch.tensor(denoised(x.numpy(), float(sigma[0])))

    def handed():
        pending = iter(torch.tensor(noise[:-1]))
        return lambda *args: next(pending)

    found = {"k_sigmas": sigmas.numpy()}
    for name, options in {
        "euler": {},
        "euler_ancestral": {"noise_sampler": handed()},
        "heun": {},
        "heun_churn": {"s_churn": 4.0, "s_tmin": 0.05, "s_tmax": 10.0, "s_noise": 1.003},
        "lms": {"order": 4},
        "dpmpp_2s_ancestral": {"eta": 0.0, "noise_sampler": handed()},
        "dpmpp_2m": {},
        "dpmpp_2m_sde": {"noise_sampler": handed()},
        "dpmpp_2m_sde_heun": {"noise_sampler": handed(), "solver_type": "heun"},
        "dpmpp_3m_sde": {"noise_sampler": handed()},
        "dpmpp_3m_sde_ode": {"eta": 0.0, "noise_sampler": handed()},
    }.items():
        plain = name.replace("_churn", "").replace("_sde_heun", "_sde").replace("_sde_ode", "_sde")
        draw = getattr(sampling, f"sample_{plain}")
        torch_randn = torch.randn_like
        if name == "heun_churn":
            pending = handed()
            torch.randn_like = lambda x, pending=pending: pending()
        found[f"k_{name}"] = draw(model, latents, sigmas, disable=True, **options).numpy()
        torch.randn_like = torch_randn
    return found


class Wide:
    """A module in which float32 means float64."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, "float64" if name == "float32" else name)


def diffusers(noise):
    import diffusers

    found = {}
    linear = {"beta_schedule": "linear", "lower_order_final": False}
    common, sa = {"final_sigmas_type": "sigma_min", **linear}, {"tau_func": lambda t: 0, **linear}
    sde = {"algorithm_type": "sde-dpmsolver++", **common}
    for name, (kind, options) in {
        "dpm_1": ("DPMSolverMultistepScheduler", {"solver_order": 1, **common}),
        "dpm_2m": ("DPMSolverMultistepScheduler", {"solver_order": 2, **common}),
        "dpm_3m": ("DPMSolverMultistepScheduler", {"solver_order": 3, **common}),
        "dpm_3m_heun": ("DPMSolverMultistepScheduler", {"solver_order": 3, "solver_type": "heun", **common}),
        "dpm_2m_heun": ("DPMSolverMultistepScheduler", {"solver_order": 2, "solver_type": "heun", **common}),
        "dpm_1_sde": ("DPMSolverMultistepScheduler", {"solver_order": 1, **sde}),
        "dpm_2m_sde": ("DPMSolverMultistepScheduler", {"solver_order": 2, **sde}),
        "deis_2": ("DEISMultistepScheduler", {"solver_order": 2, **linear}),
        "deis_3": ("DEISMultistepScheduler", {"solver_order": 3, **linear}),
        "unipc_2_bh1": ("UniPCMultistepScheduler", {"solver_order": 2, "solver_type": "bh1", **common}),
        "unipc_2_bh2": ("UniPCMultistepScheduler", {"solver_order": 2, "solver_type": "bh2", **common}),
        "unipc_3_bh2": ("UniPCMultistepScheduler", {"solver_order": 3, "solver_type": "bh2", **common}),
        "sa_solver_2": ("SASolverScheduler", {"predictor_order": 2, "corrector_order": 2, **sa}),
        "sa_solver_3": ("SASolverScheduler", {"predictor_order": 3, "corrector_order": 3, **sa}),
    }.items():
        cls = getattr(diffusers, kind)
        module = sys.modules[cls.__module__]
        module.torch, module.np = Wide(torch), Wide(np)
        scheduler = cls(**options)
        scheduler.set_timesteps(STEPS)
        sigmas = scheduler.sigmas.double()
        scheduler.sigmas = sigmas
        x = torch.tensor(noise[-1])
        for i, t in enumerate(scheduler.timesteps):
            ratio = float(sigmas[i])
            alpha = 1 / np.sqrt(1 + ratio**2)
            y = x.numpy() / alpha
            epsilon = torch.tensor((y - denoised(y, ratio)) / ratio)
            more = {"variance_noise": torch.tensor(noise[i])} if "sde" in name else {}
            x = scheduler.step(epsilon, t, x, **more).prev_sample
            assert x.dtype == torch.float64
        found[f"d_{name}"], found[f"d_{name}_sigmas"] = x.numpy(), sigmas.numpy()
    return found


if __name__ == "__main__":
    noise = np.random.default_rng(0).standard_normal((STEPS + 1, 5, 2))
    found = {"noise": noise, **k_diffusion(noise), **diffusers(noise)}
    versions = {name: importlib.metadata.version(name) for name in ("torch", "k-diffusion", "diffusers")}
    np.savez_compressed(pathlib.Path(__file__).with_name("solvers.npz"), versions=str(versions), **found)
    print(versions, sorted(found))
