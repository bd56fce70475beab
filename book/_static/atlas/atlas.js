// The case atlas: sorting and filtering of the cards that the page already holds.
"use strict";

{
  const part = (name) => document.getElementById(`atlas-${name}`);
  const form = document.getElementById("atlas");
  const list = part("cases");
  const cards = [...list.children]; // the worst Dice first, as the page was written
  const measures = ["dice", "hd95", "predicted"];

  // For each card, in the order of the page, whether it passes every filter that is set.
  function passes({ dataset }) {
    if (part("class").value && dataset.class !== part("class").value) return false;
    return measures.every((name) => {
      const [from, to] = ["from", "to"].map((end) => part(`${name}-${end}`).valueAsNumber); // NaN where empty
      return !(Number(dataset[name]) < from) && !(Number(dataset[name]) > to);
    });
  }

  function sorted() {
    const [key, down] = part("sort").value.split("-");
    const text = (a, b) => a.dataset[key].localeCompare(b.dataset[key], "en", { numeric: true });
    const number = (a, b) => a.dataset[key] - b.dataset[key];
    const order = measures.includes(key) ? number : text;
    return [...cards].sort((a, b) => (down ? order(b, a) : order(a, b)));
  }

  function filter() {
    for (const card of cards) card.hidden = !passes(card);
    const shown = cards.filter((card) => !card.hidden).length;
    part("count").textContent = `${shown} of ${cards.length} cases`;
  }

  function outlines() {
    list.classList.toggle("bare", !part("outlines").checked);
  }

  // A link to a case that a filter hides shows it all the same.
  function follow() {
    const card = document.getElementById(location.hash.slice(1));
    if (!cards.includes(card)) return;
    if (card.hidden) form.reset(); // which comes back here
    else card.scrollIntoView();
  }

  for (const label of [...new Set(cards.map((card) => card.dataset.class))].sort()) {
    part("class").append(new Option(label, label));
  }
  if (!cards[0]?.dataset.predicted) {
    part("predicted").remove();
    for (const end of ["", "-down"]) part("sort").querySelector(`[value=predicted${end}]`).remove();
    measures.pop();
  }
  part("sort").addEventListener("change", () => list.append(...sorted()));
  part("outlines").addEventListener("change", outlines);
  part("class").addEventListener("change", filter);
  for (const field of form.querySelectorAll("[type=number]")) field.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () =>
    // The fields are emptied after this event.
    setTimeout(() => {
      list.append(...sorted());
      filter();
      outlines();
      follow();
    }),
  );
  addEventListener("hashchange", follow);
  form.hidden = false;
  filter();
  follow();
}
