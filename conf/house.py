"""One stem runs through the house: a guide, its recipes, their tests share a name."""

from collections.abc import Iterable
from pathlib import Path

from conf.pages import Problem


def problems(root: Path, package: str, shared: Iterable[str]) -> list[Problem]:
    """Find guides, modules and tests that lack a partner.

    Args:
        root: the folder that holds `docs`, the package and `tests`.
        package: the package's name.
        shared: modules that serve several guides and have none of their own.
    """
    rooms = {
        "page": "docs/guides/{}.md",
        "module": f"{package}/{{}}.py",
        "tests": "tests/test_{}.py",
    }
    stems = {room: _stems(root, pattern) for room, pattern in rooms.items()}
    stems["page"].discard("index")
    stems["tests"].discard(package)  # the package as a whole
    found = []
    for stem in sorted(set.union(*stems.values()) - {"__init__"}):
        wanted = [room for room in rooms if not (room == "page" and stem in shared)]
        has = [room for room in rooms if stem in stems[room]]
        for room in wanted:
            if room not in has:
                message = f"its {room}, `{rooms[room].format(stem)}`, does not exist"
                found.append(Problem(rooms[has[0]].format(stem), 1, message))
    return found


def _stems(root: Path, pattern: str) -> set[str]:
    before, after = pattern.split("{}")
    names = [
        path.relative_to(root).as_posix() for path in root.glob(pattern.format("*"))
    ]
    return {name.removeprefix(before).removesuffix(after) for name in names}
