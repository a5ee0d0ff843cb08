"""Jobs beside one another: all are done, errors come back, and a worker that dies is told."""

import functools
import os
from pathlib import Path

import pytest

from experiments.workers import Job, run_jobs
from score_sde.errors import InputError


def leave(folder: Path, number: int) -> None:
    (folder / f"{number}.txt").write_text(f"{os.getpid()} {len(os.sched_getaffinity(0))}")


def refuse() -> None:
    raise InputError("--number", 3, "an even one", "take 4")


def die() -> None:
    os._exit(9)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores are told on Linux alone")
def test_all_jobs_are_done_in_other_processes_on_one_core_each(tmp_path, capsys):
    run_jobs([Job(f"job {i}", functools.partial(leave, tmp_path, i)) for i in range(5)], workers=2)
    found = [tuple(map(int, (tmp_path / f"{i}.txt").read_text().split())) for i in range(5)]
    assert os.getpid() not in {pid for pid, _ in found}
    assert {count for _, count in found} == {1}
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [f"{i}/5" for i in range(1, 6)]
    assert "min left" in lines[0]


def test_one_worker_is_this_process(tmp_path):
    run_jobs([Job("job", functools.partial(leave, tmp_path, 0))], workers=1)
    assert int((tmp_path / "0.txt").read_text().split()[0]) == os.getpid()


def test_an_error_comes_back_whole():
    with pytest.raises(InputError) as told:
        run_jobs([Job("good", int), Job("bad", refuse)], workers=2)
    assert str(told.value) == "--number = 3: expected an even one; take 4"
    assert told.value.where == "--number"


def test_a_worker_that_dies_is_told():
    with pytest.raises(InputError, match=r"--workers.*ended with 9.*fewer"):
        run_jobs([Job("good", int), Job("dead", die)], workers=2)
