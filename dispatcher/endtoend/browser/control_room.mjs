// The Control Room in a real browser, against a real dispatcher with real workers. Started by browser_test.cc, which
// sets the stage; every case is one line of the output.
//
//   node control_room.mjs probe                          whether Chromium starts here at all
//   node control_room.mjs run ADDRESS TOKEN [PICTURES]   the cases; PICTURES: a folder for screenshots
//
// Exit codes: 0 all is well, 1 a case failed, 3 Chromium itself has ended or crashed on the way.
import {readFileSync} from "node:fs";
import {createServer} from "node:http";
import {createRequire} from "node:module";
import {chromium} from "playwright-core";

const [what, address, token, pictures] = process.argv.slice(2);
const PATIENCE = 60_000; // for what must come, however slow the machine is

const browser = await chromium.launch({
  executablePath: process.env.HOLDFAST_CHROMIUM,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  timeout: PATIENCE,
});
// Can it be used here at all: a page from loopback that asks its server for something, in a time that leaves some for
// the cases? Its own troubles are not the Control Room's.
if (what === "probe") {
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", request.url === "/" ? "text/html" : "text/plain");
    response.end(request.url === "/" ? "<title>page</title><script>fetch('/word').then((a) => a.text()).then((word) => { document.title = word; })</script>" : "here");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => document.title === "here");
  const took = performance.now();
  if (took > 30_000) console.log(`Chromium needs ${Math.round(took / 1000)} s for an empty page here`);
  process.exit(took > 30_000 ? 1 : 0);
}
let gone = false;
browser.on("disconnected", () => { gone = true; });

// --- the other side: what the interface says, asked without the page

async function api(path, method = "GET", body) {
  const answer = await fetch(`${address}/api/v1/${path}`, {method, headers: {Authorization: `Bearer ${token}`, "Content-Type": "application/json"}, body: body ? JSON.stringify(body) : undefined});
  return answer.json();
}
async function until(holds, words) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > deadline) throw new Error("waited in vain: " + words);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const runtimeOf = (ticket) => api(`runtimes/${ticket}`);
const stateOf = async (ticket) => (await api(`tickets/${ticket}`)).state;
function check(holds, words) { if (!holds) throw new Error(words); }
function same(found, expected, words) { check(found === expected, `${words}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`); }

// --- the page, watched: whatever it asks for, says or breaks

const trouble = [];
function watch(page) {
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (error) => trouble.push("script: " + error.message));
  page.on("console", (message) => {
    // A refusal that the page shows to the person is no trouble; a policy that was violated is.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) trouble.push("console: " + message.text());
  });
  page.on("request", (request) => { if (!request.url().startsWith(address + "/")) trouble.push("asked elsewhere: " + request.url()); });
  page.on("dialog", (dialog) => { trouble.push("a dialog of a script: " + dialog.message()); dialog.dismiss(); });
  return page;
}
const context = await browser.newContext({viewport: {width: 1440, height: 900}, colorScheme: "light", reducedMotion: "reduce"});
const page = watch(await context.newPage());
const hash = (place, on = page) => on.evaluate((to) => { location.hash = to; }, place);
const card = (runtime) => page.locator(`.runtime[data-runtime="${runtime}"]`);
const need = (kind, ticket) => page.locator(`.need[data-kind="${kind}"]`, {has: page.locator(`a[href="#ticket/${ticket}"]`)});
const settled = (on = page) => on.locator("body[data-board=read]").waitFor({state: "attached"});
async function picture(name, on = page) { if (pictures) await on.screenshot({path: `${pictures}/${name}.png`}); }
const wide = (on) => on.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
async function accessible(where, on = page) {
  if (!(await on.evaluate(() => typeof globalThis.axe === "object").catch(() => false))) await on.evaluate(axe);
  const violations = await on.evaluate(async () => (await globalThis.axe.run(document, {resultTypes: ["violations"]})).violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html + " " + node.any.map((any) => any.message).join("; ")).join(" | ")}`));
  same(violations.join("\n"), "", `axe finds in ${where}`);
}

// Pictures for the docs, of a moment in which something is going on.
async function pose() {
  if (!pictures) return;
  await page.locator(".badge", {hasText: "alive"}).first().waitFor();
  await until(async () => !(await page.locator("#found-title").locator("..").textContent()).includes("Nothing was looked at yet"), "findings");
  await picture("control-room-light");
  await page.emulateMedia({colorScheme: "dark"});
  await page.locator("html[data-theme=dark]").waitFor({state: "attached"});
  await picture("control-room-dark");
  await page.emulateMedia({colorScheme: "light"});
  const phone = await browser.newContext({...PHONE, colorScheme: "dark"});
  const small = await phone.newPage();
  await small.goto(address + "/");
  await small.fill("#token-text", token);
  await small.getByRole("button", {name: "Enter"}).tap();
  await small.locator(".runtime .badge", {hasText: "alive"}).first().waitFor();
  await picture("control-room-phone", small);
  await phone.close();
}
const PHONE = {viewport: {width: 375, height: 780}, deviceScaleFactor: 2, hasTouch: true, isMobile: true, reducedMotion: "reduce"};

const cases = {
  async "it asks for the token, and takes the right one alone"() {
    await page.goto(address + "/");
    await page.locator("#token[open]").waitFor();
    await page.fill("#token-text", "0123456789 wrong");
    await page.keyboard.press("Enter");
    await page.getByText("This token is not the right one.").waitFor();
    await page.fill("#token-text", token);
    await page.keyboard.press("Enter");
    await settled();
    await page.locator("#link[data-state=live]").waitFor();
  },
  async "what a worker prints is on the page while it is printed"() {
    const pane = card("S-1-g1").locator(".screen");
    const number = async () => Number(/tick (\d+)\s*$/.exec(await pane.textContent())?.[1] ?? -1);
    const first = await until(async () => { const n = await number(); return n >= 0 ? n + 1 : 0; }, "a tick");
    await until(async () => (await number()) >= first + 1, "more ticks, without a click");
    await card("S-1-g1").locator(".badge", {hasText: "running"}).waitFor();
    await card("S-1-g1").locator(".badge", {hasText: "alive"}).waitFor();
  },
  async "hostile titles, questions and output are text and nothing else"() {
    const pane = await card("S-1-g1").locator(".screen").textContent();
    check(pane.includes("<img src=x onerror=hacked=1>"), "markup from a terminal is shown as it is: " + pane);
    await hash("#board");
    await page.locator('.card[data-ticket="EVIL-1"]').waitFor();
    const title = await page.locator('.card[data-ticket="EVIL-1"] .title').textContent();
    check(title.includes("<script>hacked=1</script>"), "markup in a title is shown as it is: " + title);
    await page.locator('.card[data-ticket="EVIL-1"]').click();
    await page.locator("#drawer .comment", {hasText: "<svg onload"}).waitFor();
    const everything = await page.evaluate(() => document.documentElement.textContent + [...document.querySelectorAll("*")].flatMap((node) => [...node.attributes].map((one) => one.value)).join(" "));
    check(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(everything), "no control characters, no marks of direction");
    same(await page.evaluate(() => globalThis.hacked), undefined, "no script of others ran");
    same(await page.locator("main img, main svg[onload], main script, dialog img, dialog script, [onerror]").count(), 0, "no markup of others");
    await page.keyboard.press("Escape");
    await page.locator("#drawer:not([open])").waitFor({state: "attached"});
    await hash("#now");
  },
  async "a question is answered, and the answer reaches the worker"() {
    const question = need("question", "Q-1");
    await question.getByText("Which colour shall it be?").waitFor();
    await question.locator("textarea").fill("the red one");
    await pose();
    await question.getByRole("button", {name: "Answer"}).click();
    await until(async () => JSON.stringify(await api("tickets/Q-1")).includes("coloured the red one"), "the worker's DONE with the answer in it");
    await question.waitFor({state: "detached"});
  },
  async "stop asks first, and nothing is stopped by whoever says no"() {
    const stop = card("S-1-g1").getByRole("button", {name: "Stop"});
    const unharmed = async (how) => {
      const runtime = await runtimeOf("S-1");
      same([runtime.wish, runtime.open].join(), "none,true", `after ${how} nothing is stopped`);
    };
    await stop.click();
    await page.locator("#ask[open]").waitFor();
    await unharmed("the click");
    same(await page.evaluate(() => document.activeElement.id), "ask-no", "what has the focus does no harm");
    await page.keyboard.press("Escape");
    await page.locator("#ask:not([open])").waitFor({state: "attached"});
    await unharmed("Escape");
    await stop.click();
    await page.keyboard.press("Enter");
    await page.locator("#ask:not([open])").waitFor({state: "attached"});
    await unharmed("Enter");
    await stop.click();
    await page.getByRole("button", {name: "Let it run"}).click();
    await page.locator("#ask:not([open])").waitFor({state: "attached"});
    await unharmed("no");
  },
  async "a message is sent, and an interrupt is a key in the terminal"() {
    await card("S-1-g1").getByRole("button", {name: "Send"}).click();
    await page.locator("#ask[open]").waitFor();
    await page.getByRole("button", {name: "Send", exact: true}).and(page.locator("#ask-yes")).click();
    same(await page.locator("#ask[open]").count(), 1, "an empty message is not sent");
    await page.fill("#ask-text", "please hurry");
    await page.keyboard.press("Control+Enter");
    await until(async () => (await runtimeOf("S-1")).messages.some((one) => one.text === "please hurry"), "the message in the ledger");
    await card("S-1-g1").getByRole("button", {name: "Interrupt"}).click();
    await page.getByRole("button", {name: "Press Ctrl-C"}).click();
    await until(async () => (await card("S-1-g1").locator(".screen").textContent()).includes("WAS INTERRUPTED"), "what the worker says to Ctrl-C, on the page");
    same((await runtimeOf("S-1")).open, true, "it lives");
  },
  async "stop stops, once that was said"() {
    await card("S-1-g1").getByRole("button", {name: "Stop"}).click();
    await page.fill("#ask-text", "it goes in circles");
    await page.getByRole("button", {name: "Stop it"}).click();
    await until(async () => (await runtimeOf("S-1")).wish === "stop", "the wish");
    await until(async () => (await stateOf("S-1")) === "blocked", "its ticket blocked");
    await card("S-1-g1").waitFor({state: "detached"});
    const last = (await api("tickets/S-1")).reason;
    check(last.includes("it goes in circles"), "with the person's reason: " + last);
  },
  async "a ticket with a live runtime is cancelled after a question"() {
    await hash("#ticket/L-1");
    const cancel = page.locator("#drawer[open]").getByRole("button", {name: "Cancel the ticket"});
    await cancel.click();
    await page.locator("#ask[open]").waitFor();
    await page.getByRole("button", {name: "Keep it"}).click();
    same((await runtimeOf("L-1")).wish, "none", "no is no");
    await cancel.click();
    await page.locator("#ask-yes").click();
    await until(async () => (await stateOf("L-1")) === "cancelled", "L-1 cancelled");
    await page.locator("#drawer .top .badge", {hasText: "Cancelled"}).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#drawer:not([open])").waitFor({state: "attached"});
  },
  async "what is in review is approved: landed and done"() {
    await until(async () => (await stateOf("R-1")) === "in_review", "R-1 in review");
    const review = need("review", "R-1");
    await review.getByRole("button", {name: "Approve"}).click();
    await page.keyboard.press("Escape");
    same(await stateOf("R-1"), "in_review", "no is no");
    await review.getByRole("button", {name: "Approve"}).click();
    await page.getByRole("button", {name: "Approve and land"}).click();
    await until(async () => (await stateOf("R-1")) === "done", "R-1 done");
    await review.waitFor({state: "detached"});
  },
  async "what is blocked is tried again, and parked"() {
    await until(async () => (await stateOf("X-1")) === "blocked", "X-1 blocked");
    await need("blocked", "X-1").getByRole("button", {name: "Try again"}).click();
    await until(async () => (await api("tickets/X-1")).attempts.length >= 2 && (await stateOf("X-1")) === "blocked", "another attempt of X-1");
    await until(async () => { await need("blocked", "X-1").getByRole("button", {name: "Park"}).click({timeout: 5000}).catch(() => {}); return page.locator("#ask[open]").count(); }, "the question before parking");
    await page.getByRole("button", {name: "Park it"}).click();
    await until(async () => (await stateOf("X-1")) === "backlog", "X-1 in the backlog");
  },
  async "a ticket tells its attempts with their evidence"() {
    await hash("#ticket/X-1");
    const drawer = page.locator("#drawer[open]");
    await drawer.locator(".attempt").nth(1).waitFor();
    const told = await drawer.locator(".attempt").first().textContent();
    for (const word of ["X-1-g2", "claimed", "exit code 3", "last gasp"]) check(told.includes(word), `the attempt tells "${word}": ${told}`);
    await drawer.getByText("Why it is so").waitFor();
    await drawer.locator(".attempt summary").first().click();
    await accessible("a ticket");
    await picture("control-room-ticket");
    await page.keyboard.press("Escape");
  },
  async "a thousand tickets are found, shown a part at a time"() {
    await hash("#board");
    const backlog = page.locator(".column[data-state=backlog]");
    await until(async () => Number(await backlog.locator("h3 .count").textContent()) >= 1000, "a thousand in the backlog");
    const before = await backlog.locator(".card").count();
    check(before <= 100, "not all at once: " + before);
    await backlog.getByRole("button", {name: /more$/}).click();
    await until(async () => (await backlog.locator(".card").count()) > before, "more of them");
    await page.keyboard.press("/");
    await page.keyboard.type("number 777");
    await until(async () => (await backlog.locator(".card").count()) === 1, "the one that was looked for");
    await page.keyboard.press("Escape");
    await until(async () => (await backlog.locator(".card").count()) > 1, "all of them again");
    await api("tickets/MANY-5", "PATCH", {title: "A title that has just come"});
    await hash("#now");
    await hash("#board");
    await page.keyboard.press("/");
    await page.keyboard.type("just come");
    await page.locator('.card[data-ticket="MANY-5"]').waitFor();
    await page.keyboard.press("Escape");
  },
  async "by the keyboard alone"() {
    const focused = () => page.evaluate(() => document.activeElement.getAttribute("href") ?? document.activeElement.id);
    await page.keyboard.press("1");
    await page.locator("#view-now:not([hidden])").waitFor();
    await page.keyboard.press("2");
    await page.locator("#view-board:not([hidden])").waitFor();
    await page.keyboard.press("j");
    const first = await focused();
    check(first.startsWith("#ticket/"), "j goes to a card: " + first);
    await page.keyboard.press("j");
    const second = await focused();
    check(second !== first, "and on to the next");
    await page.keyboard.press("l");
    const aside = await focused();
    check(aside.startsWith("#ticket/") && aside !== second, "l goes to the next column: " + aside);
    await page.keyboard.press("Enter");
    await page.locator("#drawer[open]").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#drawer:not([open])").waitFor({state: "attached"});
    same(await focused(), aside, "the focus comes back");
    await page.keyboard.press("?");
    await page.locator("#settings[open]").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("3");
    await page.locator("#view-health:not([hidden])").waitFor();
    await page.locator("#findings .finding, #findings-empty:not([hidden])").first().waitFor();
    await page.locator("#log li").first().waitFor();
  },
  async "nothing in the way of a screen reader, by day and by night"() {
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({colorScheme: scheme});
      await page.locator(`html[data-theme=${scheme}]`).waitFor({state: "attached"});
      for (const view of ["now", "board", "health"]) {
        await hash("#" + view);
        await page.locator(`#view-${view}:not([hidden])`).waitFor();
        await accessible(`${view}, ${scheme}`);
      }
    }
    await page.click("#theme");
    await page.click("#theme");
    await page.locator("html[data-theme=light]").waitFor({state: "attached"});
  },
  async "on a phone"() {
    const phone = await browser.newContext({...PHONE, colorScheme: "dark"});
    const small = watch(await phone.newPage());
    await small.goto(address + "/");
    await small.locator("#token[open]").waitFor();
    await small.fill("#token-text", token);
    await small.getByRole("button", {name: "Enter"}).tap();
    await settled(small);
    await small.locator("#link[data-state=live]").waitFor({state: "attached"});
    for (const view of ["now", "board", "health"]) {
      await small.locator(`.views a[data-view=${view}]`).tap();
      await small.locator(`#view-${view}:not([hidden])`).waitFor();
      same(await wide(small), 0, `nothing beside the screen in ${view}`);
    }
    await hash("#ticket/X-1", small);
    await small.locator("#drawer .attempt").first().waitFor();
    same(await wide(small), 0, "nothing beside the screen in a ticket");
    await accessible("a ticket on a phone", small);
    await phone.close();
  },
  async "all the while nothing broke, and nobody else was asked"() {
    same(trouble.join("\n"), "", "troubles");
  },
};

let failed = 0;
for (const [name, run] of Object.entries(cases)) {
  const began = Date.now();
  try {
    await run();
    console.log(`ok    ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    if (gone || /Target (page|closed|crashed)|Page crashed|has been closed/.test(error.message)) {
      console.log(`Chromium is gone in "${name}": ${error.message}`);
      process.exit(3);
    }
    failed += 1;
    console.log(`FAIL  ${name} (${Date.now() - began} ms): ${error.message}\n${(error.stack ?? "").split("\n").filter((row) => row.includes("control_room.mjs")).slice(0, 3).join("\n")}`);
    if (process.env.HOLDFAST_BROWSER_SHOTS) await page.screenshot({path: `${process.env.HOLDFAST_BROWSER_SHOTS}/failed-${failed}.png`}).catch(() => {});
    if (failed >= 3) break; // each of them may have waited long
  }
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
