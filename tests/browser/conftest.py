"""A browser without a window, and what it asked for and complained about."""

import json
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PICTURES = Path(__file__).parents[2] / "target" / "browser"
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which root has not
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little of it
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


class Picture:
    """The pixels of a canvas."""

    def __init__(self, pixels):
        self.pixels = pixels

    def __eq__(self, other):
        """Say whether two look the same: the browser does not always round alike."""
        return bool((np.abs(self.pixels - other.pixels) <= 2).all())


class Browser:
    """Opens pages, and looks at them."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, width=1280, *, dark=False):
        """Open a file; return the addresses that were asked for, and all complaints."""
        command = self.driver.execute_cdp_cmd
        shape = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        command("Emulation.setDeviceMetricsOverride", shape)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        command("Emulation.setEmulatedMedia", {"features": [scheme]})
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(path.as_uri())
        events = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        requests = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        failures = [event for event in events if event["method"] == "Network.loadingFailed"]
        return requests, failures + self.complaints()

    def complaints(self):
        """Return what stands in the console, and take it from there."""
        return self.driver.get_log("browser")

    def run(self, script, *arguments):
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        """Return the first element."""
        return self.driver.find_element("css selector", selector)

    def number(self, selector):
        """Return the whole of a number that is shown."""
        return float(self.run("return document.querySelector(arguments[0]).value", selector))

    def numbers(self, selector):
        """Return all numbers that are shown in rows."""
        script = """return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map(
            row => [...row.querySelectorAll('data')].map(data => Number(data.value)))"""
        return self.run(script, selector)

    def picture(self, selector):
        """Return what a canvas shows."""
        address = self.run("return document.querySelector(arguments[0]).toDataURL()", selector)
        with Image.open(BytesIO(b64decode(address.partition(",")[2]))) as picture:
            return Picture(np.asarray(picture.convert("RGB"), int))

    def keep(self, name):
        """Take a picture of the whole page."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        options = {"captureBeyondViewport": True, "clip": clip}
        taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", options)
        path = PICTURES / f"{name}.png"
        path.write_bytes(b64decode(taken["data"]))
        return path


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests."""
    options = webdriver.ChromeOptions()
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
