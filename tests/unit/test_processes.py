"""Programs in a process of their own: what they print, and how they fail."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from snippets import processes
from snippets.processes import (
    end_group,
    free_ports,
    outputs_in_fresh_process,
    run_python,
    run_together,
    wait_for_all,
)


def test_a_program_prints_its_answer() -> None:
    assert run_python("print(); print('one\\ntwo')") == "one\ntwo"


def test_a_program_sees_the_variables_and_the_modules_of_this_process() -> None:
    program = "import os, snippets; print(os.environ['A'], snippets.__name__)"
    assert run_python(program, {"A": "b"}) == "b snippets"


def test_a_program_starts_afresh() -> None:
    assert run_python("import sys; print('keras' in sys.modules)") == "False"


def test_a_program_that_raises_is_reported_by_its_last_line() -> None:
    with pytest.raises(RuntimeError, match="status 1: ValueError: no such thing"):
        run_python("raise ValueError('no such thing')")


def test_a_program_that_ends_without_a_word_is_reported_too() -> None:
    with pytest.raises(RuntimeError, match="status 3: it wrote no message"):
        run_python("raise SystemExit(3)")


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(TimeoutError, match=r"longer than 0\.5 s"):
        run_python("import time; time.sleep(60)", timeout=0.5)


def test_a_saved_model_computes_the_same_in_a_fresh_process(tmp_path: Path) -> None:
    inputs = {name: keras.Input((2,), name=name) for name in ("left", "right")}
    total = keras.layers.Add()(list(inputs.values()))
    outputs = [keras.layers.Dense(3)(total), total]
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    data = {"left": np.ones((4, 2), "float32"), "right": np.eye(4, 2, dtype="float32")}

    fresh = outputs_in_fresh_process(tmp_path / "model.keras", data, ["snippets.data"])

    for expected, actual in zip(model(data), fresh, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_a_model_that_cannot_be_loaded_is_reported_by_its_last_line(
    tmp_path: Path,
) -> None:
    with pytest.raises(RuntimeError, match="File not found"):
        outputs_in_fresh_process(tmp_path / "none.keras", np.ones((1, 2)))


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(20)

    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    assert free_ports(0) == []


def test_a_port_that_is_taken_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        taken = holder.getsockname()[1]
        (free,) = free_ports(1)
        monkeypatch.setattr(
            processes.random.SystemRandom,
            "sample",
            lambda self, ports, count: [taken, free, 1],
        )
        assert free_ports(1) == [free]
        with pytest.raises(RuntimeError, match=r"3 free ports\. Received: "):
            free_ports(3)


def test_programs_that_run_together_find_the_modules_of_this_process() -> None:
    program = "import os, snippets; print(os.environ['A'], snippets.__name__)"
    assert run_together([program], [{"A": "b"}]) == ["b snippets"]


def test_programs_run_at_the_same_time_and_answer_in_order() -> None:
    program = """
import os, time
from pathlib import Path
mine, other = os.environ["MINE"], os.environ["OTHER"]
Path(mine).touch()
while not Path(other).exists():
    time.sleep(0.01)
print(" ", Path(mine).name)
"""
    with tempfile.TemporaryDirectory() as folder:
        a, b = f"{folder}/a", f"{folder}/b"
        variables = [{"MINE": a, "OTHER": b}, {"MINE": b, "OTHER": a}]
        assert run_together([program, program], variables, timeout=20) == ["a", "b"]


SLEEPER = "import time; time.sleep(60)"


def ended(pid: int) -> bool:
    """Whether a process is gone, or only waits to be collected by its parent."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


WITH_CHILD = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(os.environ["PIDS"], "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.replace(os.environ["PIDS"], os.environ["PIDS"] + "-whole")
time.sleep(60)
"""
FAILS_AFTER_IT = """
import os, time
while not os.path.exists(os.environ["PIDS"] + "-whole"):
    time.sleep(0.01)
raise ValueError("no such thing")
"""


def test_one_that_fails_is_named_and_ends_the_others_with_their_children(
    tmp_path: Path,
) -> None:
    variables = {"PIDS": str(tmp_path / "pids")}
    with pytest.raises(
        RuntimeError, match=r"^Program 2 of 2 ended with status 1: ValueError: no such"
    ):
        run_together([WITH_CHILD, FAILS_AFTER_IT], [variables, variables])

    pids = (tmp_path / "pids-whole").read_text().split()
    assert len(pids) == 2
    assert all(ended(int(pid)) for pid in pids)


def test_one_that_hangs_is_named_and_all_are_ended(tmp_path: Path) -> None:
    programs = ["print('done')", WITH_CHILD, SLEEPER]
    variables = {"PIDS": str(tmp_path / "pids")}
    with pytest.raises(
        TimeoutError, match=r"^Of 3 programs, number 2 and 3 ran longer than 1\.5 s\.$"
    ):
        run_together(programs, [variables] * 3, timeout=1.5)

    pids = (tmp_path / "pids-whole").read_text().split()
    assert all(ended(int(pid)) for pid in pids)


def test_one_that_was_killed_is_named_before_its_consequences() -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(
        RuntimeError, match=r"^Program 2 of 2 was ended by the signal SI"
    ):
        run_together([SLEEPER, killed], [{}, {}])


def finished(program: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=subprocess.DEVNULL, text=True
    )
    process.wait()
    return process


def test_a_signal_comes_before_an_error_that_followed_it() -> None:
    error = finished("raise SystemExit(3)")
    killed = finished("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with tempfile.TemporaryFile("w+") as file:
        with pytest.raises(RuntimeError, match=r"Program 2 of 2 .* SIGKILL"):
            wait_for_all([error, killed], [file, file], timeout=1)
        with pytest.raises(RuntimeError, match="status 3: it wrote no message"):
            wait_for_all([finished("pass"), error], [file, file], timeout=1)
    with tempfile.TemporaryFile("w+") as file:
        file.write("one line")
        with pytest.raises(RuntimeError, match="status 3: one line"):
            wait_for_all([error], [file], timeout=1)


def test_a_group_that_is_gone_is_ended_without_an_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "pass"], start_new_session=True, text=True
    )
    process.wait()
    end_group(process)
    assert process.returncode == 0


def test_a_group_that_ignores_signals_is_ended() -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", stubborn], start_new_session=True, text=True
    )
    end_group(process)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("programs", "count"), [([], 0), (["pass"], 2)])
def test_programs_without_their_variables_are_refused(
    programs: list[str], count: int
) -> None:
    with pytest.raises(ValueError, match=f"{len(programs)} programs and {count} vari"):
        run_together(programs, [{}] * count)
