"""Checkpoints: written whole or not at all, refused to another configuration, checked when read."""

from __future__ import annotations

import json
import pathlib
import shutil
import zlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_managers import preservation_policy

from score_sde.errors import InputError
from score_sde.training.identity import check_identity, claim, write_whole
from score_sde.training.state import TrainState, from_dict, to_dict

Record = dict[str, Any]
SEALS = "seals.json"


class Checkpoints:
    """The checkpoints in a directory, for reading; a training run may be writing there meanwhile.

    Args:
        directory: the folder with one sub-folder per saved step.
        config: the configuration that the checkpoints must have been made with (plain nested
            dictionary; leave out of it what may change, such as the number of steps); None for any.

    Raises:
        InputError: the directory holds another configuration's checkpoints.
    """

    def __init__(self, directory: str | pathlib.Path, config: Mapping[str, Any] | None = None) -> None:
        self.directory = pathlib.Path(directory).absolute()
        if config is not None:
            check_identity(self.directory, config, self.steps())

    def steps(self) -> list[int]:
        """Steps with a complete checkpoint, in order."""
        if not self.directory.is_dir():
            return []
        return sorted(int(entry.name) for entry in self.directory.iterdir() if entry.name.isdigit())

    def latest(self) -> int | None:
        """The last saved step, or None."""
        return max(self.steps(), default=None)

    def restore(self, like: TrainState, step: int | None = None) -> tuple[TrainState, Record]:
        """The state of ``step`` (None: the latest) and the record saved with it.

        ``like`` gives structure, shapes and placement on devices, e.g. a fresh ``init_state``.

        Raises:
            InputError: no such checkpoint, one of another network, or one that cannot be read; names the last
                one that can.
        """
        chosen = self.latest() if step is None else step
        if chosen is None:
            raise InputError("checkpoints", str(self.directory), "a saved checkpoint", "train first")
        if chosen not in self.steps():
            raise InputError("checkpoint step", chosen, f"one of {self.steps()} in {self.directory}")
        try:
            return self._read(chosen, like)
        except Exception as error:  # storage, JSON, structure: a dozen kinds, all "cannot be read"
            _require_same_names(self.directory / str(chosen), like)
            good = self._last_readable(chosen, like)
            remedy = (
                f"to go on from step {good}, the last good checkpoint, delete those after it"
                if good is not None
                else "no earlier checkpoint can be read; start again in another --workdir"
            )
            expected = f"a readable checkpoint of this model ({_short(error)})"
            raise InputError("checkpoint", str(self.directory / str(chosen)), expected, remedy) from error

    def _read(self, step: int, like: TrainState) -> tuple[TrainState, Record]:
        _require_unbroken(self.directory / str(step))
        target = jax.tree.map(_abstract, to_dict(like))
        arguments = ocp.args.Composite(state=ocp.args.StandardRestore(target), record=ocp.args.JsonRestore())
        with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as reader:
            saved = reader.restore(self.directory / str(step), args=arguments)
        if checksum(saved.state) != saved.record["checksum"]:
            raise ValueError("its checksum does not match its content")
        return from_dict(like, saved.state), saved.record

    def _last_readable(self, before: int, like: TrainState) -> int | None:
        for step in reversed([step for step in self.steps() if step < before]):
            try:
                self._read(step, like)
            except Exception:  # as above; go on to the one before
                continue
            return step
        return None


class CheckpointWriter(Checkpoints):
    """The checkpoints of the run that trains in this directory.

    Saving is synchronous, into a temporary folder that is renamed when complete, so a process killed at
    any moment leaves the checkpoints before it whole. A second run in the same directory is refused.

    Args:
        directory: the folder; made where missing.
        config: as in ``Checkpoints``; stored beside the checkpoints at the first run.
        keep_last: how many of the latest checkpoints are kept.
        keep_every: steps divisible by this are kept for good; None for none.

    Raises:
        InputError: cannot be written, another configuration's, or in use.
    """

    def __init__(
        self,
        directory: str | pathlib.Path,
        config: Mapping[str, Any],
        *,
        keep_last: int = 2,
        keep_every: int | None = None,
    ) -> None:
        if keep_last < 1:
            raise InputError("training.keep_last", keep_last, "a positive count")
        if keep_every is not None and keep_every < 1:
            raise InputError("training.keep_every", keep_every, "a positive number of steps, or None")
        super().__init__(directory)
        self._lock = claim(self.directory, config, self.steps())
        _remove_left_overs(self.directory)
        policies: list[preservation_policy.PreservationPolicy] = [preservation_policy.LatestN(keep_last)]
        if keep_every is not None:
            policies.append(preservation_policy.EveryNSteps(keep_every))
        options = ocp.CheckpointManagerOptions(
            preservation_policy=preservation_policy.AnyPreservationPolicy(policies),
            enable_async_checkpointing=False,
        )
        self._manager = ocp.CheckpointManager(self.directory, options=options)

    def save(self, state: TrainState, record: Record) -> None:
        """Save the state, with a JSON record beside it; returns when it is on disk.

        Raises:
            InputError: the disk is full or cannot be written; earlier checkpoints are untouched.
        """
        step, tree = int(state.step), to_dict(state)
        record = {**record, "step": step, "checksum": checksum(tree)}
        arguments = ocp.args.Composite(state=ocp.args.StandardSave(tree), record=ocp.args.JsonSave(record))
        try:
            self._manager.save(step, args=arguments, force=True)
            if jax.process_index() == 0:
                write_whole(
                    self.directory / str(step) / SEALS, json.dumps(_seals(self.directory / str(step)))
                )
        except Exception as error:
            remedy = f"free some space or choose another --workdir (last good checkpoint: {self.latest()})"
            expected = f"a directory that can be written ({_short(error)})"
            raise InputError("checkpoint", str(self.directory / str(step)), expected, remedy) from error

    def close(self) -> None:
        """Let another run use the directory."""
        self._manager.close()
        self._lock.close()

    def __enter__(self) -> CheckpointWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _seals(folder: pathlib.Path) -> dict[str, int]:
    """CRC-32 of every file of a checkpoint, by its path inside the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SEALS)
    return {str(path.relative_to(folder)): zlib.crc32(path.read_bytes()) for path in files}


def _require_unbroken(folder: pathlib.Path) -> None:
    """Raise ValueError naming a file that is not as it was written.

    Done before the storage library reads, since on damaged files that prints tracebacks from its threads.
    A process killed between a save and its seals leaves none: the checksum of the content still holds.
    """
    if not (folder / SEALS).is_file():
        return
    sealed, found = json.loads((folder / SEALS).read_text()), _seals(folder)
    broken = next((name for name, seal in sealed.items() if found.get(name) != seal), None)
    if broken is not None:
        state = "is damaged" if broken in found else "is missing"
        raise ValueError(f"its file {broken} {state}")


def _require_same_names(folder: pathlib.Path, like: TrainState) -> None:
    """Raise InputError where a checkpoint that could not be read holds parameters of other names."""
    try:
        saved = ocp.StandardCheckpointHandler().metadata(folder / "state").tree["params"]  # type: ignore[arg-type]
    except Exception:  # too broken to tell
        return
    there, here = (_names(tree) for tree in (saved, to_dict(like)["params"]))
    if there != here:
        only = [min(names, default="none") for names in (there - here, here - there)]
        expected = f"one of the same network (it has {only[0]}, this network {only[1]})"
        remedy = "set the network as its run had it, its layers too, or choose another --workdir"
        raise InputError("checkpoint", str(folder), expected, remedy)


def _names(tree: Any) -> set[str]:
    paths = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths}


def checksum(tree: Any) -> int:
    """CRC-32 over the bytes of all leaves in order: storage formats do not notice a flipped bit."""
    value = 0
    for leaf in jax.tree.leaves(tree):
        value = zlib.crc32(np.asarray(leaf).tobytes(), value)
    return value


def _remove_left_overs(directory: pathlib.Path) -> None:
    """Delete what a killed save left; the lock is held, so nobody is writing there."""
    if jax.process_index() == 0:
        for folder in directory.glob("*.orbax-checkpoint-tmp*"):
            shutil.rmtree(folder, ignore_errors=True)


def _abstract(leaf: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=leaf.sharding)


def _short(error: Exception) -> str:
    """The first sentence of an error of another library."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
