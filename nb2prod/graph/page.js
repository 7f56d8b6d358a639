// One stage at a time: a click on a card, or a link to a stage or line, chooses it.
// Without scripts all stages stand below each other and the links jump there.
const panels = [...document.querySelectorAll(".panel")];
const cards = [...document.querySelectorAll("a.stage")];
const arrows = [...document.querySelectorAll("path.arrow")];

function choose(id) {
  const panel = panels.find((one) => one.id === id);
  if (!panel) return false;
  for (const one of panels) one.hidden = one !== panel;
  for (const card of cards) card.classList.toggle("chosen", card.getAttribute("href") === "#" + id);
  for (const arrow of arrows) arrow.classList.toggle("near", arrow.dataset.ends.split(" ").includes(id));
  return true;
}

function follow() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (choose(id)) return;
  const line = id && document.getElementById(id);
  const owner = line && line.closest(".panel");
  if (owner && choose(owner.id)) line.scrollIntoView({ block: "center" });
}

for (const card of cards) {
  card.addEventListener("click", (event) => {
    event.preventDefault();
    const id = card.getAttribute("href").slice(1);
    history.replaceState(null, "", "#" + id);
    choose(id);
    if (matchMedia("(max-width: 899px)").matches) document.getElementById(id).scrollIntoView({ behavior: "smooth" });
  });
}
if (panels.length) choose(panels.some((one) => one.id === "features") ? "features" : panels[0].id);
addEventListener("hashchange", follow);
follow();
