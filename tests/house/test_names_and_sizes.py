"""Names that say nothing are not used, and nothing grows beyond what one can hold in mind."""

from __future__ import annotations

import ast

from tests.house.tree import PRODUCT, TESTS, modules, name_of, parsed

EMPTY_NAMES = {
    "utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "handler", "processor", "stuff",
}  # fmt: skip
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [path for path in modules(PRODUCT, TESTS) if EMPTY_NAMES & {*path.stem.split("_"), path.parent.name}]
    assert [name_of(path) for path in named] == []


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in modules(PRODUCT)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_much_longer_than_40_lines() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in modules(PRODUCT)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and code_length(node) > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_of_the_product_opens_with_a_sentence() -> None:
    silent = [name_of(path) for path in modules(PRODUCT) if len(ast.get_docstring(parsed(path)) or "") < 15]
    assert silent == []


def code_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the function without its docstring and decorators."""
    assert function.end_lineno is not None
    first = function.body[0]
    is_documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    documented = (first.end_lineno or first.lineno) - first.lineno + 1 if is_documented else 0
    return function.end_lineno - function.lineno + 1 - documented
