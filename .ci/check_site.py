"""Open every page of the site in headless Chromium: python .ci/check_site.py [FOLDER].

Each page is opened at the width of a phone and of a desk, light and dark. It must not be
cut or wider than the window, show raw TeX, miss an image, load anything from elsewhere, log
an error, or link to a page or an anchor that is not there, and code that is copied must be
Python. ``--pages`` names the pages to open. Needs selenium, and chromium and chromedriver
on the path (Debian: apt-get install chromium chromium-driver).
"""

import argparse
import functools
import http.server
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

ROOT = Path(__file__).parents[1]
WIDTHS, THEMES = (390, 1400), ("light", "dark")
# Nothing of the browser's own goes to the network.
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--disable-dev-shm-usage",
]

LOADED = """
const done = arguments[0];
(async () => {
  const still = document.createElement('style');
  still.textContent = '* { transition: none !important; }';
  document.head.append(still);
  for (const image of document.images) image.loading = 'eager';
  if (window.MathJax?.startup) await MathJax.startup.promise;
  await document.fonts.ready;
  await Promise.allSettled([...document.images].map(image => image.decode()));
  const found = [];
  for (const image of document.images)
    if (!image.naturalWidth) found.push(`no image ${image.src}`);
  for (const entry of performance.getEntriesByType('resource'))
    if (!entry.name.startsWith(location.origin) && !entry.name.startsWith('data:'))
      found.push(`loaded from elsewhere: ${entry.name}`);
  for (const error of document.querySelectorAll('mjx-merror, .math mjx-utext'))
    found.push(`formula: ${error.title || error.textContent}`);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const source = 'pre, code, script, style, mjx-container';
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    if (/\\\\[([]|\\$\\$|\\\\[a-z]+[{_^ ]|:(math|class|func|meth|ref|term):`/.test(text)
        && !walker.currentNode.parentElement.closest(source))
      found.push(`raw source: ${text.slice(0, 60)}`);
  }
  const copied = [];
  document.execCommand = () => copied.push(document.activeElement.value) > 0;
  for (const button of document.querySelectorAll('button.copybtn'))
    if (button.parentElement.innerText.startsWith('>>>')) button.click();
  done({
    found,
    copied,
    links: [...document.querySelectorAll('a[href]')].map(a => a.href),
    anchors: [...document.querySelectorAll('[id], a[name]')].map(e => e.id || e.name),
  });
})().catch(error => done({found: [`${error}`], copied: [], links: [], anchors: []}));
"""

# Text beyond the window, or cut by a box that does not scroll.
CUT = """
const found = new Set(), width = document.documentElement.clientWidth;
const name = e => e.tagName.toLowerCase() + (e.className ? '.' + e.className : '');
if (document.documentElement.scrollWidth > width + 1)
  found.add(`the page is ${document.documentElement.scrollWidth} px wide`);
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const range = document.createRange();
while (walker.nextNode()) {
  const node = walker.currentNode, parent = node.parentElement;
  if (!node.data.trim() || !parent.checkVisibility({visibilityProperty: true})
      || parent.closest('mjx-assistive-mml, .visually-hidden, dialog, .sr-only')) continue;
  range.selectNodeContents(node);
  for (const box of range.getClientRects()) {
    if (box.width < 1) continue;
    let right = width, left = 0, scrolls = false;
    for (let e = parent; e; e = e.parentElement) {
      const {overflowX, textOverflow} = getComputedStyle(e);
      if (overflowX === 'visible') continue;
      scrolls = /auto|scroll/.test(overflowX) || textOverflow === 'ellipsis';
      if (e !== document.body && e !== document.documentElement) {
        const outer = e.getBoundingClientRect();
        right = outer.right; left = outer.left;
      }
      break;
    }
    const cell = parent.closest('td, th')?.getBoundingClientRect();
    if (cell && box.right > cell.right + 1.5 && !parent.closest('td > pre, td > div'))
      found.add(`beyond its cell: ${name(parent)} "${node.data.trim().slice(0, 60)}"`);
    if (!scrolls && (box.right > right + 1.5 || box.left < left - 1.5))
      found.add(`cut at ${Math.round(box.right)} px: ${name(parent)} `
                + `"${node.data.trim().slice(0, 60)}"`);
  }
}
for (const box of document.querySelectorAll('img, svg, table, pre, .sd-card')) {
  const at = box.getBoundingClientRect();
  if (at.width && box.checkVisibility() && at.right > width + 1.5) {
    let e = box.parentElement;
    while (e && getComputedStyle(e).overflowX === 'visible') e = e.parentElement;
    if (!e || e === document.body || e === document.documentElement)
      found.add(`${name(box)} reaches ${Math.round(at.right)} px`);
  }
}
return [...found];
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve files, and write nothing."""

    def log_message(self, *arguments):
        pass


def serve(folder):
    """Serve a folder from a thread; return its address."""
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def start(profile):
    """Start Chromium."""
    from selenium import webdriver

    os.environ["no_proxy"] = "127.0.0.1,localhost"
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    driver.set_script_timeout(60)
    return driver


def resize(driver, width):
    """Give the window a width, also one below the least of a desktop's window."""
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 800}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def unfit(codes):
    """Return the errors of code that is not Python."""
    found = []
    for code in codes:
        try:
            compile(code, "copied", "exec")
        except SyntaxError as error:
            found.append(f"{error} in {code!r}")
    return found


def check_search(driver, address):
    """Search for a word; return what is wrong with the results and their excerpts."""
    driver.get(f"{address}search.html?q=gradient")
    for _ in range(100):
        excerpts = driver.execute_async_script(
            "setTimeout(arguments[0], 100,"
            " [...document.querySelectorAll('#search-results p.context')]"
            ".map(excerpt => excerpt.textContent))"
        )
        if excerpts:
            return [f"search.html: {text}" for text in excerpts if "\\" in text]
    return ["search.html: nothing found for 'gradient'"]


def check_links(pages, address, folder):
    """Return the links within the site that lead nowhere."""
    wrong = []
    for page, (links, _) in pages.items():
        for link in sorted(set(links)):
            target, anchor = urldefrag(urljoin(address + page, link))
            if not target.startswith(address):
                continue
            name = unquote(target.removeprefix(address).partition("?")[0])
            name = f"{name}index.html" if name == "" or name.endswith("/") else name
            if not (folder / name).is_file():
                wrong.append(f"{page}: no page {name}")
            elif anchor and name in pages and unquote(anchor) not in pages[name][1]:
                wrong.append(f"{page}: no anchor {name}#{anchor}")
    return wrong


def check(folder, chosen):
    """Open the pages; return what is wrong with them."""
    address, wrong, pages = serve(folder), [], {}
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    names = [name for name in names if not name.startswith("_static/")]
    with tempfile.TemporaryDirectory() as profile:
        driver = start(profile)
        try:
            for name in chosen or names:
                resize(driver, WIDTHS[0])
                driver.get(address + name)
                page = driver.execute_async_script(LOADED)
                pages[name] = page["links"], set(page["anchors"])
                wrong += [f"{name}: {line}" for line in page["found"]]
                wrong += [f"{name}: copied: {x}" for x in unfit(page["copied"])]
                for width in WIDTHS:
                    resize(driver, width)
                    for theme in THEMES:
                        driver.execute_script(
                            "document.documentElement.dataset.theme = arguments[0];"
                            "document.documentElement.dataset.mode = arguments[0];",
                            theme,
                        )
                        where = f"{name}, {width} px, {theme}"
                        wrong += [f"{where}: {x}" for x in driver.execute_script(CUT)]
                for entry in driver.get_log("browser"):
                    if entry["level"] == "SEVERE":
                        wrong.append(f"{name}: console: {entry['message']}")
            if not chosen:
                wrong += check_search(driver, address)
        finally:
            driver.quit()
    if not chosen:
        wrong += check_links(pages, address, folder)
    print(f"{len(pages)} pages, {len(wrong)} faults")
    return wrong


def main():
    """Print what is wrong; return whether anything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    site = ROOT / "docs" / "_build" / "html"
    parser.add_argument("folder", nargs="?", type=Path, default=site)
    parser.add_argument("--pages", nargs="+")
    arguments = parser.parse_args()
    if not (arguments.folder / "index.html").is_file():
        sys.exit(f"There is no site in {arguments.folder}: build it first.")
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            sys.exit(f"There is no {program}: apt-get install chromium chromium-driver")
    wrong = check(arguments.folder, arguments.pages)
    print(*wrong, sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
