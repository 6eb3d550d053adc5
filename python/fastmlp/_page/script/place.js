// The numbers of the network at one place.

/** The numbers of the network at the place under the pointer, or where the arrow keys went. */
class Pointer {
  constructor(player) {
    Object.assign(this, { player, root: player.root, share: [0.5, 0.62] });
    const { plane, film } = player;
    this.fillTables(film);
    const follow = (event) => {
      const box = plane.getBoundingClientRect();
      this.move((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
    };
    plane.addEventListener("pointermove", follow);
    plane.addEventListener("pointerdown", follow);
    plane.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.1 : 0.01;
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      this.move(this.share[0] + step * move[0], this.share[1] + step * move[1]);
    });
    player.listeners.push(() => this.tell());
  }

  fillTables(film) {
    const rows = (table, labels) => {
      const body = part(this.root, table).tBodies[0];
      const columns = part(this.root, table).tHead.rows[0].cells.length - 1;
      labels.forEach((label) => {
        const row = body.insertRow();
        row.innerHTML = `<th scope="row"></th>${`<td><data></data></td>`.repeat(columns)}`;
        row.cells[0].textContent = label;
      });
      return [...body.rows].map((row) => [...row.querySelectorAll("data")]);
    };
    this.inputs = rows("inputs", data.features);
    const hidden = film.layers.slice(1, -1);
    const prefix = (layer) => (hidden.length > 1 ? `${layer + 1}.` : "");
    const labels = hidden.flatMap((width, layer) =>
      Array.from({ length: width }, (_, unit) => `${prefix(layer)}${unit}`));
    this.hidden = hidden.length ? rows("hidden", labels) : [];
    this.results = rows("results", data.outputs);
    if (isClasses) {
      parts(this.root, "results")[0].querySelectorAll("tbody tr").forEach((row, c) => {
        row.style.setProperty("--class", data.colors[c % data.colors.length]);
        row.cells[2].classList.add("bar");
      });
    }
  }

  move(x, y) {
    this.share = [x, y].map((value) => Math.min(1, Math.max(0, value)));
    this.tell();
  }

  tell() {
    const { film, plane, parameters, off } = this.player;
    const x = this.share.map((share, axis) => along(axis, share));
    const inputs = seen(x);
    const { network } = film;
    const shares = network.predict(parameters, inputs, off);
    const logits = network.sums.at(-1);
    this.inputs.forEach(([raw, scaled], i) => {
      show(raw, x[i]);
      if (scaled) show(scaled, inputs[i]);
    });
    let row = 0;
    for (let layer = 1; layer < film.layers.length - 1; layer++) {
      for (let unit = 0; unit < film.layers[layer]; unit++, row++) {
        const [sum, output] = this.hidden[row];
        const activation = network.outputs[layer][unit];
        show(sum, network.sums[layer][unit]);
        show(output, activation);
        sum.closest("tr").className = off[layer][unit] ? "off" : activation ? "on" : "";
      }
    }
    const logitOf = logits.length < shares.length ? [0, logits[0]] : logits;
    this.results.forEach(([logit, share], c) => {
      show(logit, logitOf[c]);
      show(share, shares[c]);
      share.closest("tr").style.setProperty("--share", shares[c]);
    });
    const hair = part(this.root, "hair");
    hair.style.left = `${100 * this.share[0]}%`;
    hair.style.top = `${100 * (1 - this.share[1])}%`;
    const best = largest(shares);
    plane.setAttribute("aria-label", fill(isClasses ? "place_class" : "place_value", {
      x1: format(x[0], 2),
      x2: format(x[1], 2),
      class: data.outputs[best],
      share: format(100 * shares[best], 0),
      value: format(shares[0]),
    }));
  }
}
