// Films, the points of the page, and the colours of both.

class Film {
  constructor(described) {
    Object.assign(this, described);
    this.network = new Network(described);
    this.bytes = bytesOf(described.codes);
    this.decoded = [];
  }

  get last() {
    return this.epochs.length - 1;
  }

  /** The parameters of a frame. */
  at(frame) {
    if (this.decoded[frame]) return this.decoded[frame];
    const all = new Float64Array(this.network.size);
    this.network.blocks.forEach(({ at, rows, columns }, b) => {
      const [low, high] = this.ends[frame][b];
      const first = frame * this.network.size + at;
      all.set(fixedPoint(this.bytes, first, rows * columns, low, high), at);
    });
    return (this.decoded[frame] = all);
  }
}

const { limits, mean, scale } = data;
const seen = (x) => x.map((value, i) => (value - mean[i]) / scale[i]);
const points = (() => {
  const { codes, ends, targets, sizes } = data.points;
  const all = fixedPoint(bytesOf(codes), 0, 2 * targets.length, ...ends);
  let from = 0;
  const groups = sizes.map((size) => [from, (from += size)]);
  const at = (i) => [all[2 * i], all[2 * i + 1]];
  return { at, targets, groups, all: [0, targets.length] };
})();
const isClasses = data.classes !== null;
function largest(values) {
  let best = 0;
  for (let k = 1; k < values.length; k++) if (values[k] > values[best]) best = k;
  return best;
}

/** The share of points that are predicted right, or R squared. */
function score(film, p, off, [from, to]) {
  let right = 0, squares = 0, spread = 0, mid = 0;
  for (let i = from; i < to; i++) mid += points.targets[i] / (to - from);
  for (let i = from; i < to; i++) {
    const found = film.network.predict(p, seen(points.at(i)), off);
    if (isClasses) right += largest(found) === points.targets[i];
    squares += (found[0] - points.targets[i]) ** 2;
    spread += (points.targets[i] - mid) ** 2;
  }
  return isClasses ? right / (to - from) : 1 - squares / spread;
}

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const mix = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);
const color = (c) => rgb(data.colors[c % data.colors.length]);
/** The colour of a class where it has to stand out, lighter on a dark page. */
const strong = (c) => mix(color(c), [255, 255, 255], Number(style("--lift")));
const palette = () => {
  return {
    paper: rgb(style("--plane")),
    ink: style("--ink"),
    outline: style("--outline"),
    line: rgb(style("--boundary")),
    depth: Number(style("--tint")),
  };
};

/** The colour of a value between the least and the largest target. */
function valueColor(value, { paper, depth }) {
  const [low, high] = data.range;
  const share = Math.min(1, Math.max(-1, (2 * (value - low)) / (high - low || 1) - 1));
  return mix(paper, share < 0 ? color(0) : color(5), Math.abs(share) * Math.min(1, 2 * depth));
}
