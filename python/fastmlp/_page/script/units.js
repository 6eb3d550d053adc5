// Maps of the hidden units.

/** One small map per hidden unit: where it is active. A click switches it off. */
class Units {
  constructor(player) {
    this.player = player;
    this.root = part(player.root, "units");
    this.layer = 1;
    const chooser = part(player.root, "layer");
    if (chooser) {
      chooser.addEventListener("change", () => {
        this.layer = Number(chooser.value);
        this.build();
        this.draw();
      });
    }
    part(player.root, "all_on").addEventListener("click", () => this.all(0));
    part(player.root, "all_off").addEventListener("click", () => this.all(1));
    this.build();
    player.listeners.push(() => this.draw());
  }

  /** Weights from a unit to the next layer, of a frame. */
  outgoing(p, unit) {
    const { blocks, layers } = this.player.film.network;
    const { at } = blocks.filter(({ role }) => role === "weight")[this.layer];
    const width = layers[this.layer + 1];
    return p.subarray(at + unit * width, at + (unit + 1) * width);
  }

  build() {
    const { film } = this.player;
    const last = film.at(film.last);
    const size = (unit) => Math.hypot(...this.outgoing(last, unit));
    const order = Array.from({ length: film.layers[this.layer] }, (_, unit) => unit);
    order.sort((a, b) => size(b) - size(a));
    this.buttons = order.slice(0, 100).map((unit) => {
      const button = document.createElement("button");
      button.type = "button";
      const canvas = Object.assign(offscreen(20), { ariaHidden: "true" });
      button.append(canvas);
      button.dataset.unit = unit;
      button.addEventListener("click", () => this.toggle(unit));
      return { unit, button, canvas };
    });
    this.root.replaceChildren(...this.buttons.map(({ button }) => button));
  }

  toggle(unit) {
    this.player.off[this.layer][unit] ^= 1;
    this.player.draw();
  }

  all(value) {
    this.player.off[this.layer].fill(value);
    this.player.draw();
  }

  draw() {
    const { film, parameters: p, off } = this.player;
    const { network } = film;
    const n = 20, maps = this.buttons.map(() => new Float64Array(n * n));
    for (let j = 0, at = 0; j < n; j++) {
      for (let i = 0; i < n; i++, at++) {
        network.forward(p, seen([along(0, (i + 0.5) / n), along(1, 1 - (j + 0.5) / n)]), []);
        const outputs = network.outputs[this.layer];
        this.buttons.forEach(({ unit }, b) => (maps[b][at] = outputs[unit]));
      }
    }
    const weights = this.buttons.map(({ unit }) => this.outgoing(p, unit));
    const sizes = weights.map((weight) => Math.hypot(...weight));
    const most = Math.max(...sizes) || 1;
    const { paper } = palette(), grey = rgb(style("--muted"));
    const hues = Array.from({ length: film.network.found.length }, (_, c) => strong(c));
    const toOutput = this.layer === film.layers.length - 2 && isClasses && film.layers.at(-1) > 1;
    this.buttons.forEach(({ unit, button, canvas }, b) => {
      const map = maps[b], high = Math.max(...map.map(Math.abs)) || 1;
      const hue = hues[toOutput ? largest(weights[b]) : 0];
      const image = new ImageData(n, n), pixels = image.data;
      for (let at = 0; at < n * n; at++) {
        const end = map[at] < 0 ? grey : hue, share = Math.abs(map[at]) / high;
        for (let q = 0; q < 3; q++) pixels[4 * at + q] = paper[q] + (end[q] - paper[q]) * share;
        pixels[4 * at + 3] = 255;
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
      const isOff = Boolean(off[this.layer][unit]);
      button.setAttribute("aria-pressed", String(!isOff));
      button.style.setProperty("--size", sizes[b] / most);
      const key = isOff ? "unit_off" : "unit_on";
      button.title = fill(key, { unit, weight: format(sizes[b], 2) });
      button.setAttribute("aria-label", button.title);
    });
    const n_off = off[this.layer].reduce((a, b) => a + b, 0);
    part(this.player.root, "off").textContent = n_off ? fill("units_off", { count: n_off }) : "";
  }
}
