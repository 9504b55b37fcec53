"""Works the panel of a volume in Chromium; prints what happened, as JSON.

Usage: volume_panel.py CHROMIUM URL-OF-WORK URL-OF-WIDTHS URL-OF-BACK URL-OF-FORTH [FOLDER for screenshots]
"""

import json
import shutil
import sys
import time

from playwright.sync_api import sync_playwright

# what the main picture shows, and the two planes
SEEN = """() => {
  const over = document.querySelector('image[data-elsewhere]');
  const base = document.querySelector('defs > image').getAttribute('href');
  const text = (uri) => uri && uri.startsWith('data:image/svg') ? decodeURIComponent(uri.split(',').slice(1).join(',')) : '';
  return {
    where: document.querySelector('[data-where]').textContent,
    elsewhere: over.style.display !== 'none',
    outlined: text(over.getAttribute('href')).includes('<path'),
    windowed: base.startsWith('data:image/svg'),
    window: document.querySelector('[data-window]').textContent,
    planes: [...document.querySelectorAll('.spa-pick-plane > img')].map((one) => one.naturalWidth),
    cuts: [...document.querySelectorAll('[data-cut]')].map((one) => one.style.top || one.style.left),
    status: document.querySelector('.spa-pick-status').textContent,
    seen: [...document.querySelectorAll('.spa-pick-seen')].map((one) => one.dataset.slice),
  };
}"""

# how the picture under an image element looks: its mean, as the browser draws it
MEAN = """async (uri) => {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [64, 64];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 64, 64);
  const { data } = context.getImageData(0, 0, 64, 64);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i];
  return sum / (data.length / 4);
}"""

BEYOND = """() => {
  const root = document.querySelector('.spa-pick');
  const edge = root.getBoundingClientRect();
  const out = [...root.querySelectorAll('.spa-pick-slices *')].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && (box.right > edge.right + 0.5 || box.left < edge.left - 0.5) && !one.closest('.spa-pick-plane');
  });
  return [document.documentElement.scrollWidth - innerWidth, out.length];
}"""


DRAWN = "[...document.querySelectorAll('.spa-pick-plane > img')].every((one) => one.naturalWidth > 0)"


def until(page, ready, seconds=60):
    """Asks until it is so. What asks within the page needs eval, which its policy refuses."""
    end = time.monotonic() + seconds
    while not page.evaluate(ready):
        if time.monotonic() > end:
            raise TimeoutError(ready)
        page.wait_for_timeout(20)


def main():
    chromium, url, other, back, forth, *rest = sys.argv[1:]
    steps, errors, widths = {}, [], {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 940, "height": 1300})
        page.on("pageerror", lambda error: errors.append(str(error)[:300]))
        page.goto(url)
        until(page, DRAWN)

        def see(name, ready="() => true"):
            until(page, ready)
            page.wait_for_timeout(150)
            steps[name] = page.evaluate(SEEN)
            if rest:
                page.screenshot(path=f"{rest[0]}/volume-{name}.png", full_page=True)

        over = "document.querySelector('image[data-elsewhere]').style.display"
        see("start")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        see("right", f"() => {over} !== 'none'")
        page.keyboard.press("a")  # nothing of the open slice is accepted here
        see("blocked")
        page.keyboard.press("Escape")
        see("back", f"() => {over} === 'none'")
        page.locator("a[data-slice='4']").click()
        see("strip", f"() => {over} !== 'none'")
        page.keyboard.press("Escape")
        # the window, by keys and by the right button
        base = "document.querySelector('defs > image').getAttribute('href')"
        before = page.evaluate(MEAN, page.evaluate(base))
        for _ in range(4):
            page.keyboard.press(".")
        see("brighter", f"() => {base}.startsWith('data:image/svg')")
        steps["brighter"]["means"] = [before, page.evaluate(MEAN, page.evaluate(base))]
        box = page.locator(".spa-pick-main > svg").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down(button="right")
        page.mouse.move(x + 90, y, steps=5)
        page.mouse.up(button="right")
        see("contrast")
        page.locator("[data-reset-window]").click()
        see("reset", f"() => !{base}.startsWith('data:image/svg')")
        # a click in the first plane goes to another slice
        plane = page.locator(".spa-pick-plane").first
        box = plane.bounding_box()
        plane.click(position={"x": box["width"] / 2, "y": box["height"] * 8.5 / 12})
        see("plane", f"() => {over} !== 'none'")
        # a click there opens it
        box = page.locator(".spa-pick-main > svg").bounding_box()
        page.mouse.click(box["x"] + box["width"] * 20.5 / 56, box["y"] + box["height"] * 28.5 / 56)
        page.wait_for_selector(".spa-pick-done", state="attached", timeout=60000)
        page.close()
        for address in (back, forth):
            page = browser.new_page(viewport={"width": 940, "height": 1300})
            page.on("pageerror", lambda error: errors.append(str(error)[:300]))
            page.goto(address)
            until(page, DRAWN)
            if address == back:  # from another slice, too
                page.keyboard.press("ArrowRight")
                until(page, f"() => {over} !== 'none'")
                page.locator(".spa-pick-history summary").click()
                page.locator("a[data-path='jump/0']").click()
            else:
                page.keyboard.press("r")
            page.wait_for_selector(".spa-pick-done", state="attached", timeout=60000)
            page.close()
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 900, "height": 1300}, color_scheme=theme)
            page.on("pageerror", lambda error: errors.append(str(error)[:300]))
            page.goto(other)
            until(page, DRAWN)
            for width in (200, 320, 560, 900, 1600):
                page.set_viewport_size({"width": width, "height": 1300})
                page.wait_for_timeout(80)
                widths[f"{theme} {width}"] = page.evaluate(BEYOND)
                if rest and width in (320, 900):
                    page.screenshot(path=f"{rest[0]}/volume-{theme}-{width}.png", full_page=True)
            page.close()
        browser.close()
    print(json.dumps({"steps": steps, "errors": errors, "widths": widths}))


main()
