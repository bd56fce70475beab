// Offer the samples of samples.js on a page with a network.
"use strict";
globalThis.tryit ??= {};

{
  // Let the browser paint the text before the thread is busy.
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

  // Add a button for each sample to an element. open: called with a Blob, a file name and the sample's number.
  function offerSamples(group, open) {
    tryit.samples.forEach(({ label, jpeg }, k) => {
      const button = document.createElement("button");
      const picture = document.createElement("img");
      picture.src = `data:image/jpeg;base64,${jpeg}`;
      picture.alt = "";
      button.type = "button";
      button.append(picture, `Synthetic X-ray ${k + 1}: ${label}`);
      button.addEventListener("click", () => {
        const bytes = Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0));
        open(new Blob([bytes], { type: "image/jpeg" }), `sample-${k + 1}.jpg`, k);
      });
      group.append(button);
    });
  }

  Object.assign(tryit, { painted, offerSamples });
}
