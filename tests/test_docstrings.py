"""Every public name is documented, with its parameters and their defaults; its examples run."""

import ast
import doctest
import inspect
import re
import subprocess
import sys

import pytest

import fastmlp
import fastmlp._core
import fastmlp.checkpoint
import fastmlp.data
import fastmlp.film
import fastmlp.lesson
import fastmlp.losses
import fastmlp.metrics
import fastmlp.model
import fastmlp.plotting
import fastmlp.progress

MODULES = (
    fastmlp,
    fastmlp._core,
    fastmlp.data,
    fastmlp.film,
    fastmlp.lesson,
    fastmlp.losses,
    fastmlp.metrics,
    fastmlp.checkpoint,
    fastmlp.model,
    fastmlp.plotting,
    fastmlp.progress,
)
# The line above a description: "name : type", "name, name : type", "name : type, default=value"
# or "name : type, optional", whose default is None.
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \w+)*) : .+?(?:, default=(.+)|, (optional))?$", re.MULTILINE)
# It gives a class one method for each of its methods that take metadata.
MADE_BY_SCIKIT_LEARN = re.compile(r"set_\w+_request$")


def public_names(module):
    """What the module exports, or else defines."""
    if hasattr(module, "__all__"):
        return module.__all__
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def documented():
    """Every public module, class, function, method and property, by its full name."""
    found = {module.__name__: module for module in MODULES if "._" not in module.__name__}
    for module in MODULES:
        for name in public_names(module):
            value = getattr(module, name)
            if not callable(value):
                continue  # a constant
            found[f"{value.__module__}.{name}"] = value
            if isinstance(value, type):
                # Fields have no docstrings: their class describes them.
                undocumented = {
                    *getattr(value, "_fields", ()),
                    *getattr(value, "__dataclass_fields__", ()),
                }
                for member in vars(value):
                    if MADE_BY_SCIKIT_LEARN.match(member):
                        continue
                    if not member.startswith("_") and member not in undocumented:
                        found[f"{value.__module__}.{name}.{member}"] = getattr(value, member)
    return found


def own_doc(value):
    """The docstring, unindented; not that of a base class."""
    return inspect.cleandoc(value.__doc__ or "")


def described(value, title):
    """Names under a numpydoc heading, with the defaults that are given there."""
    below = re.split(rf"^{title}\n-+\n", own_doc(value), flags=re.MULTILINE)[1:]
    section = re.split(r"^.+\n-+$", below[0], flags=re.MULTILINE)[0] if below else ""
    return {
        name.lstrip("*"): "None" if optional else default
        for names, default, optional in ENTRY.findall(section)
        for name in names.split(", ")
    }


def properties(value):
    """Names of the attributes and properties of a class."""
    return {
        name
        for name, held in vars(value).items()
        if not name.startswith("_") and inspect.isdatadescriptor(held)
    }


def parameters(value):
    """Parameters of a call, by name; none for classes that are not called, or only raised."""
    if not callable(value) or (isinstance(value, type) and issubclass(value, (Exception, dict))):
        return {}
    named = inspect.signature(value).parameters
    return {name: p for name, p in named.items() if name != "self"}


DOCUMENTED = documented()
CALLS = {name: value for name, value in DOCUMENTED.items() if parameters(value)}
EXAMPLES = [name for name, value in DOCUMENTED.items() if ">>>" in own_doc(value)]
SHOWING = [
    name for name, value in DOCUMENTED.items() if isinstance(value, type) and properties(value)
]


def test_the_names_looked_at_are_the_public_ones():
    assert {"fastmlp.MLP.fit", "fastmlp.MLP.weights", "fastmlp.Epoch.val_loss"} <= set(DOCUMENTED)
    assert {"fastmlp.data.make_spiral", "fastmlp.model.Model.load"} <= set(CALLS)
    assert "fastmlp.MLP" in EXAMPLES
    assert {"fastmlp.MLP", "fastmlp.History"} <= set(SHOWING)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_public_name_has_a_docstring_with_a_summary(name):
    doc = own_doc(DOCUMENTED[name])
    assert doc.split("\n\n")[0].endswith(".")
    assert max(map(len, doc.split("\n"))) <= 100


@pytest.mark.parametrize("name", CALLS)
def test_the_parameters_section_is_the_signature(name):
    value = CALLS[name]
    title = "Attributes" if hasattr(value, "_fields") else "Parameters"
    assert list(described(value, title)) == list(parameters(value))


@pytest.mark.parametrize("name", CALLS)
def test_described_defaults_are_those_of_the_signature(name):
    value = CALLS[name]
    defaults = described(value, "Parameters").items()
    assert {name: ast.literal_eval(default) for name, default in defaults if default} == {
        name: parameter.default
        for name, parameter in parameters(value).items()
        if parameter.default is not parameter.empty
    }


@pytest.mark.parametrize("name", SHOWING)
def test_a_class_describes_every_property(name):
    value = DOCUMENTED[name]
    names = {**described(value, "Attributes"), **described(value, "Parameters")}
    assert properties(value) <= names.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    doc = own_doc(DOCUMENTED[name])
    example = doctest.DocTestParser().get_doctest(doc, {}, name, None, None)
    told = []
    doctest.DocTestRunner(verbose=False).run(example, out=told.append)
    assert "".join(told) == ""


def test_what_both_describe_is_written_once_and_needs_no_docstrings():
    for kind in (fastmlp.MLPClassifier, fastmlp.MLPRegressor):
        assert "%(" not in kind.__doc__
        assert (
            "input_dropout : float, default=0.0\n    The same fraction for the inputs."
            in kind.__doc__
        )
    program = (
        "import fastmlp; print(fastmlp.MLPClassifier.__doc__, fastmlp.MLPRegressor(dropout=0.5))"
    )
    run = subprocess.run(
        [sys.executable, "-OO", "-c", program], check=True, capture_output=True, encoding="utf-8"
    )
    assert run.stdout == "None MLPRegressor(dropout=0.5)\n"
