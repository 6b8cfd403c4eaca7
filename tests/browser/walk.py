"""Walks through the demo with Chromium as a person would, and fails at the first thing that is not as it should be.

walk.py --port PORT --leader PID --axe FILE --screenshots DIR
"""
import argparse
import os
import signal
import time

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 20


class Person:
    """A browser, its window, and what can be seen in it."""

    def __init__(self, options):
        self.port, self.axe = options.port, open(options.axe, encoding="utf-8").read()
        self.folder = options.screenshots
        os.makedirs(self.folder, exist_ok=True)
        settings = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--host-resolver-rules=MAP *.quorate.localhost 127.0.0.1"):
            settings.add_argument(flag)
        settings.set_capability("acceptInsecureCerts", True)
        service = webdriver.ChromeService(executable_path="/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(options=settings, service=service)
        self.driver.set_page_load_timeout(WAIT_S)

    def url(self, site, path="/"):
        return f"https://{site}.quorate.localhost:{self.port}{path}"

    def open(self, site, path="/"):
        self.driver.get(self.url(site, path))

    def is_at(self, site):
        WebDriverWait(self.driver, WAIT_S).until(
            lambda driver: driver.current_url.startswith(f"https://{site}.quorate.localhost:{self.port}/"),
            f"expected a page of {site}, am at {self.driver.current_url}")

    def field(self, name):
        return self.driver.find_element(By.NAME, name)

    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def sees(self, words):
        WebDriverWait(self.driver, WAIT_S).until(lambda _: words in self.text(), f"no {words!r} in {self.text()!r}")

    def looks(self, name, width, height, scheme):
        """Sets window and colours, takes a picture, and lets axe-core look for barriers."""
        self.driver.set_window_size(width, height)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.driver.save_screenshot(os.path.join(self.folder, f"{name}-{width}-{scheme}.png"))
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": self.axe})
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then(found => done(found.violations.map("
            "v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html).join(' '))))")
        assert not found, f"{name}: {found}"
        wide = self.driver.execute_script("return document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, f"{name} at {width}: the page is wider than the window"

    def looks_good(self, name):
        for width, height in ((390, 844), (1280, 800)):
            for scheme in ("light", "dark"):
                self.looks(name, width, height, scheme)

    def log_in(self, password):
        """With the keyboard alone."""
        self.field("username").send_keys("john" + Keys.TAB)
        self.driver.switch_to.active_element.send_keys(password + Keys.ENTER)


def walk(person, leader):
    person.open("one", "/page?x=1&y=a%20b")
    person.is_at("auth")
    person.sees("one.quorate.localhost")
    assert not person.driver.find_elements(By.TAG_NAME, "script"), "the page needs no script"
    person.looks_good("login")

    person.log_in("wrong")
    WebDriverWait(person.driver, WAIT_S).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "[role=alert]"), "a wrong password is told")
    assert person.field("username").get_attribute("value") == "john", "the name is still there"
    person.looks_good("refused")

    person.field("password").send_keys("quorate-demo" + Keys.ENTER)
    person.is_at("one")
    assert person.driver.current_url == person.url("one", "/page?x=1&y=a%20b"), person.driver.current_url
    person.sees("john")

    person.open("two")
    person.is_at("two")
    person.sees("john")

    os.kill(leader, signal.SIGKILL)
    killed = time.monotonic()
    for _ in range(5):
        for site in ("one", "two"):
            person.open(site)
            person.is_at(site)
            person.sees("john")
    print(f"still in {time.monotonic() - killed:.1f} s after the leader was killed, ten pages later")

    person.open("admin")
    assert "403" in person.driver.page_source or "refus" in person.text().lower(), person.text()

    person.open("auth")
    person.sees("John")
    person.looks_good("logged-in")
    person.driver.find_element(By.CSS_SELECTOR, "form button").click()
    WebDriverWait(person.driver, WAIT_S).until(lambda driver: not driver.find_elements(By.CSS_SELECTOR, "form button"))
    person.looks_good("signed-out")
    for site in ("one", "two"):
        person.open(site)
        person.is_at("auth")
    person.log_in("quorate-demo")
    person.is_at("two")
    person.sees("john")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    parser.add_argument("--leader", required=True, type=int)
    parser.add_argument("--axe", required=True)
    parser.add_argument("--screenshots", required=True)
    options = parser.parse_args()
    person = Person(options)
    try:
        walk(person, options.leader)
    except BaseException:
        person.driver.save_screenshot(os.path.join(options.screenshots, "failed.png"))
        print(person.driver.current_url)
        raise
    finally:
        person.driver.quit()
    print("walked")


if __name__ == "__main__":
    main()
