// Brings what the page has to life.

for (const root of document.querySelectorAll("[data-film]")) {
  const player = new Player(root);
  players.push(player);
  if (part(root, "inputs")) new Pointer(player);
  if (part(root, "units")) new Units(player);
  const chooser = part(root, "group");
  if (chooser) {
    chooser.addEventListener("change", () => {
      player.group = chooser.value === "all" ? points.all : points.groups[Number(chooser.value)];
      player.draw();
    });
  }
  const chart = part(root, "chart");
  if (chart) {
    chart.addEventListener("click", (event) => {
      const box = chart.getBoundingClientRect();
      const { left, right, last, width } = part(root, "cursor").dataset;
      const x = ((event.clientX - box.left) / box.width) * Number(width);
      const epoch = ((x - Number(left)) / (Number(right) - Number(left))) * Number(last);
      const far = player.film.epochs.map((e) => Math.abs(e - epoch));
      player.go(far.indexOf(Math.min(...far)));
    });
  }
  player.draw();
}
const check = document.querySelector("[data-gradient]");
if (check) new GradientCheck(check);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  players.forEach((player) => player.draw());
});
