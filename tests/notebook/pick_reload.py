"""Picks many times in JupyterLab, while the page is loaded anew at random, with a
panel open or just answered; prints what was picked and what the kernel has, as JSON.

Usage: pick_reload.py DENO CHROMIUM PICKS [FOLDER for screenshots], with the
repository as working directory.
"""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

sys.path.insert(0, os.path.dirname(__file__))
import pick_lab  # noqa: E402  the folder, the kernel

CELLS = [
    """import * as spa from "./repository/mod.ts";
const model = await spa.loadModel();
const { image } = spa.phantom({ kind: "kidney", seed: 9 });
const session = await spa.Session.start(model, image, { points: [{ x: 50, y: 35 }], samples: 8 });
console.log("ready");""",
    """while (session.history.done < COUNT) {
  await spa.pickNext(session, { image, title: `Pick ${session.history.done}.`, patience: 60 });
}
console.log("actions " + JSON.stringify(session.toJSON().actions.map((one) => one.candidate)));""",
    """console.log("the answer is " + 6 * 7);""",
]


def pick(page, port, count, happened):
    chance = random.Random(4)
    picked = happened["picked"]

    def run(cell):
        page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")

    def open_page(load):
        load()
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_selector("text=/Deno \\|/")
        page.wait_for_timeout(3000)

    def panel():
        """Waits for the panel of the next pick; how many the session has."""
        page.wait_for_selector(".spa-pick:not(.spa-pick-done) a[data-candidate]")
        return int(page.locator(".spa-pick-title").last.inner_text().split()[1].strip("."))

    def answer():
        last = page.locator(".spa-pick").last
        identity = last.get_attribute("id")
        k = chance.randrange(last.locator("a[data-candidate]").count())
        last.locator(f"a[data-candidate='{k}']").click()
        return identity, k

    def again():
        """The cell's run is ended, and begun anew where the session is."""
        page.locator("[data-jp-item-name=interrupt]").first.click()
        page.wait_for_selector("text=Deno | Idle")
        run(1)

    page.set_default_timeout(300_000)
    open_page(lambda: page.goto(f"http://localhost:{port}/lab/tree/picks.ipynb"))
    run(0)
    page.wait_for_selector("pre:has-text('ready')")
    run(1)
    while len(picked) < count:
        assert panel() == len(picked), f"{len(picked)} picked"
        fate = chance.random()
        if fate < 0.85 and len(picked) not in (2, 5, 8) or len(picked) == count - 1:
            identity, k = answer()
            picked.append(k)
            page.wait_for_function(f"!document.getElementById('{identity}')")
            continue
        happened["reloads"] += 1
        page.keyboard.press("Control+s")
        page.wait_for_selector(".jp-NotebookPanel:not(.jp-mod-dirty)")
        page.wait_for_timeout(700)
        if len(picked) % 2:  # answered, and loaded anew at once: taken or not
            _, k = answer()
            page.wait_for_timeout(chance.randrange(200))
            open_page(page.reload)
            again()
            if panel() == len(picked) + 1:
                picked.append(k)
            continue
        open_page(page.reload)  # the question is still open, in the saved output
        assert panel() == len(picked), "not the same question"
        _, k = answer()
        page.wait_for_selector(".spa-pick-status:has-text('picked')")
        picked.append(k)
        again()
    page.wait_for_selector("pre:has-text('actions')")
    text = page.locator("pre:has-text('actions')").last.inner_text()
    happened["actions"] = json.loads(text.strip().removeprefix("actions "))
    run(2)
    page.wait_for_selector("pre:has-text('the answer is')")
    happened["after"] = page.locator("pre:has-text('the answer is')").last.inner_text()


def main():
    deno, chromium, count, *rest = sys.argv[1:]
    folder = tempfile.mkdtemp()
    port = pick_lab.free_port()
    pick_lab.CELLS[:] = [cell.replace("COUNT", count) for cell in CELLS]
    environment = pick_lab.prepare(folder, deno)
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
         f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"],
        env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    happened = {"picked": [], "reloads": 0, "errors": []}
    try:
        for _ in range(240):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.5)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 1000})
            page.on("pageerror", lambda error: happened["errors"].append(str(error)[:200]))
            try:
                pick(page, port, int(count), happened)
            except Exception:
                if rest:
                    page.screenshot(path=f"{rest[0]}/failed.png")
                print(f"after {len(happened['picked'])} picks", file=sys.stderr)
                raise
            browser.close()
        print(json.dumps(happened))
    finally:
        lab.terminate()
        lab.wait()
        shutil.rmtree(folder, ignore_errors=True)


main()
