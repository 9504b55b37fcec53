"""Works the web page in Chromium; prints what happened, as JSON.

Usage: web_page.py CHROMIUM URL FOLDER, the folder for downloads and screenshots,
with an image.png to open in it.
"""

import json
import shutil
import sys
import time

from playwright.sync_api import sync_playwright

WIDTHS = [320, 380, 480, 640, 720, 800, 1000, 1120, 1280, 1600, 2000]
MINUTES = 5 * 60_000  # machines that run tests may be loaded

# the least contrast of a text with what is behind it (WCAG)
CONTRAST = """() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data;
  };
  const light = (color) => {
    const [r, g, b] = [...rgba(color)].map((v) => {
      const c = v / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const { backgroundColor } = getComputedStyle(one);
      if (rgba(backgroundColor)[3] === 255) return backgroundColor;
    }
    return 'white';
  };
  let least = 21, which = '';
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || one.closest('svg, script, :disabled, .hidden, #invite') || !one.offsetParent) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) [least, which] = [ratio, one.id || one.className || one.tagName];
  }
  return [least, which];
}"""

# what reaches beyond the window
BEYOND = """() => [...document.querySelectorAll('body *')].filter((one) => {
  if (one.closest('svg, nav, .hidden') && one.tagName !== 'svg') return false;
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map((one) => one.id || one.className || one.tagName)"""

CIRCLES = """() => [...document.querySelectorAll('#mixture .component')].map((one) =>
  ['cx', 'cy', 'r'].map((name) => Number(one.getAttribute(name))))"""

# buttons and boxes without a name
NAMELESS = """() => [...document.querySelectorAll('button, input:not([type=file]), select, canvas, svg')]
  .filter((one) => !one.ariaLabel && !one.textContent.trim() && !one.closest('label, [aria-hidden=true]')
    && !one.ariaHidden && !one.labels?.length)
  .map((one) => one.outerHTML.slice(0, 80))"""


def main():
    chromium, url, folder = sys.argv[1:]
    happened = {"errors": [], "requests": [], "seconds": {}}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])
        processes = browser.new_browser_cdp_session()

        def cpu():
            """Seconds that the browser's pages have computed, on all threads."""
            found = processes.send("SystemInfo.getProcessInfo")["processInfo"]
            return sum(one["cpuTime"] for one in found if one["type"] == "renderer")

        # there is no network: whatever is fetched fails, and is told
        context = browser.new_context(viewport={"width": 1360, "height": 860}, offline=True, accept_downloads=True)
        page = context.new_page()
        page.set_default_timeout(MINUTES)
        page.on("pageerror", lambda error: happened["errors"].append(str(error)[:300]))
        page.on("console", lambda line: line.type == "error" and happened["errors"].append(line.text[:300]))
        page.on("request", lambda request: happened["requests"].append(request.url[:200]))

        def click(x, y, **options):
            """Clicks a pixel of a sample image of 128 x 128."""
            box = page.locator("#stage").bounding_box()
            place = {"x": (x + 0.5) / 128 * box["width"], "y": (y + 0.5) / 128 * box["height"]}
            page.locator("#stage").click(position=place, **options)

        def wait():
            page.wait_for_function("document.body.ariaBusy === 'false'")

        def press(key):
            page.keyboard.press(key)
            wait()

        def scores():
            label = page.locator("#dice").get_attribute("aria-label")
            return [float(score) for score in label.split(": ")[1].split(", ")]

        def note(name):
            happened[name] = {
                "status": page.locator("#status").inner_text(),
                "facts": page.locator("#facts").inner_text(),
                "candidates": [one.get_attribute("aria-label") for one in page.locator(".candidate").all()],
            }

        def shot(name):
            page.wait_for_timeout(700)  # the mixture moves
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

        # a first click, made at once: it is kept until the network is there
        start = time.monotonic()
        page.goto(url, timeout=MINUTES, wait_until="commit")
        click(45, 50)
        page.wait_for_selector(".candidate")
        happened["seconds"]["first proposal after opening"] = time.monotonic() - start
        happened["seconds"]["first proposal after opening, of computing"] = cpu()
        wait()
        note("first")
        happened["nameless"] = page.evaluate(NAMELESS)
        happened["circles"] = [page.evaluate(CIRCLES)]
        shot("web-first")

        # choices, by key and by pointer; the rater's; back
        start = time.monotonic(), cpu()
        press("2")
        happened["seconds"]["a choice"] = time.monotonic() - start[0]
        happened["seconds"]["a choice, of computing"] = cpu() - start[1]
        note("chosen")
        happened["circles"].append(page.evaluate(CIRCLES))
        page.locator(".candidate").nth(0).click()
        wait()
        press("u")
        press("u")
        note("undone")
        for _ in range(3):
            press("r")
        happened["dice"] = scores()
        happened["focus"] = page.evaluate("document.activeElement.tagName")

        # a click outside the object, a closer look, and accept
        click(120, 10, modifiers=["Shift"])
        wait()
        note("outside")
        press("+")
        note("closer")
        page.locator("#show-reference").check()
        page.locator(".candidate").nth(1).hover()
        shot("web-closer")
        press("-")
        press("n")
        press("a")
        note("accepted")
        for name in ("mask", "session"):
            with page.expect_download() as waiting:
                page.locator(f"#save-{name}").click()
            waiting.value.save_as(f"{folder}/{waiting.value.suggested_filename}")
        shot("web-accepted")

        # another sample, by keyboard alone
        page.locator("#samples button").nth(2).focus()
        page.keyboard.press("Enter")
        happened["title"] = page.locator("#subject").inner_text()
        page.locator("#stage").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_selector(".candidate")
        wait()
        note("keyboard")
        page.emulate_media(color_scheme="dark")
        happened["contrast"] = {"dark": page.evaluate(CONTRAST)}
        shot("web-dark")
        page.locator("#theme").click()
        happened["contrast"]["light"] = page.evaluate(CONTRAST)
        page.locator("#theme").click()

        # an image and a reference of the user's own
        page.locator("#image-file").set_input_files(f"{folder}/image.png")
        page.wait_for_function("document.querySelector('#subject').innerText === 'image.png'")
        page.locator("#reference-file").set_input_files(f"{folder}/reference.png")
        page.wait_for_function("document.querySelector('#reference').value === 'reference.png'")
        click(45, 50)
        page.wait_for_selector(".candidate")
        wait()
        note("opened")

        happened["beyond"] = {}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 860})
            page.wait_for_timeout(150)
            happened["beyond"][width] = page.evaluate(BEYOND)
            if width in (380, 800):
                shot(f"web-{width}")
        browser.close()
    print(json.dumps(happened))


main()
