// The photo with the skeletons as SVG, and what part of it is in view.

const SVG = "http://www.w3.org/2000/svg";

function svgElement(name, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

class Canvas {
  view = { x: 0, y: 0, w: 1, h: 1 };

  constructor(svg, skeleton) {
    this.svg = svg;
    this.skeleton = skeleton;
    this.photo = svgElement("image", { x: -0.5, y: -0.5, preserveAspectRatio: "none" });
    this.people = svgElement("g");
    svg.replaceChildren(this.photo, this.people);
  }

  open(url, model) {
    this.photo.setAttribute("href", url);
    this.photo.setAttribute("width", model.width);
    this.photo.setAttribute("height", model.height);
    this.svg.style.aspectRatio = `${model.width} / ${model.height}`;
    this.full = { x: -0.5, y: -0.5, w: model.width, h: model.height };
    this.see(this.full);
  }

  get zoom() { return this.full ? this.full.w / this.view.w : 1; }

  // Shows a part of the photo, kept within it.
  see({ x, y, w }) {
    const { full } = this;
    w = clamped(w, Math.min(full.w, Math.max(full.w / 40, 16)), full.w);
    const h = w * full.h / full.w;
    x = clamped(x, full.x, full.x + full.w - w);
    y = clamped(y, full.y, full.y + full.h - h);
    this.view = { x, y, w, h };
    this.svg.setAttribute("viewBox", `${x} ${y} ${w} ${h}`);
    this.svg.classList.toggle("zoomed", w < full.w);
  }
  zoomBy(factor, x = this.view.x + this.view.w / 2, y = this.view.y + this.view.h / 2) {
    const { view } = this;
    this.see({ x: x - (x - view.x) / factor, y: y - (y - view.y) / factor, w: view.w / factor });
  }
  // Brings a point into view.
  reveal(x, y) {
    const { view } = this;
    const margin = view.w / 20;
    this.see({
      x: clamped(view.x, x + margin - view.w, x - margin),
      y: clamped(view.y, y + margin - view.h, y - margin),
      w: view.w,
    });
  }

  // Pixels of the photo at a place of the window.
  at(clientX, clientY) {
    const matrix = this.svg.getScreenCTM();
    const point = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse());
    return [point.x, point.y];
  }
  // Pixels of the photo in one of the screen.
  get unit() { return 1 / (this.svg.getScreenCTM()?.a || 1); }

  draw(model) {
    const { unit } = this;
    const figures = model.people.map((_, i) => this.figure(model, i, unit));
    if (model.chosen) figures.push(...figures.splice(model.person, 1)); // above the others
    this.people.replaceChildren(...figures);
  }

  figure(model, index, unit) {
    const person = model.people[index];
    const chosen = index === model.person;
    const group = svgElement("g", { class: chosen ? "person chosen" : "person" });
    for (const [start, end, color] of this.skeleton.limbs) {
      const [a, b] = [person.points[start], person.points[end]];
      if (!a || !b) continue;
      const places = { x1: a[0], y1: a[1], x2: b[0], y2: b[1] };
      group.append(svgElement("line", { ...places, stroke: color, "stroke-width": (chosen ? 3.5 : 2) * unit }));
    }
    const whole = chosen && model.keypoint < 0 ? model.box(person) : null;
    if (whole) group.append(...this.frame(whole, unit));
    person.points.forEach((point, k) => {
      if (!point) return;
      const [cx, cy, , label] = point;
      const color = this.skeleton.keypoints[k].color;
      const picked = chosen && k === model.keypoint;
      group.append(svgElement("circle", {
        class: `dot${label === HIDDEN ? " hidden-dot" : ""}${picked ? " picked" : ""}`,
        cx, cy, r: (picked ? 8 : chosen ? 5 : 3) * unit,
        "stroke-width": (picked ? 3 : chosen ? 1.5 : 1) * unit,
        fill: label === HIDDEN ? "rgba(255, 255, 255, 0.25)" : color,
        stroke: label === HIDDEN && !picked ? color : "#fff",
      }));
      const hit = { class: "hit", cx, cy, r: 15 * unit, "data-of": index, "data-place": k };
      group.append(svgElement("circle", hit));
    });
    return group;
  }

  // Around a person chosen as a whole: drag inside to move, the corner to scale.
  frame(box, unit) {
    const gap = 12 * unit;
    const [x, y, width, height] = [box.x - gap, box.y - gap, box.w + 2 * gap, box.h + 2 * gap];
    const stroke = { "stroke-width": 1.5 * unit, "stroke-dasharray": `${6 * unit} ${4 * unit}` };
    const corner = { cx: x + width, cy: y + height, r: 9 * unit, "stroke-width": 2 * unit };
    return [
      svgElement("rect", { class: "frame", x, y, width, height, ...stroke }),
      svgElement("circle", { class: "corner", ...corner }),
    ];
  }

  // What is there: a keypoint within `reach` pixels of the screen, the frame, its corner, or null.
  under(model, x, y, reach) {
    const limit = reach * this.unit;
    let best = null;
    model.people.forEach((person, i) => person.points.forEach((point, k) => {
      if (!point || !model.isFree(person, k)) return;
      let distance = Math.hypot(point[0] - x, point[1] - y);
      if (distance > limit) return;
      if (i === model.person) distance *= k === model.keypoint ? 0.5 : 0.8;
      if (!best || distance < best.distance) best = { part: "keypoint", person: i, keypoint: k, distance };
    }));
    const box = model.chosen && model.keypoint < 0 ? model.box(model.chosen) : null;
    if (!box) return best;
    const gap = 12 * this.unit;
    const corner = Math.hypot(box.x + box.w + gap - x, box.y + box.h + gap - y);
    if (corner <= limit && (!best || corner < best.distance)) return { part: "corner" };
    const inside = x >= box.x - gap && x <= box.x + box.w + gap
      && y >= box.y - gap && y <= box.y + box.h + gap;
    return best ?? (inside ? { part: "frame" } : null);
  }
}
