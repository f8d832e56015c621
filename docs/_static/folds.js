// The theme lets the keyboard into code that scrolls, and measures it when the page has
// another size; code in a fold has none until the fold is opened.
document.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")), true);
