// The content of the page, and its numbers.
"use strict";

const data = JSON.parse(document.getElementById("page-data").textContent);
const text = data.texts;
const part = (root, name) => root.querySelector(`[data-is="${name}"]`);
const parts = (root, name) => [...root.querySelectorAll(`[data-is="${name}"]`)];
const fill = (key, values) => text[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

const bytesOf = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/** `count` numbers from the `first` on: 24 bits each, steps between `low` and `high`. */
function fixedPoint(bytes, first, count, low, high) {
  const step = (high - low) / (2 ** 24 - 1);
  return Float64Array.from({ length: count }, (_, i) => {
    const at = 3 * (first + i);
    return low + step * (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16));
  });
}

const doubles = (base64) => new Float64Array(bytesOf(base64).buffer);

/** A number to read, as `<data>` with all of its digits for programs. */
function show(element, value, digits = 4) {
  element.value = String(value);
  element.textContent = format(value, digits);
}

function format(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const shown = size >= 1e5 ? value.toExponential(2) : value.toFixed(digits);
  return shown.replace("-", "−");
}
