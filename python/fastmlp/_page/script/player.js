// A film on the page, moved by its slider and its button.

const players = [];
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Draws one film, moved by its slider and its button. */
class Player {
  constructor(root) {
    this.root = root;
    this.film = data.films[root.dataset.film] ? new Film(data.films[root.dataset.film]) : null;
    this.plane = part(root, "plane");
    this.slider = part(root, "time");
    this.button = part(root, "play");
    this.off = this.film ? this.film.layers.map((width) => new Uint8Array(width)) : [];
    this.group = points.all;
    this.frame = this.film ? this.film.last : 0;
    if (this.slider) {
      this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
      this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    }
    this.listeners = [];
  }

  get parameters() {
    return this.film.at(this.frame);
  }

  go(frame) {
    this.frame = frame;
    if (this.slider) this.slider.value = String(frame);
    this.draw();
  }

  play() {
    if (this.frame === this.film.last) this.go(0);
    this.label("pause");
    this.timer = setInterval(() => {
      if (this.frame < this.film.last) this.go(this.frame + 1);
      else this.stop();
    }, calm.matches ? 700 : 110);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.label("play");
  }

  label(key) {
    this.button.dataset.state = key;
    this.button.querySelector("span").textContent = text[key];
  }

  draw() {
    const { plane, film } = this;
    const context = plane.getContext("2d");
    if (film) {
      drawPredictions(plane, predictedGrid(film, this.parameters, this.off));
    } else {
      context.fillStyle = style("--plane");
      context.fillRect(0, 0, plane.width, plane.height);
    }
    const key = `${this.group} ${style("--plane")}`;
    if (this.pictureKey !== key) {
      this.picture = pointsPicture(plane.width, this.group);
      this.pictureKey = key;
    }
    context.drawImage(this.picture, 0, 0);
    if (plane.dataset.axes) drawAxes(plane);
    if (film) this.tell();
    this.listeners.forEach((listener) => listener());
  }

  tell() {
    const { film, frame, root } = this;
    const epoch = film.epochs[frame];
    const name = (key, value, digits) => part(root, key) && show(part(root, key), value, digits);
    name("epoch", epoch, 0);
    name("loss", film.loss[frame] ?? NaN);
    name("val_loss", film.val_loss[frame] ?? NaN);
    const right = score(film, this.parameters, this.off, this.group);
    const scored = part(root, "score");
    if (scored) show(scored, right, 3);
    if (scored && isClasses) scored.textContent = `${format(100 * right, 1)} %`;
    const cursor = part(root, "cursor");
    if (cursor) {
      const { left, right: end, last } = cursor.dataset;
      const x = Number(left) + (epoch / Number(last)) * (Number(end) - Number(left));
      cursor.setAttribute("transform", `translate(${x} 0)`);
    }
    if (this.slider) {
      const loss = format(film.loss[frame] ?? NaN);
      this.slider.setAttribute("aria-valuetext", fill("time", { epoch, loss }));
    }
  }
}
