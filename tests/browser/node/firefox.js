// One visit in Firefox over WebDriver BiDi: sign in, upload a file, see it, delete it, sign out. Prints what it saw as JSON.

"use strict";

const puppeteer = require("puppeteer-core");

const { firefox, url, bucket, accessKeyId, accessKeySecret, file } = JSON.parse(process.argv[2]);
const troubles = [];

async function main() {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: firefox, headless: true, extraPrefsFirefox: { "intl.accept_languages": "en-GB" } });
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    page.setDefaultTimeout(60000);
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    page.on("pageerror", (error) => troubles.push(String(error)));
    return await visit(page);
  } finally {
    await browser.close();
  }
}

async function visit(page) {
  const seen = {};
  await page.goto(url);
  await page.locator("[name=username]").fill(accessKeyId);
  await page.locator("[name=password]").fill(accessKeySecret);
  await page.locator(".signin-form [type=submit]").click();
  await page.locator("nav.nav").wait();
  await page.locator("td .bucket-name").wait();
  seen.buckets = await texts(page, "td .bucket-name");

  await go(page, `/b/${bucket}/upload/`);
  const [chooser] = await Promise.all([page.waitForFileChooser(), page.locator(".dropzone-buttons .is-primary").click()]);
  await chooser.accept([file]);
  await page.locator(".send-bar .is-primary").click();
  await page.locator(".transfer[data-state=done]").wait();
  seen.transfer = await textOf(page, ".transfer[data-state=done]");

  await go(page, `/b/${bucket}/objects/`);
  await page.locator("td .object-name").wait();
  seen.objects = await texts(page, "td .object-name");
  await page.locator("td[data-column=actions] button").click();
  await page.locator(".menu-item.is-danger").click();
  await page.locator("dialog .dialog-foot .is-danger").click();
  await page.locator(".toast.is-good").wait();
  await page.waitForSelector("td .object-name", { hidden: true });
  seen.left = await texts(page, "td .object-name");

  await page.locator(".who").click();
  await page.locator(".menu-item:last-child").click();
  await page.locator(".signin-form").wait();
  seen.kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  return seen;
}

const texts = (page, selector) => page.$$eval(selector, (nodes) => nodes.map((node) => node.textContent.trim()));
const textOf = async (page, selector) => (await texts(page, selector))[0];

async function go(page, path) {
  await page.evaluate((to) => (location.hash = to), path);
  await page.locator("main h1").wait();
}

main().then(
  (seen) => console.log(JSON.stringify({ seen, troubles })),
  (error) => {
    console.error(error, troubles);
    process.exit(1);
  },
);
