"""Jobs in processes of their own."""

import functools
import os

import pytest

from experiments.workers import Job, run_jobs

THREADS = "OPENBLAS_NUM_THREADS"


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
