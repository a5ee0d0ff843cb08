"""Shared fixtures: quick compilation and its cache, and float64 where a law is checked to the last digits."""

import importlib.metadata
import os
import pathlib

# Most tests compile for longer than they run. Without LLVM's optimisations, and with XLA's older code for
# fused loops, compilation takes a third of the time; each environment variable wins over what is set here,
# so JAX_DISABLE_MOST_OPTIMIZATIONS=false XLA_FLAGS= runs the tests on the programs that users run.
# Set before JAX starts, and where processes that tests start see them.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
if importlib.metadata.version("jaxlib").startswith("0.10."):  # a version that lacks a flag refuses to start
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_fusion_emitters=false")

import jax
import pytest

CACHE = pathlib.Path(__file__).parent.parent / ".cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
jax.config.update("jax_compilation_cache_dir", os.environ["JAX_COMPILATION_CACHE_DIR"])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

MAPS = pathlib.Path("/proc/self/maps")


@pytest.fixture(scope="module", autouse=True)
def programs_are_given_back():
    """Each holds memory maps, of which Linux gives a process 65,530; where they end, the compiler crashes."""
    yield
    if MAPS.exists() and MAPS.read_bytes().count(b"\n") > 20_000:
        jax.clear_caches()


@pytest.fixture
def x64():
    """Compute in float64 inside the test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def reference_data() -> pathlib.Path:
    """Small reference files made outside this project; their README names the sources."""
    return pathlib.Path(__file__).parent / "data"
