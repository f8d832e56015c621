// The search, in the dialog that the theme opens: sections, ranked for a question or for
// a pasted message. It asks Pagefind, which needs http; from file:// the theme's form
// leads to Sphinx's own search.
(() => {
  const root = new URL(document.documentElement.dataset.content_root, location.href);
  if (!root.protocol.startsWith("http")) return;

  const STOP = new Set(
    ("a an and are as at be but by can could do does for from get has have how i if in into is it its " +
      "me my no not of on or so than that the their then there this to use using was we what when " +
      "where which who why will with you your received expected error got call calling").split(" "),
  );
  const KINDS = { error: "Error", guide: "Guide", recipe: "Recipe", reference: "Reference", about: "About" };
  const MESSAGE = /\b\w*(Error|Warning|Exception)\b|WARNING:|Traceback|Received|must be|cannot|has no |['"`].*['"`]/;
  const FACTORS = {
    message: { error: 1.6, guide: 1, recipe: 0.6, reference: 1, about: 0.4 },
    question: { error: 0.85, guide: 1.1, recipe: 0.6, reference: 0.95, about: 0.5 },
  };
  const SHOWN = 8;
  const LOOKED_AT = 16;

  // What is the same whatever a model, its layers and its sizes are called.
  function wordsOf(text) {
    return text
      .replace(/\x1b\[[0-9;]*m/g, "") // colors
      .replace(/0x[0-9a-f]+/gi, " ")
      .replace(/\b[A-Za-z]\w*_\d+\b/g, " ") // dense_1, input_layer_3
      .split(/[^A-Za-z0-9]+/)
      .filter((word) => word.length > 1 && !/^\d/.test(word))
      .map((word) => word.toLowerCase());
  }

  const pairsOf = (words) => new Set(words.slice(1).map((word, at) => `${words[at]} ${word}`));

  // How much of a heading was said.
  function share_of(heading, said) {
    const words = heading.filter((word) => !STOP.has(word));
    const stems = new Set(said.map((word) => word.slice(0, 6)));
    return words.filter((word) => stems.has(word.slice(0, 6))).length / (words.length || 1);
  }

  let pagefind;
  function load() {
    pagefind ??= import(new URL("pagefind/pagefind.js", root)).then(async (found) => {
      await found.options({ baseUrl: root.pathname, excerptLength: 24 });
      return found;
    });
    return pagefind;
  }

  // Each word counts for itself: a message holds words that no page has.
  async function search(text) {
    const index = await load();
    const said = wordsOf(text);
    let words = [...new Set(said)].filter((word) => !STOP.has(word));
    if (!words.length) words = [...new Set(said)];
    const found = new Map();
    for (const word of words.slice(0, 40)) {
      for (const result of (await index.search(word)).results) {
        const entry = found.get(result.id) ?? { result, score: 0, count: 0 };
        entry.score += Math.log1p(result.score); // no word alone decides
        entry.count += 1;
        found.set(result.id, entry);
      }
    }
    const rank = (entry) => entry.score * (0.4 + entry.count / words.length);
    const best = [...found.values()].sort((a, b) => rank(b) - rank(a)).slice(0, LOOKED_AT);
    const factors = FACTORS[MESSAGE.test(text) ? "message" : "question"];
    const asked = pairsOf(said);
    const sections = await Promise.all(
      best.map(async (entry) => {
        const data = await entry.result.data();
        const there = pairsOf(wordsOf(`${data.meta.title}. ${data.content}`));
        const same = [...asked].filter((pair) => there.has(pair)).length;
        const share = asked.size ? same / asked.size : 0;
        const named = share_of(wordsOf(data.meta.title), said);
        const entryFirst = data.meta.kind === "error" && data.url.includes("/guides/") ? 0.7 : 1;
        const score = rank(entry) * factors[data.meta.kind] * entryFirst * (1 + 2 * share) * (0.4 + named);
        return { score, data, words };
      }),
    );
    return sections.sort((a, b) => b.score - a.score).slice(0, SHOWN);
  }

  // An excerpt around what was said; Pagefind's own marks one word alone.
  function excerpt(content, words) {
    const text = content.replace(/^[^.]*\.\s/, ""); // the heading stands above it
    const stems = [...new Set(words.map((word) => word.slice(0, 6)))].map((word) => word.replace(/\W/g, ""));
    const pattern = new RegExp(`\\b(?:${stems.join("|")})[A-Za-z0-9]*`, "gi");
    const places = [...text.matchAll(pattern)].map((match) => match.index);
    const inside = (start) => places.filter((place) => place >= start && place < start + 160).length;
    const first = places.reduce((best, place) => (inside(place) > inside(best) ? place : best), places[0] ?? 0);
    const start = first < 60 ? 0 : text.lastIndexOf(" ", first - 30) + 1;
    const end = text.length > start + 200 ? text.lastIndexOf(" ", start + 200) : text.length;
    const cut = text.slice(start, end);
    const line = document.createElement("span");
    line.className = "found-text";
    let at = 0;
    if (start) line.append("… ");
    for (const match of cut.matchAll(pattern)) {
      line.append(cut.slice(at, match.index));
      const mark = document.createElement("mark");
      mark.textContent = match[0];
      line.append(mark);
      at = match.index + match[0].length;
    }
    line.append(cut.slice(at), end < text.length ? " …" : "");
    return line;
  }

  function span(name, text) {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  }

  function shown({ data, words }) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = data.url;
    const { title, page, kind } = data.meta;
    link.append(span("found-title", title));
    link.append(span("found-place", page === title ? KINDS[kind] : `${KINDS[kind]} · ${page}`));
    link.append(excerpt(data.content, words));
    item.append(link);
    return item;
  }

  // A message of several lines is pasted whole; a field would join its lines.
  function pasteWhole(field) {
    field.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text");
      if (!/\n/.test(text)) return;
      event.preventDefault();
      field.setRangeText(text.replace(/\s+/g, " ").trim(), field.selectionStart, field.selectionEnd, "end");
      field.dispatchEvent(new Event("input"));
    });
  }

  // The field of the home page hands over to the dialog what is typed or pasted there.
  function handOver(home, dialog, field) {
    const start = home.querySelector("input");
    const open = () => {
      dialog.showModal();
      field.value = start.value;
      start.value = "";
      field.dispatchEvent(new Event("input"));
      field.focus();
    };
    pasteWhole(start);
    start.addEventListener("input", (event) => !event.isComposing && start.value.trim() && open());
    home.addEventListener("submit", (event) => {
      event.preventDefault();
      open();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    const dialog = document.getElementById("pst-search-dialog");
    const form = dialog?.querySelector("form");
    if (!form) return;
    const field = form.querySelector("input");
    const said = Object.assign(document.createElement("p"), { className: "found-count" });
    const list = Object.assign(document.createElement("ul"), { className: "found" });
    said.setAttribute("role", "status");
    dialog.append(said, list);
    dialog.setAttribute("aria-label", "Search");
    field.placeholder = "A question, a name, or an error message";
    field.setAttribute("aria-label", field.placeholder);
    field.removeAttribute("maxlength");
    pasteWhole(field);

    let asked = "";
    let latest = Promise.resolve();
    let waiting;
    async function ask() {
      const text = field.value.trim();
      if (text === asked) return;
      asked = text;
      if (!text) {
        list.replaceChildren();
        list.dataset.for = said.textContent = "";
        return;
      }
      const found = await search(text);
      if (text !== asked) return; // more was typed
      list.replaceChildren(...found.map(shown));
      list.scrollTop = 0;
      list.dataset.for = text;
      const none = "Nothing found. Try fewer words, or the name of a layer or function.";
      said.textContent = found.length ? `${found.length} sections` : none;
    }
    const later = () => (latest = ask().catch(() => (form.dataset.isPlain = "yes")));

    field.addEventListener("focus", () => load().catch(() => (form.dataset.isPlain = "yes")), { once: true });
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(later, 120);
    });
    form.addEventListener("submit", async (event) => {
      if (form.dataset.isPlain) return; // there is no index: the theme's page searches
      event.preventDefault();
      clearTimeout(waiting);
      await later();
      await latest;
      if (form.dataset.isPlain) form.submit();
      else list.querySelector("a")?.click();
    });
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const stops = [field, ...list.querySelectorAll("a")];
      const next = stops[stops.indexOf(document.activeElement) + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
    list.addEventListener("click", (event) => event.target.closest("a") && dialog.close());
    document.querySelectorAll("form.ask").forEach((home) => handOver(home, dialog, field));
  });
})();
