"""Jobs in processes of their own."""

import functools
import os
import pathlib
import subprocess
import sys
import time

import pytest

from experiments.workers import Job, run_jobs

THREADS = "OPENBLAS_NUM_THREADS"
ROOT = pathlib.Path(__file__).parent.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def script(path):
    """Work that writes how many threads NumPy's products have."""
    return functools.partial(
        exec, f"open({str(path)!r}, 'w').write(__import__('os').environ['{THREADS}'])", {}
    )


@pytest.mark.parametrize(("before", "expected"), [(None, "1"), ("3", "3")], ids=["of one", "own choice"])
def test_products_of_workers_do_not_hold_one_another_up(monkeypatch, tmp_path, before, expected):
    monkeypatch.setenv(THREADS, "to be put back")
    monkeypatch.delenv(THREADS)
    if before is not None:
        monkeypatch.setenv(THREADS, before)
    paths = [tmp_path / "first", tmp_path / "second"]
    run_jobs([Job(path.name, script(path)) for path in paths], 2)
    assert [path.read_text() for path in paths] == [expected, expected]
    assert os.environ.get(THREADS) == before


def test_what_a_job_raises_is_raised(tmp_path):
    jobs = [Job("wrong", functools.partial(exec, "1 / 0", {})), Job("right", script(tmp_path / "right"))]
    with pytest.raises(ZeroDivisionError):
        run_jobs(jobs, 2)


@pytest.mark.skipif(not pathlib.Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    """Which can end nobody: each looks once in a second."""
    path = tmp_path / "pids"
    asleep = f"import os, time; open({str(path)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(100)"
    code = (
        "import functools\nfrom experiments.workers import Job, run_jobs\nif __name__ == '__main__':\n"
        f"    work = functools.partial(exec, {asleep!r}, {{}})\n"
        "    run_jobs([Job('a', work), Job('b', work)], 2)\n"
    )
    (tmp_path / "parent.py").write_text(code)
    with subprocess.Popen([sys.executable, str(tmp_path / "parent.py")], env=ENVIRONMENT) as parent:
        pids = until(
            lambda: (path.read_text() if path.exists() else "").split(), lambda found: len(found) == 2
        )
        parent.kill()
    assert until(lambda: [pid for pid in pids if alive(pid)], lambda left: not left) == []


def until(look, holds, seconds=30):
    """What ``look`` sees once that holds, or when the time is over."""
    end = time.monotonic() + seconds
    while not holds(found := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def alive(pid):
    """Whether a process runs; one that waits for its parent's notice does not."""
    stat = pathlib.Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
