"""One way to measure for all figures: warm up, take turns, compare with the first.

Times are ratios to a baseline of the same run, with their quartiles, so that they mean
something on another machine. Runs that did different work are not compared. Memory is
the peak of a process of its own.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from snippets.processes import run_python
from snippets.showing.drawings import Drawing


def describe_machine() -> str:
    """Say on what something was measured, in one line.

    Returns:
        A string with the processor, the cores that this process may use, the system
        and the versions of Python, TensorFlow and Keras.

    Example:
        >>> f"Python {platform.python_version()}" in describe_machine()
        True
    """
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    usable = getattr(os, "sched_getaffinity", lambda pid: range(os.cpu_count() or 1))
    cores = len(usable(0))
    parts = [(names or [platform.machine()])[0], f"{cores} core{'s' * (cores != 1)}"]
    parts += [platform.system(), f"Python {platform.python_version()}"]
    for name in ("TensorFlow", "Keras"):
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # TensorFlow has several packages
            parts.append(f"{name} {version(f'{name.lower()}-cpu')}")
    return ", ".join(parts)


def check_same_work(results: Mapping[str, Any], tolerance: float = 1e-3) -> None:
    """Refuse to compare ways that came to different results.

    Args:
        results: Dict from the name of a way to what it computed: a number or an array,
            or `None` if it computes nothing that could be compared.
        tolerance: Float of at least 0, the relative and absolute difference that is put
            down to rounding.

    Raises:
        ValueError: If one differs from the first in its shape or its numbers.

    Example:
        >>> check_same_work({"eager": 0.5, "compiled": 0.5000001})
    """
    (first, wanted), *others = results.items()
    for name, found in others:
        if wanted is None or found is None:
            same = wanted is found
        else:
            one, two = np.asarray(wanted, "float64"), np.asarray(found, "float64")
            same = one.shape == two.shape and np.allclose(
                two, one, tolerance, tolerance
            )
        if not same:
            raise ValueError(
                f"Expected every way to do the work of {first!r}, which came to "
                f"{wanted}. Received: {name!r}, which came to {found}"
            )


def seconds_in_turns(
    actions: Mapping[str, Callable[[], Any]],
    rounds: int,
    warm_up: int = 3,
    tolerance: float = 1e-3,
) -> dict[str, list[float]]:
    """Time several ways to do the same work, turn by turn.

    Every way is first taken `warm_up` times, which do not count: functions are traced
    and caches filled. The first results are compared. Then each way is taken once in
    every round; each round begins with another one, so that a slow moment of the
    machine hits all of them alike.

    Args:
        actions: Dict from a name to a function without arguments, at least one. It
            returns what it computed, or `None`, as `check_same_work` takes it.
        rounds: Integer of at least 1.
        warm_up: Integer of at least 1.
        tolerance: As for `check_same_work`.

    Returns:
        A dict from each name to its seconds, one number for each round.

    Raises:
        ValueError: If there is no action, if `rounds` or `warm_up` is less than 1, or
            if the ways did different work.

    Example:
        >>> ways = {"sum": lambda: sum(range(9)), "formula": lambda: 9 * 8 // 2}
        >>> len(seconds_in_turns(ways, rounds=4)["formula"])
        4
    """
    if not actions or min(rounds, warm_up) < 1:
        raise ValueError(
            "Expected at least one of `actions` and `rounds` and `warm_up` of at least "
            f"1. Received: {len(actions)} actions, {rounds=} and {warm_up=}"
        )
    names = list(actions)
    check_same_work({name: actions[name]() for name in names}, tolerance)
    for name in (warm_up - 1) * names:
        actions[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            actions[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratios_to_first(
    seconds: Mapping[str, Sequence[float]],
) -> dict[str, tuple[float, float, float]]:
    """Divide the seconds of each round by those of the first way in that round.

    Args:
        seconds: Dict as `seconds_in_turns` returns it.

    Returns:
        A dict from each name to three ratios: the quarter of the rounds lies below the
        first, half below the second, three quarters below the third.

    Example:
        >>> ratios_to_first({"a": [1.0, 2.0, 4.0], "b": [2.0, 4.0, 8.0]})["b"]
        (2.0, 2.0, 2.0)
    """
    base = np.array(next(iter(seconds.values())))
    quartiles = {
        name: np.quantile(np.array(times) / base, (0.25, 0.5, 0.75))
        for name, times in seconds.items()
    }
    return {
        name: (float(a), float(b), float(c)) for name, (a, b, c) in quartiles.items()
    }


def ratio_with_spread(ratio: tuple[float, float, float]) -> str:
    """Write a median with its quartiles.

    Args:
        ratio: Tuple of three numbers, as `ratios_to_first` returns it.

    Returns:
        A string, three digits of each.

    Example:
        >>> ratio_with_spread((1.0, 1.234, 2.5))
        '1.23 (1 to 2.5)'
    """
    low, middle, high = ratio
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


def draw_ratios(ratios: Mapping[str, tuple[float, float, float]], unit: str) -> Drawing:
    """Draw one bar for each ratio, from its first to its third quartile.

    Args:
        ratios: Dict as `ratios_to_first` returns it, at least one entry.
        unit: String, what the number 1 stands for.

    Returns:
        A `Drawing`, with a dashed line at 1 and a tick at each median.

    Raises:
        ValueError: If there is no ratio.

    Example:
        >>> draw_ratios({"a": (0.9, 1.0, 1.1)}, "a")
        Drawing('Ratios to a: a 1.00 (0.90 to 1.10)')
    """
    if not ratios:
        raise ValueError("Expected at least one ratio. Received: none")
    scale = 420 / max(1.2, 1.05 * max(high for _, _, high in ratios.values()))
    left, bottom = 140, 14 + 34 * len(ratios)
    text = 'fill="currentColor" stroke="none"'
    parts = [
        f'<path d="M{left + scale:g} 8V{bottom}" stroke-dasharray="5 4"/>'
        f'<text x="{left + scale:g}" y="{bottom + 16}" {text}>1 = {unit}</text>'
    ]
    words = []
    for row, (name, (low, middle, high)) in enumerate(ratios.items()):
        y, x = 16 + 34 * row, left + scale * low
        width = max(2.0, scale * (high - low))
        parts.append(
            f'<text x="{left - 12}" y="{y + 13}" text-anchor="end" {text}>{name}</text>'
            f'<rect x="{x:g}" y="{y}" width="{width:g}" height="18" rx="3" '
            'fill="#3b82f666" stroke="none"/>'
            f'<path d="M{left + scale * middle:g} {y - 3}v24" stroke-width="3"/>'
            f'<text x="{left + 440}" y="{y + 13}" text-anchor="start" {text}>'
            f"{middle:.2f}</text>"
        )
        words.append(f"{name} {middle:.2f} ({low:.2f} to {high:.2f})")
    alt = f"Ratios to {unit}: {', '.join(words)}"
    return Drawing(parts, left + 490, bottom + 24, alt)


def peak_memories(
    preparation: str, programs: Mapping[str, str], repeats: int, timeout: float = 120
) -> dict[str, list[float]]:
    """Measure how much memory each of some programs takes at its peak.

    One process imports what all need and computes nothing. For each measurement a copy
    of it is forked, runs one program, and reports by how much its peak exceeds what it
    had before. Memory that a program frees is given back at once, as far as the C
    library of Linux is asked to. Works on Linux and macOS.

    Args:
        preparation: String of Python, such as imports and definitions.
        programs: Dict from a name to a string of Python, at least one.
        repeats: Integer of at least 1, the measurements of each program.
        timeout: Number of seconds greater than 0 after which all are ended.

    Returns:
        A dict from each name to as many numbers, in MiB.

    Raises:
        RuntimeError: If a program failed, for example without memory.
        TimeoutError: If all together ran longer than `timeout`.
        ValueError: If there is no program, or if `repeats` is less than 1.

    Example:
        >>> programs = {"nothing": "", "a list": "numbers = list(range(10**7))"}
        >>> peaks = peak_memories("", programs, repeats=1)
        >>> peaks["a list"][0] - peaks["nothing"][0] > 70
        True
    """
    if not programs or repeats < 1:
        raise ValueError(
            "Expected at least one of `programs` and `repeats` of at least 1. "
            f"Received: {len(programs)} programs and repeats={repeats}"
        )
    measure = f"""
import os, resource, sys, traceback
def measure_peak(name, program):
    unit = 2**20 if sys.platform == "darwin" else 2**10
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    exec(compile(program, name, "exec"), globals())
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(name, (after - before) / unit, sep="\\t", flush=True)
for name, program in {repeats} * {list(programs.items())!r}:
    if (child := os.fork()) == 0:
        try:
            measure_peak(name, program)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError(f"{{name}} was ended while it was measured")
"""
    # Or else freed tensors are kept, and the peak depends on where they lay.
    variables = {"MALLOC_MMAP_THRESHOLD_": "65536"}
    printed = run_python(f"{preparation}\n{measure}", variables, timeout)
    peaks: dict[str, list[float]] = {name: [] for name in programs}
    for line in printed.splitlines():
        name, megabytes = line.split("\t")
        peaks[name].append(float(megabytes))
    return peaks
