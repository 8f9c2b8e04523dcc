"use strict";
// Copy buttons, and the lines once more with one's own key: it goes in a header, never into an address.

async function copied(text, block) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // not a secure context: leave the lines selected, and try the old way
    getSelection().selectAllChildren(block);
    document.execCommand("copy");
  }
}

for (const button of document.querySelectorAll(".copy")) {
  const block = button.closest(".client").querySelector("code[data-client]");
  button.addEventListener("click", async () => {
    await copied(block.textContent, block);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

const form = document.getElementById("key-form");
const note = document.getElementById("key-note");

async function withKey(key) {
  const asked = new URLSearchParams({ f: "json" });
  const collection = new URLSearchParams(location.search).get("collection");
  if (collection) asked.set("collection", collection);
  const answer = await fetch(`connect?${asked}`, { headers: key ? { "X-API-Key": key } : {} });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.description || found.message || `The site answers ${answer.status}.`);
  return found;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const found = await withKey(document.getElementById("key").value.trim());
    for (const block of document.querySelectorAll("code[data-client]")) block.textContent = found[block.dataset.client];
    note.className = "note";
    note.textContent = "The key is in the lines now. Whoever has it can speak in your name: keep it to yourself.";
  } catch (error) {
    note.className = "note wrong";
    note.textContent = error.message;
  }
});
