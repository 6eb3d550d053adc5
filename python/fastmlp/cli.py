"""The command line: ``fastmlp demo``, ``train``, ``evaluate`` and ``predict``."""

import io
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from pathlib import Path

import click

from fastmlp import __version__, lesson
from fastmlp.commands.errors import Commands, unprintable_as_escapes
from fastmlp.commands.evaluate import evaluate
from fastmlp.commands.folder import METRICS, held, refuse_checkpoint
from fastmlp.commands.options import FOLDER, SEED
from fastmlp.commands.predict import predict
from fastmlp.commands.results import printable
from fastmlp.commands.train import train


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error is one line on standard error.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; by default the arguments of the process.

    Returns
    -------
    int
        The exit status: 0, 1 after a broken pipe or a bug, 2 after bad input, 130 after Ctrl-C.
    """
    with unprintable_as_escapes():
        try:
            status = commands.main(arguments, prog_name="fastmlp", standalone_mode=False)
        except click.ClickException as error:
            message = printable(" ".join(error.format_message().split()))
            with suppress(OSError):
                click.echo(f"fastmlp: error: {message}", err=True)
            _drop_unwritten_output()
            return error.exit_code
        return status or 0


# Help is given as text, because `python -OO` removes docstrings.
@click.group(
    cls=Commands,
    help="""Multilayer perceptrons on the CPU: learn, train, evaluate, predict.

    Bad input ends with status 2 and one line on standard error.
    """,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND] [ARGS]...",  # releases of click differ in it
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, prog_name="fastmlp", message="%(prog)s %(version)s")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Show the help if no command is given."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@commands.command(
    help="""Walk through the whole lesson on three spiral arms.

    Prints every step, from a look at the data to the metrics of the trained network, and writes the
    plots, the metrics (metrics.json), the model (model.safetensors), and the lesson as a page for
    the browser, in which the training moves (lesson.html).
    """
)
@click.option("--output", type=FOLDER, default="lesson", help="Folder to write to.")
@click.option(
    "--seed", type=SEED, metavar="N", default=1234, help="Seed of the data and the network."
)
@click.option(
    "--lang",
    "language",
    type=click.Choice(lesson.languages()),
    default="en",
    help="Language of the lesson; labels in the plots are English.",
)
@click.option(
    "--notebook",
    is_flag=True,
    help="Write the lesson as a Jupyter notebook with exercises (lesson.ipynb), and do not run it.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print what metrics.json holds, and no lesson."
)
def demo(output: Path, seed: int, language: str, notebook: bool, as_json: bool) -> None:
    """Run the lesson, or write it as a notebook."""
    if notebook and as_json:
        raise click.UsageError("--json goes with the lesson that runs, not with --notebook")
    with held(output):
        if notebook:
            lesson.write_notebook(output, seed, language)
            return
        refuse_checkpoint(output)
        with redirect_stdout(io.StringIO()) if as_json else nullcontext():
            lesson.run(output, seed, language)
        if as_json:
            click.echo((output / METRICS).read_text(encoding="utf-8"), nl=False)


for command in (train, evaluate, predict):
    commands.add_command(command)


def _drop_unwritten_output() -> None:
    """Keep the interpreter from trying again, at exit, to write what could not be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        sys.stdout = io.StringIO()
