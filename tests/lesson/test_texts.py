"""Every language has every sentence, with the same values in it, and the terminal's are as wide."""

import contextlib
import io
import re
import string
from pathlib import Path

import pytest

from fastmlp import lesson
from fastmlp.lesson.catalogue import languages, texts_in

GOLDEN = Path(__file__).with_name("terminal.en.txt")
# Numbers of a step that differ between processors: what is left of a mean, or of a difference.
ROUNDING = re.compile(r"(after X\d +)\S+|(all 603: )\S+|( +[\d.]+)(?= kB$)", re.MULTILINE)


def masked(text, folder):
    """The text with its digits hidden, since they depend on the processor."""
    text = ROUNDING.sub(lambda found: f"{found[1] or found[2] or ''}#", text)
    return re.sub(r"\d", "0", text.replace(str(folder), "FOLDER"))


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_text_in_the_terminal_stays_what_it_was(tmp_path):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        lesson.run(tmp_path, 0)
    assert masked(printed.getvalue(), tmp_path) == GOLDEN.read_text(encoding="utf-8")


def test_english_is_there():
    assert "en" in languages()


@pytest.mark.parametrize("language", languages())
def test_a_language_has_every_key_and_no_other(language):
    english, texts = texts_in("en"), texts_in(language)
    assert list(texts) == list(english)
    assert {key: fields(text) for key, text in texts.items()} == {
        key: fields(text) for key, text in english.items()
    }
    assert [key for key, text in texts.items() if not text.strip()] == []


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"^language must be one of .*en.*, got 'tlh'$"):
        lesson.run(tmp_path / "lesson", 0, "tlh")
    assert not (tmp_path / "lesson").exists()
