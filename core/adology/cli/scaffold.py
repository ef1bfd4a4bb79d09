"""Writes a new plugin package whose tests pass as generated."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from adology.errors import EngineError
from adology.plugins import Kind
from adology.plugins.specs import PROJECT
from adology.plugins.validate import NAME

_RUN: dict[Kind, str] = {
    "source": "adology plugins run $name --handle 4711 --limit 5",
    "analyzer": "adology plugins run $name copy.txt",
    "sink": "adology plugins check $name",
}


def _check_free(name: str) -> None:
    """Raise where the name is taken: the new plugin could not be installed beside the one that has it.

    Nothing is imported: other plugins may be broken.
    """
    hint = "Give another name, or uninstall it first."
    for one in entry_points(group=PROJECT):
        if one.name == name:
            owner = f" by {one.dist.name}" if one.dist is not None else ""
            raise EngineError(f"the entry point {name!r} is installed already{owner} ({one.value}).", hint=hint)
    if find_spec(f"adology_{name}") is not None:
        raise EngineError(f"a package adology_{name} is installed already.", hint=hint)


def write_package(kind: Kind, name: str, into: Path) -> list[Path]:
    """Write the package ``adology-<name>`` below `into`; the files written.

    Raises:
        EngineError: the name is no plugin name or is taken, or the folder is there already or cannot be written.
    """
    if not NAME.fullmatch(name):
        raise EngineError(f"a plugin cannot be called {name!r}; allowed: 1 to 40 of a-z, 0-9 and _, first a letter.")
    _check_free(name)
    folder = into / f"adology-{name.replace('_', '-')}"
    if folder.exists():
        raise EngineError(f"{folder} exists already.", hint="Give another name or --into another folder.")
    words = {
        "name": name,
        "dashed": name.replace("_", "-"),
        "Class": "".join(part.capitalize() for part in name.split("_")),
        "kind": kind,
        "Kind": kind.capitalize(),
        "Article": f"{'An' if kind == 'analyzer' else 'A'}",
        "article": f"{'an' if kind == 'analyzer' else 'a'}",
    }
    words["run"] = Template(_RUN[kind]).substitute(words)
    written = []
    for template, target in (
        ("pyproject.toml", "pyproject.toml"),
        ("README.md", "README.md"),
        (f"{kind}.py", f"adology_{name}/__init__.py"),
        (f"{kind}_test.py", f"tests/test_{name}.py"),
    ):
        path = folder / target
        text = (files("adology.cli") / "templates" / f"{template}.txt").read_text("utf-8")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(text).substitute(words), "utf-8")
        except OSError as error:
            hint = "Choose another folder with --into."
            raise EngineError(f"{path} cannot be written: {error.strerror}.", hint=hint) from error
        written.append(path)
    return written
