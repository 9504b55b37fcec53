"""Picks many times in the real Deno kernel, in a panel's page that is loaded anew or
closed at random; prints what was clicked and what the kernel got, as JSON.

Usage: pick_reload.py DENO CHROMIUM PICKS, with the repository as working directory.
"""

import json
import os
import random
import shutil
import sys

from playwright.sync_api import Error, sync_playwright

sys.path.insert(0, os.path.dirname(__file__))
import pick_kernel  # noqa: E402  the kernel

LOOP = """const got = [];
while (got.length < COUNT) {
  const action = await spa.pick(proposal, { image, patience: 600 });
  got.push(action.kind === "choose" ? action.candidate : action.kind);
}
JSON.stringify(got)"""


def reload(page):
    """Loads the page anew; Chromium refuses while the page before is being left."""
    for _ in range(600):
        try:
            return page.reload(wait_until="commit")
        except Error as error:
            if "Not attached to an active page" not in str(error):
                raise
            page.wait_for_timeout(100)
    raise AssertionError("the page cannot be loaded anew")


def main():
    deno, chromium, count = sys.argv[1:]
    chance = random.Random(4)
    clicked, reloads, errors, urls = [], 0, [], set()
    notebook = pick_kernel.Notebook(deno)
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])

            def open_page(url):
                page = browser.new_page()
                page.set_default_timeout(120_000)
                page.on("pageerror", lambda error: errors.append(str(error)[:200]))
                page.goto(url, wait_until="commit")
                return page

            def answer(url):
                nonlocal reloads
                if url in urls:
                    return
                urls.add(url)
                page = open_page(url)
                for _ in range(chance.choice([0, 0, 0, 1, 2])):
                    page.wait_for_timeout(chance.randrange(150))
                    reloads += 1
                    if chance.random() < 0.3:  # closed, and somebody comes back
                        page.close()
                        page = open_page(url)
                    else:
                        reload(page)
                k = chance.randrange(4)
                page.locator(f"a[data-candidate='{k}']").click()
                page.wait_for_selector(f".spa-pick-status:has-text('Candidate {k + 1} picked')")
                clicked.append(k)
                if len(clicked) % 20 == 0:
                    print(f"{len(clicked)} picks, {reloads} reloads", file=sys.stderr, flush=True)
                page.close()

            notebook.run(pick_kernel.SETUP)
            outputs = notebook.run(LOOP.replace("COUNT", count), on_panel=answer, seconds=3600 + 60 * int(count))
            result = [one["text"] for one in outputs if one.get("type") == "execute_result"]
            after = [one["text"] for one in notebook.run("6 * 7")]
            browser.close()
    finally:
        notebook.stop()
    print(json.dumps({"clicked": clicked, "got": result, "reloads": reloads, "after": after,
                      "errors": errors, "failed": [one for one in outputs if "error" in one]}))


main()
