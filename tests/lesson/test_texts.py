"""Every language has every sentence, with the same values in it, and the terminal's are as wide."""

import contextlib
import io
import re
import string
from pathlib import Path

import pytest
from chinese import english_in
from pages import Page

from fastmlp import lesson
from fastmlp.lesson.catalogue import languages, texts_in
from fastmlp.lesson.lines import in_one_line
from fastmlp.lesson.narrator import Narrator

SEED = 0
# Numbers of a step that differ between processors: what is left of a mean, or of a difference.
ROUNDING = re.compile(
    r"(X\d +)\S+(?= +1\.0000$)|(603[^\d\n]+)[\d.e-]+$|( +[\d.]+)(?= kB$)", re.MULTILINE
)


@pytest.fixture(scope="module", params=languages())
def language(request):
    return request.param


@pytest.fixture(scope="module")
def folder(language, tmp_path_factory):
    return tmp_path_factory.mktemp(language)


@pytest.fixture(scope="module")
def printed(language, folder):
    """What the terminal shows, with another name for the folder."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        lesson.run(folder, SEED, language)
    return text.getvalue().replace(str(folder), "FOLDER")


@pytest.fixture(scope="module")
def page(folder, printed):
    return Page(folder / "lesson.html")


def masked(text):
    """The text with its digits hidden, since they depend on the processor."""
    text = ROUNDING.sub(lambda found: f"{found[1] or found[2] or ''}#", text)
    return re.sub(r"\d", "0", text)


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def numbers(text):
    """The numbers of a text, whose thousands a language may separate or not."""
    return sorted(re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", text.replace(",", "")))


def columns(text):
    """Columns in a terminal: GB 18030 has two bytes for a wide character and one for ASCII."""
    return len(text.encode("gb18030"))


def golden(language):
    """The text of the lesson in the terminal, with its digits hidden."""
    return Path(__file__).with_name(f"terminal.{language}.txt").read_text(encoding="utf-8")


def test_the_text_in_the_terminal_stays_what_it_was(language, printed):
    assert masked(printed) == golden(language)


def test_the_lines_in_the_terminal_have_at_most_80_columns(printed):
    assert max(map(columns, printed.splitlines())) <= 80


def test_a_heading_is_underlined_from_end_to_end(printed):
    headings = re.findall(r"^(\d+\. .*)\n(-+)$", printed, re.MULTILINE)
    assert len(headings) == 12
    assert [columns(heading) for heading, _ in headings] == [len(line) for _, line in headings]


def test_tables_are_aligned_whatever_the_width_of_the_characters(capsys):
    say = Narrator({"step.title": "标题"})
    say.step("step")
    capsys.readouterr()
    header = ("类别", "ab", "召回率")
    say.table(header, [("c", "超过", "1"), None, ("c\uff12", "1", "2.345678")])
    assert capsys.readouterr().out == (
        "类别    ab    召回率\n"
        "c     超过         1\n"
        "--------------------\n"
        "c\uff12      1  2.345678\n"
    )
    say.facts([("损失", "1"), ("a", "2")])
    assert capsys.readouterr().out == "\n损失  1\na     2\n"


def test_the_languages():
    assert languages() == ["en", "zh"]


def test_a_language_has_every_key_and_no_other(language):
    english, texts = texts_in("en"), texts_in(language)
    assert list(texts) == list(english)
    assert {key: fields(text) for key, text in texts.items()} == {
        key: fields(text) for key, text in english.items()
    }
    assert [key for key, text in texts.items() if not text.strip()] == []


def test_a_language_has_the_numbers_of_english(language):
    english, texts = texts_in("en"), texts_in(language)
    assert {key: numbers(text) for key, text in texts.items()} == {
        key: numbers(text) for key, text in english.items()
    }


def test_chinese_has_no_english_left():
    terminal = golden("zh").replace("FOLDER", "")
    assert english_in("\n".join([*texts_in("zh").values(), terminal])) == set()


def test_the_page_is_in_the_language_as_a_whole(language, page):
    assert f'<html lang="{language}">' in page.source
    said = " ".join([page.text, *page.labels, *page.content["texts"].values()])
    is_chinese, is_english = english_in(said) == set(), re.search("[一-鿿]", said) is None
    assert (is_chinese, is_english) == (language == "zh", language == "en")


def test_the_page_is_small_in_every_language(page):
    assert page.size <= 250_000


def test_lines_are_joined_as_the_language_does():
    assert in_one_line("one\ntwo") == "one two"
    assert in_one_line("été\ntrois") == "été trois"
    assert in_one_line("一\n二 a\n三\u3002\n四") == "一二 a 三\u3002四"


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"^language must be one of en, zh, got 'tlh'$"):
        lesson.run(tmp_path / "lesson", 0, "tlh")
    assert not (tmp_path / "lesson").exists()
