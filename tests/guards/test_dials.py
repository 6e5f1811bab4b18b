"""Every dial turns something: each setting of the recipe is read somewhere outside of config.py."""

import ast
import re
from collections.abc import Iterator

from pydantic import BaseModel

from dragoman import config


def sections() -> dict[str, type[BaseModel]]:
    """Settings class of each section of the recipe, by the section's key."""
    kinds = {key: info.annotation for key, info in config.Recipe.model_fields.items()}
    return {key: kind for key, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}


def last_name(node: ast.expr) -> str:
    """``settings`` of ``self._settings``: the last word of a dotted name, bare of underscores."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name.strip("_")
        case _:
            return ""


def assigned(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pairs of target and value; ``a, b = c, d`` is two."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def holders(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Pairs of a name and the settings class it holds, as annotated or as assigned from a section."""
    by_key = {key: kind.__name__ for key, kind in sections().items()}
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as kind):
                yield from ((name.strip("_"), word) for word in re.findall(r"\w+", ast.unparse(kind)))
            case ast.AnnAssign(target=target, annotation=kind):
                yield from ((last_name(target), word) for word in re.findall(r"\w+", ast.unparse(kind)))
            case ast.Assign():
                for left, right in assigned(node):
                    if isinstance(right, ast.Attribute) and right.attr in by_key:
                        yield last_name(left), by_key[right.attr]


def dials_read(tree: ast.Module) -> set[tuple[str, str]]:
    """Pairs (settings class, field) that a module reads, as ``settings.field`` or ``recipe.section.field``."""
    held = set(holders(tree))
    by_key = {key: kind.__name__ for key, kind in sections().items()}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            base = last_name(node.value)
            found |= {(kind, node.attr) for name, kind in held if name == base}
            if isinstance(node.value, ast.Attribute) and base in by_key:
                found.add((by_key[base], node.attr))
            if base == "recipe":
                found.add(("Recipe", node.attr))
    return found


def test_every_setting_is_read_outside_config(src_trees: dict[str, ast.Module]) -> None:
    read = set().union(*(dials_read(tree) for path, tree in src_trees.items() if not path.endswith("/config.py")))
    dials = {(kind.__name__, field) for kind in sections().values() for field in kind.model_fields}
    dials |= {("Recipe", field) for field in config.Recipe.model_fields if field not in sections()}
    unread = sorted(".".join(dial) for dial in dials - read)
    assert not unread, (
        f"nothing reads {unread}: a setting is read as `recipe.section.field`, or as `name.field` where `name` is "
        "annotated with its settings class or assigned from `recipe.section`; else take the setting out of config.py"
    )


def test_a_reading_is_told_from_a_namesake() -> None:
    code = """
def cut(settings: ChunkSettings, other: Thing) -> None:
    settings.tokens, other.seed
    self.recipe.train.epochs
    seed, chosen = 1, run.recipe.chat
    chosen.port
"""
    assert dials_read(ast.parse(code)) >= {
        ("ChatSettings", "port"),
        ("ChunkSettings", "tokens"),
        ("TrainSettings", "epochs"),
    }
    assert ("Recipe", "seed") not in dials_read(ast.parse(code))
    assert not dials_read(ast.parse("def measure(reply: Reply) -> int:\n    return reply.tokens\n")) & {
        ("ChunkSettings", "tokens")
    }
