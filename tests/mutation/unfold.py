"""Source text that mutmut can reach all of.

mutmut changes functions while they are called; it leaves properties alone, because they are decorated, and tables of
constants, because they are made once, at import. Much of what decides about money is one or the other. So the copy that
is mutated says the same in other words: a property becomes a method and `name = property(name)`, and a constant is made
anew by a function of its own wherever a function reads it. A constant that only modules outside the copy read stays.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: What a constant's function is called: its name and this.
MADE = "_made"


@dataclass(slots=True)
class _Module:
    """A module, the constants that it makes, and by which names it knows constants and modules of others."""

    tree: ast.Module
    made: set[str]
    borrowed: dict[str, tuple[str, str]] = field(default_factory=dict)  # here → (module, its name there)
    modules: dict[str, str] = field(default_factory=dict)  # here → module


def unfold(sources: Mapping[str, str]) -> dict[str, str]:
    """The same modules (by their dotted names), with nothing but functions in them that decide anything.

    Comments are lost.
    """
    modules = {name: _read(ast.parse(source)) for name, source in sources.items()}
    reads = {name: _Reads(name, modules) for name in modules}
    for name, module in modules.items():
        reads[name].visit(module.tree)
    wanted = set().union(*(one.seen for one in reads.values()))
    return {name: _written(name, module, wanted, reads[name].imports) for name, module in modules.items()}


def _read(tree: ast.Module) -> _Module:
    module = _Module(tree, {name for statement in tree.body for name, _ in _constants(statement)})
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for one in statement.names:
                here = one.asname or one.name
                module.borrowed[here] = (statement.module, one.name)
                module.modules[here] = f"{statement.module}.{one.name}"
    return module


def _written(name: str, module: _Module, wanted: set[tuple[str, str]], imports: set[tuple[str, str]]) -> str:
    body: list[ast.stmt] = []
    for statement in module.tree.body:
        made = [one for one in _constants(statement) if (name, one[0]) in wanted]
        if len(made) < len(list(_constants(statement))) or not made:
            body.append(statement)
        for constant, value in made:
            body += _table(constant, value)
        if isinstance(statement, ast.ImportFrom):
            names = {one.name for one in statement.names}
            body += [
                ast.ImportFrom(source, [ast.alias(constant + MADE)], 0)
                for source, constant in sorted(imports)
                if source == statement.module and constant in names
            ]
    tree = _Properties().visit(ast.Module(body, []))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _constants(statement: ast.stmt) -> Iterable[tuple[str, ast.expr]]:
    """The constants that a statement of a module makes, with their values; type variables and the like are none."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield from _named(statement.target, statement.value)
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        yield from _named(statement.targets[0], statement.value)


def _named(target: ast.expr, value: ast.expr) -> Iterable[tuple[str, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=True):
            yield from _named(one, its)
    elif isinstance(target, ast.Name) and target.id.isupper() and len(target.id) > 1:
        yield target.id, value


def _table(name: str, value: ast.expr) -> list[ast.stmt]:
    """A function that makes the constant, and the constant, for those who import it."""
    empty = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    made = ast.FunctionDef(name + MADE, empty, [ast.Return(value)], [])
    return [made, ast.Assign([ast.Name(name, ast.Store())], ast.Call(ast.Name(name + MADE, ast.Load()), [], []))]


class _Reads(ast.NodeTransformer):
    """Reads of constants inside functions become calls of what makes them; `seen` says of which."""

    def __init__(self, name: str, modules: Mapping[str, _Module]) -> None:
        self._name, self._modules = name, modules
        self._inside = False
        self.seen: set[tuple[str, str]] = set()
        self.imports: set[tuple[str, str]] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        outside, self._inside = self._inside, True
        node.body = [self.visit(statement) for statement in node.body]
        self._inside = outside
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not self._inside or not isinstance(node.ctx, ast.Load):
            return node
        here = self._modules[self._name]
        source, constant = (self._name, node.id) if node.id in here.made else here.borrowed.get(node.id, ("", ""))
        if source not in self._modules or constant not in self._modules[source].made or constant != node.id:
            return node
        if source != self._name:
            self.imports.add((source, constant))
        return self._made(source, constant, ast.Name(constant + MADE, ast.Load()))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if self._inside and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            source = self._modules[self._name].modules.get(node.value.id, "")
            if source in self._modules and node.attr in self._modules[source].made:
                return self._made(source, node.attr, ast.Attribute(node.value, node.attr + MADE, ast.Load()))
        self.generic_visit(node)
        return node

    def _made(self, source: str, constant: str, function: ast.expr) -> ast.Call:
        self.seen.add((source, constant))
        return ast.Call(function, [], [])


class _Properties(ast.NodeTransformer):
    """Properties become methods that are made properties behind their `def`."""

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        body: list[ast.stmt] = []
        for statement in node.body:
            body.append(statement)
            if isinstance(statement, ast.FunctionDef) and [ast.unparse(d) for d in statement.decorator_list] == [
                "property"
            ]:
                statement.decorator_list = []
                made = ast.Call(ast.Name("property", ast.Load()), [ast.Name(statement.name, ast.Load())], [])
                body.append(ast.Assign([ast.Name(statement.name, ast.Store())], made))
        node.body = body
        return node
