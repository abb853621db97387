// Everything works without this file. It opens a card on a first tap (a second follows the link), closes on Escape what
// is open, makes one tab stop of all numbers of a section, copies code, and lets keys scroll what is too wide.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (kind, act) => document.addEventListener(kind, act);
  const root = document.documentElement;

  // Cards.
  let open = null;
  on("pointerdown", (event) => {
    const claim = event.target.closest?.(".claim");
    if (event.pointerType === "touch") open = claim && claim === open ? "follow" : claim;
  });
  on("click", (event) => {
    const claim = event.target.closest?.(".claim");
    if (!claim || event.pointerType !== "touch" || open === "follow") return;
    event.preventDefault();
    claim.querySelector("a").focus();
  });
  for (const kind of ["pointerover", "focusin"]) on(kind, () => root.classList.remove("closed"));

  // Numbers and terms: Tab comes to the first of a section or an unfolded answer, arrows go to all others.
  const stops = all(".claim a, .listing td a, article abbr[tabindex]");
  const heads = all("article h2");
  const group = (stop) =>
    stop.closest("details") ?? heads.findLast((head) => head.compareDocumentPosition(stop) & 4) ?? document.body;
  const groups = new Map(stops.map((stop) => [stop, group(stop)]));
  const current = new Map();
  const take = (stop) => {
    const before = current.get(groups.get(stop));
    if (before) before.tabIndex = -1;
    stop.tabIndex = 0;
    current.set(groups.get(stop), stop);
  };
  for (const stop of stops) current.has(groups.get(stop)) ? (stop.tabIndex = -1) : take(stop);
  root.dataset.arrows = "";
  on("focusin", (event) => groups.has(event.target) && take(event.target));

  on("keydown", (event) => {
    if (event.key === "Escape") {
      root.classList.add("closed");
      const drawer = document.getElementById("__drawer");
      if (drawer?.checked) drawer.click();
    }
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way || !groups.has(event.target) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const seen = stops.filter((stop) => stop.checkVisibility());
    seen[seen.indexOf(event.target) + way]?.focus();
  });

  // The theme's labels that open the drawer, what is in it, and the search: buttons, so that keys reach them.
  for (const label of all(".md-header__button:is([for=__drawer], [for=__search]), .md-nav--primary [for=__toc]")) {
    const button = document.createElement("button");
    const box = document.getElementById(label.htmlFor);
    for (const { name, value } of label.attributes) button.setAttribute(name, value);
    if (!label.textContent.trim()) button.setAttribute("aria-label", box.getAttribute("aria-label"));
    button.append(...label.childNodes);
    button.onclick = () => box.click();
    label.replaceWith(button);
  }

  // Code to copy, and what scrolls sideways.
  if (navigator.clipboard) {
    for (const pre of all(".highlight:not(.language-text) > pre")) {
      const button = Object.assign(document.createElement("button"), { className: "copy", textContent: "Copy" });
      button.onclick = () => navigator.clipboard.writeText(pre.innerText).then(() => (button.textContent = "Copied"));
      pre.before(button);
    }
  }
  const wide = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of all(".scroll, pre > code, math[display=block], .figure")) wide.observe(box);

  // The code behind a number may be folded: open it when a link leads there.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    if (target.closest("details")) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
