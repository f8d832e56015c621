"""Recipes are read from source, and a cell holds what the package holds."""

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from conf.pages.recipes import (
    Definition,
    Package,
    Recipe,
    RecipeError,
    bound_names,
    code_of,
)
from tests.site.small_site import ROOT, Site


def mini(folder: Path, **modules: str) -> Package:
    """A package of the given modules."""
    package = folder / "mini"
    package.mkdir()
    for name, text in {"__init__": "", **modules}.items():
        (package / f"{name}.py").write_text(dedent(text), "utf-8")
    return Package(package)


SNIPPETS = Package(ROOT / "snippets")


def real_recipes() -> list[str]:
    return [
        SNIPPETS.public(module, name)
        for module in SNIPPETS.recipe_modules
        for name in module.objects
    ]


def cut_docstrings(tree: ast.AST) -> str:
    """The tree as text, each docstring cut to its first line."""
    for node in ast.walk(tree):
        if (
            isinstance(node, Definition)
            and ast.get_docstring(node, clean=False) is not None
        ):
            constant = node.body[0].value  # type: ignore[attr-defined]  # docstrings only
            constant.value = constant.value.strip().splitlines()[0].strip()
    return ast.dump(tree)


def same_tree(package: Package, recipe: Recipe) -> bool:
    """Whether the cell's tree is the package's, but for the ends of docstrings."""
    module, name = package.place(recipe.name)
    node = module.objects[name]
    return ast.dump(ast.parse(recipe.source).body[0]) == cut_docstrings(node)


@pytest.mark.parametrize("dotted", real_recipes())
def test_the_cell_of_a_recipe_has_the_tree_of_the_package(dotted: str) -> None:
    assert same_tree(SNIPPETS, SNIPPETS.recipe(dotted))


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def it(a, /, b=1, *c, d: int = 2, **e) -> int:\n    return a\n", "function"),
        ("async def it():\n    return 1\n", "function"),
        ("class It:\n    x = 1\n", "class"),
        ("it = 1\n", "data"),
        ("it: int = 1\n", "data"),
        ("it = other = [\n    1,\n    2,\n]\n", "data"),
    ],
)
def test_functions_classes_and_constants_are_recipes(
    tmp_path: Path, source: str, kind: str
) -> None:
    package = mini(tmp_path, one=f"BEFORE = 0\n\n\n{source}\n\nAFTER = 0\n")
    recipe = package.recipe("mini.one.It" if kind == "class" else "mini.one.it")
    assert (recipe.kind, recipe.source + "\n") == (kind, source)


def test_decorators_belong_to_the_source(tmp_path: Path) -> None:
    source = "@cache\n@wraps(\n    print,\n)\ndef it(): ...\n"
    recipe = mini(
        tmp_path, one=f"from functools import cache, wraps\n\n{source}"
    ).recipe("mini.one.it")
    assert recipe.source + "\n" == source
    assert recipe.line == 3
    assert recipe.imports == (
        "from functools import cache",
        "from functools import wraps",
    )


def test_a_cell_has_the_imports_that_its_source_needs_in_module_order(
    tmp_path: Path,
) -> None:
    module = """\
        import string as text
        import os, math
        from collections import (
            OrderedDict,
            deque as queue,
        )
        import unused

        def it():
            return queue(), math.pi, text.digits
    """
    recipe = mini(tmp_path, one=module).recipe("mini.one.it")
    assert code_of([recipe]).startswith(
        "import string as text\nimport math\n"
        "from collections import deque as queue\n\n\ndef it():"
    )


def test_submodules_that_bind_one_name_all_come_along(tmp_path: Path) -> None:
    module = "import os\nimport os.path\n\ndef it():\n    return os.path.sep\n"
    recipe = mini(tmp_path, one=module).recipe("mini.one.it")
    assert recipe.imports == ("import os", "import os.path")


def test_an_import_that_a_with_guards_comes_along_without_its_guard(
    tmp_path: Path,
) -> None:
    module = """\
        import math
        from mini.two import extra

        with extra("figures"):
            import colorsys
            from string import digits as text

        with extra("other"):
            import unused
            print("this acts")

        def it():
            return math.pi, colorsys, text
    """
    package = mini(tmp_path, one=module, two="def extra(name): ...\n")
    recipe = package.recipe("mini.one.it")
    assert recipe.imports == (
        "import math",
        "import colorsys",
        "from string import digits as text",
    )
    assert recipe.needs == ()


def test_a_source_without_imports_stands_alone(tmp_path: Path) -> None:
    recipe = mini(tmp_path, one="import os\nit = 1\n").recipe("mini.one.it")
    assert code_of([recipe]) == "it = 1"


def test_recipes_of_one_cell_share_their_imports(tmp_path: Path) -> None:
    module = "import os\nimport math\n\na = os.sep\nb = math.e\n\ndef c(): os.sep\n"
    package = mini(tmp_path, one=module)
    code = code_of([package.recipe(f"mini.one.{name}") for name in "abc"])
    assert code == (
        "import os\nimport math\n\n\na = os.sep\n\n\nb = math.e\n\n\ndef c(): os.sep"
    )


def test_constants_of_one_cell_stand_close(tmp_path: Path) -> None:
    package = mini(tmp_path, one="a = 1\nb = 2\n")
    code = code_of([package.recipe("mini.one.a"), package.recipe("mini.one.b")])
    assert code == "a = 1\n\nb = 2"


@pytest.mark.parametrize(
    "source",
    [
        "def it(x=os): ...",
        "def it(x: os.PathLike): ...",
        "def it() -> os.PathLike: ...",
        "def it(*, x: 'int' = os.sep): ...",
        "@os.register\ndef it(): ...",
        "class it(os.PathLike): ...",
        "class it:\n    x: os.PathLike",
        "class it:\n    def deep(self):\n        return lambda: [os for _ in ()]",
        "def it():\n    def inner():\n        return os\n    return inner",
        "def it():\n    return {os: 1 for x in range(3) if x}",
        "it = [os for _ in range(3)]",
        "it: os.PathLike = 1",
    ],
)
def test_a_name_is_found_wherever_it_is_used(tmp_path: Path, source: str) -> None:
    package = mini(tmp_path, one=f"import os\n\n{source}\n")
    assert package.recipe("mini.one.it").imports == ("import os",)


@pytest.mark.parametrize(
    "source",
    [
        "def it(os):\n    return os",
        "def it():\n    os = 1\n    return os",
        "def it():\n    return [os for os in range(3)]",
        "def it():\n    import os\n    return os",
        "def it():\n    os = 1\n    def inner():\n        return os\n    return inner",
        "def it():\n    return lambda os: os",
        "def it(x):\n    return x.os",
    ],
)
def test_a_local_name_needs_no_import(tmp_path: Path, source: str) -> None:
    package = mini(tmp_path, one=f"import os\n\n{source}\n")
    assert package.recipe("mini.one.it").imports == ()


def test_names_of_the_package_are_needs_and_not_imports(tmp_path: Path) -> None:
    one = """\
        from mini import two
        from mini.two import FACTOR
        from .two import double

        LOCAL = 1

        def it(x):
            return double(x) * FACTOR + LOCAL
    """
    package = mini(
        tmp_path, one=one, two="FACTOR = 3\n\ndef double(x):\n    return 2 * x\n"
    )
    recipe = package.recipe("mini.one.it")
    assert set(recipe.needs) == {"mini.two.FACTOR", "mini.two.double", "mini.one.LOCAL"}
    assert recipe.imports == ()


def test_a_recipe_may_name_itself(tmp_path: Path) -> None:
    module = "def it(n):\n    return it(n - 1) if n else 0\n"
    assert mini(tmp_path, one=module).recipe("mini.one.it").needs == ()


@pytest.mark.parametrize(
    "statement",
    [
        "from mini.two import FACTOR as name",
        "from mini import two as name",
        "import mini as name",
    ],
)
def test_an_own_name_under_an_alias_is_refused(tmp_path: Path, statement: str) -> None:
    package = mini(
        tmp_path, one=f"{statement}\n\ndef it():\n    return name\n", two="FACTOR = 3\n"
    )
    with pytest.raises(
        RecipeError, match=r"^mini/one\.py:3: .*under their own names.*`name`"
    ):
        package.recipe("mini.one.it")


def guide(folder: Path) -> Package:
    """A guide whose recipes lie in two modules, and whose face exports some of them."""
    package = mini(folder, data="FACTOR = 3\n", one="from mini.guide import area\n")
    inside = {
        "__init__": "from mini.guide.shapes import area\nfrom .sizes import size\n",
        "shapes": "from mini.data import FACTOR\n\ndef area():\n    return FACTOR\n",
        "sizes": "from .shapes import area\n\ndef size():\n    return area()\n",
        "mistakes": "from mini.guide.sizes import size\n\ndef wrong():\n    size()\n",
    }
    for name, text in inside.items():
        path = package.folder / f"guide/{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return Package(package.folder)


def test_a_recipe_is_known_by_the_name_that_its_guide_exports(tmp_path: Path) -> None:
    package = guide(tmp_path)
    for dotted in ("mini.guide.area", "mini.guide.shapes.area", "mini.one.area"):
        module, name = package.place(dotted)
        assert (module.name, name) == ("mini.guide.shapes", "area")
        assert package.recipe(dotted).name == "mini.guide.area"
    assert package.recipe("mini.guide.size").needs == ("mini.guide.area",)


def test_what_a_guide_does_not_export_keeps_its_own_name(tmp_path: Path) -> None:
    package = guide(tmp_path)
    recipe = package.recipe("mini.guide.mistakes.wrong")
    assert recipe.name == "mini.guide.mistakes.wrong"
    assert recipe.needs == ("mini.guide.size",)
    with pytest.raises(RecipeError, match=r"no recipe `mini\.guide\.wrong`"):
        package.recipe("mini.guide.wrong")


def test_the_modules_of_a_guide_share_its_stem(tmp_path: Path) -> None:
    package = guide(tmp_path)
    stems = {m.name: package.stem(m) for m in package.recipe_modules}
    assert stems == {
        "mini.data": "data",
        "mini.one": "one",
        **{f"mini.guide.{name}": "guide" for name in ("mistakes", "shapes", "sizes")},
    }


def test_an_export_that_leads_in_a_circle_or_nowhere_is_no_recipe(
    tmp_path: Path,
) -> None:
    package = mini(
        tmp_path,
        one="from mini.two import it\n",
        two="from mini.one import it\nfrom mini.none import other\n",
    )
    for dotted in ("mini.one.it", "mini.two.other"):
        with pytest.raises(RecipeError, match="there is no recipe"):
            package.place(dotted)


def test_an_undefined_name_is_named_with_file_and_line(tmp_path: Path) -> None:
    package = mini(tmp_path, one="x = 1\n\ndef it():\n    return nowhere\n")
    with pytest.raises(RecipeError, match=r"^mini/one\.py:3: `it` uses `nowhere`"):
        package.recipe("mini.one.it")


@pytest.mark.parametrize(
    "again",
    [
        "it = 2",
        "it: int = 2",
        "def it(): ...",
        "class it: ...",
        "it += 1",
        "if it:\n    it = 2",
        "for it in (1, 2): ...",
        "from math import pi as it",
    ],
)
def test_a_name_bound_twice_is_refused(tmp_path: Path, again: str) -> None:
    package = mini(tmp_path, one=f"it = 1\n{again}\n")
    with pytest.raises(RecipeError, match=r"^mini/one\.py:2: .*`it`"):
        package.recipe("mini.one.it")


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [("mini.one.aria", "mini.one.area"), ("mini.eno.area", "mini.one.area")],
)
def test_an_unknown_recipe_comes_with_the_nearest_name(
    tmp_path: Path, asked: str, nearest: str
) -> None:
    package = mini(tmp_path, one="def area(): ...\n", other="VALUE = 1\n")
    with pytest.raises(
        RecipeError, match=f"no recipe `{asked}`.*nearest is `{nearest}`"
    ):
        package.recipe(asked)


@pytest.mark.parametrize(
    "asked", ["mini", "mini.one", "area", "other.one.area", "", "mini.one."]
)
def test_what_is_no_recipe_is_refused(tmp_path: Path, asked: str) -> None:
    with pytest.raises(RecipeError, match="there is no recipe"):
        mini(tmp_path, one="def area(): ...\n").recipe(asked)


def test_a_syntax_error_is_named_with_file_and_line(tmp_path: Path) -> None:
    package = mini(tmp_path, one="x = 1\n\ndef it(:\n    pass\n")
    with pytest.raises(RecipeError, match=r"^mini/one\.py:3: syntax error"):
        package.recipe("mini.one.it")


@pytest.mark.parametrize(
    "doc",
    [
        '"""One line."""',
        '"""First line.\n\n    More.\n    """',
        "'''First line.\n\n    More.\n    '''",
        'r"""A \\d digit.\n\n    More.\n    """',
        '"""Say "hi"\n\n    More.\n    """',
        '"""It ends in a quote"\n    """',
        '"""\n    Late first line.\n    """',
        '"""Ünïcödé.\n\n    More.\n    """  # noqa',
        '"""Its first line goes on \\\n    here.\n\n    More.\n    """',
    ],
)
def test_a_docstring_is_cut_to_its_first_line(tmp_path: Path, doc: str) -> None:
    source = f"def it():\n    {doc}\n    return '''a\n\n    b'''\n"
    package = mini(tmp_path, one=source)
    recipe = package.recipe("mini.one.it")
    assert same_tree(package, recipe)
    assert "More." not in recipe.source


def test_docstrings_of_methods_are_cut_too(tmp_path: Path) -> None:
    module = '''\
        class It:
            """Class.

            More.
            """

            def method(self):
                """Method.

                More.
                """

            def other(self):
                """Other."""
                return """kept

                More to keep."""
    '''
    package = mini(tmp_path, one=module)
    recipe = package.recipe("mini.one.It")
    assert same_tree(package, recipe)
    assert recipe.source.count("More.") == 0


@pytest.mark.parametrize("separator", ["\x0c", "\x1c", "\x85", "\u2028"])
def test_a_line_is_what_python_calls_a_line(tmp_path: Path, separator: str) -> None:
    package = mini(
        tmp_path,
        one=f"# a{separator}b\nx = 'a{separator}b'\n\ndef it():\n    return 1\n",
    )
    recipe = package.recipe("mini.one.it")
    assert (recipe.line, recipe.source) == (4, "def it():\n    return 1")


@pytest.mark.parametrize(
    "statement",
    [
        "x = 1",
        "x += 1",
        "x: int = 1",
        "(y, [x, *z]) = w",
        "for x in y: ...",
        "with y as x: ...",
        "import x",
        "import x.y",
        "from y import z as x",
        "print(x := 1)",
        "[(x := 1) for _ in y]",
        "if y:\n    x = 1",
        "try:\n    y\nexcept z as x:\n    pass",
        "match y:\n    case {'a': x}: ...",
        "del x",
    ],
)
def test_whatever_binds_a_name_is_seen(statement: str) -> None:
    assert "x" in bound_names(ast.parse(statement))


@pytest.mark.parametrize(
    "statement", ["x", "x.y = 1", "x[0] = 1", "[x for x in y]", "f(x=1)"]
)
def test_what_binds_no_name_is_not(statement: str) -> None:
    assert "x" not in bound_names(ast.parse(statement))


def test_a_walrus_inside_a_function_is_no_recipe(site: Site) -> None:
    site.write(
        "mini/gamma.py", "def half():\n    if (found := 2):\n        return found\n"
    )
    module = Package(site.folder / "mini").modules["mini.gamma"]
    assert list(module.objects) == ["half"]
