"""One stem runs through the house: a guide, its recipes, their tests share a name."""

from collections.abc import Iterable
from pathlib import Path

from conf.pages.read import Problem
from conf.pages.recipes import Package

PAGES, TESTS = "docs/guides/{}.md", "tests/unit/test_{}.py"


def problems(package: Package, shared: Iterable[str]) -> list[Problem]:
    """Find guides, modules and tests that lack a partner.

    Args:
        package: the package of the recipes; `docs` and `tests` are its neighbors.
        shared: stems of modules that serve several guides and have none of their own.
    """
    root = package.folder.parent
    modules = {package.stem(m): m.place for m in package.recipe_modules}
    rooms = {
        "page": _stems(root, PAGES),
        "module": set(modules),
        "tests": _stems(root, TESTS),
    }
    rooms["page"].discard("index")
    rooms["tests"].discard(package.name)  # the package as a whole
    found = []
    for stem in sorted(set.union(*rooms.values())):
        places = {
            "page": PAGES.format(stem),
            "module": modules.get(stem, f"{package.name}/{stem}/__init__.py"),
            "tests": TESTS.format(stem),
        }
        wanted = [room for room in rooms if not (room == "page" and stem in shared)]
        has = [room for room in rooms if stem in rooms[room]]
        for room in wanted:
            if room not in has:
                message = f"its {room}, `{places[room]}`, does not exist"
                found.append(Problem(places[has[0]], 1, message))
    return found


def _stems(root: Path, pattern: str) -> set[str]:
    before, after = pattern.split("{}")
    names = [
        path.relative_to(root).as_posix() for path in root.glob(pattern.format("*"))
    ]
    return {name.removeprefix(before).removesuffix(after) for name in names}
