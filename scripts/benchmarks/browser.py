"""Child: one wallboard in a real Chromium. Notes when the figure of the day's calls changed in the page that it draws.

Says when the page is live; told ``enough`` it says (when, figure) of each change. The page's own clock is the
machine's, turned into the monotonic one that the other children use.
"""

import asyncio
import os
import sys
import time

from playwright.async_api import async_playwright

from benchmarks.measure import say

CHROMIUM = os.environ.get("CALLCENTER_CHROMIUM", "/usr/bin/chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
)
WATCH = """() => {
  const seen = window.seen = [], part = document.querySelector('[data-part="lost"]');
  const note = () => {
    const all = part.querySelectorAll('.mid'), figure = Number(all[all.length - 1].textContent);
    if (!seen.length || seen[seen.length - 1][1] !== figure) seen.push([Date.now() / 1000, figure]);
  };
  new MutationObserver(note).observe(part, {childList: true, subtree: true, characterData: true});
}"""


async def main(address: str, token: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.context.add_cookies([{"name": "cc_wall", "value": token, "url": address}])
        await page.goto(address + "/wallboard")
        await page.wait_for_selector("body[data-ready]")
        await page.evaluate(WATCH)
        say(greeted=1)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        seen = await page.evaluate("window.seen")
        ahead = time.time() - time.monotonic()
        await browser.close()
    say(figures=[(at - ahead, figure) for at, figure in seen])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
