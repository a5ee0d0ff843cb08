import io

import pytest
from tensorboardX.proto.event_pb2 import Event

from score_sde.errors import InputError
from score_sde.training.metrics import MetricsLog
from score_sde.training.progress import Bar, Lines, make_progress


def write(directory, start, steps):
    log = MetricsLog(directory, start, ("loss", "grad_norm"))
    for step in steps:
        log.write(step, {"loss": 1 / step, "grad_norm": float(step)}, steps_per_second=9.0)
    log.close()
    return (directory / "metrics.csv").read_bytes()


def test_going_on_after_a_kill_gives_the_same_bytes(tmp_path):
    whole = write(tmp_path / "whole", 0, [10, 20, 30, 40])
    write(tmp_path / "cut", 0, [10, 20, 30])  # killed after 30; the last checkpoint was at 20
    with open(tmp_path / "cut" / "metrics.csv", "a") as file:
        file.write("40,0.0")  # torn in the middle of a row
    assert write(tmp_path / "cut", 20, [30, 40]) == whole
    lines = whole.decode().splitlines()
    assert lines[0] == "step,loss,grad_norm"
    assert [float(cell) for cell in lines[3].split(",")] == [30, 1 / 30, 30.0]


def test_a_torn_header_is_written_again(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,lo")
    assert write(tmp_path, 0, [5]).startswith(b"step,loss,grad_norm\n5,")


def test_tensorboard_gets_the_values_and_is_told_where_a_run_went_on(tmp_path):
    write(tmp_path, 0, [10, 20, 30])
    write(tmp_path, 20, [30])
    events = [event for file in sorted((tmp_path / "tensorboard").iterdir()) for event in read_events(file)]
    scalars = [(e.step, v.tag) for e in events for v in e.summary.value]
    assert scalars.count((10, "loss")) == 1
    assert (30, "steps_per_second") in scalars
    assert [e.step for e in events if e.HasField("session_log")][-1] == 21


def read_events(file):
    content, at, events = file.read_bytes(), 0, []
    while at < len(content):  # length (8 bytes), its checksum (4), the event, its checksum (4)
        size = int.from_bytes(content[at : at + 8], "little")
        events.append(Event.FromString(content[at + 12 : at + 12 + size]))
        at += 12 + size + 4
    return events


def test_mistakes_name_the_file(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,accuracy\n1,2\n")
    with pytest.raises(InputError, match=r"metrics\.csv = 'step,accuracy': expected step,loss,grad_norm"):
        write(tmp_path, 0, [1])
    (tmp_path / "metrics.csv").write_text("step,loss,grad_norm\nx,1,2\n")
    with pytest.raises(InputError, match="a step number first"):
        write(tmp_path, 0, [1])
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can be written"):
        write(tmp_path / "file", 0, [1])


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_shows_loss_speed_and_time_left():
    stream = io.StringIO()
    lines = Lines(100, 0, stream, seconds=0.0)
    lines.update(50, 0.25)
    lines.close()
    assert stream.getvalue().startswith("step 50/100  loss 0.25  ")
    assert "steps/s" in stream.getvalue()
    assert "s left" in stream.getvalue()


def test_lines_are_few_but_the_last_step_has_one():
    stream = io.StringIO()
    lines = make_progress(100, 0, stream)
    for step in range(1, 101):
        lines.update(step, 1.0)
    assert stream.getvalue().count("\n") == 1
    assert "step 100/100" in stream.getvalue()


def test_a_terminal_gets_a_bar_that_starts_where_training_goes_on():
    stream = Terminal()
    bar = make_progress(100, 40, stream)
    assert isinstance(bar, Bar)
    bar.update(50, 0.125)
    bar.close()
    assert "50/100" in stream.getvalue()
    assert "loss=0.125" in stream.getvalue()
