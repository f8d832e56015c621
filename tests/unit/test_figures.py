"""The figures: what they show is what they were given."""

import re
from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from snippets.showing.figures import (
    plot_curves,
    plot_heat_map,
    plot_images,
    plot_points,
)


@pytest.fixture(autouse=True)
def canvas() -> Iterator[None]:
    """Draw without a screen, and close what was drawn."""
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_curves_are_drawn_from_step_1_under_their_names() -> None:
    plot_curves({"training": [3.0, 2.0, 1.0], "test": [4.0, 3.5]}, "loss", "round")
    (axes,) = plt.gcf().axes
    training, test = axes.lines
    assert np.asarray(training.get_xdata()).tolist() == [1, 2, 3]
    assert np.asarray(test.get_ydata()).tolist() == [4.0, 3.5]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("round", "loss")
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.texts] == ["training", "test"]
    assert training.get_linestyle() != test.get_linestyle()


def test_a_curve_of_one_value_is_seen_as_a_point() -> None:
    plot_curves({"loss": [3.0]}, "loss")
    assert plt.gcf().axes[0].lines[0].get_marker() == "."


@pytest.mark.parametrize("curves", [{}, {"loss": []}, {"loss": [[1.0]]}])
def test_curves_without_values_are_refused(curves: Any) -> None:
    with pytest.raises(ValueError, match="at least one number each"):
        plot_curves(curves, "loss")


@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 1)])
def test_images_are_shown_on_one_scale_in_rows(shape: tuple[int, ...]) -> None:
    images = np.arange(60.0).reshape(shape)
    plot_images(images, titles=range(5), columns=3)
    grid = plt.gcf().axes
    assert len(grid) == 6
    assert [axes.get_title() for axes in grid] == ["0", "1", "2", "3", "4", ""]
    assert [len(axes.images) for axes in grid] == [1, 1, 1, 1, 1, 0]
    assert {axes.images[0].get_clim() for axes in grid[:5]} == {(0.0, 59.0)}
    shown = grid[4].images[0].get_array()
    assert np.array_equal(np.asarray(shown), images.reshape(5, 4, 3)[4])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"images": np.zeros((8, 8))}, "Received: shape (8, 8)"),
        ({"images": np.zeros((2, 8, 8, 3))}, "Received: shape (2, 8, 8, 3)"),
        ({"images": np.zeros((0, 8, 8))}, "at least one"),
        ({"images": np.zeros((2, 8, 8)), "titles": ["a"]}, "Received: 1 titles"),
        ({"images": np.zeros((2, 8, 8)), "columns": 0}, "Received: 0"),
    ],
)
def test_what_is_no_row_of_images_is_refused(
    arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        plot_images(**arguments)


def test_points_stand_where_they_are_as_the_name_of_their_class() -> None:
    points = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    plot_points(points, np.array([7, 3, 7]), "mean", "spread")
    (axes,) = plt.gcf().axes
    assert [text.get_text() for text in axes.texts] == ["7", "3", "7"]
    assert [text.get_position() for text in axes.texts] == [tuple(p) for p in points]
    first, second, third = (to_hex(text.get_color()) for text in axes.texts)
    assert first == third != second
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("mean", "spread")
    left, right = axes.get_xlim()
    assert left < 0.0 < 4.0 < right


@pytest.mark.parametrize(
    ("points", "labels"),
    [
        (np.zeros((3, 3)), np.zeros(3)),
        (np.zeros((3, 2)), np.zeros(2)),
        (np.zeros(3), np.zeros(3)),
        (np.zeros((0, 2)), np.zeros(0)),
    ],
)
def test_points_outside_a_plane_are_refused(points: Any, labels: Any) -> None:
    with pytest.raises(ValueError, match="shape \\(num_points, 2\\)"):
        plot_points(points, labels)


def test_a_heat_map_shows_each_number_where_it_stands_from_0_on() -> None:
    table = np.array([[0.0, 0.25, 1.0], [0.5, 0.125, 0.75]])
    plot_heat_map(table, ["top", "low"], [1, 2, 3], "step", "example", "weight")
    axes, bar = plt.gcf().axes
    assert np.array_equal(np.asarray(axes.images[0].get_array()), table)
    assert axes.images[0].get_clim() == (0.0, 1.0)
    shown = {text.get_position(): text.get_text() for text in axes.texts}
    assert shown[(2, 0)] == "1.00"
    assert shown[(0, 1)] == "0.50"
    assert len(shown) == 6
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "3"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["top", "low"]
    labels = axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()
    assert labels == ("step", "example", "weight")


def test_the_numbers_of_a_heat_map_are_read_on_any_color() -> None:
    plot_heat_map(np.array([[0.1, 0.9]]), ["a"], ["b", "c"], "x", "y", "z")
    assert [text.get_color() for text in plt.gcf().axes[0].texts] == ["black", "white"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.zeros(3), "Received: shape (3,)"),
        (np.zeros((0, 3)), "Received: shape (0, 3)"),
        (np.array([[1.0, -1.0]]), "at least 0"),
        (np.array([[1.0, np.nan]]), "at least 0"),
        (
            np.zeros((2, 2)),
            "Expected 2 row names and 2 column names. Received: 1 and 2",
        ),
        (np.zeros((1, 3)), "Received: 1 and 2"),
    ],
)
def test_what_is_no_table_of_that_size_is_refused(values: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        plot_heat_map(values, ["a"], ["b", "c"], "x", "y", "z")
