"""Files that one version writes and another reads: what is kept, and what is shown."""

import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from conf.proofs.lanes import BrokenError, find_uv
from conf.proofs.verdict import Lane
from conf.reference import crossed, crossing
from conf.reference.crossed import Crossed, Pair, Seen, State
from conf.reference.file_tables import Tables

ROOT = Path(__file__).parents[2]
OLD, NEW, OTHER = "tensorflow-2.15", "tensorflow-2.21", "tensorflow-2.21-keras-2"
KERAS = {OLD: "2.15.0", NEW: "3.15.1", OTHER: "2.21.0"}
MADE = dict.fromkeys(KERAS, "made")


def results(**changes):
    seen = {
        ("dense", "h5", OLD): Seen("same"),
        ("lstm", "h5", OLD): Seen("failed", "é"),
    }
    known = {
        "lane": NEW,
        "date": "2026-11-30",
        "environment": {"tf.keras": "3.15.1"},
        "code": "code",
        "made": MADE,
        "models": {"dense": "d", "lstm": "l"},
        "seen": seen,
    }
    return Crossed(**{**known, **changes})


def state(**changes):
    known = {"code": "code", "made": MADE, "models": {"dense": "d", "lstm": "l"}}
    return State(**{**known, **changes})


def test_results_come_back_as_they_were_saved(tmp_path):
    path = tmp_path / f"{NEW}.json"
    crossed.save(results(), path)
    assert crossed.load(path) == results()


def test_results_of_another_lane_are_refused(tmp_path):
    path = tmp_path / f"{OLD}.json"
    crossed.save(results(), path)
    with pytest.raises(ValueError, match="holds results of"):
        crossed.load(path)


def test_equal_results_are_equal_bytes(tmp_path):
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    crossed.save(results(), one)
    crossed.save(results(seen=dict(reversed(results().seen.items()))), other)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"same"', '"other outputs"', "edited by hand"),
        ("\n}}\n", "", "cannot be read"),
        ('"date"', '"day"', "cannot be read"),
        ('"checksum"', '"sum"', "cannot be read"),
    ],
)
def test_a_changed_file_is_refused(tmp_path, before, after, message):
    path = tmp_path / f"{NEW}.json"
    crossed.save(results(), path)
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    with pytest.raises(ValueError, match=message):
        crossed.load(path)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, {"dense", "lstm"}),
        ({"models": {"dense": "d", "lstm": "changed"}}, {"dense"}),
        ({"models": {"dense": "d"}}, {"dense"}),
        ({"code": "changed"}, set()),
        ({"made": {**MADE, OLD: "changed"}}, set()),
        ({"made": {**MADE, NEW: "changed"}}, set()),
        ({"made": {**MADE, OTHER: "changed"}}, {"dense", "lstm"}),
        ({"made": {NEW: "made"}}, set()),
    ],
)
def test_only_what_depends_on_a_change_is_stale(changes, kept):
    found = state(**changes).kept(results())
    assert {model for model, _, _ in found} == kept


def test_the_models_of_this_site_have_a_state():
    found = State.of(ROOT)
    assert len(set(found.models.values())) == len(crossed.MODELS)
    assert set(found.made) == set(crossed.gating(ROOT))


def test_the_results_of_this_site_are_those_of_its_code():
    assert crossed.stale(ROOT) == []


LANE = Lane(NEW, "3.11", (), gates=True)
SAY = """import json, os, sys


def say(**words):
    print(json.dumps(words), flush=True)


"""


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """Write the program that a lane runs; in it, `say` prints a line."""

    def write(program):
        path = tmp_path / "tests/files/run.py"
        path.parent.mkdir(parents=True)
        path.write_text(SAY + textwrap.dedent(program))

    monkeypatch.setattr(crossing, "ROOT", tmp_path)
    monkeypatch.setattr(crossing, "FILES", tmp_path / "build")
    monkeypatch.setattr(crossing, "install", lambda lane: Path(sys.executable))
    return write


def test_a_crash_costs_one_row(runner):
    runner(
        """
        say(environment={"tf.keras": "3"})
        for thing in sys.argv[3:]:
            say(begins=thing)
            if thing == "b":
                os.abort()
            say(seen=thing, what="same")
        """
    )
    seen = {}
    put = seen.__setitem__
    found = crossing.run(LANE, "read", Path(), ["a", "b", "c"], put, {"what": "failed"})
    assert found == {"tf.keras": "3"}
    assert seen["a"] == seen["c"] == {"what": "same"}
    assert seen["b"] == {"what": "failed", "error": "Python died of it: SIGABRT"}


def test_a_row_that_takes_too_long_costs_itself(runner, monkeypatch):
    monkeypatch.setattr(crossing, "SECONDS_FOR_ONE", 2)
    runner(
        """
        import time
        for thing in sys.argv[3:]:
            say(begins=thing)
            time.sleep(60 if thing == "a" else 0)
            say(seen=thing, what="same")
        """
    )
    seen = {}
    crossing.run(LANE, "read", Path(), ["a", "b"], seen.__setitem__, {"what": "failed"})
    assert "longer than 2 s" in seen["a"]["error"]
    assert seen["b"] == {"what": "same"}


def test_a_lane_that_cannot_run_says_why(runner):
    runner("raise OSError('no disk')")
    with pytest.raises(BrokenError, match="no disk"):
        crossing.run(LANE, "read", Path(), ["a"], lambda *_: None, {})


def test_a_file_is_read_where_no_other_lies(tmp_path, monkeypatch):
    monkeypatch.setattr(crossing, "FILES", tmp_path / "files")
    source = tmp_path / "files" / OLD / "dense"
    source.mkdir(parents=True)
    names = ["model.h5", "model.weights.h5", "model.ckpt.index", "answers.npz"]
    for name in names:
        (source / name).write_text(name)
    crossing.alone(tmp_path / "own", "dense", "h5", OLD)
    crossing.alone(tmp_path / "own", "dense", "checkpoint", OLD)
    found = {
        path.relative_to(tmp_path / "own").as_posix(): path.read_text()
        for path in (tmp_path / "own").rglob("*.*")
        if path.is_file()
    }
    assert found == {
        f"{OLD}@h5/dense/model.h5": "model.h5",
        f"{OLD}@h5/dense/answers.npz": "answers.npz",
        f"{OLD}@checkpoint/dense/model.ckpt.index": "model.ckpt.index",
        f"{OLD}@checkpoint/dense/answers.npz": "answers.npz",
    }


def matrix(outcomes):
    """What was seen of every pair; all is well but what is named."""
    return {
        pair: outcomes.get((model, form, writer, reader), Seen("same"))
        for model in crossed.MODELS
        for form in crossed.FORMATS
        for writer in KERAS
        for reader in KERAS
        for pair in [Pair(model, form, writer, reader)]
    }


def tables(outcomes):
    return Tables(matrix(outcomes), KERAS, ["2026-11-30"])


def test_the_summary_counts_files_by_border():
    failed = {("lstm", "h5", OLD, NEW): Seen("failed", "Oops", "load_weights")}
    silent = {("dense", "checkpoint", NEW, OTHER): Seen("other outputs")}
    text = tables(failed | silent).summary()
    rows = {
        line.split("|")[1].strip(): line for line in text.splitlines() if "|" in line
    }
    whole = rows["[`.h5`, the whole model](#files-h5)"]
    assert [cell.strip() for cell in whole.split("|")[2:6]] == [
        "✓ all",
        "95 %",
        "✓ all",
        "✓ all",
    ]
    checkpoint = rows["[`tf.train.Checkpoint`](#files-checkpoint)"]
    assert checkpoint.split("|")[4].strip() == "≠ 5 %"
    total = len(matrix({}))
    assert f"{total - 2:,} gave the same outputs" in text
    assert "1 loaded with other outputs, 1 failed" in text


def test_a_grid_has_a_sign_for_each_pair_of_versions():
    outcomes = {("lstm", "h5", OLD, NEW): Seen("failed", "Oops")}
    outcomes |= {
        (model, "h5", NEW, OLD): Seen("failed", "Oops") for model in crossed.MODELS
    }
    outcomes[("dense", "h5", OTHER, NEW)] = Seen("other outputs")
    outcomes |= {
        (model, "h5", NEW, NEW): Seen("not written", "No") for model in crossed.MODELS
    }
    text = tables(outcomes).of_format("h5")
    assert "| **2.15** | ✓ | ✓ | 10 |" in text
    assert "| **3.15** | ✗ | ✓ | \N{EN DASH} |" in text
    assert "| **tf\\_\u200bkeras 2.21** | ✓ | ✓ | ≠ |" in text


def test_a_message_stands_whole_with_its_pairs_and_the_way_across():
    failed = Seen("failed", "ValueError: no | such `thing`", "load_weights")
    outcomes = {
        ("lstm", "h5", OLD, NEW): failed,
        ("lstm", "h5", OTHER, NEW): Seen("failed", failed.error),
    }
    text = tables(outcomes).of_format("h5")
    assert "```text\nValueError: no | such `thing`\n```" in text
    assert "(files-h5-1)=" in text
    assert "`lstm`; written by 2.15 to `tf_keras` 2.21, read by 3.15." in text
    assert "[`load_weights`](#files-way-weights) (1)" in text
    assert "[another format](#files-way-out) (1)" in text
    assert "| `lstm` | ✓ | ✗ note [1](#files-h5-1) | ✓ | ✓ |" in text


def test_messages_that_differ_in_the_layer_alone_are_one_note():
    lost = "ValueError: Layer '{}' expected {} variables, but received 0 variables"
    more = (
        "TypeError: No. … Exception encountered: Layer 'c' expected 4 variables, but "
    )
    outcomes = {
        ("dense", "h5", OLD, NEW): Seen("failed", lost.format("dense", 2)),
        ("lstm", "h5", OLD, NEW): Seen("failed", lost.format("cell", 3)),
        ("nested", "h5", OLD, NEW): Seen("failed", f"{more}received 0 variables"),
        ("trained", "h5", OLD, NEW): Seen("failed", "Unknown: value=[[1 2] [3 4]]>."),
    }
    text = tables(outcomes).of_format("h5")
    assert "**1.** `dense`, `lstm`, `nested`; written by 2.15" in text
    assert text.count("received 0 variables") == 1
    assert "**2.** `trained`;" in text
    assert "Unknown: value=…>." in text


def test_a_format_that_all_versions_read_needs_no_table():
    text = tables({("trained", "h5", OLD, NEW): Seen("no optimizer")}).of_format("h5")
    assert "All 11 models gave the same outputs in all 9 pairs" in text
    assert "|" not in text


def test_a_model_that_never_returns_has_no_message():
    told = tables({("lstm", "h5", OLD, NEW): Seen("failed", "TimeoutError: no end")})
    assert "No message: load_model does not return." in told.of_format("h5")


def test_neighbors_of_one_keras_are_a_range():
    keras = {f"tensorflow-2.{n}": f"3.{n}.0" for n in (16, 17, 18)}
    keras |= {OTHER: "2.21.0"}
    shown = Tables({}, keras, [])._versions(set(keras))
    assert shown == "`tf_keras` 2.21, 3.16 to 3.18"


# What runs in each lane, in this one


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from tests.files import run

    folder = tmp_path_factory.mktemp("files")
    errors = {name: run.write(folder / name, name) for name in ("dense", "trained")}
    assert all(set(found) == {"saved_model"} for found in errors.values())
    assert "Invalid filepath" in errors["dense"]["saved_model"]
    return folder


def test_both_sides_use_the_same_words():
    from tests.files import run

    assert tuple(run.WRITTEN) == crossed.FORMATS
    assert {form: end for form, (end, _) in run.WRITTEN.items()} == crossed.ENDS
    for name in ("TOLERANCE", "SAME", "NO_OPTIMIZER", "OTHER", "FAILED"):
        assert vars(run)[name] == vars(crossed)[name]


def read(folder, name, form):
    from tests.files import run

    return run.read(folder / name, name, form)


@pytest.mark.parametrize("form", ["keras", "weights", "arrays", "export"])
def test_a_file_of_this_version_is_read(folder, form):
    assert read(folder, "dense", form) == {"what": "same"}


def test_an_optimizer_that_is_there_is_seen(folder):
    assert read(folder, "trained", "keras") == {"what": "same"}


def test_an_optimizer_that_is_lost_is_seen(folder):
    assert read(folder, "trained", "arrays") == {"what": "no optimizer"}


def test_other_outputs_are_seen(folder, tmp_path):
    for path in (folder / "dense").iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with np.load(tmp_path / "answers.npz") as kept:
        changed = {**kept, "answers": kept["answers"] + 0.01}
    np.savez(tmp_path / "answers.npz", **changed)
    from tests.files import run

    assert run.read(tmp_path, "dense", "arrays")["what"] == "other outputs"


def test_what_fails_is_tried_in_other_ways(folder):
    from tests.files import run

    broken = folder / "broken"
    broken.mkdir()
    (broken / "answers.npz").write_bytes((folder / "dense/answers.npz").read_bytes())
    found = run.read(broken, "dense", "keras")
    assert found["what"] == "failed"
    assert "not found" in found["error"]
    assert "across" not in found


def test_a_message_loses_its_configurations_and_paths():
    from tests.files.run import message

    config = {"config": {"name": "x" * 90}}
    problem = TypeError(
        f"<class 'a'> could not be read. Ensure it.\n\nconfig={config}.\n"
        f"{'more ' * 100}\nException encountered: Unknown '/tmp/some/file.h5'"
    )
    assert message(problem) == (
        "TypeError: <class 'a'> could not be read. … Exception encountered: "
        "Unknown 'file.h5'"
    )


def test_a_short_dict_stays_in_a_message():
    from tests.files.run import message

    problem = ValueError("passed to LSTM: {'time_major': False} {unclosed")
    assert message(problem) == ("ValueError: passed to LSTM: {'time_major': False} {…")


def test_two_lanes_ask_for_uv_one_after_the_other(monkeypatch):
    """Before Python 3.12 `sysconfig`, which uv asks, may answer two threads wrongly."""
    both, met = threading.Barrier(2), []

    def find_uv_bin():
        try:
            both.wait(0.5)
        except threading.BrokenBarrierError:
            return "uv"
        met.append(True)
        return "uv"

    uv = ModuleType("uv")
    uv.__spec__ = ModuleSpec("uv", None)
    uv.find_uv_bin = find_uv_bin
    monkeypatch.setitem(sys.modules, "uv", uv)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: find_uv(), range(2))) == ["uv", "uv"]
    assert met == []
