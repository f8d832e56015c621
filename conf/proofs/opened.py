"""What a mark opens: the sentence, where it was seen, and the code that ran.

The entries of a page are a page of their own, `proofs/<docname>.html`. A click on a
mark fetches it and shows the entry in a dialog (`docs/_static/proofs.js`); without
JavaScript, and from `file://`, the mark is a link to it.
"""

import ast
from collections.abc import Iterable, Mapping
from html import escape

from pygments import highlight
from pygments.lexers import PythonLexer
from sphinx.environment import BuildEnvironment

from conf.addresses import Addresses
from conf.proofs import marks
from conf.proofs.proving import Proving
from conf.proofs.source import ProofSource
from conf.proofs.verdict import DOES_NOT_RUN, HOLDS, IS_FALSE, is_meant_for
from conf.reference import listings
from conf.reference.measured import Measurement, spelled
from conf.web.code import LeanFormatter

FOLDER = "proofs"
_LEXER = PythonLexer()
_FORMATTER = LeanFormatter(nowrap=True)
NO_MEANING, NOT_RUN = "has no meaning", "was not run"
_SIGNS = {
    HOLDS: "✓",
    IS_FALSE: "✗",
    DOES_NOT_RUN: "!",
    NO_MEANING: "\N{EN DASH}",
    NOT_RUN: "?",
}


def seen_on(proof: ProofSource, proving: Proving) -> dict[str, str]:
    """What was seen of a proof on each lane: a verdict, or why there is none."""
    rows = proving.rows(proof)
    found = {}
    for lane, results in proving.results.items():
        seen = rows[lane].seen if lane in rows else NOT_RUN
        is_meant = is_meant_for(proof, results.environment)
        found[lane] = seen if is_meant else NO_MEANING
    return found


def sign(seen: str) -> str:
    """One character for what was seen on a lane."""
    return _SIGNS[seen]


def anchor(names: Iterable[str]) -> str:
    """What an entry is called on its page."""
    return "proof-" + "-".join(name.replace(".", "-") for name in names)


def place(docname: str) -> str:
    """The page with what the marks of a page open."""
    return f"{FOLDER}/{docname}"


def address(docname: str, names: Iterable[str]) -> str:
    """Where a mark of a page leads."""
    root = "../" * docname.count("/")
    return f"{root}{place(docname)}.html#{anchor(names)}"


def entry(env: BuildEnvironment, names: list[str], label: str, proving: Proving) -> str:
    """What one mark opens.

    Args:
        env: Sphinx's environment.
        names: the proofs or measurements that the mark cites.
        label: what the mark is called, `Proof` or `Measurement`.
        proving: the proofs of the site.
    """
    parts = "".join(
        _proof(env, proving.proofs[name], proving)
        if name in proving.proofs
        else _measurement(env, proving.measurements[name], proving)
        for name in names
    )
    # A row of a table is quoted with the bars between its cells.
    words = marks.plain(proving.quotes[names[0]]).replace(" | ", " · ")
    return (
        f'<section class="proof" id="{anchor(names)}" data-label="{label}">'
        f"<h2>{escape(words)}</h2>{parts}</section>"
    )


def body(docname: str, title: str, entries: str) -> str:
    """The page of the entries of one page."""
    root = "../" * place(docname).count("/")
    back = f'<a href="{root}{docname}.html">{escape(title)}</a>'
    legend = ", ".join(f"{sign} {seen}" for seen, sign in _SIGNS.items())
    return (
        f"<h1>Proofs: {escape(title)}</h1>"
        f"<p>What stands behind the marks of {back}, in the order of the page: the "
        "sentence, what was seen of it on each version of TensorFlow, and the code "
        f"that ran. On a version, {legend}.</p>{entries}"
    )


def _proof(env: BuildEnvironment, proof: ProofSource, proving: Proving) -> str:
    found = seen_on(proof, proving)
    recalled = [
        lane.environment
        for lane in proving.verdicts.committed
        if lane.row(proof) and lane.frames.get(proof.stem) == proof.frame
    ]
    environment = (recalled or [proving.verdicts.here])[0]
    facts = {"Seen on": ", ".join(f"{n} {v}" for n, v in environment.items())}
    return _strip(found, proving) + _part(env, proof, facts, f"test_{proof.name}")


def _strip(found: Mapping[str, str], proving: Proving) -> str:
    """The versions in a row, by their Keras, each with a sign."""
    groups: dict[str, str] = {}
    for lane, seen in found.items():
        keras, number = keras_of(lane, proving), escape(number_of(lane))
        cell = f'<li class="{seen.replace(" ", "-")}">{number} <b>{sign(seen)}</b></li>'
        groups[keras] = groups.get(keras, "") + cell
    rows = "".join(
        f"<div><strong>{keras}, with TensorFlow</strong><ul>{cells}</ul></div>"
        for keras, cells in groups.items()
    )
    legend = ", ".join(f"{sign(s)} {s}" for s in _SIGNS if s in found.values())
    return f'<div class="strip">{rows}</div><p class="legend">{legend}</p>'


def keras_of(lane: str, proving: Proving) -> str:
    """`Keras 2` or `Keras 3`."""
    version = proving.results[lane].environment.get("tf.keras", "")
    return f"Keras {version.partition('.')[0]}"


def number_of(lane: str) -> str:
    """`2.21` for the lane `tensorflow-2.21-keras-2`."""
    return lane.removeprefix("tensorflow-").partition("-")[0]


def _measurement(
    env: BuildEnvironment, measurement: Measurement, proving: Proving
) -> str:
    facts = {}
    found = proving.records.of(measurement.id, measurement.hash)
    for machine, record in found.items():
        spans = []
        for name, (low, high) in measurement.bound.items():
            values = [figures[name] for figures in record.figures if name in figures]
            seen = f"{min(values):.3g} to {max(values):.3g}" if values else "nothing"
            runs = f"{len(values)} run" + "s" * (len(values) != 1)
            spans.append(f"{name} {seen} in {runs} (bound: {low:g} to {high:g})")
        facts[f"Measured on {machine}, {spelled(record)}"] = "; ".join(spans)
    return _part(env, measurement, facts, measurement.name)


def _part(
    env: BuildEnvironment,
    thing: ProofSource | Measurement,
    facts: Mapping[str, str],
    name: str,
) -> str:
    code = highlight(without_quote(thing.source), _LEXER, _FORMATTER)
    rows = "".join(
        f"<dt>{escape(title)}</dt><dd>{escape(words)}</dd>"
        for title, words in facts.items()
        if words
    )
    target = listings.address(place(env.docname), thing.path, name)
    addresses: Addresses = env.config.site_addresses
    at_commit = addresses.file(f"{thing.path}#L{thing.line}")
    link = f'<a href="{escape(at_commit or target)}">{escape(thing.path)}</a>'
    return (
        f'<div class="highlight"><pre tabindex="0">{code}</pre></div>'
        f"<dl>{rows}<dt>Test</dt><dd>{link}</dd></dl>"
    )


def without_quote(source: str) -> str:
    """A proof's source with `...` for the sentence, which stands above it."""
    (function,) = ast.parse(source).body
    if not isinstance(function, ast.FunctionDef):
        return source
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and decorator.args:
            quote = decorator.args[0]
            lines = source.encode().split(b"\n")  # the tree counts bytes
            end = quote.end_lineno or quote.lineno
            head = lines[quote.lineno - 1][: quote.col_offset]
            tail = lines[end - 1][quote.end_col_offset :]
            lines[quote.lineno - 1 : end] = [head + b"..." + tail]
            return b"\n".join(lines).decode()
    return source
