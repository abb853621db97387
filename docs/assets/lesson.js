// Everything works without this file. It opens a card on a first tap (a second follows the link), closes it on Escape,
// makes one tab stop of a section's numbers, and copies code.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const on = (kind, act) => document.addEventListener(kind, act);
  const root = document.documentElement;

  let open = null;
  on("pointerdown", (event) => {
    const claim = event.target.closest(".claim");
    if (event.pointerType === "touch") open = claim && claim === open ? "follow" : claim;
  });
  on("click", (event) => {
    const claim = event.target.closest(".claim");
    if (!claim || event.pointerType !== "touch" || open === "follow") return;
    event.preventDefault();
    claim.querySelector("a").focus();
  });
  for (const kind of ["pointerover", "focusin"]) on(kind, () => root.classList.remove("closed"));

  // Numbers and terms: Tab comes to one of a section, or of an open answer; arrows go to all others.
  const stops = all(".claim a, .listing td a, article abbr[tabindex]");
  const heads = all("article h2");
  const groups = new Map();
  for (const stop of stops) {
    const before = (head) => head.compareDocumentPosition(stop) & 4;
    groups.set(stop, stop.closest("details") ?? heads.findLast(before) ?? root);
  }
  const current = new Map();
  const take = (stop) => {
    const group = groups.get(stop);
    if (current.has(group)) current.get(group).tabIndex = -1;
    current.set(group, stop).get(group).tabIndex = 0;
  };
  stops.reverse().forEach(take);
  stops.reverse();
  root.dataset.arrows = "";
  on("focusin", ({ target }) => groups.has(target) && take(target));

  on("keydown", (event) => {
    if (event.key === "Escape") {
      root.classList.add("closed");
      all("#__drawer:checked").forEach((box) => box.click());
    }
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way || !groups.has(event.target) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const seen = stops.filter((stop) => stop.checkVisibility());
    seen[seen.indexOf(event.target) + way]?.focus();
  });

  // The theme's labels become buttons, so that keys reach them.
  for (const label of all(".md-header__button:is([for=__drawer], [for=__search]), .md-nav--primary [for=__toc]")) {
    const button = document.createElement("button");
    const box = document.getElementById(label.htmlFor);
    for (const { name, value } of label.attributes) button.setAttribute(name, value);
    if (!label.textContent.trim()) button.ariaLabel = box.ariaLabel;
    button.append(...label.childNodes);
    button.onclick = () => box.click();
    label.replaceWith(button);
  }

  if (navigator.clipboard) {
    for (const pre of all(".highlight:not(.language-text) > pre")) {
      const button = Object.assign(document.createElement("button"), { className: "copy", textContent: "Copy" });
      button.onclick = () => navigator.clipboard.writeText(pre.innerText).then(() => (button.textContent = "Copied"));
      pre.before(button);
    }
  }
  const wide = new ResizeObserver((entries) => {
    for (const { target } of entries) target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
  });
  for (const box of all(".scroll, pre > code, math[display=block], .figure")) wide.observe(box);

  // What a link leads to may be folded: open it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let box = target?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    if (target?.closest("details")) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
