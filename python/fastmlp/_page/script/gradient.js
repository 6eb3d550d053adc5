// The gradient check.

/** Central differences of the loss beside the gradient of backpropagation, by parameter. */
class GradientCheck {
  constructor(root) {
    const check = data.gradient;
    Object.assign(this, { root, chosen: 0, network: new Network(check), power: 6 });
    this.parameters = doubles(check.parameters);
    this.gradient = doubles(check.gradient);
    const X = doubles(check.X);
    this.rows = check.y.map((y, i) => {
      return { x: X.subarray(2 * i, 2 * i + 2), y, weight: check.weights[i] };
    });
    this.cells = part(root, "cells");
    this.names = [];
    const most = Math.max(...this.gradient.map(Math.abs));
    for (const { at, rows, columns, name } of this.network.blocks) {
      const group = document.createElement("div");
      const heading = document.createElement("span");
      heading.textContent = name;
      group.append(heading);
      for (let i = 0; i < rows * columns; i++) {
        const place = rows > 1 ? `${Math.floor(i / columns)}, ${i % columns}` : i;
        this.names.push(`${name}[${place}]`);
        const cell = document.createElement("i");
        const g = this.gradient[at + i] / most;
        cell.style.setProperty("--g", Math.sqrt(Math.abs(g)).toFixed(3));
        cell.className = g < 0 ? "minus" : "plus";
        cell.dataset.at = at + i;
        group.append(cell);
      }
      this.cells.append(group);
    }
    this.all = [...this.cells.querySelectorAll("i")];
    const pick = (event) => event.target.dataset.at && this.choose(Number(event.target.dataset.at));
    this.cells.addEventListener("pointerover", pick);
    this.cells.addEventListener("click", pick);
    this.cells.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -10, ArrowDown: 10, Home: -1e9, End: 1e9 };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      this.choose(Math.min(this.all.length - 1, Math.max(0, this.chosen + move)));
    });
    const step = part(root, "step");
    step.addEventListener("input", () => ((this.power = Number(step.value)), this.compareAll()));
    this.choose(largest(this.gradient.map(Math.abs)));
    this.compareAll();
  }

  loss(p) {
    let sum = 0, weights = 0;
    for (const { x, y, weight } of this.rows) {
      const logits = this.network.forward(p, x);
      const top = Math.max(...logits);
      const exponentials = logits.reduce((a, z) => a + Math.exp(z - top), 0);
      sum += weight * (Math.log(exponentials) + top - logits[y]);
      weights += weight;
    }
    return sum / weights;
  }

  /** The losses beside parameter i, and the slope between them. */
  difference(i) {
    const p = this.parameters, value = p[i], e = 10 ** -this.power;
    p[i] = value + e;
    const above = this.loss(p);
    p[i] = value - e;
    const below = this.loss(p);
    p[i] = value;
    return { above, below, slope: (above - below) / (2 * e) };
  }

  choose(i) {
    this.all[this.chosen].removeAttribute("aria-current");
    this.chosen = i;
    this.all[i].setAttribute("aria-current", "true");
    const { above, below, slope } = this.difference(i);
    const write = (name, value, digits) => show(part(this.root, name), value, digits);
    part(this.root, "name").textContent = this.names[i];
    write("value", this.parameters[i], 6);
    write("above", above, 12);
    write("below", below, 12);
    write("slope", slope, 9);
    write("backpropagation", this.gradient[i], 9);
    this.cells.setAttribute("aria-valuenow", String(i));
    this.cells.setAttribute("aria-valuetext", fill("gradient_value", {
      name: this.names[i],
      backpropagation: format(this.gradient[i], 6),
      difference: format(slope, 6),
    }));
  }

  compareAll() {
    const most = Math.max(...this.gradient.map(Math.abs));
    let worst = 0;
    this.gradient.forEach((g, i) => {
      worst = Math.max(worst, Math.abs(this.difference(i).slope - g));
    });
    const error = part(this.root, "error");
    error.value = String(worst / most);
    error.textContent = (worst / most).toExponential(1).replace("-", "−");
    const step = part(this.root, "step"), label = part(this.root, "step_value");
    label.innerHTML = `10<sup>−${this.power}</sup>`;
    step.setAttribute("aria-valuetext", `10^-${this.power}`);
    this.choose(this.chosen);
  }
}
