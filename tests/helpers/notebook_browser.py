"""Opens 01-quickstart in JupyterLab in Chromium and uses it as a reader would.

Usage: _notebook_browser.py DENO CHROMIUM SHOTS, with the repository as working
directory; pictures of the page go to the folder SHOTS. Prints what happened, as JSON.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

WAIT = 120_000  # milliseconds that a step may take on a busy machine


def start_lab(deno, folder):
    """A server of its own on a free port, and the address of the notebook."""
    os.makedirs(f"{folder}/data/kernels/deno")
    spec = {
        "argv": [deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
        "display_name": "Deno",
        "language": "typescript",
    }
    with open(f"{folder}/data/kernels/deno/kernel.json", "w") as file:
        json.dump(spec, file)
    named = {
        "JUPYTER_PATH": f"{folder}/data",
        "JUPYTER_CONFIG_DIR": f"{folder}/config",
        "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
        "JUPYTERLAB_WORKSPACES_DIR": f"{folder}/workspaces",
        "JUPYTERLAB_SETTINGS_DIR": f"{folder}/settings",
    }
    os.makedirs(f"{folder}/config/labconfig")
    with open(f"{folder}/config/labconfig/page_config.json", "w") as file:
        json.dump({"disabledExtensions": {
            "@jupyterlab/apputils-extension:announcements": True}}, file)
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
         "--ip=127.0.0.1", "--port=0", "--ServerApp.root_dir=."],
        env={**os.environ, **named}, stderr=subprocess.PIPE, text=True,
    )
    for line in lab.stderr:
        found = re.search(r"(http://127\.0\.0\.1:(\d+)/)\S*\?token=(\w+)", line)
        if found and found[2] != "0":
            return lab, found[1], found[3]
    raise RuntimeError("JupyterLab did not start")


class Page:
    """The notebook as a browser shows it."""

    def __init__(self, page, shots):
        self.page, self.shots = page, shots
        self.cells = page.locator(".jp-Notebook .jp-CodeCell")

    def picture(self, name):
        self.page.screenshot(path=f"{self.shots}/{name}.png")

    def select(self, index):
        self.cells.nth(index).locator(".jp-InputArea-prompt").click()

    def run(self, index):
        """Runs a cell; again where a kernel that still starts has lost it."""
        for _ in range(10):
            self.select(index)
            self.page.keyboard.press("Control+Enter")
            end = time.monotonic() + 5
            while time.monotonic() < end:
                time.sleep(0.05)
                if "*" in self.prompt(index):
                    time.sleep(0.5)
                if self.prompt(index) != "[ ]:":
                    return
        raise TimeoutError(f"cell {index} does not run")

    def prompt(self, index):
        """What stands before a cell: [*]: while it runs, then a number."""
        return self.cells.nth(index).locator(".jp-InputArea-prompt").inner_text()

    def done(self, index, seconds=120):
        """Waits until a cell has run."""
        end = time.monotonic() + seconds
        while not re.search(r"\d", self.prompt(index)):
            if time.monotonic() > end:
                raise TimeoutError(f"cell {index}: {self.prompt(index)}")
            time.sleep(0.1)

    def panel(self):
        panel = self.page.locator(".spa-pick:not(.spa-pick-done)")
        panel.wait_for(timeout=WAIT)
        return panel

    def stills(self, index):
        """The pictures in a cell's output, as their addresses."""
        return self.cells.nth(index).locator(".jp-OutputArea-output img:visible") \
            .evaluate_all("all => all.map(img => img.src)")


def use(page, happened):
    page.run(0)
    page.done(0)
    happened["first"] = len(page.stills(0))
    page.picture("1-first-proposal")

    page.run(1)
    panel = page.panel()
    happened["candidates"] = panel.locator("[data-candidate]").count()
    page.picture("2-panel")
    curve = page.stills(1)[0]
    scores = [float(re.search(r"Dice (\d\.\d+)", text)[1])
              for text in panel.locator("[data-candidate]").all_inner_texts()]
    panel.locator("[data-candidate]").nth(scores.index(max(scores))).click()

    panel = page.panel()  # the next proposal
    page.page.wait_for_function(
        """([index, curve]) => document.querySelectorAll(
          ".jp-Notebook .jp-CodeCell")[index].querySelector(
          ".jp-OutputArea-output img").src !== curve""",
        arg=[1, curve], timeout=WAIT)
    happened["curves"] = len({curve, page.stills(1)[0]})
    panel.scroll_into_view_if_needed()
    page.picture("3-second-panel")

    panel.locator("[data-path='accept']").click()
    page.done(1)
    happened["printed"] = page.cells.nth(1).locator(
        ".jp-OutputArea-output pre").last.inner_text()
    page.run(2)
    page.done(2)
    page.cells.nth(2).scroll_into_view_if_needed()
    page.picture("4-accepted")

    page.run(1)  # once more, to interrupt it
    page.panel()
    page.page.locator("[data-jp-item-name='interrupt'] jp-button").click()
    page.done(1)
    happened["interrupted"] = page.cells.nth(1).locator(
        "[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()
    page.cells.nth(1).scroll_into_view_if_needed()
    page.picture("5-interrupted")
    before = page.prompt(2)
    page.run(2)
    end = time.monotonic() + 60
    while page.prompt(2) in (before, "[*]:") and time.monotonic() < end:
        time.sleep(0.1)
    happened["after"] = [before, page.prompt(2)]


def main():
    deno, chromium, shots = sys.argv[1:4]
    happened = {}
    copy = "out/quickstart-in-a-browser.ipynb"  # JupyterLab saves what it shows
    os.makedirs("out", exist_ok=True)
    shutil.copy("notebooks/01-quickstart.ipynb", copy)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab, url, token = start_lab(deno, folder)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"])
        try:
            tab = browser.new_page(viewport={"width": 1300, "height": 1000})
            tab.goto(f"{url}lab/tree/{copy}?token={token}&reset", timeout=WAIT)
            page = Page(tab, shots)
            page.cells.nth(2).wait_for(timeout=WAIT)
            tab.locator("[data-status='idle']").first.wait_for(timeout=WAIT)
            try:
                use(page, happened)
            except Exception as error:
                page.picture("failed")
                happened["error"] = str(error)
        finally:
            browser.close()
            lab.terminate()
            lab.wait()
            os.remove(copy)
    print(json.dumps(happened))


main()
