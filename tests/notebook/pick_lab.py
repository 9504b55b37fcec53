"""Picks in JupyterLab with Chromium as a person would; prints what happened, as JSON.

Usage: notebook_pick_lab.py DENO CHROMIUM [FOLDER for screenshots], with the
repository as working directory.
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

CELLS = [
    """import * as spa from "./repository/mod.ts";
const model = await spa.loadModel();
const { image } = spa.phantom({ kind: "kidney", seed: 9 });
const start = await spa.pickStart(image);""",
    """const session = await spa.Session.start(model, image, start);
while ((await spa.pickNext(session, { image })).kind !== "accept");
const { steps, done } = session.history;
console.log("iteration " + session.iteration, done + " steps, the last: " + steps.at(-1)!.kind);""",
    """try { await spa.pick(session.proposal, { image }); }
catch (error) { console.log("caught " + error.name); }""",
    """console.log("the answer is " + 6 * 7);""",
    """const last = await spa.pick(session.proposal);
console.log("last " + last.kind);""",
    """// notes""",
]
POINT = (50, 35)


def prepare(folder, deno):
    """A folder with the notebook and a kernel; the environment for the server."""
    kernel = f"{folder}/share/kernels/deno"
    os.makedirs(kernel)
    with open(f"{kernel}/kernel.json", "w") as file:
        json.dump({
            "argv": [deno, "jupyter", "--kernel", "--conn", "{connection_file}"],
            "display_name": "Deno",
            "language": "typescript",
        }, file)
    # imports resolve by the configuration above the notebook
    shutil.copy("deno.json", folder)
    os.symlink(os.getcwd(), f"{folder}/repository")
    with open(f"{folder}/picks.ipynb", "w") as file:
        json.dump({
            "cells": [{
                "cell_type": "code", "id": f"cell{i}", "metadata": {}, "outputs": [],
                "execution_count": None, "source": code,
            } for i, code in enumerate(CELLS)],
            "metadata": {"kernelspec": {"name": "deno", "display_name": "Deno", "language": "typescript"}},
            "nbformat": 4, "nbformat_minor": 5,
        }, file)
    return {
        **os.environ,
        "JUPYTER_PATH": f"{folder}/share",
        "JUPYTER_CONFIG_DIR": f"{folder}/config",
        "JUPYTER_DATA_DIR": f"{folder}/data",
        "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
    }


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port):
    """Until somebody listens there."""
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.5)


def pick(page, port, folder, pictures):
    happened = {}

    def look(name):
        time.sleep(0.5)
        if pictures:
            page.screenshot(path=f"{pictures}/{name}.png")

    def stills(count):
        page.wait_for_function(
            f"document.querySelectorAll('.jp-RenderedImage img').length === {count}")

    def next_panel(act):
        """Another panel in place of the one that stands there."""
        identity = page.locator(".spa-pick").get_attribute("id")
        act()
        page.wait_for_function(f"!document.getElementById('{identity}')")
        page.wait_for_selector("a[data-path=undo]")

    def output(cell):
        return page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea-output pre").last.inner_text()

    def run(cell):
        page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")

    page.set_default_timeout(240_000)
    page.goto(f"http://localhost:{port}/lab/tree/picks.ipynb")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_selector("text=Deno | Idle")
    page.wait_for_timeout(3000)  # a cell run while the kernel connects is lost

    run(0)
    page.wait_for_selector(".spa-pick")
    look("1-point")
    box = page.locator(".spa-pick-main > svg").bounding_box()
    page.mouse.click(box["x"] + (POINT[0] + 0.5) / 128 * box["width"],
                     box["y"] + (POINT[1] + 0.5) / 128 * box["height"])
    stills(1)

    page.wait_for_timeout(500)
    page.keyboard.press("Shift+Enter")  # the focus is back in the notebook
    page.wait_for_selector("a[data-candidate='1']")
    look("2-candidates")
    began = time.monotonic()
    next_panel(lambda: page.click("a[data-candidate='1']"))
    happened["seconds"] = time.monotonic() - began
    look("3-next")
    next_panel(lambda: page.keyboard.press("1"))  # the keys go to the new panel
    page.wait_for_timeout(500)
    # a stroke of the brush is one step, and undone as one
    page.locator("input[value=brush]").check()
    box = page.locator(".spa-pick-main > svg").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 30, steps=8)
    next_panel(page.mouse.up)
    happened["history"] = page.locator("summary").inner_text()
    happened["tool"] = page.locator("input[value=brush]").is_checked()
    look("4-painted")
    next_panel(lambda: page.keyboard.press("u"))
    next_panel(lambda: page.keyboard.press("r"))
    page.wait_for_timeout(500)
    page.keyboard.press("a")
    stills(2)  # the first click's, and one of all picks
    page.wait_for_selector("pre:has-text('iteration')")
    happened["loop"] = output(1)
    happened["cells"] = page.locator(".jp-MarkdownCell").count()

    run(2)
    page.wait_for_selector("a[data-path=accept]")
    page.wait_for_timeout(500)
    page.locator("[data-jp-item-name=interrupt]").first.click()
    page.wait_for_selector(".jp-OutputArea-output pre:has-text('caught')")
    happened["interrupt"] = output(2)
    run(3)
    page.wait_for_selector(".jp-OutputArea-output pre:has-text('the answer is')")
    happened["after"] = output(3)

    # the pointer rests on the panel while another cell is typed in
    run(4)
    page.wait_for_selector("a[data-path=accept]")
    page.locator(".jp-CodeCell").nth(5).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.hover(".spa-pick-title")
    page.keyboard.type(" a1n")
    page.wait_for_timeout(500)
    happened["typed"] = page.locator(".jp-CodeCell").nth(5).locator(".cm-content").inner_text()
    happened["waiting"] = page.locator(".spa-pick:not(.spa-pick-done)").count()
    # the panel has the keyboard, and the notebook keeps its commands
    page.click(".spa-pick-hint")
    page.keyboard.press("x")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".jp-NotebookPanel:not(.jp-mod-dirty)")
    page.wait_for_timeout(1000)
    with open(f"{folder}/picks.ipynb") as file:
        happened["saved"] = "spa-pick-title" in file.read()
    happened["all"] = page.locator(".jp-CodeCell").count()
    # the cell is run again: its first run ends, its second asks
    page.locator(".jp-CodeCell").nth(4).locator(".jp-InputArea-prompt").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".spa-pick", state="detached")
    page.wait_for_selector("a[data-path=accept]")
    look("5-again")
    page.focus("a[data-path=accept]")
    page.keyboard.press("Space")
    page.wait_for_selector(".jp-OutputArea-output pre:has-text('last')")
    happened["again"] = output(4)
    happened["panels"] = page.locator(".spa-pick").count()
    look("6-end")
    return happened


def main():
    deno, chromium, *rest = sys.argv[1:]
    folder = tempfile.mkdtemp()
    port = free_port()
    environment = prepare(folder, deno)
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
         f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"],
        env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 1000})
            errors = []
            page.on("pageerror", lambda error: errors.append(str(error)[:200]))
            try:
                happened = pick(page, port, folder, rest[0] if rest else None)
            except Exception:
                if rest:
                    page.screenshot(path=f"{rest[0]}/failed.png")
                raise
            browser.close()
        print(json.dumps({**happened, "errors": errors}))
    finally:
        lab.terminate()
        lab.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
