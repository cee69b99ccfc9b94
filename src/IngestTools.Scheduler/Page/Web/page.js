"use strict";
(() => {
  const pollPause = 3000;
  const listPause = 15000;
  const typingPause = 250;
  const storageKey = "ingest-scheduler-token";
  const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const byId = (id) => document.getElementById(id);
  let token = null;

  // Elements: text is always text.

  const add = (parent, tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined && text !== null) element.textContent = text;
    parent.append(element);
    return element;
  };
  // What others wrote may be written from right to left, and turns nothing around it.
  const addWords = (parent, tag, className, text) => {
    const element = add(parent, tag, className);
    add(element, "bdi", null, text);
    return element;
  };
  const setText = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const facts = (parent, rows) => {
    const list = add(parent, "dl", "facts");
    for (const [name, value] of rows) {
      if (value === undefined || value === null || value === "") continue;
      add(list, "dt", null, name);
      addWords(list, "dd", null, String(value));
    }
    return list;
  };

  // Words.

  const words = {
    PartlySucceeded: "Partly succeeded",
    BulkIngest: "Bulk ingest",
    LinkingBatch: "Linking batch",
    BulkLoad: "Bulk load",
  };
  const word = (name) => words[name] || name;
  const tone = (status) =>
    ({
      Succeeded: "ok", Active: "ok",
      Failed: "bad", Broken: "bad",
      PartlySucceeded: "warn", Missed: "warn", Unknown: "warn",
    })[status] || "off";
  const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
  const bytes = (n) => {
    if (n === undefined || n === null) return null;
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let i = 0;
    while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
    return `${i === 0 ? n : n.toFixed(1)} ${units[i]}`;
  };
  const span = (milliseconds) => {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
  };

  // Times: "2026-11-27T02:15:00+01:00" is shown as it stands, in the zone of whoever wrote it.

  const clockOf = (iso) => iso.slice(11, 16) + (iso.slice(17, 19) === "00" ? "" : iso.slice(16, 19));
  const dateOf = (iso) => iso.slice(0, 10);
  const offsetOf = (iso) => {
    const offset = /(Z|[+-]\d\d:\d\d)$/.exec(iso)[0];
    return offset === "Z" ? "+00:00" : offset;
  };
  const local = new Intl.DateTimeFormat("sv-SE", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const localTime = (iso) => (iso ? local.format(new Date(iso)) : null);
  const dayName = (date) =>
    new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));
  const shortDay = (date) =>
    new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));

  // Requests.

  class Closed extends Error {}

  const ask = async (path, query) => {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query || {}))
      for (const one of [value].flat()) if (one) parameters.append(name, one);
    const text = parameters.toString();
    const response = await fetch(`api/${path}${text ? `?${text}` : ""}`, {
      headers: { Authorization: `Bearer ${token}` },
      cache: "no-store",
      credentials: "omit",
    });
    if (response.status === 401) throw new Closed("The scheduler was started again since this page was opened.");
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message || `The scheduler answered ${response.status}.`);
    return answer;
  };

  const open = async () => {
    const ticket = location.hash.length > 20 ? location.hash.slice(1) : null;
    token = sessionStorage.getItem(storageKey);
    if (!ticket) return token ? null : "The address has nothing that opens it.";
    history.replaceState(null, "", location.pathname);
    const response = await fetch("api/session", { headers: { Authorization: `Ticket ${ticket}` }, cache: "no-store", credentials: "omit" });
    if (!response.ok) return token ? null : "The address was used before, or is too old.";
    token = (await response.json()).token;
    sessionStorage.setItem(storageKey, token);
    return null;
  };

  const close = (why) => {
    sessionStorage.removeItem(storageKey);
    token = null;
    byId("content").hidden = true;
    byId("sections").hidden = true;
    byId("closed").hidden = false;
    setText(byId("closed-why"), why);
    health("off", "Not open");
  };

  const health = (className, text) => {
    byId("health").className = `health ${className}`;
    setText(byId("health"), text);
  };

  // A run, as a line that opens to its messages.

  const progressOf = (parent, run) => {
    if (run.completed === undefined && run.total === undefined) return;
    const row = add(parent, "div", "progress");
    const bar = add(row, "progress");
    bar.setAttribute("aria-label", `Progress of ${run.name}`);
    if (run.total) {
      bar.max = run.total;
      bar.value = run.completed || 0;
    }
    const done = (run.completed || 0).toLocaleString("en");
    add(row, "span", null, run.total ? `${done} of ${run.total.toLocaleString("en")} ${run.unit || ""}` : `${done} ${run.unit || ""}`);
  };

  const runDetail = (parent, run) => {
    facts(parent, [
      ["Run", run.id],
      ["Server", run.server],
      ["Due", localTime(run.dueAt)],
      ["Started", localTime(run.startedAt)],
      ["Ended", localTime(run.completedAt)],
      ["Items", run.completed === undefined ? null : `${run.completed.toLocaleString("en")}${run.total === undefined ? "" : ` of ${run.total.toLocaleString("en")}`} ${run.unit || ""}`],
      ["Started by hand", run.manual ? "Yes" : null],
      ["Attempt", run.attempt > 1 ? `${run.attempt}, repeats ${run.retryOf}` : null],
      ["Transactions", (run.transactionIds || []).join(", ")],
      ["Name at the service", run.remoteName],
      ["Node", run.node],
    ]);
    const log = run.log || [];
    if (log.length === 0) return;
    const list = add(parent, "ol", "log");
    for (const entry of log) {
      const item = add(list, "li");
      add(item, "time", null, localTime(entry.time) || "");
      add(item, "span", entry.severity === "Error" ? "bad" : entry.severity === "Warning" ? "warn" : "off", entry.severity || "");
      addWords(item, "span", null, entry.message || "");
    }
  };

  const runLine = (parent, run) => {
    add(parent, "span", "time", localTime(run.startedAt || run.dueAt).slice(0, 16));
    add(parent, "span", `status ${tone(run.status)}`, word(run.status));
    addWords(parent, "span", "name", run.name);
    const took = run.startedAt && run.status !== "Planned" ? span((run.completedAt ? new Date(run.completedAt) : new Date()) - new Date(run.startedAt)) : "";
    add(parent, "span", "end", [word(run.kind), took].filter(Boolean).join(" \u00b7 "));
    if (run.message) addWords(parent, "span", "sub", run.message);
  };

  const runItem = (run) => {
    const item = document.createElement("li");
    const details = add(item, "details");
    runLine(add(details, "summary", "line"), run);
    const body = add(details, "div", "detail");
    details.addEventListener("toggle", async () => {
      if (!details.open) return;
      body.replaceChildren();
      try {
        runDetail(body, await ask(`runs/${run.id.slice(4)}`));
      } catch (error) {
        failed(error, body);
      }
    });
    return item;
  };

  const failed = (error, place) => {
    if (error instanceof Closed) close(error.message);
    else if (place) {
      place.replaceChildren();
      add(place, "p", "bad", error.message);
    }
  };

  // Lists with filters and parts.

  const valuesOf = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));

  const listOf = ({ form, list, more, note, read, item, empty, name }) => {
    let next = null;
    let shown = 0;
    let lastText = "";
    let asked = 0;
    const load = async (isMore, isQuiet) => {
      const turn = ++asked;
      try {
        const part = await read(valuesOf(form), isMore ? next : null);
        if (turn !== asked) return;
        const text = JSON.stringify(part);
        if (isQuiet && text === lastText) return;
        if (!isMore) {
          lastText = text;
          shown = 0;
          list.replaceChildren();
        }
        const first = list.children.length;
        for (const one of part.items) list.append(item(one));
        shown += part.items.length;
        next = part.next || null;
        more.hidden = next === null;
        if (shown === 0) add(list, "li", "empty", empty);
        setText(note, shown === 0 ? "" : `${count(shown, name[0], name[1])}${next ? ", and more" : ""}`);
        if (isMore) (list.children[first].querySelector("summary") || list.children[first]).focus();
      } catch (error) {
        if (turn === asked) failed(error, isQuiet ? null : add(list, "li"));
      }
    };
    let typing;
    form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => load(false), typingPause); });
    form.addEventListener("reset", () => setTimeout(() => load(false)));
    form.addEventListener("submit", (event) => { event.preventDefault(); load(false); });
    more.addEventListener("click", () => load(true));
    return {
      load,
      // What a reader has opened, paged to or put the focus on stays as it is.
      refresh: () => {
        const isInUse = list.contains(document.activeElement) || list.querySelector("details[open]") || lastText === "" || shown > 50;
        return isInUse ? undefined : load(false, true);
      },
    };
  };

  const runs = listOf({
    form: byId("history-filter"),
    list: byId("runs"),
    more: byId("runs-more"),
    note: byId("history-note"),
    name: ["run", "runs"],
    empty: "No run matches.",
    read: (values, before) => ask("runs", { ...values, status: values.status.split(","), before }),
    item: runItem,
  });

  const schedules = listOf({
    form: byId("schedules-filter"),
    list: byId("schedule-list"),
    more: byId("schedules-more"),
    note: byId("schedules-note"),
    name: ["schedule", "schedules"],
    empty: "No schedule matches.",
    read: (values, after) => ask("schedules", { ...values, after }),
    item: (schedule) => {
      const item = document.createElement("li");
      const details = add(item, "details");
      const line = add(details, "summary", "line");
      const first = schedule.nextRuns[0];
      const time = add(line, "span", "time", first ? `${dateOf(first)} ${clockOf(first)}` : "no next time");
      if (first) add(time, "small", null, ` ${offsetOf(first)}`);
      add(line, "span", `status ${tone(schedule.status)}`, word(schedule.status));
      addWords(line, "span", "name", schedule.name);
      add(line, "span", "end", [schedule.kind && word(schedule.kind), schedule.lastRun && `last ${word(schedule.lastRun.status).toLowerCase()}`].filter(Boolean).join(" \u00b7 "));
      const reason = schedule.reason || [schedule.when, schedule.zone].filter(Boolean).join(", ");
      if (reason) addWords(line, "span", "sub", reason);
      facts(add(details, "div", "detail"), [
        ["Loads", schedule.load],
        ["Connection", schedule.connection],
        ["Server", schedule.server],
        ["Times", [schedule.when, schedule.zone].filter(Boolean).join(", ")],
        ["Next times", schedule.nextRuns.map((at) => `${dateOf(at)} ${clockOf(at)} ${offsetOf(at)}`).join("; ")],
        ["Reason", schedule.reason],
        ["Last run", schedule.lastRun && `${schedule.lastRun.id}, ${word(schedule.lastRun.status)}, ${localTime(schedule.lastRun.startedAt || schedule.lastRun.dueAt)}`],
        ["Registered", [localTime(schedule.registeredAt), schedule.registeredBy].filter(Boolean).join(", ")],
      ]);
      return item;
    },
  });

  // The agenda.

  const agenda = (() => {
    const form = byId("agenda-filter");
    const place = byId("agenda");
    const more = byId("agenda-more");
    let next = null;
    let lastText = "";
    let asked = 0;
    let shown = 0;

    const showDays = (days) => {
      const text = days.map((day) => day.date).join();
      if (byId("days").dataset.days === text) return;
      byId("days").dataset.days = text;
      byId("days").replaceChildren();
      for (const date of ["", ...days.map((day) => day.date)]) {
        const label = add(byId("days"), "label");
        const input = add(label, "input");
        input.type = "radio";
        input.name = "day";
        input.value = date;
        input.checked = date === "";
        add(label, "span", null, date === "" ? "7 days" : shortDay(date));
      }
    };
    const showItem = (list, upcoming) => {
      const item = add(list, "li");
      const line = add(item, "div", "line");
      // Where the schedule's zone has another day than the viewer's, the day stands before the time.
      const day = dateOf(upcoming.at) === upcoming.date ? "" : `${shortDay(dateOf(upcoming.at)).slice(0, 3)} `;
      const time = add(line, "span", "time", day + clockOf(upcoming.at));
      add(time, "small", null, ` ${offsetOf(upcoming.at)}`);
      add(line, "span", "note", upcoming.zone);
      addWords(line, "span", "name", upcoming.name);
      const often = upcoming.count > 1 ? `${upcoming.isMore ? "more than " : ""}${upcoming.count} times, last ${clockOf(upcoming.last)}` : "";
      add(line, "span", "end", [often, word(upcoming.kind)].filter(Boolean).join(" \u00b7 "));
      const own = localTime(upcoming.at);
      const isOther = own.slice(0, 16) !== `${dateOf(upcoming.at)} ${upcoming.at.slice(11, 16)}`;
      addWords(line, "span", "sub", `${upcoming.load}${isOther ? ` \u00b7 ${own.slice(11, 16)} your time` : ""}`);
    };
    const showChange = (list, change) => {
      const isForward = change.after.slice(0, 16) > change.before.slice(0, 16);
      add(
        add(list, "li"), "p", "clock",
        `Clock change in ${change.zone}: at ${clockOf(change.before)} the clocks go ${isForward ? "forward" : "back"} to ${clockOf(change.after)} (UTC${offsetOf(change.before)} to UTC${offsetOf(change.after)}).`,
      );
    };
    const show = (part, isMore) => {
      showDays(part.days);
      if (!isMore) {
        place.replaceChildren();
        shown = 0;
      }
      const listFor = (date) => {
        let list = place.querySelector(`ol[data-date="${date}"]`);
        if (!list) {
          add(place, "h3", null, dayName(date));
          list = add(place, "ol", "agenda");
          list.dataset.date = date;
        }
        return list;
      };
      const told = new Set([...place.querySelectorAll("[data-change]")].map((one) => one.dataset.change));
      const changes = part.clockChanges.filter((change) => !told.has(change.zone + change.before));
      const tellChanges = (date) => {
        for (const change of changes.splice(0).filter((one) => (one.date <= date ? true : (changes.push(one), false)))) {
          showChange(listFor(change.date), change);
          listFor(change.date).lastElementChild.dataset.change = change.zone + change.before;
        }
      };
      for (const upcoming of part.items) {
        tellChanges(upcoming.date);
        showItem(listFor(upcoming.date), upcoming);
      }
      if (!part.next) tellChanges("9999");
      shown += part.items.length;
      next = part.next || null;
      more.hidden = next === null;
      if (shown === 0) add(place, "p", "empty", "Nothing is due.");
      setText(byId("next-note"), `Times in each schedule's own zone. Days in yours, ${part.zone}.`);
    };
    const load = async (isMore, isQuiet) => {
      const turn = ++asked;
      try {
        const part = await ask("agenda", { ...valuesOf(form), zone: viewerZone, after: isMore ? next : null });
        if (turn !== asked) return;
        const text = JSON.stringify(part);
        if (isQuiet && text === lastText) return;
        if (!isMore) lastText = text;
        show(part, isMore);
      } catch (error) {
        if (turn === asked) failed(error, isQuiet ? null : place);
      }
    };
    let typing;
    form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => load(false), typingPause); });
    form.addEventListener("submit", (event) => { event.preventDefault(); load(false); });
    more.addEventListener("click", () => load(true));
    return { load, refresh: () => (shown > 50 ? undefined : load(false, true)) };
  })();

  // What is so now.

  const showFigures = (overview) => {
    const state = overview.state;
    const rows = [
      ["Active schedules", state.active.toLocaleString("en"), ""],
      ["Suspended", state.suspended.toLocaleString("en"), ""],
      ["Running", state.running.toLocaleString("en"), overview.waiting ? `${overview.waiting.toLocaleString("en")} waiting` : ""],
      ["Not succeeded, 24 h", state.troubledLastDay.toLocaleString("en"), "", state.troubledLastDay ? "warn" : ""],
      ["Next run", state.nextRun ? localTime(state.nextRun).slice(5, 16) : "none", state.nextRun ? `in ${span(new Date(state.nextRun) - new Date(overview.now))}` : ""],
    ];
    const list = byId("figures");
    if (list.children.length === 0) {
      for (const [i, [name]] of rows.entries()) {
        const part = add(list, "div", i === rows.length - 1 ? "wide" : null);
        add(part, "dt", null, name);
        const value = add(part, "dd");
        add(value, "span");
        add(value, "small");
      }
    }
    for (const [i, [, value, small, className]] of rows.entries()) {
      const [shownValue, shownSmall] = list.children[i].lastElementChild.children;
      setText(shownValue, value);
      shownValue.className = className || "";
      setText(shownSmall, small);
    }
  };

  const showRunning = (overview) => {
    const list = byId("running");
    const known = new Map([...list.children].filter((item) => item.dataset.id).map((item) => [item.dataset.id, item]));
    list.querySelector(".empty")?.remove();
    for (const run of overview.running) {
      let item = known.get(run.id);
      if (!item) {
        item = add(list, "li");
        item.dataset.id = run.id;
      }
      known.delete(run.id);
      const line = document.createElement("div");
      line.className = "line";
      runLine(line, run);
      progressOf(line, run);
      item.replaceChildren(line);
    }
    for (const gone of known.values()) gone.remove();
    if (list.children.length === 0) add(list, "li", "empty", "Nothing is running.");
    const hidden = overview.state.running - overview.running.length;
    const waiting = overview.waiting ? `${count(overview.waiting, "run waits", "runs wait")} for a free place` : "";
    setText(byId("now-note"), [hidden > 0 ? `${hidden.toLocaleString("en")} more are running` : "", waiting].filter(Boolean).join("; "));
  };

  const showStore = (overview) => {
    const store = overview.store;
    const place = byId("facts");
    const fresh = document.createDocumentFragment();
    const list = facts(fresh, [
      ["Store", `${store.kind}, ${store.place}`],
      ["Size", bytes(store.size)],
      ["Folder", store.folder],
      ["Free on its disk", store.folderFree === undefined ? null : `${bytes(store.folderFree)} of ${bytes(store.folderTotal)}`],
      ["Log", overview.state.logPath ? `${overview.state.logPath}, ${bytes(store.logSize)}` : "the system's journal, or the terminal"],
      ["Version", overview.state.version],
      ["Process", `${overview.state.processId}, started ${localTime(overview.state.startedAt)}`],
    ]);
    if (list.textContent !== place.textContent) place.replaceChildren(...list.children);
    showNodes(overview);
  };

  const showNodes = (overview) => {
    const place = byId("nodes");
    place.replaceChildren();
    if (overview.store.kind !== "PostgreSQL") return;
    const table = add(add(place, "div", "scroll"), "table");
    add(table, "caption", null, "Nodes");
    const head = add(add(table, "thead"), "tr");
    for (const name of ["Node", "State", "Machine", "Process", "Last sign of life"]) add(head, "th", null, name).scope = "col";
    const body = add(table, "tbody");
    for (const node of overview.nodes) {
      const row = add(body, "tr");
      addWords(row, "td", "name", node.name + (node.isThis ? " (this one)" : ""));
      add(row, "td", node.isAlive ? "ok" : "bad", node.isAlive ? "Alive" : "Silent");
      addWords(row, "td", null, node.host);
      add(row, "td", null, node.process);
      add(row, "td", null, `${span(node.silentSeconds * 1000)} ago`);
    }
  };

  const showOverview = (overview) => {
    const state = overview.state;
    byId("trouble").hidden = !state.trouble;
    setText(byId("trouble"), state.trouble || "");
    if (state.trouble) health("bad", "Needs attention");
    else if (state.troubledLastDay) health("warn", `Running, ${count(state.troubledLastDay, "run", "runs")} of the last 24 h did not succeed`);
    else health("ok", "Running, all well");
    setText(byId("node"), state.node || "");
    showFigures(overview);
    showRunning(overview);
    showStore(overview);
    setText(byId("footer"), `ingest-scheduler ${state.version}. As of ${localTime(overview.now)}, ${viewerZone}. This page only reads.`);
  };

  let lastAnswer = null;
  let lastLists = 0;
  const poll = async () => {
    try {
      const overview = await ask("overview");
      if (!token) return;
      showOverview(overview);
      lastAnswer = new Date();
      if (Date.now() - lastLists > listPause) {
        lastLists = Date.now();
        await Promise.all([agenda.refresh(), runs.refresh(), schedules.refresh()]);
      }
    } catch (error) {
      if (error instanceof Closed) return close(error.message);
      health("bad", lastAnswer ? `No answer since ${localTime(lastAnswer)}` : "No answer");
    }
    if (token) setTimeout(poll, pollPause);
  };

  const start = async () => {
    let why;
    try {
      why = await open();
    } catch {
      why = "The scheduler does not answer.";
    }
    if (why) return close(why);
    byId("closed").hidden = true;
    byId("content").hidden = false;
    byId("sections").hidden = false;
    lastLists = Date.now();
    await Promise.all([poll(), agenda.load(false), runs.load(false), schedules.load(false)]);
    document.documentElement.dataset.ready = "true";
  };
  start();
})();
