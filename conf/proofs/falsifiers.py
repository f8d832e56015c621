"""A falsifier changes the world, not the expectation.

A proof that fails under another expected value shows only that its author can count.
It has to fail when the thing itself is another: another argument, layer, order or
policy.
"""

import ast

# Calls that only prepare what is compared.
_WRAPPERS = {
    *("abs", "all", "any", "approx", "array", "array_equal", "allclose", "asarray"),
    *("bool", "dict", "endswith", "escape", "float", "frozenset", "int", "isclose"),
    *("len", "list", "max", "min", "range", "repr", "round", "set", "sorted"),
    *("startswith", "str", "sum", "tolist", "tuple", "zip"),
}
_EXPECTING = {"raises", "warns"}  # their arguments say what must come


def weakness(node: ast.FunctionDef) -> str:
    """What makes a proof too easy to refute: a few words, or nothing."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert) and any(
            isinstance(part, ast.IfExp) for part in ast.walk(inner.test)
        ):
            return "asserts less in one case than in another"
    names = _falsified(node)
    above = {
        child: parent
        for parent in ast.walk(node)
        for child in ast.iter_child_nodes(parent)
    }
    if names and all(_is_expected_only(node, name, above) for name in names):
        return "is falsified by another expectation: change the world instead"
    return ""


def _falsified(node: ast.FunctionDef) -> list[str]:
    """The arguments that the falsifier changes."""
    for decorator in node.decorator_list:
        for word in getattr(decorator, "keywords", []):
            if word.arg == "false_with" and isinstance(word.value, ast.Dict):
                keys = word.value.keys
                return [str(k.value) for k in keys if isinstance(k, ast.Constant)]
    return []


def _is_expected_only(
    node: ast.FunctionDef, name: str, above: dict[ast.AST, ast.AST], depth: int = 0
) -> bool:
    """Whether a name is used in comparisons alone, by itself or under another name."""
    uses = [
        inner
        for statement in node.body
        for inner in ast.walk(statement)
        if isinstance(inner, ast.Name)
        and inner.id == name
        and isinstance(inner.ctx, ast.Load)
    ]
    return all(_is_expectation(node, use, above, depth) for use in uses)


def _is_expectation(
    node: ast.FunctionDef, use: ast.AST, above: dict[ast.AST, ast.AST], depth: int
) -> bool:
    while use in above:
        parent = above[use]
        match parent:
            case ast.Assert():
                return True
            case ast.Call() if isinstance(use, ast.Name) and use is parent.func:
                return False  # what is called is another thing
            case ast.Call() if use is not parent.func:
                called = getattr(parent.func, "id", getattr(parent.func, "attr", ""))
                if called in _EXPECTING:
                    return True
                if called not in _WRAPPERS:
                    return False
            case ast.Assign(targets=[ast.Name(id=other)]):
                return depth < 3 and _is_expected_only(node, other, above, depth + 1)
            case ast.stmt() | ast.Lambda():
                return False
            case ast.Subscript() if use is parent.slice:
                return False
        use = parent
    return False
