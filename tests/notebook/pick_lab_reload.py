"""A pick that waits while JupyterLab's page is loaded anew; prints what happened, as JSON.

Usage: pick_lab_reload.py DENO CHROMIUM [FOLDER for screenshots], with the
repository as working directory.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

sys.path.insert(0, os.path.dirname(__file__))
import pick_lab  # noqa: E402  the folder, the kernel

# what the kernel says of its picks goes to a file: a page that is loaded anew
# does not get the outputs of a cell that the page before had run
CELLS = [
    """import * as spa from "./repository/mod.ts";
import { grayImage as image, handProposal } from "./repository/tests/helpers/proposal.ts";
for (let i = 0; i < 2; i++) {
  const picked = await spa.pick(handProposal(), { image, patience: 600 });
  await Deno.writeTextFile("picked.jsonl", JSON.stringify(picked) + "\\n", { append: true });
}""",
    """console.log("the answer is " + 6 * 7);""",
]


def reload_and_pick(page, address, folder, pictures):
    happened, began = {}, time.monotonic()

    def look(name):
        print(f"{time.monotonic() - began:.0f} s: {name}", file=sys.stderr)
        if pictures:
            page.screenshot(path=f"{pictures}/{name}.png", timeout=0)

    def run(cell):
        page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")

    def is_saved():
        with open(f"{folder}/picks.ipynb") as file:
            return "spa-pick-title" in file.read()

    def picked():
        try:
            with open(f"{folder}/picked.jsonl") as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def wait_until(holds):
        while not holds():
            page.wait_for_timeout(200)

    page.set_default_timeout(600_000)
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_selector("text=Deno | Idle")
    page.wait_for_timeout(3000)  # a cell run while the kernel connects is lost
    run(0)
    page.wait_for_selector(".spa-pick a[data-path=accept]")
    look("1-panel")
    page.keyboard.press("Control+s")
    wait_until(is_saved)
    look("2-saved")
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    look("3-loaded")
    page.wait_for_selector(".spa-pick:not(.spa-pick-done) a[data-candidate='2']")
    look("4-drawn")
    page.click("a[data-candidate='2']")
    wait_until(picked)
    page.wait_for_selector(".spa-pick-status:has-text('stop it and run it again')")
    happened["status"] = page.locator(".spa-pick-status").inner_text()
    look("5-picked")
    # the kernel asks again, which this page is not told; it can be stopped
    page.locator("[data-jp-item-name=interrupt]").first.click()
    run(1)
    page.wait_for_selector("pre:has-text('the answer is 42')")
    look("6-stopped")
    run(0)
    page.wait_for_selector(".spa-pick:not(.spa-pick-done) a[data-candidate='1']")
    page.click("a[data-candidate='1']")
    wait_until(lambda: len(picked()) == 2)
    happened["picked"] = picked()
    look("7-again")
    return happened


def main():
    deno, chromium, *rest = sys.argv[1:]
    folder = tempfile.mkdtemp()
    port = pick_lab.free_port()
    pick_lab.CELLS[:] = CELLS
    environment = pick_lab.prepare(folder, deno)
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
         f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"],
        env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        pick_lab.wait_for(port)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 1000})
            errors = []
            page.on("pageerror", lambda error: errors.append(str(error)[:200]))
            if rest:
                page.on("console", lambda said: print("console:", said.text[:300], file=sys.stderr))
            try:
                address = f"http://localhost:{port}/lab/tree/picks.ipynb"
                happened = reload_and_pick(page, address, folder, rest[0] if rest else None)
            except Exception:
                if rest:
                    page.screenshot(path=f"{rest[0]}/failed.png", timeout=0)
                raise
            browser.close()
        print(json.dumps({**happened, "errors": errors}))
    finally:
        lab.terminate()
        lab.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
