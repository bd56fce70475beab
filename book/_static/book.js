// What every page does.
"use strict";

{
  // What is wider than the screen scrolls by itself, so the keyboard has to reach it; what is not is no stop.
  const wide = ".math-block, figure.wide, dl.py > dt";
  const reach = () => {
    for (const part of document.querySelectorAll(wide)) {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
      else part.removeAttribute("tabindex");
    }
  };
  addEventListener("load", reach);
  addEventListener("resize", reach);

  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
}
