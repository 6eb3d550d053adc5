"""Nothing that the Chinese page says is English, whatever is touched."""

import contextlib
import io

import pytest
from chinese import english_in
from selenium.webdriver.common.keys import Keys

from fastmlp import lesson

# What is there to read and to hear.
SAID = """
const page = document.body.cloneNode(true);
page.querySelectorAll("noscript, script, style").forEach((element) => element.remove());
const said = [document.title];
for (const element of page.querySelectorAll("*")) {
  for (const name of ["alt", "aria-label", "aria-valuetext", "placeholder", "title"]) {
    said.push(element.getAttribute(name) ?? "");
  }
}
const texts = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) said.push(texts.currentNode.data);
return said.join("\\n");
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lesson")
    with contextlib.redirect_stdout(io.StringIO()):
        lesson.run(folder, 0, "zh")
    return folder / "lesson.html"


@pytest.mark.parametrize("width", [400, 1280])
def test_the_chinese_page_has_no_english(browser, page, width):
    _, complaints = browser.open(page, width)
    assert complaints == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert english_in(browser.run(SAID)) == set()

    browser.find("#player [data-is=units] button").click()
    browser.find("#player [data-is=time]").send_keys(Keys.ARROW_LEFT)
    browser.find("#player canvas").send_keys(Keys.ARROW_LEFT)
    browser.find("[data-gradient] [data-is=cells]").send_keys(Keys.ARROW_RIGHT)
    browser.find("#player [data-is=play]").click()
    said = browser.run(SAID)
    for text in ("已关闭 1 个", "\uff1a关闭", "暂停", "网络预测 c", "\uff1a反向传播 "):
        assert text in said
    assert english_in(said) == set()
    assert browser.complaints() == []
