"""Images to latents, and latents to images.

``python -m experiments.latents.run --task=encode --config=FILE --to=FOLDER`` writes the latents of a
configuration's data as ``data.Latents`` reads them, and prints their standard deviation. ``--task=decode
--from=samples.npz --to=FOLDER`` writes decoded.npz (in the data's units) and decoded.png. The autoencoder:

  --autoencoder=FILE   a released one, diffusion_pytorch_model.safetensors of diffusers' AutoencoderKL
  --trained=WORKDIR    that of a run, whose configuration --config then is
"""

from __future__ import annotations

import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command
from score_sde.errors import InputError


def encode(config: str, model: Any, folder: pathlib.Path) -> float:
    """Write the latents of all splits; their standard deviation over the training split."""
    import jax
    import numpy as np

    from score_sde.config import build, load_config
    from score_sde.data import write_latents

    data = build(load_config(config)["data"])

    @jax.jit
    def latents(number: Any, raw: Any) -> Any:
        units_key, draw_key = jax.random.split(jax.random.fold_in(jax.random.key(0), number))
        return model.encode(draw_key, data.units.encode(units_key, raw))

    write_latents(folder, data, latents, report=progress())
    written = np.load(folder / "train_x.npy", mmap_mode="r")
    spread = float(np.std(written[:10_000].astype(np.float32)))
    print(f"\nwrote {folder}: standard deviation {spread:.4f}, scale {1 / spread:.4f}")
    return spread


def decode(config: str, model: Any, samples: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Write the images of latents, sixteen at a time, and a grid of them."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from score_sde.config import build, load_config
    from score_sde.evaluation.pictures import save_grid
    from score_sde.experiment.generation import stored
    from score_sde.experiment.pictures import value_range

    data = build(load_config(config)["data"])
    with np.load(samples) as file:
        latents = file["samples"]
    images = jax.jit(lambda z: data.units.decode(model.decode(z)))
    parts = [np.asarray(images(jnp.asarray(latents[i : i + 16]))) for i in range(0, len(latents), 16)]
    decoded = stored(np.concatenate(parts))
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "decoded.npz", samples=decoded)
    low, high = value_range(data)
    path = save_grid(folder / "decoded.png", decoded[:100], low=low, high=high)
    print(f"wrote {folder / 'decoded.npz'}\nwrote {path}")
    return path


def autoencoder(values: flags.FlagValues) -> Any:
    """The one that the flags name."""
    from score_sde.denoisers import Autoencoder
    from score_sde.experiment.trained import trained
    from score_sde.interop import autoencoder_kl
    from score_sde.sdes import VP

    if values.trained:
        return trained(config=values.config, workdir=values.trained)
    if not values.autoencoder:
        raise InputError("--autoencoder", None, "a file, or --trained=WORKDIR", "see --help")
    network = autoencoder_kl(path=values.autoencoder, size=values.size)
    return Autoencoder(sde=VP(), network=network)


def progress() -> Callable[[str], None]:
    """Tells a line as ``split: done of total``, once in ten seconds, with the time that is left."""
    state = {"began": time.monotonic(), "told": 0.0, "split": ""}

    def report(line: str) -> None:
        split, _, counts = line.partition(": ")
        done, total = (int(word) for word in counts.split(" of "))
        now = time.monotonic()
        if split != state["split"]:
            state.update(split=split, began=now)
        if done == total or now - float(state["told"]) > 10:
            left = (now - float(state["began"])) / done * (total - done)
            print(f"{line}, {left:.0f} s left", flush=True)
            state["told"] = now

    return report


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = flag_values("")
    for name, default, told in (
        ("task", "encode", "encode or decode"),
        ("config", "configs/adm/imagenet_256.py", "whose data are meant"),
        ("autoencoder", None, "a released autoencoder"),
        ("trained", None, "the work directory of one trained here"),
        ("from", None, "samples.npz of latents, for decode"),
        ("to", None, "the folder that is written"),
    ):
        flags.DEFINE_string(name, default, told, flag_values=values)
    flags.DEFINE_integer("size", 256, "pixels along each side, with --autoencoder", flag_values=values)
    return run_command(argv, __doc__, values, lambda: _run(values))


def _run(values: flags.FlagValues) -> None:
    """What the flags ask for."""
    if values.task not in ("encode", "decode"):
        raise InputError("--task", values.task, "encode or decode", "see --help")
    for name in ("to",) if values.task == "encode" else ("to", "from"):
        if not values[name].value:
            raise InputError(f"--{name}", None, "a path", "see --help")
    model, folder = autoencoder(values), pathlib.Path(values.to)
    if values.task == "encode":
        encode(values.config, model, folder)
    else:
        decode(values.config, model, pathlib.Path(values["from"].value), folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
