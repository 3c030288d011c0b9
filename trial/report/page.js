(() => {
  const tip = document.getElementById("tip");
  const reach = 16;
  const distance = (r, x, y) =>
    Math.hypot(x - Math.max(r.left, Math.min(x, r.right)), y - Math.max(r.top, Math.min(y, r.bottom)));

  const nearest = (svg, x, y) => {
    let best = null, least = reach;
    const all = svg.dataset.tip ? [svg] : svg.querySelectorAll("[data-tip]");
    for (const e of all) {
      const r = e.getBoundingClientRect();
      const d = distance(r, x, y) + Math.hypot(x - (r.left + r.right) / 2, y - (r.top + r.bottom) / 2) / 1e4;
      if (d < least) { best = e; least = d; }
    }
    return best;
  };

  const show = (event) => {
    let svg = event.target.closest && event.target.closest("svg");
    while (svg && svg.ownerSVGElement) svg = svg.ownerSVGElement;
    const hit = svg && nearest(svg, event.clientX, event.clientY);
    tip.hidden = !hit;
    if (!hit) return;
    tip.textContent = hit.dataset.tip;
    const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 16 + tip.offsetHeight < innerHeight;
    tip.style.left = Math.max(left, 8) + "px";
    tip.style.top = (below ? event.clientY + 16 : event.clientY - tip.offsetHeight - 10) + "px";
  };
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
})();
