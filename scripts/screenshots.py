"""Make the pictures of docs/console.md: a demo service, a few objects, and Chromium looking at each view.

`scripts/screenshots.py` writes docs/images/*.png, made small with pngquant where it is installed. `--review FOLDER [ROUTE…]` makes every
view in both themes and languages at three widths instead, to be looked at. The pictures of the documentation were made with the fonts
Inter, JetBrains Mono and Noto Sans CJK installed; the page takes what the system has.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from playwright.sync_api import Error, sync_playwright

import mossaic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
KEY_ID, SECRET = "screenshotKeyId", "screenshotSecret0123456789"  # of a service that lives for a minute
BUCKET = "holiday-photos"
BUCKETS = {
    "build-artifacts": "private",
    BUCKET: "private",
    "team-archive": "private",
    "website-assets": "public-read",
}
ROUTES = {
    "buckets": "/",
    "transfers": "/transfers",
    "objects": f"/b/{BUCKET}/objects/",
    "folder": f"/b/{BUCKET}/objects/2026/lake/",
    "object": f"/b/{BUCKET}/object/2026/lake/morning.png",
    "upload": f"/b/{BUCKET}/upload/2026/",
    "tasks": f"/b/{BUCKET}/tasks",
    "settings": f"/b/{BUCKET}/settings",
    "cors": f"/b/{BUCKET}/settings/cors",
    "lifecycle": f"/b/{BUCKET}/settings/lifecycle",
    "versioning": f"/b/{BUCKET}/settings/versioning",
    "policy": f"/b/{BUCKET}/settings/policy",
    "tags": f"/b/{BUCKET}/settings/tags",
    "acl": f"/b/{BUCKET}/settings/acl",
    "callbacks": f"/b/{BUCKET}/callbacks",
    "links": f"/b/{BUCKET}/links",
}
# Playwright drives the file chooser of an <input>, not the pickers that give handles.
NO_HANDLES = "delete window.showOpenFilePicker; delete window.showDirectoryPicker;"
COUNT_PENDING = """
window.pending = 0;
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (...given) {
  window.pending += 1;
  this.addEventListener("loadend", () => { window.pending -= 1; });
  return send.apply(this, given);
};
"""
HALFWAY = """() => [...document.querySelectorAll(".transfer [role=progressbar]")]
  .some((bar) => bar.ariaValueNow >= 42 && bar.ariaValueNow < 100)"""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--disable-dev-shm-usage",
]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a page is looked at."""

    width: int = 1280
    height: int = 800
    theme: str = "light"
    lang: str = "en"
    scale: float = 1

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}-{self.lang}"


# --- the service and what lies in it ---------------------------------------------------------------------------------


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """A service with callbacks to loopback allowed; its endpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    env = os.environ | {
        "MOSSAIC_ACCESS_KEY_ID": KEY_ID,
        "MOSSAIC_ACCESS_KEY_SECRET": SECRET,
        "MOSSAIC_ACCOUNT_ID": "1234567890123456",
        "MOSSAIC_CALLBACK_ALLOW_LOOPBACK": "true",
    }
    command = [sys.executable, "-m", "mossaic", "serve", "--listen", host, "--data", str(folder / "data")]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    try:
        wait_for(f"http://{host}/-/readyz")
        yield f"http://{host}"
    finally:
        process.terminate()
        process.wait(15)


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer")


def furnish(endpoint: str) -> None:
    """Buckets, pictures, an unfinished upload, rules, and a callback."""
    credentials = mossaic.Credentials(access_key_id=KEY_ID, access_key_secret=SECRET)
    for name, acl in BUCKETS.items():
        with mossaic.Client(endpoint, bucket=name, credentials=credentials) as client:
            client.put_bucket(acl=acl)
            for key, data in objects_of(name).items():
                client.put(key, data)
    with mossaic.Client(endpoint, bucket=BUCKET, credentials=credentials) as client:
        unfinished(client)
        client.put_cors(
            [
                mossaic.CorsRule(
                    allowed_origins=("https://app.example.com",),
                    allowed_methods=("GET", "PUT", "POST", "DELETE"),
                    allowed_headers=("*",),
                    expose_headers=("ETag", "x-oss-request-id"),
                    max_age_s=600,
                )
            ]
        )
        with receiver() as url:
            for order in ("4711", "4712"):
                callback = mossaic.Callback(
                    url=url, body="object=${object}&size=${size}&order=${x:order}", vars={"order": order}
                )
                client.put(f"orders/{order}.json", b'{"state":"paid"}', callback=callback)


@contextmanager
def receiver() -> Iterator[str]:
    """An application server that takes callbacks; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = b'{"status":"recorded"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/uploads/done"
    finally:
        server.shutdown()
        server.server_close()


def objects_of(bucket: str) -> dict[str, bytes]:
    if bucket == BUCKET:
        names = ["boats", "evening", "jetty", "morning", "reeds", "shore"]
        pictures = {f"2026/lake/{name}.png": picture(480, 320, seed) for seed, name in enumerate(names)}
        return pictures | {
            "2026/notes.md": b"# Lake, summer 2026\n\n- Jetty at sunrise\n- Boats in the fog\n" * 12,
            "2026/mountains/panorama.png": picture(640, 240, 9),
            "albums/2025.json": json.dumps({"album": "2025", "pictures": list(range(400))}).encode(),
            "invitation.txt": "You are invited. 欢迎光临。\n".encode(),
            "index.html": b"<!doctype html><title>Holiday</title>",
            "map.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        }
    return {f"{bucket}/{n:03d}.bin": bytes(9000 * (n + len(bucket))) for n in range(len(bucket))}


def unfinished(client: mossaic.Client) -> None:
    for key, numbers in {
        "video/regatta.mp4": (1, 2, 3, 5, 6),
        "video/fireworks.mov": (1, 2),
        "raw/DSC_2041.nef": (1,),
    }.items():
        upload = client.init_multipart_upload(key)
        for number in numbers:
            client.upload_part(upload, number, bytes(400_000 + 90_000 * number))


def picture(width: int, height: int, seed: int) -> bytes:
    """A PNG of a sky over water, drawn here so that no file of somebody else is needed."""
    rows = bytearray()
    horizon = height * (0.5 + 0.06 * math.sin(seed))
    for y in range(height):
        rows.append(0)
        for x in range(width):
            hill = horizon - 26 * (1 + math.sin(x / 53 + seed)) - 9 * math.sin(x / 17 + 2 * seed)
            if y < hill:
                t = y / horizon
                rows += bytes((int(120 + 110 * t), int(165 + 50 * t - 6 * seed), int(215 - 20 * t)))
            elif y < horizon:
                rows += bytes((54 + 3 * seed, 92 - 2 * seed, 74))
            else:
                t = (y - horizon) / (height - horizon)
                glint = 18 if math.sin(y * 1.9 + math.sin(x / 23 + seed)) > 0.7 else 0
                rows += bytes(
                    (int(88 - 40 * t) + glint, int(140 - 50 * t) + glint, int(160 - 45 * t) + glint)
                )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


# --- looking ---------------------------------------------------------------------------------------------------------


@contextmanager
def looking(browser: Browser, endpoint: str, look: Look, *, signed_in: bool = True) -> Iterator[Page]:
    context = browser.new_context(
        locale="zh-CN" if look.lang == "zh" else "en-GB",
        color_scheme="dark" if look.theme == "dark" else "light",
        viewport={"width": look.width, "height": look.height},
        device_scale_factor=look.scale,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.add_init_script(NO_HANDLES + COUNT_PENDING)
    page.set_default_timeout(20_000)
    page.on(
        "console",
        lambda message: print(f"  {message.type}: {message.text}") if message.type == "error" else None,
    )
    page.goto(f"{endpoint}/-/console/")
    if signed_in:
        page.locator("[name=username]").fill(KEY_ID)
        page.locator("[name=password]").fill(SECRET)
        page.locator("form [type=submit]").click()
        page.locator("nav.nav").wait_for()
    else:
        page.locator("form.signin-form").wait_for()
    yield page
    context.close()


def go(page: Page, route: str) -> None:
    page.evaluate("path => { location.hash = path; }", route)
    page.locator("main h1").first.wait_for()
    page.locator(".skeleton").first.wait_for(state="detached")
    settle(page)
    page.mouse.move(0, 0)


def settle(page: Page) -> None:
    """Until all that was asked for has come, and half a second of quiet after it."""
    page.wait_for_function("() => window.pending === 0 && !document.querySelector('.skeleton, .is-busy')")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    page.wait_for_function("() => window.pending === 0")


def too_wide(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def shoot(page: Page, file: Path) -> None:
    page.screenshot(path=file)
    if shutil.which("pngquant"):
        command = [
            "pngquant",
            "--quality",
            "70-95",
            "--speed",
            "1",
            "--strip",
            "--force",
            "--ext",
            ".png",
            str(file),
        ]
        subprocess.run(command, check=False)


def review(browser: Browser, endpoint: str, folder: Path, names: list[str]) -> None:
    sizes = [int(size) for size in os.environ.get("SIZES", "1440,768,360").split(",")]
    themes = os.environ.get("THEMES", "light,dark").split(",")
    langs = os.environ.get("LANGS", "en,zh").split(",")
    for width, theme, lang in itertools.product(sizes, themes, langs):
        look = Look(width=width, height=780 if width < 500 else 900, theme=theme, lang=lang)
        with looking(browser, endpoint, look) as page:
            for name in names:
                try:
                    go(page, ROUTES[name])
                except Error as error:
                    print(f"{name} {look}: {str(error).splitlines()[0]}")
                if too_wide(page) > 0:
                    print(f"{name} {look}: {too_wide(page)} px too wide")
                page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)


def pictures(browser: Browser, endpoint: str, folder: Path) -> None:
    """The pictures of the documentation."""
    folder.mkdir(parents=True, exist_ok=True)
    with looking(browser, endpoint, Look(), signed_in=False) as page:
        shoot(page, folder / "sign-in.png")
    with looking(browser, endpoint, Look()) as page:
        for name in ("buckets", "objects", "object", "tasks", "callbacks"):
            go(page, ROUTES[name])
            if name == "callbacks":
                page.locator(".callback-head").first.click()
            shoot(page, folder / f"{name}.png")
        cors(page, folder / "cors.png")
        drop = links(page, folder / "links.png")
        page.goto(drop)
        page.locator("h1").first.wait_for()
        page.wait_for_load_state("networkidle")
        shoot(page, folder / "drop.png")
    with looking(browser, endpoint, Look()) as page:
        uploading(page, staged=folder / "upload.png", sending=folder / "transfers.png")
    with looking(browser, endpoint, Look(theme="dark")) as page:
        go(page, ROUTES["folder"])
        shoot(page, folder / "dark.png")
    with looking(browser, endpoint, Look(width=390, height=800, lang="zh", theme="dark", scale=1.5)) as page:
        uploading(page, sending=folder / "phone-zh.png")


def cors(page: Page, file: Path) -> None:
    """A rule for one origin, and what a page of it would see."""
    go(page, ROUTES["cors"])
    page.get_by_label("Origin of the page").fill("https://app.example.com")
    page.get_by_role("button", name="Test").click()
    page.wait_for_timeout(200)
    settle(page)
    page.get_by_text("What would a page see?").evaluate(
        "node => scrollBy(0, node.getBoundingClientRect().top - 48)"
    )
    shoot(page, file)


def links(page: Page, file: Path) -> str:
    """An upload link made in the dialog; its URL."""
    go(page, ROUTES["links"])
    page.locator(".page-actions .is-primary").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("Pictures for the album")
    dialog.get_by_role("button", name="Make the link").click()
    url = dialog.get_by_label("Link", exact=True).input_value()
    dialog.get_by_role("button", name="Done").click()
    page.locator(".table-row").first.wait_for()
    shoot(page, file)
    return url


def uploading(page: Page, *, sending: Path, staged: Path | None = None) -> None:
    """What is chosen, then halfway through a large file, over a line of 8 MB/s."""
    go(page, ROUTES["upload"])
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": 8_000_000}
    line.send("Network.emulateNetworkConditions", slow)
    with tempfile.TemporaryDirectory() as folder:
        chosen = [Path(folder) / name for name in ("regatta.mp4", "morning.png", "sunset.png")]
        chosen[0].write_bytes(random.Random(1).randbytes(240_000_000))
        for seed, path in enumerate(chosen[1:]):
            path.write_bytes(picture(480, 320, seed))
        with page.expect_file_chooser() as opened:
            page.locator(".dropzone-buttons .is-primary").click()
        opened.value.set_files([str(path) for path in chosen])
        page.locator(".send-bar .is-primary").wait_for()
        if staged is not None:
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(800)
            shoot(page, staged)
        page.locator(".send-bar .is-primary").click()
        page.evaluate("location.hash = '/transfers'")
        row = page.locator(".transfer", has_text="regatta.mp4")
        row.locator("[aria-expanded]:not([aria-haspopup])").click()
        page.wait_for_function(HALFWAY)
        page.evaluate("scrollTo(0, 0)")
        shoot(page, sending)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--review", metavar="FOLDER", type=Path)
    parser.add_argument("names", nargs="*", metavar="VIEW", help=f"views to review: {', '.join(ROUTES)}")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        service(Path(folder)) as endpoint,
        sync_playwright() as playwright,
    ):
        furnish(endpoint)
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        if asked.review:
            asked.review.mkdir(parents=True, exist_ok=True)
            review(browser, endpoint, asked.review, asked.names or list(ROUTES))
        else:
            pictures(browser, endpoint, IMAGES)
        browser.close()


if __name__ == "__main__":
    main()
