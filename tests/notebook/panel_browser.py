"""Looks at and works the pick panel in Chromium; prints what happened, as JSON.

Usage: panel_browser.py CHROMIUM [FOLDER for screenshots], with the cases as JSON
on the standard input: {"work": [...], "look": [[name, url], ...]}.
"""

import json
import shutil
import sys

from playwright.sync_api import sync_playwright

WIDTHS = [128, 160, 200, 256, 300, 320, 380, 420, 480, 560, 620, 700, 800, 900, 1000, 1280, 1600, 2000]

# where the browser itself lays a pixel of the image out
PLACE = """([x, y, width, height]) => {
  const svg = document.querySelector('.spa-pick-main > svg > svg');
  const mark = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  for (const [name, value] of Object.entries({ x, y, width, height, opacity: 0 })) mark.setAttribute(name, value);
  svg.append(mark);
  const box = mark.getBoundingClientRect().toJSON();
  mark.remove();
  return box;
}"""

# what reaches beyond the panel, or is cut off in it
BEYOND = """() => {
  const root = document.querySelector('.spa-pick');
  const edge = root.getBoundingClientRect();
  const out = [...root.querySelectorAll('*')].filter((one) => {
    if (one.closest('svg') !== null && one.tagName !== 'svg') return false;
    if (one.parentElement.closest('svg')) return false;
    const box = one.getBoundingClientRect();
    return box.width > 0 && (box.right > edge.right + 0.5 || box.left < edge.left - 0.5);
  });
  return [document.documentElement.scrollWidth - innerWidth, out.map((one) => one.className || one.tagName)];
}"""

# the least contrast of a text with what is behind it (WCAG)
CONTRAST = """() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map((v) => {
      const c = v / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const { backgroundColor } = getComputedStyle(one);
      if (!/, 0\\)$|transparent/.test(backgroundColor)) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  };
  let least = 21, which = '';
  for (const one of document.querySelectorAll('.spa-pick *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || one.closest('svg, style, script')) continue;
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) [least, which] = [ratio, one.className || one.tagName];
  }
  return [least, which];
}"""


def work(page, case, rest):
    def place(*box):
        return page.evaluate(PLACE, list(box))

    def turn(pixel, notches):
        box = place(*pixel, 1, 1)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(notches):
            page.mouse.wheel(0, -120)
            page.wait_for_timeout(30)

    def columns():
        view = page.locator(".spa-pick-main > svg > svg").get_attribute("viewBox")
        return float(view.split()[2])

    turn(case["pixel"], case["wheel"])
    seen = {"columns": columns()}
    if case.get("pan"):
        box = page.locator(".spa-pick-main > svg").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y - 25, steps=4)
        page.mouse.up()
        seen["status"] = page.locator(".spa-pick-status").inner_text()
    if case.get("reset"):
        box = page.locator(".spa-pick-main > svg").bounding_box()
        page.mouse.dblclick(box["x"] + 30, box["y"] + 30)
        page.wait_for_timeout(400)
        seen["after"] = columns()
    if case.get("box"):
        page.locator("input[value=box]").check()
        box = place(*case["box"])
        page.mouse.move(box["x"] + 0.2, box["y"] + 0.2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
        page.mouse.move(box["x"] + box["width"] - 0.2, box["y"] + box["height"] - 0.2, steps=3)
        page.mouse.up()
    elif case.get("paint"):
        tool, size, right, down = case["paint"]
        page.locator(f"input[value={tool}]").check()
        page.locator("[data-view=size]").evaluate(
            "(one, size) => { one.value = size; one.dispatchEvent(new Event('input')); }", str(size))
        box = place(*case["pixel"], 1, 1)
        end = place(case["pixel"][0] + right, case["pixel"][1] + down, 1, 1)
        middle = [(one["x"] + one["width"] / 2, one["y"] + one["height"] / 2) for one in (box, end)]
        page.mouse.move(*middle[0])
        page.mouse.down()
        page.mouse.move(*middle[1], steps=25)
        if rest:
            page.screenshot(path=f"{rest[0]}/paint-{tool}.png", full_page=True)
        page.mouse.up()
    elif case.get("jump"):
        page.locator("summary").click()
        page.locator(f"a[data-path='{case['jump']}']").click()
    else:
        box = place(*case["pixel"], 1, 1)
        right, down = case["corner"]
        seen_box = page.locator(".spa-pick-main > svg").bounding_box()  # the pixel may be cut off
        left, top = max(box["x"], seen_box["x"]), max(box["y"], seen_box["y"])
        width = min(box["right"], seen_box["x"] + seen_box["width"]) - left
        height = min(box["bottom"], seen_box["y"] + seen_box["height"]) - top
        page.mouse.click(left + right * width, top + down * height)
    page.wait_for_selector(".spa-pick-done", state="attached", timeout=8000)
    page.wait_for_timeout(200)
    return seen


def main():
    chromium, *rest = sys.argv[1:]
    asked = json.load(sys.stdin)
    happened = {"cases": [], "widths": {}, "contrast": {}, "dark": []}
    errors = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])

        def open_page(url, **options):
            page = browser.new_page(**options)
            page.on("pageerror", lambda error: errors.append(str(error)[:200]))
            page.goto(url)
            page.wait_for_selector(".spa-pick-main > svg")
            page.wait_for_timeout(300)
            return page

        for case in asked["work"]:
            page = open_page(case["url"], viewport={"width": 1000, "height": 900},
                             device_scale_factor=case["scale"])
            happened["cases"].append(work(page, case, rest))
            page.close()
        for theme in ("light", "dark"):
            for name, url in asked["look"]:
                page = open_page(url, viewport={"width": 900, "height": 1000}, color_scheme=theme)
                for more in page.locator("summary, input[value=brush]").all():
                    more.click()
                happened["contrast"][f"{name} {theme}"] = page.evaluate(CONTRAST)
                for width in WIDTHS if theme == "light" else [300, 900]:
                    page.set_viewport_size({"width": width, "height": 1000})
                    page.wait_for_timeout(60)
                    if theme == "light":
                        happened["widths"][f"{name} {width}"] = page.evaluate(BEYOND)
                    if rest and width in (128, 300, 560, 900, 2000):
                        page.screenshot(path=f"{rest[0]}/panel-{name}-{theme}-{width}.png", full_page=True)
                if theme == "light":  # the dark themes of JupyterLab and of VS Code
                    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
                    happened["contrast"][f"{name} lab"] = page.evaluate(CONTRAST)
                    happened["dark"].append(page.evaluate("getComputedStyle(document.querySelector('.spa-pick')).backgroundColor"))
                    page.evaluate("document.body.dataset.jpThemeLight = 'true'; document.body.classList.add('vscode-dark')")
                    happened["dark"].append(page.evaluate("getComputedStyle(document.querySelector('.spa-pick')).backgroundColor"))
                page.close()
        browser.close()
    print(json.dumps({**happened, "errors": errors}))


main()
