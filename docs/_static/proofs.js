// A mark opens its proof or measurement, which the page holds as a template.
document.addEventListener("click", (event) => {
  const mark = event.target.closest("a.proof-mark");
  const template = mark && document.getElementById(mark.dataset.opens);
  if (!template || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const dialog = template.content.firstElementChild.cloneNode(true);
  dialog.addEventListener("click", (inside) => {
    if (inside.target.closest(".proof-close")) dialog.hidePopover();
  });
  dialog.addEventListener("toggle", (change) => {
    if (change.newState === "closed") dialog.remove();
  });
  mark.after(dialog); // the next stop of the keyboard, and where the focus returns
  dialog.showPopover();
});
