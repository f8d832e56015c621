// The copy button of a recipe takes what the recipe needs along: the text below the code.
document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest(".cell_input .copybtn");
    const whole = button?.closest(".cell_input").querySelector("script.whole");
    if (whole) button.dataset.clipboardTarget = `#${whole.id}`;
  },
  true, // before the button acts
);
