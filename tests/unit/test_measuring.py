"""The measuring recipe: what it times, what it refuses, what it draws."""

import platform
import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snippets import measuring
from snippets.measuring import (
    check_same_work,
    describe_machine,
    draw_ratios,
    peak_memories,
    ratio_with_spread,
    ratios_to_first,
    seconds_in_turns,
)


def test_a_machine_is_described_in_one_line() -> None:
    described = describe_machine()

    assert "\n" not in described
    assert re.search(r", \d+ cores?, ", described)
    assert described.endswith(described[described.index(platform.system()) :])
    assert re.search(r"Python 3\.\d+\.\d+, TensorFlow 2\.\d+.*, Keras 3", described)


def test_a_machine_without_a_list_of_processors_is_described_by_its_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def of_cpu_package(name: str) -> str:
        if name == "TensorFlow":
            raise PackageNotFoundError
        return {"tensorflow-cpu": "2.1", "Keras": "9.9"}[name]

    monkeypatch.setattr(Path, "exists", lambda self: False)
    monkeypatch.setattr(measuring.platform, "machine", lambda: "arm64")
    monkeypatch.delattr(measuring.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(measuring.os, "cpu_count", lambda: None)
    monkeypatch.setattr(measuring, "version", of_cpu_package)

    described = describe_machine()

    assert described.startswith(f"arm64, 1 core, {platform.system()}, Python 3.")
    assert described.endswith(", TensorFlow 2.1, Keras 9.9")


@pytest.mark.parametrize(
    "results",
    [
        {"a": 1.0},
        {"a": 1.0, "b": 1.0005},
        {"a": None, "b": None},
        {"a": [1, 2], "b": np.array([1.0, 2.0])},
    ],
)
def test_equal_work_is_let_through(results: dict[str, Any]) -> None:
    check_same_work(results)


@pytest.mark.parametrize(
    "other", [1.01, 0.99, -1.0, float("nan"), None, [1.0], [1.0, 1.0]]
)
def test_different_work_is_refused(other: Any) -> None:
    message = r"work of 'a', which came to 1\.0\. Received: 'c', which came to "
    with pytest.raises(ValueError, match=message):
        check_same_work({"a": 1.0, "b": 1.0, "c": other})
    with pytest.raises(ValueError, match="every way to do the work of 'a'"):
        check_same_work({"a": other, "b": 1.0})


def test_the_tolerance_decides_what_is_the_same_work() -> None:
    check_same_work({"a": 1.0, "b": 1.1}, tolerance=0.1)
    with pytest.raises(ValueError, match="Received: 'b'"):
        check_same_work({"a": 1.0, "b": 1.0005}, tolerance=1e-4)


def noting(name: str, calls: list[str]) -> Callable[[], None]:
    return lambda: calls.append(name)


def test_ways_are_timed_turn_by_turn_after_a_warm_up() -> None:
    calls: list[str] = []

    seconds = seconds_in_turns({n: noting(n, calls) for n in "abc"}, rounds=4)

    assert "".join(calls) == "abcabcabc" + "abc" + "bca" + "cab" + "abc"
    assert [len(seconds[name]) for name in "abc"] == [4, 4, 4]


def test_a_warm_up_of_one_is_the_shortest() -> None:
    calls: list[str] = []
    seconds_in_turns({"a": noting("a", calls)}, rounds=1, warm_up=1)
    assert calls == ["a", "a"]


def test_seconds_are_those_of_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def taking(seconds: float) -> Callable[[], None]:
        return lambda: clock.__setitem__(0, clock[0] + seconds)

    seconds = seconds_in_turns({"a": taking(1.0), "b": taking(3.0)}, rounds=2)

    assert seconds == {"a": [1.0, 1.0], "b": [3.0, 3.0]}


def test_runs_of_different_work_are_not_timed() -> None:
    calls: list[int] = []
    ways = {"a": lambda: calls.append(1) or 1.0, "b": lambda: 2.0}
    with pytest.raises(ValueError, match="Received: 'b', which came to 2"):
        seconds_in_turns(ways, rounds=3)
    assert len(calls) == 1
    assert len(seconds_in_turns(ways, rounds=3, tolerance=2.0)["a"]) == 3


@pytest.mark.parametrize(
    ("names", "rounds", "warm_up"), [("", 3, 3), ("ab", 0, 3), ("ab", 3, 0)]
)
def test_nothing_to_time_is_refused(names: str, rounds: int, warm_up: int) -> None:
    actions = {name: noting(name, []) for name in names}
    message = f"{len(names)} actions, rounds={rounds} and warm_up={warm_up}"
    with pytest.raises(ValueError, match=message):
        seconds_in_turns(actions, rounds, warm_up)


def test_a_ratio_is_written_with_its_quartiles() -> None:
    assert ratio_with_spread((0.5, 12.345, 100.4)) == "12.3 (0.5 to 100)"


def test_ratios_are_taken_round_by_round() -> None:
    seconds = {"a": [1.0, 10.0, 100.0, 1.0, 1.0], "b": [2.0, 10.0, 300.0, 4.0, 0.0]}

    assert ratios_to_first(seconds) == {"a": (1.0, 1.0, 1.0), "b": (1.0, 2.0, 3.0)}


def test_ratios_are_drawn_to_scale() -> None:
    drawing = draw_ratios({"a": (1.0, 1.0, 1.0), "b": (0.5, 1.0, 2.0)}, "a")

    assert drawing.alt == "Ratios to a: a 1.00 (1.00 to 1.00), b 1.00 (0.50 to 2.00)"
    left, width = re.findall(
        r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', drawing.svg
    )[1]
    assert float(width) == pytest.approx(420 / 2.1 * 1.5)
    assert float(left) == pytest.approx(140 + 420 / 2.1 * 0.5)
    assert '<path d="M340 ' in drawing.svg  # the line at 1, and the medians


def test_a_drawing_of_ratios_has_a_row_of_34_points_for_each() -> None:
    svg = draw_ratios({"a": (1.0, 1.0, 1.0), "b": (0.5, 0.75, 1.0)}, "a").svg
    bars = re.findall(
        r"<rect x=\"(\S+)\" y=\"(\S+)\" width=\"(\S+)\" height=\"18\"", svg
    )
    ticks = re.findall(r"<path d=\"M(\S+) (\S+)v24\"", svg)
    words = re.findall(r"<text x=\"(\S+)\" y=\"(\S+)\"[^>]*>([^<]+)<", svg)

    assert '<path d="M490 8V82"' in svg  # 140 + 420 / 1.2, and down to 14 + 2 * 34
    assert bars == [("490", "16", "2"), ("315", "50", "175")]
    assert ticks == [("490", "13"), ("402.5", "47")]
    assert words == [
        ("490", "98", "1 = a"),
        *[("128", "29", "a"), ("580", "29", "1.00")],
        *[("128", "63", "b"), ("580", "63", "0.75")],
    ]
    assert 'viewBox="0 0 630 106"' in svg


def test_a_ratio_without_spread_is_still_seen() -> None:
    assert 'width="2"' in draw_ratios({"a": (1.0, 1.0, 1.0)}, "a").svg


def test_no_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one ratio"):
        draw_ratios({}, "a")


def test_memory_is_the_peak_above_what_was_prepared() -> None:
    preparation = "import numpy as np\nheld = np.ones((64, 2**17))\nsize = 2**17"
    programs = {
        "nothing": "pass",
        "32 MiB": "block = np.ones((32, size))",
        "64 MiB, then freed": "block = np.ones((64, size)); del block",
    }

    peaks = peak_memories(preparation, programs, repeats=2)

    assert list(peaks) == list(programs)
    assert all(len(measured) == 2 for measured in peaks.values())
    for measured, expected in zip(peaks.values(), (0, 32, 64), strict=True):
        np.testing.assert_allclose(measured, expected, atol=8)


def test_functions_of_a_measured_program_see_its_names() -> None:
    program = "count = 3\ndef three():\n    return count + one\nassert three() == 4"
    assert len(peak_memories("one = 1", {"it": program}, repeats=1)["it"]) == 1


def test_a_program_that_fails_while_it_is_measured_is_named() -> None:
    with pytest.raises(RuntimeError, match="bad was ended while it was measured"):
        peak_memories("", {"good": "", "bad": "raise SystemExit(0)"}, repeats=1)


@pytest.mark.parametrize(("count", "repeats"), [(0, 1), (1, 0)])
def test_no_memory_to_measure_is_refused(count: int, repeats: int) -> None:
    with pytest.raises(ValueError, match=f"{count} programs and repeats={repeats}"):
        peak_memories("", dict.fromkeys("a" * count, ""), repeats)
