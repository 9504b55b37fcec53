"""Takes a picture of a page's panel in Chromium.

Usage: panel_picture.py CHROMIUM URL FILE.png
"""

import shutil
import sys

from playwright.sync_api import sync_playwright

chromium, url, path = sys.argv[1:]
with sync_playwright() as play:
    browser = play.chromium.launch(executable_path=shutil.which(chromium), args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 960, "height": 900}, device_scale_factor=2)
    page.goto(url)
    page.wait_for_selector(".spa-pick-main > svg")
    page.wait_for_timeout(500)
    page.hover("a[data-candidate='1']")
    page.wait_for_timeout(300)
    page.locator(".spa-pick").screenshot(path=path)
    browser.close()
