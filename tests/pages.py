"""Reads the pages that the package writes: their elements, their addresses and their numbers."""

import json
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np

VOID = {"br", "input", "link", "meta"}
# SVG's, which close themselves.
SHAPES = {"circle", "line", "path", "rect"}


class Page(HTMLParser):
    """A page; parsing fails where elements do not nest.

    Attributes
    ----------
    content : dict
        What the script reads.
    text : str
        What is there to read.
    addresses : list of str
        The values of attributes that a browser may load or follow.
    ids, labels : list of str
        The names of elements, and their descriptions.
    labelled : list of (str, dict)
        The elements that need a description, with their attributes.
    """

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.size = path.stat().st_size
        self.open, self.addresses, self.ids, self.words = [], [], [], []
        self.content = None
        self.labelled, self.labels = [], []
        self.feed(self.source)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [found[name] for name in ("href", "src", "action") if name in found]
        self.ids += [found["id"]] if "id" in found else []
        self.labels += [found["aria-label"]] if "aria-label" in found else []
        if tag in {"canvas", "svg", "input", "select"}:
            self.labelled.append((tag, found))
        if tag not in VOID:
            self.open.append((tag, found))

    def handle_startendtag(self, tag, attrs):
        assert tag in SHAPES, tag
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag, (tag, self.getpos())

    def handle_data(self, data):
        tag, found = self.open[-1] if self.open else ("", {})
        if found.get("id") == "page-data":
            self.content = json.loads(data)
        elif tag not in {"script", "style"}:
            self.words.append(data)


def decode(film):
    """The parameters of a film of a page, (frames, parameters), and how far each may be off."""
    sizes = [block["rows"] * block["columns"] for block in film["blocks"]]
    octets = np.frombuffer(b64decode(film["codes"]), np.uint8).reshape(-1, 3).astype(np.int64)
    steps = (octets @ [1, 256, 65536]).reshape(len(film["epochs"]), sum(sizes))
    low, high = (
        np.repeat(ends, sizes, axis=1) for ends in np.moveaxis(np.array(film["ends"]), 2, 0)
    )
    step = (high - low) / (2**24 - 1)
    return low + step * steps, step / 2
