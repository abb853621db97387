// The cards of claims work without this file: on hover and on focus, at the foot of the window.
// It puts a card beside its number, opens it on a first tap (a second tap follows the link), and closes it on Escape.
(() => {
  const claimOf = (event) => event.target.closest?.(".claim");

  const place = (claim) => {
    const card = claim.querySelector(".claim-card");
    claim.classList.remove("closed");
    if (!card || window.innerWidth < 600) return card?.removeAttribute("style");
    const number = claim.querySelector("a").getBoundingClientRect();
    const { width, height } = card.getBoundingClientRect();
    const left = Math.max(8, Math.min(number.left, window.innerWidth - width - 8));
    const below = number.bottom + height + 8 < window.innerHeight;
    Object.assign(card.style, {
      left: `${left}px`,
      top: `${below ? number.bottom : number.top - height}px`,
      bottom: "auto",
    });
  };

  for (const kind of ["pointerover", "focusin"]) {
    document.addEventListener(kind, (event) => claimOf(event) && place(claimOf(event)));
  }

  let open = null;
  document.addEventListener("pointerdown", (event) => {
    const claim = claimOf(event);
    if (event.pointerType === "touch") open = claim && claim === open ? "follow" : claim;
  });
  document.addEventListener("click", (event) => {
    const claim = claimOf(event);
    if (!claim || event.pointerType !== "touch") return;
    if (open === "follow") {
      open = null;
      return;
    }
    event.preventDefault();
    claim.querySelector("a").focus();
    place(claim);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const claim of document.querySelectorAll(".claim:hover, .claim:focus-within")) claim.classList.add("closed");
  });

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
