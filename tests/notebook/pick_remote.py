"""Picks in JupyterLab whose server and kernel lie in another network namespace,
so that the browser does not reach the kernel's loopback address; prints what
happened, as JSON. Linux, as root.

Usage: pick_remote.py DENO CHROMIUM proxy|typed [FOLDER for screenshots], with
the repository as working directory.
"""

import json
import os
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
import { grayImage as image, handProposal } from "./repository/tests/helpers/proposal.ts";
const answers = [];
for (let i = 0; i < 4; i++) {
  const began = performance.now();
  const picked = await spa.pick(handProposal(), { image, patience: 5 });
  answers.push(picked);
}
console.log("answers " + JSON.stringify(answers));""",
    """try { await spa.pick(handProposal(), { image, patience: 5 }); }
catch (error) { console.log("caught " + error.name); }""",
    """console.log("the answer is " + 6 * 7);""",
]
NAME = f"spa{os.getpid() % 10000}"
HOST, GUEST = "10.231.7.1", "10.231.7.2"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def connect():
    ip("netns", "add", NAME)
    ip("link", "add", f"{NAME}h", "type", "veth", "peer", "name", f"{NAME}g")
    ip("link", "set", f"{NAME}g", "netns", NAME)
    ip("addr", "add", f"{HOST}/30", "dev", f"{NAME}h")
    ip("link", "set", f"{NAME}h", "up")
    ip("-n", NAME, "addr", "add", f"{GUEST}/30", "dev", f"{NAME}g")
    ip("-n", NAME, "link", "set", f"{NAME}g", "up")
    ip("-n", NAME, "link", "set", "lo", "up")


def pick(page, address, pictures):
    happened = {"status": []}

    def look(name):
        page.wait_for_timeout(300)
        if pictures:
            page.screenshot(path=f"{pictures}/{name}.png")

    def run(cell):
        page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")

    def panel(act):
        page.wait_for_selector(".spa-pick:not(.spa-pick-done) a[data-path=accept]")
        identity = page.locator(".spa-pick").get_attribute("id")
        page.wait_for_timeout(700)
        happened["status"].append(page.locator(".spa-pick-status").inner_text())
        act()
        page.wait_for_function(f"!document.getElementById('{identity}')")

    page.set_default_timeout(240_000)
    page.goto(f"{address}/lab/tree/picks.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_selector("text=Deno | Idle")
    page.wait_for_timeout(3000)
    run(0)

    def click_image():
        box = page.locator(".spa-pick-main > svg").bounding_box()
        page.mouse.click(box["x"] + 9.5 / 16 * box["width"], box["y"] + 2.5 / 12 * box["height"])

    began = time.monotonic()
    panel(lambda: page.click("a[data-candidate='2']"))
    happened["first seconds"] = time.monotonic() - began
    look("1-second")
    panel(click_image)
    began = time.monotonic()
    panel(lambda: (page.click(".spa-pick-hint"), page.keyboard.press("2")))
    happened["later seconds"] = time.monotonic() - began
    panel(lambda: page.click("a[data-path=accept]"))
    page.wait_for_selector("pre:has-text('answers')")
    happened["answers"] = json.loads(
        page.locator("pre:has-text('answers')").last.inner_text().removeprefix("answers "))
    look("2-answered")
    run(1)
    page.wait_for_selector(".spa-pick a[data-path=accept]")
    page.wait_for_timeout(7000)  # a prompt is open, where there is one
    happened["boxes"] = page.locator(".jp-Stdin-input").count()
    look("3-waiting")
    page.locator("[data-jp-item-name=interrupt]").first.click()
    page.wait_for_selector("pre:has-text('caught')")
    run(2)
    page.wait_for_selector("pre:has-text('the answer is 42')")
    look("4-end")
    return happened


def main():
    deno, chromium, way, *rest = sys.argv[1:]
    folder = tempfile.mkdtemp()
    pick_lab.CELLS[:] = CELLS
    environment = pick_lab.prepare(folder, deno)
    lab = None
    try:
        connect()
        lab = subprocess.Popen(
            ["ip", "netns", "exec", NAME, sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
             f"--ip={GUEST}", "--port=8888", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
             "--ServerApp.base_url=/user/me/",
             f"--ServerApp.jpserver_extensions=jupyter_server_proxy={way == 'proxy'}"],
            env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(240):
            try:
                socket.create_connection((GUEST, 8888)).close()
                break
            except OSError:
                time.sleep(0.5)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 1000})
            errors = []
            page.on("pageerror", lambda error: errors.append(str(error)[:200]))
            try:
                happened = pick(page, f"http://{GUEST}:8888/user/me", rest[0] if rest else None)
            except Exception:
                if rest:
                    page.screenshot(path=f"{rest[0]}/failed.png")
                raise
            browser.close()
        print(json.dumps({**happened, "errors": errors}))
    finally:
        if lab:
            lab.terminate()
            lab.wait()
        subprocess.run(["ip", "netns", "del", NAME], check=False)
        shutil.rmtree(folder, ignore_errors=True)


main()
