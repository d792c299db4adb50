// The Control Room. It shows what the interface under /api/v1 tells, and asks for nothing else.
//
// Titles, questions, comments and what workers print are written by others. They reach the page only as text
// (textContent, attributes that hold no address), without control characters and without marks that turn the
// direction of writing; the server's policy forbids everything that could turn text into markup.

// --- text that others wrote

// Controls but for tab and line break, marks of direction, what is nothing to see, private use.
const MISLEADING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff0-\ufffb\ue000-\uf8ff]|[\u{e0000}-\u{e0fff}]/gu;
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -/]*[0-~])/g;
const clean = (text) => String(text ?? "").replace(ESCAPES, "").replace(MISLEADING, "");
const line = (text) => clean(text).replace(/\s+/g, " ").trim();
const short = (text, most) => { const all = [...line(text)]; return all.length > most ? all.slice(0, most - 1).join("") + "…" : all.join(""); };

// --- building

const $ = (id) => document.getElementById(id);

// h("li.card", {href: ..., onclick: ...}, "text", node, [more])
function h(what, properties, ...inside) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  for (const one of inside.flat(3)) if (one !== undefined && one !== null && one !== false) node.append(one);
  return node;
}
const SVG = "http://www.w3.org/2000/svg";
function svg(tag, attributes, ...inside) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  node.append(...inside);
  return node;
}
const say = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const badge = (words, tone, sign) => h("span.badge", {"data-tone": tone, "data-sign": sign}, words);

// Rows that stay where they are while they are the same ones, so that focus and what is being written stay too.
// make(item) returns {node, update(item)}.
function rows(container, items, key, make) {
  const known = container.known ??= new Map();
  const seen = new Set();
  let before = null;
  for (const item of items) {
    const name = key(item);
    seen.add(name);
    let row = known.get(name);
    if (!row) known.set(name, (row = make(item)));
    row.update?.(item);
    const place = before ? before.nextSibling : container.firstChild;
    if (place !== row.node) container.insertBefore(row.node, place);
    before = row.node;
  }
  for (const [name, row] of known) if (!seen.has(name)) { row.node.remove(); known.delete(name); }
}
// A row that is made anew when what it shows has changed.
const plainRow = (build) => (first) => {
  const row = {node: build(first), shown: JSON.stringify(first)};
  row.update = (item) => {
    const now = JSON.stringify(item);
    if (now === row.shown) return;
    const fresh = build(item);
    const focused = row.node.contains(document.activeElement);
    row.node.replaceWith(fresh);
    row.node = fresh;
    row.shown = now;
    if (focused) (fresh.matches("a, button") ? fresh : fresh.querySelector("a, button"))?.focus({preventScroll: true});
  };
  return row;
};

// --- times

let ahead = 0; // of the server's clock
const now = () => Date.now() + ahead;
function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 100) return `${s} s`;
  if (s < 5400) return `${Math.floor(s / 60)} min`;
  if (s < 129600) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}
const since = (at, before = "", after = "") =>
  at ? h("time", {"data-since": at, "data-before": before, "data-after": after, datetime: new Date(at).toISOString(), title: new Date(at).toLocaleString()}, before + span(now() - at) + after) : null;
function tick() {
  for (const node of document.querySelectorAll("[data-since]"))
    say(node, node.dataset.before + span(now() - Number(node.dataset.since)) + node.dataset.after);
}
const clock = (at) => new Date(at).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false});

// --- what is kept here between two visits

function kept(name, otherwise = "") { try { return localStorage.getItem("holdfast-" + name) ?? otherwise; } catch { return otherwise; } }
function keep(name, value) { try { localStorage.setItem("holdfast-" + name, value); } catch { /* then not */ } }
let token = "";
try { token = sessionStorage.getItem("holdfast-token") ?? ""; } catch { /* then it is asked for */ }

// --- asking

class Problem extends Error {
  constructor(status, data) {
    super(line(data?.detail) || `the server answered ${status}`);
    this.status = status;
    this.code = data?.code ?? "";
  }
}
let asksForToken = null;
function askForToken() {
  return (asksForToken ??= new Promise((resolve) => {
    const dialog = $("token");
    say($("token-wrong"), token ? "This token is not the right one." : "");
    $("token-form").onsubmit = () => {
      token = $("token-text").value.trim();
      try { sessionStorage.setItem("holdfast-token", token); } catch { /* this tab only */ }
      $("token-text").value = "";
      asksForToken = null;
      resolve();
    };
    dialog.oncancel = (event) => event.preventDefault();
    if (!dialog.open) dialog.showModal();
  }));
}
function headers(more = {}) {
  const all = {...more};
  if (token) all.Authorization = "Bearer " + token;
  return all;
}
async function ask(method, path, body, more = {}) {
  for (;;) {
    const with_headers = headers(more);
    if (method !== "GET") {
      with_headers["Content-Type"] = "application/json";
      const name = line(kept("person"));
      if (name) with_headers["Holdfast-By"] = name.replace(/[^\x20-\x7e]/g, "?");
    }
    const answer = await fetch("/api/v1/" + path, {method, headers: with_headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", credentials: "omit"});
    if (answer.status === 401) { await askForToken(); continue; }
    const data = await answer.json().catch(() => null);
    if (!answer.ok) throw new Problem(answer.status, data);
    return data;
  }
}
const get = (path) => ask("GET", path);
// One look at a time is taken by the server: who comes during somebody else's asks again.
async function look(path) {
  for (let tries = 0;; ++tries) {
    try {
      return await get(path);
    } catch (trouble) {
      if (trouble.code !== "busy" || tries === 10) throw trouble;
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
  }
}
function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return "page-" + [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}
// One action is one key: where the answer is lost it is sent again, and takes effect once. Who is told that it
// was not begun, or that nothing could be seen just now, comes again.
async function post(path, body = {}) {
  let once = {"Idempotency-Key": key()};
  for (let tries = 0;; ++tries) {
    try {
      return await ask("POST", path, body, once);
    } catch (trouble) {
      const again = trouble instanceof Problem ? trouble.status === 503 && ["busy", "not_known"].includes(trouble.code) : true;
      if (!again || tries === 5) throw trouble;
      if (trouble instanceof Problem) once = {"Idempotency-Key": key()};
      await new Promise((resolve) => setTimeout(resolve, 500 + 500 * tries));
    }
  }
}

// A stream of server-sent events, by fetch: an EventSource cannot carry a token.
async function follow(path, resume, take, told) {
  for (let wait = 500;; wait = Math.min(wait * 2, 8000)) {
    try {
      const answer = await fetch("/api/v1/" + path + resume(), {headers: headers({Accept: "text/event-stream"}), cache: "no-store", credentials: "omit"});
      if (answer.status === 401) { await askForToken(); continue; }
      if (!answer.ok) throw new Error(String(answer.status));
      told(true);
      wait = 500;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const {value, done} = await reader.read();
        if (done) break;
        rest += value;
        const whole = rest.split("\n\n");
        rest = whole.pop();
        for (const one of whole) {
          let kind = "message", data = "";
          for (const row of one.split("\n")) {
            if (row.startsWith("event: ")) kind = row.slice(7);
            else if (row.startsWith("data: ")) data += row.slice(6);
          }
          if (data) take(kind, JSON.parse(data));
        }
      }
    } catch { /* looked at again below */ }
    told(false);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

// --- what is known

const tickets = new Map();
let cursor = 0;
let runtimes = [];
let verdicts = new Map(); // by runtime
let plan = null, findings = null, pool = [], counted = null;
const screens = new Map(); // by runtime
const log = [];
let lastEvent = null;
const answered = new Map(); // by ticket: the question whose answer is on its way
let wanted = ""; // in the search

const STATES = [
  ["backlog", "Backlog", "none", "bar"], ["todo", "To do", "none", "ring"], ["in_progress", "In progress", "accent", ""],
  ["in_review", "In review", "violet", "half"], ["blocked", "Blocked", "bad", "square"], ["done", "Done", "good", ""],
  ["cancelled", "Cancelled", "none", "bar"]];
const STATE = new Map(STATES.map(([state, words, tone, sign]) => [state, {words, tone, sign}]));
const stateBadge = (state) => { const s = STATE.get(state) ?? {words: line(state), tone: "none", sign: "bar"}; return badge(s.words, s.tone, s.sign); };
const PHASES = {
  planned: ["planned", "none", "ring"], newborn: ["newborn", "accent", "ring"], ready: ["ready", "accent", "half"], running: ["running", "accent", "beat"],
  waiting: ["asks", "warm", "half"], finished: ["finished", "good", ""], lost: ["lost", "bad", "square"], closed: ["closed", "none", "bar"]};
const phaseBadge = (phase) => badge(...(PHASES[phase] ?? [line(phase), "none", "bar"]));
const VERDICTS = {alive: ["alive", "good", ""], unknown: ["cannot tell", "warm", "half"], dead: ["dead", "bad", "square"]};
const words = (text) => line(text).replaceAll("_", " ");
const titleOf = (ticket) => line(tickets.get(ticket)?.title) || "a ticket that is not on the board";
const link = (ticket, text) => h("a.id", {href: "#ticket/" + encodeURIComponent(ticket)}, text ?? line(ticket));

// --- telling

function toast(text, tone = "") {
  const node = h("p.toast", {"data-tone": tone}, text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), tone === "bad" ? 12000 : 5000);
}

// Asks before something is done that cannot be taken back. Resolves to the text that was written (perhaps
// empty), or to null: then nothing is done. Closing it, Escape, and the button that has the focus all mean no.
function sure({title, text = "", yes, no = "Cancel", field = null, needed = false, danger = false, value = ""}) {
  return new Promise((resolve) => {
    const dialog = $("ask"), area = $("ask-text");
    say($("ask-title"), title);
    say($("ask-words"), text);
    $("ask-words").hidden = !text;
    $("ask-label").hidden = field === null;
    say($("ask-label").firstElementChild, field ?? "");
    area.value = value;
    say($("ask-yes"), yes);
    say($("ask-no"), no);
    $("ask-yes").classList.toggle("danger", danger);
    let answer = null;
    $("ask-no").onclick = () => dialog.close();
    $("ask-yes").onclick = () => {
      if (needed && !area.value.trim()) { area.focus(); return; }
      answer = field === null ? "" : area.value.trim();
      dialog.close();
    };
    area.onkeydown = (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("ask-yes").click(); };
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
    (needed ? area : $("ask-no")).focus();
  });
}

async function act(button, doing, done) {
  if (button) button.disabled = true;
  try {
    const answer = await doing();
    toast(typeof done === "function" ? done(answer) : done);
    refresh();
    return true;
  } catch (trouble) {
    toast(trouble instanceof Problem ? trouble.message : "The server cannot be reached: " + line(trouble.message), "bad");
    return false;
  } finally {
    if (button) button.disabled = false;
  }
}

const at = (kind, name, what) => `${kind}/${encodeURIComponent(name)}/${what}`;
const actions = {
  async stop(button, runtime) {
    const reason = await sure({title: `Stop ${runtime}?`, text: "Its whole process tree is ended. What it has not committed is saved first, and its ticket is blocked then.", yes: "Stop it", no: "Let it run", field: "Why (for the record)", danger: true});
    if (reason === null) return;
    await act(button, () => post(at("runtimes", runtime, "stop"), {reason}), `${runtime} is being ended`);
  },
  async interrupt(button, runtime) {
    const said = await sure({title: `Interrupt ${runtime}?`, text: "Ctrl-C is pressed in its terminal. Some workers stop what they are doing, others end.", yes: "Press Ctrl-C", no: "Leave it alone", danger: true});
    if (said === null) return;
    await act(button, () => post(at("runtimes", runtime, "interrupt"), {key: "C-c"}), `Ctrl-C was pressed in ${runtime}`);
  },
  async send(button, runtime) {
    const text = await sure({title: `Send to ${runtime}`, text: "It is typed into its terminal once it takes input.", yes: "Send", field: "Message", needed: true});
    if (text === null) return;
    await act(button, () => post(at("runtimes", runtime, "messages"), {text}), `Queued for ${runtime}`);
  },
  async answer(button, ticket, area) {
    if (!area.value.trim()) { area.focus(); return; }
    if (await act(button, () => post(at("tickets", ticket, "answer"), {text: area.value}), `Your answer goes to ${ticket}`)) {
      area.value = "";
      answered.set(ticket, asked(runtimes.find((one) => one.ticket === ticket)));
      draw();
    }
  },
  async retry(button, ticket) {
    await act(button, () => post(at("tickets", ticket, "retry"), {}), `${ticket} is to do again`);
  },
  async park(button, ticket) {
    const live = runtimes.find((one) => one.ticket === ticket);
    const reason = await sure({title: `Park ${ticket}?`, text: live ? `${live.runtime} is ended first, its work saved. Then the ticket goes to the backlog.` : "It goes to the backlog.", yes: "Park it", field: "Why (for the record)", danger: Boolean(live)});
    if (reason === null) return;
    await act(button, () => post(at("tickets", ticket, "park"), {reason}), `${ticket} is parked`);
  },
  async cancel(button, ticket) {
    const live = runtimes.find((one) => one.ticket === ticket);
    const reason = await sure({title: `Cancel ${ticket}?`, text: live ? `${live.runtime} is ended first, its work saved. Then the ticket is cancelled.` : "The ticket is cancelled.", yes: "Cancel the ticket", no: "Keep it", field: "Why (for the record)", danger: true});
    if (reason === null) return;
    await act(button, () => post(at("tickets", ticket, "cancel"), {reason}), `${ticket} is cancelled`);
  },
  async approve(button, ticket) {
    const reason = await sure({title: `Approve ${ticket}?`, text: "Its branch is landed on the target, after the check if there is one, and the ticket is done.", yes: "Approve and land", field: "A word about it (for the record)"});
    if (reason === null) return;
    await act(button, () => post(at("tickets", ticket, "approve"), {reason}), (answer) => `${ticket} is done: ${short(answer.how, 120)}`);
  },
};
const button = (text, what, ...more) => {
  const node = h("button" + (what === "stop" || what === "cancel" ? ".danger" : ""), {type: "button", "data-act": what}, text);
  node.addEventListener("click", () => actions[what](node, ...more));
  return node;
};

// --- the view Now

function drawVitals() {
  const of = (state) => { let n = 0; for (const t of tickets.values()) n += t.state === state ? 1 : 0; return n; };
  const free = pool.filter((slot) => slot.state === "free").length;
  const problems = (findings?.findings ?? []).filter((one) => one.weight === "problem").length;
  const items = [
    ["live", runtimes.length, runtimes.length === 1 ? "runtime" : "runtimes", runtimes.length ? "" : "none"],
    ["asks", runtimes.filter((one) => one.phase === "waiting").length, "asking", ""],
    ["todo", of("todo"), "to do", ""], ["review", of("in_review"), "in review", ""],
    ["blocked", of("blocked"), "blocked", "bad"], ["done", of("done"), "done", ""],
    ["free", free, `of ${pool.length} worktrees free`, ""]];
  if (problems) items.push(["problems", problems, problems === 1 ? "problem" : "problems", "bad"]);
  rows($("vitals"), items, (item) => item[0], () => {
    const number = h("b"), text = h("span");
    const node = h("li", null, number, text);
    return {node, update([name, n, what, tone]) {
      say(number, String(n)); say(text, what);
      node.dataset.tone = n === 0 ? "none" : name === "asks" ? "warm" : tone;
    }};
  });
}

const NEEDS_SHOWN = 12;
const asked = (runtime) => (runtime ? `${runtime.runtime} ${runtime.changed_at} ${runtime.said_text}` : "");
function whoNeeds() {
  const all = [];
  for (const one of runtimes) if (one.phase === "waiting" && answered.get(one.ticket) !== asked(one)) all.push({kind: "question", name: one.runtime, ticket: one.ticket, said: one.said_text, at: one.changed_at, title: titleOf(one.ticket)});
  for (const one of runtimes) {
    if (one.attention && one.phase !== "waiting") all.push({kind: "attention", name: one.runtime, ticket: one.ticket, said: one.attention, at: one.changed_at, title: titleOf(one.ticket)});
  }
  const rest = [...tickets.values()].filter((t) => t.state === "in_review" || t.state === "blocked").sort((a, b) => b.changed_at - a.changed_at);
  for (const state of ["in_review", "blocked"])
    for (const t of rest) if (t.state === state) all.push({kind: state === "blocked" ? "blocked" : "review", name: t.id, ticket: t.id, said: t.reason, at: t.changed_at, title: line(t.title)});
  return all;
}
const NEED = {question: ["asks", "warm", "half"], attention: ["look at it", "warm", "square"], review: ["in review", "violet", "half"], blocked: ["blocked", "bad", "square"]};
function makeNeed(first) {
  const title = h("bdi"), said = h("p.words"), when = h("span.when");
  const node = h("li.need", {"data-kind": first.kind},
    h("div.head", null, link(first.ticket, first.kind === "question" || first.kind === "attention" ? line(first.name) : undefined), badge(...NEED[first.kind]), h("span.title", null, title), when), said);
  if (first.kind === "question") {
    said.classList.add("said");
    const area = h("textarea", {rows: 1, "aria-label": `Answer to ${first.name}`, placeholder: "Your answer"});
    const send = h("button.primary", {type: "button", "data-act": "answer"}, "Answer");
    send.addEventListener("click", () => actions.answer(send, first.ticket, area));
    area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send.click(); });
    node.append(h("div.reply", null, h("label", null, area), send));
  } else if (first.kind === "review") {
    node.append(h("div.buttons", null, button("Approve", "approve", first.ticket), button("Try again", "retry", first.ticket)));
  } else if (first.kind === "blocked") {
    node.append(h("div.buttons", null, button("Try again", "retry", first.ticket), button("Park", "park", first.ticket)));
  } else {
    node.append(h("div.buttons", null, button("Send", "send", first.name), button("Stop", "stop", first.name)));
  }
  return {node, update(item) {
    say(title, item.title); say(said, short(item.said, 600)); said.hidden = !item.said;
    if (when.dataset.at !== String(item.at)) { when.dataset.at = item.at; when.replaceChildren(since(item.at) ?? ""); }
  }};
}
function drawNeeds() {
  const all = whoNeeds(), shown = all.slice(0, NEEDS_SHOWN);
  say($("needs-count"), all.length ? String(all.length) : "");
  rows($("needs"), shown, (item) => item.kind + " " + item.name, makeNeed);
  $("needs-empty").hidden = all.length > 0;
  $("needs-more").hidden = all.length === shown.length;
  if (all.length > shown.length) $("needs-more").replaceChildren(`and ${all.length - shown.length} more `, h("a", {href: "#board"}, "on the board"));
  document.title = (runtimes.some((one) => one.phase === "waiting") ? "● " : "") + "Holdfast Control Room";
}

function makeRuntime(first) {
  const name = line(first.runtime);
  const title = h("bdi"), facts = h("div.facts"), marks = h("span"), attention = h("p.attention");
  const pane = h("pre.screen", {tabindex: 0, role: "region", "aria-label": `Last lines of ${name}`});
  const node = h("li.runtime", {"data-runtime": name, tabindex: -1},
    h("div.head", null, link(first.ticket, name), marks, h("span.title", null, title)), facts, attention, pane,
    h("div.buttons", null, button("Send", "send", name), button("Interrupt", "interrupt", name), button("Stop", "stop", name),
      h("a", {href: "#ticket/" + encodeURIComponent(first.ticket), "aria-label": `Everything about ${name}`, class: "when"}, "Everything")));
  let shown = "";
  return {node, update(item) {
    say(title, titleOf(item.ticket));
    const screen = screens.get(item.runtime);
    const verdict = verdicts.get(item.runtime);
    const last = screen?.last_output_at ?? null;
    const now_shown = JSON.stringify([item.phase, verdict, item.claimed_at, last, item.branch, item.profile, item.wish]);
    if (now_shown !== shown) {
      shown = now_shown;
      marks.replaceChildren(phaseBadge(item.phase), " ", ...(verdict ? [badge(...(VERDICTS[verdict] ?? [verdict, "none", "bar"]))] : []), ...(item.wish && item.wish !== "none" ? [" ", badge("to be ended", "bad", "ring")] : []));
      facts.replaceChildren(...[since(item.claimed_at, "for "), last ? since(last, "wrote ", " ago") : h("span", null, "wrote nothing yet"), h("span", null, line(item.profile)), h("span", null, h("code", null, short(item.branch, 60)))].filter(Boolean));
    }
    const worth = item.phase === "waiting" ? "" : line(item.attention); // a question stands above already
    say(attention, worth); attention.hidden = !worth;
    const text = (screen?.lines ?? []).map((one) => clean(one)).join("\n");
    const atEnd = pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 24;
    pane.classList.toggle("empty", !text);
    const full = text || "nothing on its screen";
    if (pane.textContent !== full) { pane.textContent = full; if (atEnd || !pane.dataset.drawn) pane.scrollTop = pane.scrollHeight; pane.dataset.drawn = "yes"; }
  }};
}
function drawRuntimes() {
  const order = {waiting: 0, running: 1, ready: 2, newborn: 3, planned: 4, finished: 5, lost: 6};
  const all = [...runtimes].sort((a, b) => (order[a.phase] ?? 9) - (order[b.phase] ?? 9) || a.claimed_at - b.claimed_at);
  say($("live-count"), all.length ? String(all.length) : "");
  rows($("runtimes"), all, (one) => one.runtime, makeRuntime);
  $("runtimes-empty").hidden = all.length > 0;
}

function drawPool() {
  const tones = {free: ["free", "good", "ring"], leased: ["leased", "accent", ""], quarantined: ["set apart", "warm", "square"]};
  rows($("pool"), pool, (slot) => slot.slot, plainRow((slot) =>
    h("li", null, h("code", null, line(slot.slot)), badge(...(tones[slot.state] ?? [words(slot.state), "none", "bar"])),
      slot.holder ? h("span.holder", null, link(slot.holder.replace(/-g\d+$/, ""), line(slot.holder))) : null, slot.note ? h("span.note", null, short(slot.note, 200)) : null)));
  $("pool-empty").hidden = pool.length > 0;
}

// --- figures

const SERIES = [["done", "done", "good"], ["in_review", "in review", "violet"], ["todo", "tried again", "warm"], ["blocked", "blocked", "bad"], ["other", "else", "none"]];
function drawThroughput() {
  const figure = $("throughput");
  const hours = counted?.hours ?? [];
  const width = Math.max(220, figure.clientWidth || 320), height = 132, left = 26, bottom = 18, top = 6;
  const sums = hours.map((hour) => SERIES.reduce((sum, [name]) => sum + hour[name], 0));
  const most = Math.max(4, ...sums), nice = most <= 4 ? 4 : Math.ceil(most / 4) * 4;
  const total = sums.reduce((a, b) => a + b, 0);
  const y = (n) => top + (height - top - bottom) * (1 - n / nice);
  const picture = svg("svg", {viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": `${total} attempts closed in ${hours.length} hours: ` + SERIES.map(([name, text]) => `${hours.reduce((sum, hour) => sum + hour[name], 0)} ${text}`).join(", ")});
  for (const n of [0, nice / 2, nice]) {
    picture.append(svg("line", {x1: left, x2: width, y1: y(n), y2: y(n), class: "grid"}), svg("text", {x: left - 6, y: y(n) + 4, "text-anchor": "end"}, String(n)));
  }
  const step = (width - left) / Math.max(1, hours.length), bar = Math.max(2, Math.min(18, step * 0.68));
  hours.forEach((hour, i) => {
    let height_so_far = 0;
    const x = left + i * step + (step - bar) / 2;
    const group = svg("g", {});
    group.append(svg("title", {}, `${new Date(hour.at).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hour12: false})}: ` + (SERIES.filter(([name]) => hour[name]).map(([name, text]) => `${hour[name]} ${text}`).join(", ") || "nothing")));
    group.append(svg("rect", {x: left + i * step, y: top, width: step, height: height - top - bottom, fill: "transparent"}));
    for (const [name, , tone] of SERIES) {
      if (!hour[name]) continue;
      const from = y(height_so_far), to = y(height_so_far + hour[name]);
      group.append(svg("rect", {x, y: to, width: bar, height: Math.max(1, from - to), class: "tone-" + tone}));
      height_so_far += hour[name];
    }
    picture.append(group);
    if (i % 6 === 5 || (i === 0 && hours.length < 6)) picture.append(svg("text", {x: i === hours.length - 1 ? width : left + i * step + step / 2, y: height - 4, "text-anchor": i === hours.length - 1 ? "end" : "middle"}, i === hours.length - 1 ? "now" : new Date(hour.at).getHours() + ":00"));
  });
  const legend = h("div.legend", {"aria-hidden": "true"}, SERIES.filter(([name]) => hours.some((hour) => hour[name])).map(([, text, tone]) => h("span", null, svg("svg", {viewBox: "0 0 8 8"}, svg("rect", {width: 8, height: 8, rx: 2, class: "tone-" + tone})), text)));
  figure.replaceChildren(picture, legend);
}
const DEATH_TONES = {clean_exit: "good", stopped_by_us: "good", stopped_by_operator: "accent", provider_limit: "warm", unknown: "warm", never_came_to_be: "none", declared_dead: "none"};
function drawDeaths() {
  const figure = $("deaths");
  const all = Object.entries(counted?.deaths ?? {}).sort((a, b) => b[1] - a[1]);
  if (!all.length) { figure.replaceChildren(h("p.empty", null, "Nobody died within a day.")); return; }
  const width = Math.max(220, figure.clientWidth || 320), row = 22, label = 116;
  const most = Math.max(...all.map(([, n]) => n));
  const picture = svg("svg", {viewBox: `0 0 ${width} ${all.length * row}`, height: all.length * row, role: "img", "aria-label": "Causes of death: " + all.map(([cause, n]) => `${words(cause)} ${n}`).join(", ")});
  all.forEach(([cause, n], i) => {
    const length = Math.max(3, (width - label - 40) * n / most);
    picture.append(svg("text", {x: 0, y: i * row + 15}, words(cause)), svg("rect", {x: label, y: i * row + 5, width: length, height: row - 10, rx: 2, class: "tone-" + (DEATH_TONES[cause] ?? "bad")}),
      svg("text", {x: label + length + 6, y: i * row + 15, class: "number"}, String(n)));
  });
  figure.replaceChildren(picture);
}

// --- the view Board

const CARDS_AT_FIRST = 40;
const cardsShown = new Map();
function fits(ticket) {
  if (!wanted) return true;
  const text = (ticket.id + " " + ticket.title + " " + (ticket.labels ?? []).join(" ")).toLowerCase();
  return wanted.split(/\s+/).every((word) => text.includes(word));
}
function makeCard(first) {
  const node = h("a.card", {href: "#ticket/" + encodeURIComponent(first.ticket.id), "data-ticket": first.ticket.id});
  let shown = "";
  return {node, update({ticket, live}) {
    const now_shown = JSON.stringify([ticket.version, live?.phase, live?.attention]);
    if (now_shown === shown) return;
    if (shown) { node.classList.remove("fresh"); void node.offsetWidth; node.classList.add("fresh"); }
    shown = now_shown;
    const why = live?.attention || (live?.phase === "waiting" ? live.said_text : ticket.state === "todo" ? "" : ticket.reason);
    node.replaceChildren(
      h("span.top", null, h("span.id", null, ticket.id), live ? phaseBadge(live.phase) : null, ticket.priority !== 100 ? h("span", null, `priority ${ticket.priority}`) : null, h("span.when", null, since(ticket.changed_at))),
      h("span.title", null, h("bdi", null, line(ticket.title) || "without a title")), ...(why ? [h("span.why", null, short(why, 200))] : []),
      ...(ticket.labels?.length || ticket.depends_on?.length ? [h("span.labels", null, (ticket.labels ?? []).map((one) => h("span.label", null, line(one))), (ticket.depends_on ?? []).map((one) => h("span.label", null, "after " + line(one))))] : []));
  }};
}
function drawBoard() {
  const live = new Map(runtimes.map((one) => [one.ticket, one]));
  const columns = STATES.map(([state, text]) => ({state, text, live, all: []}));
  const by = new Map(columns.map((column) => [column.state, column]));
  for (const ticket of tickets.values()) if (fits(ticket)) by.get(ticket.state)?.all.push(ticket);
  const sooner = (a, b) => a.priority - b.priority || a.created_at - b.created_at || (a.id < b.id ? -1 : 1);
  const newer = (a, b) => b.changed_at - a.changed_at || (a.id < b.id ? -1 : 1);
  rows($("columns"), columns, (column) => column.state, (first) => {
    const count = h("span.count"), list = h("div.cards"), none = h("p.empty", null, "none"), button_more = h("button", {type: "button"});
    const more = h("p.more", null, button_more);
    button_more.addEventListener("click", () => { cardsShown.set(first.state, (cardsShown.get(first.state) ?? CARDS_AT_FIRST) + 100); drawBoard(); });
    const name = STATE.get(first.state);
    const node = h("section.column", {"data-state": first.state, "aria-label": first.text}, h("h3", null, badge(first.text, name.tone, name.sign), count), list, none, more);
    return {node, update(column) {
      column.all.sort(column.state === "todo" || column.state === "backlog" ? sooner : newer);
      const most = cardsShown.get(column.state) ?? CARDS_AT_FIRST;
      say(count, String(column.all.length));
      rows(list, column.all.slice(0, most).map((ticket) => ({ticket, live: column.live.get(ticket.id)})), (item) => item.ticket.id, makeCard);
      none.hidden = column.all.length > 0;
      more.hidden = column.all.length <= most;
      say(button_more, `${column.all.length - most} more`);
    }};
  });
}

// --- the view Health

const WEIGHTS = {problem: ["problem", "bad", "square"], warning: ["warning", "warm", "half"], note: ["note", "none", "ring"]};
const makeFinding = plainRow((one) => h("li.finding", null, badge(...(WEIGHTS[one.weight] ?? WEIGHTS.note)),
  h("div", null, h("p", null, h("strong", null, words(one.kind)), one.about ? [" ", h("code", null, line(one.about))] : null, ": ", line(one.words)), one.remedy ? h("p.remedy", null, line(one.remedy)) : null)));
function drawFindings() {
  const all = findings?.findings ?? [];
  const serious = all.filter((one) => one.weight !== "note");
  const id = (one) => [one.kind, one.about, one.words].join("\n");
  rows($("findings"), all, id, makeFinding);
  rows($("findings-short"), serious.slice(0, 5), id, makeFinding);
  const none = findings ? "Board, ledger and world agree." : "Nothing was looked at yet.";
  for (const [name, list] of [["findings-empty", all], ["findings-short-empty", serious]]) { say($(name), none); $(name).hidden = list.length > 0; }
  if (findings) $("findings-when").replaceChildren(since(findings.looked_at, "looked at ", " ago"));
}
function drawPlan() {
  const all = plan?.plans ?? [];
  rows($("plan"), all.slice(0, 200), (one) => one.ticket, plainRow((one) => h("li", null, link(one.ticket, line(one.runtime ?? one.ticket)), h("span", null, one.effect ? short(one.effect, 120) : h("span.soft", null, "nothing now")), h("span.soft", null, `${words(one.rule)}: ${short(one.why, 200)}`))));
  $("plan-empty").hidden = all.length > 0;
  if (plan) $("plan-when").replaceChildren(since(plan.looked_at, "looked at ", " ago"), all.length > 200 ? `, the first 200 of ${all.length}` : "");
}
const LOG_SHOWN = 200;
function drawLog() {
  rows($("log"), log, (event) => event.seq, plainRow((event) => h("li", null, h("time", {datetime: new Date(event.at).toISOString()}, clock(event.at), " ", event.ticket ? link(event.ticket, line(event.runtime ?? event.ticket)) : null),
    h("span.what", null, words(event.kind), event.cause ? " · " + words(event.cause) : ""), h("span.soft", null, short(event.evidence, 300)))));
  $("log-empty").hidden = log.length > 0;
}

// --- one ticket

let opened = null; // {id, page, events, explained}
const EVENT_TONES = {claimed: "accent", newborn: "accent", ready: "accent", running: "accent", question: "warm", attention: "warm", wish: "warm", ending: "warm", interrupted: "warm", finished: "good", lost: "bad", died: "", closed: "", settled: "", "declared-dead": "bad"};
function drawAttempt(attempt, events) {
  const began = attempt.claimed_at;
  const mine = events.filter((event) => event.runtime === attempt.runtime);
  const fact = (name, text) => text ? [h("dt", null, name), h("dd", null, text)] : [];
  const died = attempt.cause && attempt.cause !== "none";
  return h("article.attempt", {"aria-label": `Attempt ${attempt.generation}`},
    h("div.head", null, h("h4", null, line(attempt.runtime)), phaseBadge(attempt.phase), died ? badge(words(attempt.cause) + (attempt.code !== null ? ` ${attempt.code}` : ""), DEATH_TONES[attempt.cause] ?? "bad", "square") : null, attempt.open && verdicts.get(attempt.runtime) ? badge(...VERDICTS[verdicts.get(attempt.runtime)]) : null,
      h("span.when", null, attempt.open ? since(began, "for ") : span((attempt.changed_at ?? began) - began))),
    h("ol.timeline", null, mine.map((event) => h("li", {"data-tone": event.kind === "died" && event.cause !== "clean_exit" && event.cause !== "stopped_by_us" ? "bad" : EVENT_TONES[event.kind] ?? ""}, h("time", {datetime: new Date(event.at).toISOString(), title: new Date(event.at).toLocaleString()}, event.at - began < 1000 ? clock(event.at) : "+ " + span(event.at - began)),
      h("div", null, h("span.what", null, words(event.kind), event.cause ? " · " + words(event.cause) : ""), event.evidence ? [" ", h("span.evidence", null, short(event.evidence, 400))] : null)))),
    h("dl.facts-list", null, fact("Branch", attempt.branch ? h("code", null, line(attempt.branch)) : ""), fact("Facts", line(attempt.branch_facts)), fact("Evidence", line(attempt.evidence)), fact("Became", attempt.disposition ? `${words(attempt.disposition)}: ${short(attempt.reason, 300)}` : ""),
      fact("Saved as", attempt.salvage_refs?.length ? attempt.salvage_refs.map((ref) => h("div", null, h("code", null, line(ref)))) : ""), fact("Worktree", attempt.open ? h("code", null, line(attempt.worktree)) : "")),
    attempt.last_words ? h("details", null, h("summary", null, "Last words"), h("pre.screen", {tabindex: 0, role: "region", "aria-label": `Last words of ${line(attempt.runtime)}`}, clean(attempt.last_words))) : null);
}
function drawTicket() {
  if (!opened) return;
  const {id, page, events, explained, trouble} = opened;
  const drawer = $("drawer");
  const view = opened.view ??= (() => {
    const top = h("div.top"), title = h("h2", {id: "drawer-title", tabindex: -1}), reason = h("p.reason"), marks = h("div.labels"), doings = h("div.buttons"), reply = h("div"), why = h("section"), body = h("section"), attempts = h("section"), talk = h("section");
    const close = h("button.quiet.close", {type: "button", "aria-label": "Close"}, "✕");
    close.addEventListener("click", () => drawer.close());
    drawer.replaceChildren(top, h("div.inner", null, title, marks, reason, reply, doings, why, attempts, body, talk));
    return {top, title, reason, marks, doings, reply, why, body, attempts, talk, close, shown: ""};
  })();
  const shown = JSON.stringify([page, events?.length, explained, trouble, [...verdicts]]);
  if (shown === view.shown) return;
  view.shown = shown;
  const live = page?.attempts?.find((one) => one.open);
  view.top.replaceChildren(h("span.id", null, id), page ? stateBadge(page.state) : "", page ? h("span.when", null, since(page.changed_at)) : "", view.close);
  say(view.title, page ? line(page.title) || "without a title" : trouble ?? "Looking…");
  if (!page) return;
  say(view.reason, short(page.reason, 1000)); view.reason.hidden = !page.reason;
  view.marks.replaceChildren(...(page.labels ?? []).map((one) => h("span.label", null, line(one))), page.priority !== 100 ? h("span.label", null, `priority ${page.priority}`) : "", page.profile ? h("span.label", null, line(page.profile)) : "",
    ...(page.waits_for ?? []).map((one) => h("span.label", null, "waits for ", link(one.id))), ...(page.dependents ?? []).map((one) => h("span.label", null, "before ", link(one))));
  // Buttons are made anew only where others are needed, so that the focus stays.
  const kinds = [live ? "live" : "", page.state].join();
  if (view.kinds !== kinds) {
    view.kinds = kinds;
    const buttons = [];
    if (live) buttons.push(button("Send", "send", live.runtime), button("Interrupt", "interrupt", live.runtime), button("Stop", "stop", live.runtime));
    if (page.state === "in_review") { const yes = button("Approve", "approve", id); yes.classList.add("primary"); buttons.unshift(yes); }
    if (!live && page.state !== "todo") buttons.push(button("Try again", "retry", id));
    if (page.state !== "backlog") buttons.push(button("Park", "park", id));
    if (page.state !== "cancelled" && page.state !== "done") buttons.push(button("Cancel the ticket", "cancel", id));
    view.doings.replaceChildren(...buttons);
  }
  const question = live?.phase === "waiting" ? line(live.said_text) : "";
  if (view.question !== question) {
    view.question = question;
    view.reply.replaceChildren();
    if (question) {
      const area = h("textarea", {rows: 2, "aria-label": `Answer to ${live.runtime}`, placeholder: "Your answer"}), send = h("button.primary", {type: "button", "data-act": "answer"}, "Answer");
      send.addEventListener("click", () => actions.answer(send, id, area));
      area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send.click(); });
      view.reply.append(h("div.need", {"data-kind": "question"}, h("p.words.said", null, question), h("div.reply", null, h("label", null, area), send)));
    }
  }
  view.why.replaceChildren(...(explained ? [h("h3", null, "Why it is so"), h("dl.facts-list", null,
    h("dt", null, "Rule"), h("dd", null, `${words(explained.rule)}: ${line(explained.reason)}`), h("dt", null, "Now"), h("dd", null, line(explained.waits_for)),
    h("dt", null, "Next"), h("dd", null, explained.next_effect ? line(explained.next_effect) : "nothing until there is news"),
    Object.entries(explained.evidence ?? {}).map(([name, probe]) => [h("dt", null, line(name)), h("dd", null, `${line(probe.says)}${probe.fresh ? "" : " (stale)"}${probe.detail ? ": " + line(probe.detail) : ""}`)]),
    h("dt", null, "Budget"), h("dd", null, `${explained.budget?.charged ?? 0} of ${explained.budget?.attempts ?? "?"} attempts charged`),
    [...(explained.in_the_way ?? []), ...(explained.not_seen ?? [])].map((one) => [h("dt", null, "In the way"), h("dd", null, line(one))]))] : []));
  const all = [...(page.attempts ?? [])].reverse();
  view.attempts.replaceChildren(h("h3", null, all.length === 1 ? "One attempt" : all.length ? `${all.length} attempts` : "No attempt yet"), ...all.map((one) => drawAttempt(one, events ?? [])));
  view.body.replaceChildren(...(page.body ? [h("h3", null, "What is to be done"), h("div.body", {tabindex: 0, role: "region", "aria-label": "What is to be done"}, clean(page.body))] : []));
  view.talk.replaceChildren(h("h3", null, "History"), ...(page.comments ?? []).map((one) => h("div.comment", null, h("p.when", null, line(one.author) || "somebody", ", ", since(one.at, "", " ago")), h("p.words", null, clean(one.text)))),
    h("ol.timeline", null, (page.history ?? []).map((move) => h("li", null, h("time", {title: new Date(move.at).toLocaleString()}, since(move.at, "", " ago")), h("div", null, h("span.what", null, words(move.to)), " ", h("span.evidence", null, `${line(move.moved_by)}${move.reason ? ": " + short(move.reason, 200) : ""}`))))));
}
async function lookAtTicket(withReasons) {
  const mine = opened;
  if (!mine) return;
  try {
    const name = encodeURIComponent(mine.id);
    const [page, events] = await Promise.all([get(`tickets/${name}`), get(`events?ticket=${name}&limit=2000`)]);
    mine.page = page;
    mine.events = events.events;
  } catch (trouble) {
    mine.trouble = trouble instanceof Problem ? trouble.message : "The server cannot be reached.";
  }
  if (opened !== mine) return;
  drawTicket();
  if (!withReasons || !mine.page) return;
  try { mine.explained = await look(at("tickets", mine.id, "explain")); } catch { return; }
  if (opened === mine) drawTicket();
}
function openTicket(id) {
  const drawer = $("drawer");
  if (opened?.id !== id) { opened = {id, cameFrom: document.activeElement}; drawer.scrollTop = 0; }
  drawTicket();
  if (!drawer.open) drawer.showModal();
  $("drawer-title").focus();
  lookAtTicket(true);
}
$("drawer").addEventListener("close", () => {
  const from = opened?.cameFrom;
  const id = opened?.id;
  opened = null;
  if (location.hash.startsWith("#ticket/")) history.replaceState(null, "", "#" + view);
  const again = from?.isConnected ? from : document.querySelector(`[href="#ticket/${CSS.escape(encodeURIComponent(id ?? ""))}"]`);
  again?.focus({preventScroll: true});
});
$("drawer").addEventListener("click", (event) => { if (event.target === $("drawer")) $("drawer").close(); });

// --- which view

let view = "now";
function go() {
  const place = location.hash.slice(1);
  if (place.startsWith("ticket/")) {
    try { openTicket(decodeURIComponent(place.slice(7))); } catch { /* no such name */ }
  } else {
    if ($("drawer").open) $("drawer").close();
    view = ["now", "board", "health"].includes(place) ? place : "now";
  }
  for (const name of ["now", "board", "health"]) $("view-" + name).hidden = name !== view;
  for (const one of document.querySelectorAll(".views a")) {
    if (one.dataset.view === view) one.setAttribute("aria-current", "page"); else one.removeAttribute("aria-current");
  }
  draw();
  if (view === "health") { lookAround(); lookAtPlan(); }
}
addEventListener("hashchange", go);

// --- drawing: once a frame, whatever was learned

let due = false;
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    const serious = (findings?.findings ?? []).filter((one) => one.weight !== "note").length;
    say($("finding-count"), String(serious));
    $("finding-count").hidden = !serious;
    if (view === "now") { drawVitals(); drawNeeds(); drawRuntimes(); drawPool(); drawFindings(); }
    if (view === "board") drawBoard();
    if (view === "health") { drawFindings(); drawPlan(); drawLog(); }
    if (opened) drawTicket();
  });
}

// --- learning

let reached = true;
function tellLink(state) {
  const words_of = {live: "live", away: "not reached", waiting: "connecting"};
  $("link").dataset.state = state;
  say($("link").lastElementChild, words_of[state]);
}
// Whatever is asked for now and then: never twice at once, and once more where it was wanted meanwhile.
function routine(doing) {
  let running = false, again = false;
  const run = async () => {
    if (running) { again = true; return; }
    running = true;
    try { await doing(); } catch { /* the next time */ }
    running = false;
    if (again) { again = false; setTimeout(run, 150); }
  };
  return run;
}
const readBoard = routine(async () => {
  for (let more = true; more;) {
    const changes = await get(`board/changes?since=${cursor}&limit=1000&bodies=no`);
    for (const ticket of changes.tickets) tickets.set(ticket.id, ticket);
    cursor = changes.cursor;
    more = !changes.complete;
    if (changes.tickets.length) draw();
    if (opened && changes.tickets.some((ticket) => ticket.id === opened.id)) lookAtTicket(false);
  }
  document.body.dataset.board = "read";
});
const readRuntimes = routine(async () => {
  runtimes = (await get("runtimes")).runtimes;
  draw();
});
const readPool = routine(async () => { pool = (await get("pool")).slots; draw(); });
const readFigures = routine(async () => { counted = await get("statistics?hours=24"); drawThroughput(); drawDeaths(); });
const readVerdicts = routine(async () => {
  if (!runtimes.length) return;
  const looked = await look("plan?live=yes");
  verdicts = new Map(looked.plans.map((one) => [one.runtime, one.verdict]));
  draw();
});
const lookAtPlan = routine(async () => { plan = await look("plan"); draw(); });
const lookAround = routine(async () => {
  $("look-again").disabled = true;
  try { findings = await look("doctor"); } finally { $("look-again").disabled = false; }
  draw();
});
let soon = 0;
function refresh() {
  clearTimeout(soon);
  soon = setTimeout(() => { readBoard(); readRuntimes(); readPool(); if (opened) lookAtTicket(false); }, 120);
}
const every = (ms, doing) => setInterval(() => { if (!document.hidden) doing(); }, ms);

function tookEvent(event) {
  lastEvent = Math.max(lastEvent ?? 0, event.seq);
  log.unshift(event);
  if (log.length > LOG_SHOWN) log.length = LOG_SHOWN;
  refresh();
  if (event.kind === "closed" || event.kind === "lost" || event.kind === "died") readFigures();
  if (["newborn", "ready", "running", "lost", "died"].includes(event.kind)) setTimeout(readVerdicts, 300);
}

async function begin() {
  try {
    const health = await get("health");
    ahead = health.now - Date.now();
    say($("version"), "holdfast " + line(health.version));
  } catch { /* the streams say that it is not reached */ }
  go();
  await readBoard();
  await Promise.all([readRuntimes(), readPool(), readFigures()]);
  readVerdicts();
  lookAround();
  follow("events/stream", () => (lastEvent === null ? "" : "?after=" + lastEvent), (kind, event) => tookEvent(event), (well) => {
    tellLink(well ? "live" : "away");
    if (well && !reached) refresh();
    reached = well;
  });
  follow("screens/stream", () => "", (kind, data) => {
    if (kind === "runtimes") { for (const name of screens.keys()) if (!data.includes(name)) screens.delete(name); if (data.length !== runtimes.length) readRuntimes(); }
    else screens.set(data.runtime, data);
    draw();
  }, () => {});
  every(3000, readBoard);
  every(10000, readRuntimes);
  every(10000, readPool);
  every(12000, readVerdicts);
  every(60000, readFigures);
  every(120000, lookAround);
  every(20000, () => { if (view === "health") lookAtPlan(); if (opened) lookAtTicket(true); });
  every(1000, tick);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { refresh(); tick(); } });
}

// --- colours, keys, the small things

const THEMES = {auto: ["◐", "Colours: as the system has them"], dark: ["☾", "Colours: dark"], light: ["☀", "Colours: light"]};
const darkWanted = matchMedia("(prefers-color-scheme: dark)");
function paint() {
  const chosen = THEMES[kept("theme")] ? kept("theme") : "auto";
  document.documentElement.dataset.theme = chosen === "auto" ? (darkWanted.matches ? "dark" : "light") : chosen;
  say($("theme"), THEMES[chosen][0]);
  $("theme").setAttribute("aria-label", THEMES[chosen][1]);
}
$("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  keep("theme", names[(names.indexOf(kept("theme", "auto")) + 1) % names.length]);
  paint();
});
darkWanted.addEventListener("change", paint);
paint();

$("search").addEventListener("input", () => {
  wanted = $("search").value.trim().toLowerCase();
  if (wanted && view !== "board") location.hash = "#board";
  draw();
});
$("look-again").addEventListener("click", () => { lookAround(); lookAtPlan(); });
$("settings-button").addEventListener("click", () => { $("person").value = kept("person"); $("settings").showModal(); });
$("settings").addEventListener("close", () => keep("person", line($("person").value)));

function step(by) {
  const list = [...document.querySelectorAll(view === "board" ? ".card" : view === "now" ? ".need a.id, .runtime a.id" : ".plan a.id, .log a.id")].filter((one) => one.offsetParent);
  if (!list.length) return;
  const at = list.indexOf(document.activeElement);
  list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by))].focus();
}
function sideways(by) {
  const columns = [...document.querySelectorAll(".column")].filter((one) => one.querySelector(".card"));
  const at = columns.findIndex((one) => one.contains(document.activeElement));
  columns[at < 0 ? 0 : Math.min(columns.length - 1, Math.max(0, at + by))]?.querySelector(".card").focus();
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input, textarea")) {
    if (event.key === "Escape" && event.target === $("search")) { $("search").value = ""; wanted = ""; $("main").focus(); draw(); }
    return;
  }
  const doing = {
    "1": () => (location.hash = "#now"), "2": () => (location.hash = "#board"), "3": () => (location.hash = "#health"),
    "/": () => $("search").focus(), "?": () => $("settings-button").click(), j: () => step(1), k: () => step(-1),
    h: () => view === "board" && sideways(-1), l: () => view === "board" && sideways(1)}[event.key];
  if (!doing) return;
  event.preventDefault();
  doing();
});
let resized = 0;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(() => { drawThroughput(); drawDeaths(); }, 100); });

begin();
