"""Figures that are looked at rather than read: curves, images, points in a plane.

Each recipe draws one Matplotlib figure, which a notebook shows below its cell.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from snippets.extras import extra

with extra("figures"):
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator


def plot_curves(
    curves: Mapping[str, Sequence[float]], y_label: str, x_label: str = "epoch"
) -> None:
    """Plot curves against the number of the epoch, or of another step, from 1.

    Args:
        curves: Dict from a name to its values, at least one of each. Curves may
            differ in length. Pass `history.history` of `fit`, or a part of it.
        y_label: String, what the values are, with their unit if they have one.
        x_label: String, what a step is.

    Raises:
        ValueError: If there is no curve, or if one is empty or not flat.

    Example:
        >>> plot_curves({"training": [2.3, 1.1], "test": [2.2, 1.3]}, "loss")
    """
    if not curves or any(
        np.ndim(values) != 1 or not len(values) for values in curves.values()
    ):
        raise ValueError(
            "Expected `curves` to map names to at least one number each. "
            f"Received: {dict(curves)}"
        )
    _, axes = plt.subplots(figsize=(6, 3), dpi=120, layout="constrained")
    for position, (name, values) in enumerate(curves.items()):
        dashes = ("-", "--", "-.", ":")[position % 4]  # where colors are not told apart
        marker = "." if len(values) == 1 else ""
        steps = range(1, len(values) + 1)
        axes.plot(steps, values, linestyle=dashes, marker=marker, label=name)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()


def plot_images(
    images: npt.NDArray[Any], titles: Sequence[object] = (), columns: int = 8
) -> None:
    """Show gray images side by side, in rows, black for the lowest value of all.

    Args:
        images: Array of shape `(num_images, height, width)` or
            `(num_images, height, width, 1)`, at least one image, any real dtype.
        titles: Sequence with one title for each image, or nothing.
        columns: Integer of at least 1, the images in a row.

    Raises:
        ValueError: If `images` has another shape, if there are not as many titles as
            images, or if `columns` is less than 1.

    Example:
        >>> plot_images(np.zeros((3, 8, 8, 1)), titles=["a", "b", "c"])
    """
    pixels = np.asarray(images)
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim != 3 or not pixels.size:
        raise ValueError(
            "Expected `images` of shape (num_images, height, width) or (num_images, "
            f"height, width, 1), at least one. Received: shape {np.shape(images)}"
        )
    if len(titles) not in (0, len(pixels)):
        raise ValueError(
            f"Expected a title for each of {len(pixels)} images, or none. "
            f"Received: {len(titles)} titles"
        )
    if columns < 1:
        raise ValueError(f"Expected `columns` of at least 1. Received: {columns}")
    columns = min(columns, len(pixels))
    rows = -(-len(pixels) // columns)
    size = (0.8 * columns, (1.0 if len(titles) else 0.8) * rows)
    _, grid = plt.subplots(
        rows, columns, figsize=size, dpi=120, squeeze=False, layout="constrained"
    )
    for axes in grid.flat:
        axes.axis("off")
    for axes, image in zip(grid.flat, pixels, strict=False):
        axes.imshow(image, cmap="gray", vmin=pixels.min(), vmax=pixels.max())
    for axes, title in zip(grid.flat, titles, strict=False):
        axes.set_title(str(title), fontsize=9)


def plot_points(
    points: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    x_label: str = "first axis",
    y_label: str = "second axis",
) -> None:
    """Show points in a plane, each as the digit or name of its class.

    Args:
        points: Array of shape `(num_points, 2)`, at least one point.
        labels: Array of shape `(num_points,)`, the class of each point.
        x_label: String, what the first coordinate is.
        y_label: String, what the second coordinate is.

    Raises:
        ValueError: If the shapes are others, or differ in length.

    Example:
        >>> plot_points(np.array([[0.0, 1.0], [2.0, 0.5]]), np.array([3, 7]))
    """
    if np.ndim(points) != 2 or np.shape(points) != (len(labels), 2) or not len(labels):
        raise ValueError(
            "Expected `points` of shape (num_points, 2) and as many `labels`, at least "
            f"one. Received: shapes {np.shape(points)} and {np.shape(labels)}"
        )
    _, axes = plt.subplots(figsize=(6, 4.5), dpi=120, layout="constrained")
    names, classes = np.unique(labels, return_inverse=True)
    colors = plt.get_cmap("tab10")(classes % 10)
    axes.scatter(points[:, 0], points[:, 1], s=0)  # sets the limits of the axes
    for (x, y), kind, color in zip(points, classes, colors, strict=True):
        axes.text(x, y, str(names[kind]), color=color, ha="center", va="center")
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(alpha=0.3)


def plot_heat_map(
    values: npt.NDArray[Any],
    row_names: Sequence[object],
    column_names: Sequence[object],
    x_label: str,
    y_label: str,
    value_label: str,
) -> None:
    """Show a table of numbers as colors, from white for 0 to dark for the largest.

    Each cell holds its number, with two decimals.

    Args:
        values: Array of shape `(num_rows, num_columns)` of numbers of at least 0, at
            least one, any real dtype.
        row_names: Sequence with one name for each row, from the top.
        column_names: Sequence with one name for each column.
        x_label: String, what a column is.
        y_label: String, what a row is.
        value_label: String, what the numbers are.

    Raises:
        ValueError: If `values` has another shape or holds something else, or if there
            are not as many names as rows and columns.

    Example:
        >>> table = np.array([[0.1, 0.9], [0.5, 0.5]])
        >>> plot_heat_map(table, ["a", "b"], [1, 2], "step", "example", "weight")
    """
    table = np.asarray(values)
    if table.ndim != 2 or not table.size or not (table >= 0).all():
        raise ValueError(
            "Expected `values` of shape (num_rows, num_columns), numbers of at least "
            f"0. Received: shape {table.shape}"
        )
    if table.shape != (len(row_names), len(column_names)):
        raise ValueError(
            f"Expected {table.shape[0]} row names and {table.shape[1]} column names. "
            f"Received: {len(row_names)} and {len(column_names)}"
        )
    size = (1.6 + 0.55 * table.shape[1], 0.9 + 0.35 * table.shape[0])
    _, axes = plt.subplots(figsize=size, dpi=120, layout="constrained")
    image = axes.imshow(table, cmap="Blues", vmin=0, aspect="auto")
    half = image.get_clim()[1] / 2
    for (row, column), value in np.ndenumerate(table):
        ink = "white" if value > half else "black"
        axes.text(
            column, row, f"{value:.2f}", color=ink, fontsize=8, ha="center", va="center"
        )
    axes.set_xticks(range(table.shape[1]), [str(name) for name in column_names])
    axes.set_yticks(range(table.shape[0]), [str(name) for name in row_names])
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.figure.colorbar(image, ax=axes, label=value_label)
