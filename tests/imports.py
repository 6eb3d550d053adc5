"""Checks that the modules of a crate import in one direction.

``python tests/imports.py CRATE/src ...`` reads every module. The order in which a module declares
its children (``mod a; mod b;``) is the order of imports: a module names only modules declared
before it, or before one of the modules that it is part of. Tests at the foot of a file may name
anything.
"""

import re
import sys
from pathlib import Path

DECLARATION = re.compile(r"^(?:pub(?:\([a-z]+\))? )?mod ([a-z0-9_]+);", re.MULTILINE)
REEXPORT = re.compile(r"^\s*pub(?:\([a-z]+\))? use (.+?);", re.MULTILINE | re.DOTALL)
IMPORT = re.compile(
    r"^\s*(?:pub(?:\([a-z]+\))? )?use ((?:crate|super|self)::.+?);", re.MULTILINE | re.DOTALL
)
INLINE = re.compile(r"(?<![\w$:])(crate|super)((?:::[A-Za-z0-9_]+)+)")


class Module:
    """One file of a crate: its children in order, its code without comments and tests."""

    def __init__(self, path, name, parent):
        self.path, self.name, self.parent = path, name, parent
        text = re.sub(r"//.*", "", path.read_text("utf-8"))
        self.code = re.split(r"#\[cfg\((?:all\()?test", text)[0] if parent else text
        # The declarations of test modules at the head of a file do not end its code.
        if parent and DECLARATION.search(text) and "#[cfg(test)]\nmod tests;" in text:
            self.code = text.replace("#[cfg(test)]\nmod tests;", "")
        folder = path.parent if path.name in ("lib.rs", "mod.rs") else path.with_suffix("")
        self.children = {}
        for child in DECLARATION.findall(self.code):
            for file in (folder / f"{child}.rs", folder / child / "mod.rs"):
                if file.exists():
                    self.children[child] = Module(file, child, self)
        self.exports = {}
        for use in REEXPORT.findall(self.code):
            for item in flattened(use):
                self.exports[item[-1]] = item[:-1]

    @property
    def chain(self):
        """The modules that it is part of, from the crate down to itself."""
        return [*self.parent.chain, self] if self.parent else [self]

    def walk(self):
        yield self
        for child in self.children.values():
            yield from child.walk()

    def find(self, names):
        """The module that a path from here leads to, through what is exported again."""
        module, rest = self, list(names)
        while rest:
            name = rest.pop(0)
            if name in module.children:
                module = module.children[name]
            elif name in module.exports and module.exports[name][:1] != ("crate",):
                rest = [*module.exports[name], name, *rest]
                if rest[0] not in module.children:
                    break
            else:
                break
        return module


def flattened(use):
    """Paths of a use declaration, one per name."""
    use = re.sub(r"\s+", " ", use.strip())
    if "{" not in use:
        yield tuple(use.split(" as ")[0].split("::"))
        return
    head, body = use.split("{", 1)
    depth, item = 0, ""
    for char in body[: body.rindex("}")] + ",":
        depth += (char == "{") - (char == "}")
        if char == "," and depth == 0:
            if item.strip():
                yield from flattened(head + item.strip())
            item = ""
        else:
            item += char


def imports(module):
    """Modules that the code of a module names."""
    root = module.chain[0]
    paths = [path for use in IMPORT.findall(module.code) for path in flattened(use)]
    paths += [(head, *rest.split("::")[1:]) for head, rest in INLINE.findall(module.code)]
    for path in paths:
        start, names = (root, path[1:]) if path[0] == "crate" else (module, path)
        while names and names[0] in ("super", "self"):
            start, names = (start.parent or start if names[0] == "super" else start), names[1:]
        yield start.find(names), "::".join(path)


def violations(source):
    """Imports of a crate that go the wrong way, in words."""
    root = Module(source / "lib.rs", "crate", None)
    for module in root.walk():
        for target, path in imports(module):
            mine, other = module.chain, target.chain
            shared = sum(1 for a, b in zip(mine, other, strict=False) if a is b)
            if target in mine:
                # Items of a module that it is part of stand behind its children.
                if target is not module:
                    yield f"{module.path}: {path} is part of the module around it"
            elif shared < len(mine):
                order = list(mine[shared - 1].children)
                if order.index(other[shared].name) > order.index(mine[shared].name):
                    yield f"{module.path}: {path} is declared behind it"


def main():
    found = [text for source in sys.argv[1:] for text in violations(Path(source))]
    print("\n".join(found) or "imports run one way")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
