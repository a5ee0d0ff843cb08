"""Packaging: the metadata and the dependencies; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="score_sde",
    version="0.1.0",
    description="Score-based generative models through stochastic differential equations, in JAX",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    if Path(__file__).with_name("README.md").exists()
    else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["score_sde", "score_sde.*"]),
    package_data={"score_sde": ["py.typed"]},
    install_requires=[
        "absl-py>=2.1",
        "array_record>=0.8",
        "diffrax>=0.7",
        "flax>=0.12.8",
        "grain>=0.2.18",
        "importlib_resources",
        "jax>=0.10.2",
        "jaxtyping>=0.3",
        "matplotlib>=3.9",
        "ml_collections>=1.1",
        "msgpack>=1.1",
        "numpy>=2.0",
        "optax>=0.2.8",
        "orbax-checkpoint>=0.12",
        "pillow>=10",
        "safetensors>=0.5",
        "PyWavelets>=1.6",
        "scikit-image>=0.24",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        "statsmodels>=0.14",
        "tensorboardX>=2.6",
        "tensorflow-datasets>=4.9.10",
        "threadpoolctl>=3",
        "tqdm>=4.66",
    ],
    extras_require={
        "compare": [  # public implementations that samplers are compared with
            "diffusers>=0.30",
            "k-diffusion>=0.1.1",
            "torch>=2",
            "torchdiffeq",
            "torchsde",
        ],
        "test": [
            "beartype>=0.19",
            "mypy>=1.13",
            "pytest>=8",
            "pytest-xdist>=3.6",
            "ruff>=0.8",
        ],
    },
)
