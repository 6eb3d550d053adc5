// A network: stages that are computed one after the other, as the package does.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
/** The distribution function of the normal distribution; Abramowitz and Stegun, 7.1.26. */
function normal(z) {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741
    + t * (-1.453152027 + t * 1.061405429))));
  const tail = 0.5 * series * Math.exp(-x * x);
  return z > 0 ? 1 - tail : tail;
}

const ACTIVATIONS = {
  identity: (z) => z,
  relu: (z) => (z > 0 ? z : 0),
  leaky_relu: (z) => (z > 0 ? z : 0.01 * z),
  sigmoid,
  tanh: Math.tanh,
  elu: (z) => (z > 0 ? z : Math.expm1(z)),
  selu: (z) => 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * Math.expm1(z)),
  gelu: (z) => z * normal(z),
  silu: (z) => z * sigmoid(z),
  mish: (z) => z * Math.tanh(softplus(z)),
  softplus,
};

/** From logits to predictions, written into `found`. */
const OUTPUTS = {
  softmax(logits, found) {
    let top = -Infinity, sum = 0;
    for (let k = 0; k < logits.length; k++) top = Math.max(top, logits[k]);
    for (let k = 0; k < logits.length; k++) sum += found[k] = Math.exp(logits[k] - top);
    for (let k = 0; k < logits.length; k++) found[k] /= sum;
  },
  /** One sigmoid is the probability of the second of two classes. */
  sigmoid([logit], found) {
    found[1] = sigmoid(logit);
    found[0] = 1 - found[1];
  },
  identity([logit], found) {
    found[0] = logit;
  },
  exp([logit], found) {
    found[0] = Math.exp(logit);
  },
};

/** Periodic features of an input that has some. */
const FEATURES = 3;

/** The network of a film: its stages, as loops over a flat vector of parameters. */
class Network {
  constructor({ layers, activations, output, blocks }) {
    this.layers = layers;
    this.activations = activations;
    this.output = OUTPUTS[output];
    this.size = 0;
    this.blocks = blocks.map((block) => {
      const at = this.size;
      this.size += block.rows * block.columns;
      return { ...block, at };
    });
    this.stages = [];
    for (const { stage, kind, role, at } of this.blocks) {
      this.stages[stage] = { ...this.stages[stage], kind, [role]: at };
    }
    this.found = new Float64Array(output === "sigmoid" ? 2 : layers.at(-1));
    // What is computed for one place, layer by layer: sums before the activation, and after it.
    this.sums = layers.map((width) => new Float64Array(width));
    this.outputs = layers.map((width) => new Float64Array(width));
    // The first inputs may have three periodic features each, which the first layer reads, too.
    const periodic = this.blocks.find(({ role }) => role === "frequency");
    if (periodic) {
      this.frequencies = periodic.columns;
      this.periodic = periodic.rows;
      this.outputs[0] = new Float64Array(layers[0] + FEATURES * periodic.rows);
    }
  }

  /** The logits at inputs x; `off` has units whose output is taken for 0, by hidden layer. */
  forward(p, x, off = []) {
    const { layers, sums, outputs } = this;
    outputs[0].set(x);
    let layer = 0;
    for (const stage of this.stages) {
      const width = layers[layer];
      if (stage.kind === "dense") {
        if (layer) this.activate(layer, off[layer]);
        this.dense(p, stage, layer);
        this.alphas = null;
        layer += 1;
      } else if (stage.kind === "periodic") {
        this.addFeatures(p, stage, x);
      } else if (stage.kind === "input_scale") {
        for (let i = 0; i < outputs[0].length; i++) outputs[0][i] *= p[stage.scale + i];
      } else if (stage.kind === "prelu") {
        this.slopes = p.subarray(stage.slope, stage.slope + width);
      } else if (stage.kind === "parametric") {
        this.alphas = p.subarray(stage.alpha, stage.alpha + width);
      } else {
        normalise(p, stage, sums[layer]);
      }
    }
    return sums[layer];
  }

  addFeatures(p, { frequency, phase, projection, offset }, x) {
    const n = this.frequencies, features = this.outputs[0].subarray(x.length);
    for (let i = 0; i < this.periodic; i++) {
      for (let k = i * FEATURES; k < (i + 1) * FEATURES; k++) features[k] = p[offset + k];
      for (let j = 0; j < n; j++) {
        const at = i * n + j;
        const wave = Math.cos(2 * Math.PI * (p[frequency + at] * x[i] + p[phase + at]));
        for (let k = i * FEATURES; k < (i + 1) * FEATURES; k++) {
          features[k] += wave * p[projection + k * n + j];
        }
      }
    }
  }

  dense(p, { weight, bias }, layer) {
    const inputs = this.outputs[layer], sums = this.sums[layer + 1];
    const width = sums.length;
    for (let j = 0; j < width; j++) sums[j] = p[bias + j];
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i], row = weight + i * width;
      if (input !== 0) for (let j = 0; j < width; j++) sums[j] += input * p[row + j];
    }
  }

  activate(layer, off) {
    const name = this.activations[layer - 1];
    const sums = this.sums[layer], outputs = this.outputs[layer];
    const f = ACTIVATIONS[name];
    for (let j = 0; j < sums.length; j++) {
      if (off && off[j]) outputs[j] = 0;
      else outputs[j] = f ? f(sums[j]) : sums[j] > 0 ? sums[j] : this.slopes[j] * sums[j];
      if (this.alphas && !(off && off[j])) {
        outputs[j] = sums[j] + this.alphas[j] * (outputs[j] - sums[j]);
      }
    }
  }

  /** Probabilities of the classes, or a value, at inputs x; the next call overwrites them. */
  predict(p, x, off) {
    this.output(this.forward(p, x, off), this.found);
    return this.found;
  }
}

function normalise(p, { kind, gain, shift, mean, variance }, sums) {
  const n = sums.length;
  let centre = 0, spread = 0;
  if (kind === "layer_norm") {
    centre = sums.reduce((a, b) => a + b) / n;
    spread = sums.reduce((a, b) => a + (b - centre) ** 2, 0) / n;
  }
  for (let j = 0; j < n; j++) {
    const m = kind === "layer_norm" ? centre : p[mean + j];
    const v = kind === "layer_norm" ? spread : p[variance + j];
    sums[j] = (p[gain + j] * (sums[j] - m)) / Math.sqrt(v + 1e-5) + p[shift + j];
  }
}
