// A mark opens its proof or measurement in a dialog. They stand on a page of their own,
// which is fetched with the first one; from file:// the mark is a link to it.
const proofPages = {};

function proofPage(address) {
  proofPages[address] ??= fetch(address).then(async (answer) => {
    if (!answer.ok) throw new Error(`${answer.status} ${address}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  });
  return proofPages[address];
}

function proofDialog(section, address) {
  const dialog = document.createElement("div");
  dialog.className = "proof";
  dialog.popover = "auto";
  dialog.setAttribute("role", "dialog");
  const [quote, ...parts] = document.importNode(section, true).children;
  const title = Object.assign(document.createElement("strong"), { id: "proof-title" });
  title.textContent = section.dataset.label;
  dialog.setAttribute("aria-labelledby", title.id);
  const close = Object.assign(document.createElement("button"), {
    type: "button", className: "proof-close", autofocus: true, textContent: "×",
  });
  close.setAttribute("aria-label", "Close");
  close.addEventListener("click", () => dialog.hidePopover());
  const header = document.createElement("header");
  header.append(title, close);
  const sentence = document.createElement("blockquote");
  sentence.append(...quote.childNodes);
  dialog.append(header, sentence, ...parts);
  for (const link of dialog.querySelectorAll("a[href]")) {
    link.href = new URL(link.getAttribute("href"), address);
  }
  dialog.addEventListener("toggle", (change) => {
    if (change.newState === "closed") dialog.remove();
  });
  return dialog;
}

document.addEventListener("click", async (event) => {
  const mark = event.target.closest("a.proof-mark");
  if (!mark || !location.protocol.startsWith("http")) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const address = new URL(mark.href);
  const id = address.hash.slice(1);
  address.hash = "";
  let section;
  try {
    section = (await proofPage(address.href)).getElementById(id);
  } catch {
    // the link says where it is
  }
  if (!section) {
    location.href = mark.href;
    return;
  }
  const dialog = proofDialog(section, address);
  mark.after(dialog); // the next stop of the keyboard, and where the focus returns
  dialog.showPopover();
});
