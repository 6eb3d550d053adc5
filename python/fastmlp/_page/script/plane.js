// The plane: what a network predicts everywhere, the points, and the axes.

const place = ([x, y], side) => [
  ((x - limits[0][0]) / (limits[0][1] - limits[0][0])) * side,
  (1 - (y - limits[1][0]) / (limits[1][1] - limits[1][0])) * side,
];
const along = (axis, share) => limits[axis][0] + share * (limits[axis][1] - limits[axis][0]);
const offscreen = (side) =>
  Object.assign(document.createElement("canvas"), { width: side, height: side });

/** What a network predicts on a grid; few enough places that a frame takes some milliseconds. */
function predictedGrid(film, p, off) {
  const places = Math.sqrt(6e6 / film.network.size);
  const n = Math.round(Math.min(97, Math.max(25, places)));
  const channels = film.network.found.length;
  const grid = new Float64Array(n * n * channels);
  for (let j = 0, at = 0; j < n; j++) {
    for (let i = 0; i < n; i++, at += channels) {
      const x = seen([along(0, i / (n - 1)), along(1, 1 - j / (n - 1))]);
      grid.set(film.network.predict(p, x, off), at);
    }
  }
  return { n, channels, grid };
}

/** Draws predictions as colours, with lines between classes. */
function drawPredictions(canvas, { n, channels, grid }) {
  const side = Math.min(canvas.width, 360);
  const image = new ImageData(side, side), pixels = image.data;
  const look = palette();
  const tints = Array.from({ length: channels }, (_, c) => mix(look.paper, color(c), look.depth));
  const winner = new Uint8Array(side * side);
  const values = new Float64Array(channels);
  for (let row = 0, at = 0; row < side; row++) {
    const y = (row / (side - 1)) * (n - 1), j = Math.min(n - 2, Math.floor(y)), v = y - j;
    for (let column = 0; column < side; column++, at++) {
      const x = (column / (side - 1)) * (n - 1), i = Math.min(n - 2, Math.floor(x)), u = x - i;
      const a = (j * n + i) * channels, b = a + channels, c = a + n * channels, d = c + channels;
      for (let k = 0; k < channels; k++) {
        const above = (1 - u) * grid[a + k] + u * grid[b + k];
        values[k] = (1 - v) * above + v * ((1 - u) * grid[c + k] + u * grid[d + k]);
      }
      const best = (winner[at] = largest(values));
      const onBoundary = (column && winner[at - 1] !== best) || (row && winner[at - side] !== best);
      const flat = onBoundary ? look.line : isClasses ? null : valueColor(values[0], look);
      for (let q = 0; q < 3; q++) {
        let shade = flat ? flat[q] : 0;
        if (!flat) for (let k = 0; k < channels; k++) shade += values[k] * tints[k][q];
        pixels[4 * at + q] = shade;
      }
      pixels[4 * at + 3] = 255;
    }
  }
  const small = offscreen(side);
  small.getContext("2d").putImageData(image, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
}

const TRIANGLE = [[0, -1.2], [1.1, 0.9], [-1.1, 0.9]];
const DIAMOND = [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]];

/** A circle, a square, a triangle or a diamond, by class. */
function mark(context, x, y, r, c) {
  context.beginPath();
  if (c % 4 === 0) context.arc(x, y, r, 0, 2 * Math.PI);
  else if (c % 4 === 1) context.rect(x - r * 0.9, y - r * 0.9, 1.8 * r, 1.8 * r);
  else {
    const corners = c % 4 === 2 ? TRIANGLE : DIAMOND;
    corners.forEach(([u, v], i) => context[i ? "lineTo" : "moveTo"](x + r * u, y + r * v));
  }
  context.closePath();
}

/** A picture of some of the points, to be laid over the plane. */
function pointsPicture(side, [from, to]) {
  const canvas = offscreen(side);
  const context = canvas.getContext("2d");
  const look = palette();
  const r = Math.max(2.2, Math.min(side / 150, (side / 12) / Math.sqrt(to - from)));
  for (let i = from; i < to; i++) {
    const target = points.targets[i];
    const [x, y] = place(points.at(i), side);
    mark(context, x, y, r, isClasses ? target : 0);
    const hue = isClasses ? strong(target) : valueColor(target, { ...look, depth: 1 });
    context.fillStyle = `rgb(${hue.join(" ")})`;
    context.strokeStyle = look.outline;
    context.lineWidth = side / 900;
    context.fill();
    context.stroke();
  }
  return canvas;
}

const steps = (low, high) => {
  const raw = (high - low) / 6, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * power >= raw) * power;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(6)));
};

/** Numbers along the lower and the left edge, and the names of the features. */
function drawAxes(canvas) {
  const context = canvas.getContext("2d"), side = canvas.width, size = side / 32;
  context.font = `${size}px ui-sans-serif, system-ui, sans-serif`;
  context.fillStyle = context.strokeStyle = palette().ink;
  context.globalAlpha = 0.75;
  context.lineWidth = side / 720;
  for (const axis of [0, 1]) {
    for (const value of steps(...limits[axis])) {
      const at = [limits[0][0], limits[1][0]];
      at[axis] = value;
      const [x, y] = place(at, side);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(axis ? x + size / 2 : x, axis ? y : y - size / 2);
      context.stroke();
      const label = String(value).replace("-", "−");
      context.textAlign = axis ? "left" : "center";
      context.textBaseline = axis ? "middle" : "bottom";
      const isFree = axis ? y > side * 0.1 && y < side * 0.94 : x > side * 0.06 && x < side * 0.9;
      if (!isFree) continue; // the corners have the names, and numbers of the other axis
      context.fillText(label, axis ? x + size * 0.7 : x, axis ? y : y - size * 0.55);
    }
  }
  context.font = `italic 600 ${1.15 * size}px ui-sans-serif, system-ui, sans-serif`;
  context.textBaseline = "bottom";
  context.textAlign = "right";
  context.fillText(data.features[0], side - size * 0.5, side - size * 0.4);
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText(data.features[1], size * 0.5, size * 0.4);
  context.globalAlpha = 1;
}
