// The editor: its buttons and keys, and what goes to and from the server.

const SEND_AFTER = 150; // milliseconds

class Editor {
  model = new Model();

  constructor(root, skeleton) {
    this.root = root;
    this.skeleton = skeleton;
    this.texts = {};
    this.canvas = new Canvas(root.querySelector("svg"), skeleton);
    this.peopleBar = root.querySelector(".people-bar");
    this.list = root.querySelector(".keypoints");
    this.line = root.querySelector(".line");
    this.buttons = skeleton.keypoints.map((keypoint, k) => this.keypointButton(keypoint, k));
    this.list.replaceChildren(...this.buttons);
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("keydown", (event) => this.pressed(event));
    listenToPointers(this);
    new ResizeObserver(() => this.show()).observe(this.canvas.svg);
  }

  keypointButton(keypoint, k) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.keypoint = k;
    const [mark, name] = ["mark", "name"].map((kind) => {
      const part = document.createElement("span");
      part.className = kind;
      return part;
    });
    mark.style.setProperty("--color", keypoint.color);
    button.append(mark, name);
    return button;
  }

  open(value) {
    this.texts = value.texts;
    for (const part of this.root.querySelectorAll("[data-text]")) {
      part.textContent = this.texts[part.dataset.text];
    }
    for (const part of this.root.querySelectorAll("[data-label]")) {
      part.setAttribute("aria-label", this.texts[part.dataset.label]);
      part.title = this.texts[part.dataset.label];
    }
    this.buttons.forEach((button, k) => {
      button.lastChild.textContent = this.texts.names[k];
    });
    if (this.model.adopt(value)) {
      this.root.classList.toggle("wide", value.width > 1.9 * value.height);
      this.canvas.open(value.photo.url, this.model);
    }
    this.show();
  }

  // What each button and key does; true where it may have changed the people.
  actions = {
    undo: () => this.model.undo(),
    redo: () => this.model.redo(),
    figure: () => this.model.change(() => this.model.addFigure(this.canvas.view)),
    empty: () => this.model.change(() => this.model.addEmpty()),
    drop: () => this.model.chosen && this.model.change(() => this.model.deletePerson()),
    reset: () => this.model.change(() => { this.model.people = copied(this.model.network); }),
    place: () => this.placeGuess(),
    remove: () => this.model.change(() => this.model.remove()),
    hide: () => this.model.change(() => this.model.toggleHidden()),
    larger: () => this.model.change(() => this.model.scale(1.05)),
    smaller: () => this.model.change(() => this.model.scale(1 / 1.05)),
    closer: () => this.canvas.zoomBy(1.5),
    farther: () => this.canvas.zoomBy(1 / 1.5),
    fit: () => this.canvas.see(this.canvas.full),
    leave: () => this.model.choose(this.model.person),
    next: () => this.chooseNext(1),
    previous: () => this.chooseNext(-1),
  };

  placeGuess() {
    if (!this.model.chosen || this.model.keypoint < 0 || this.model.point) return false;
    return this.model.change(() => this.model.place(...this.model.guess(this.canvas.view)));
  }
  chooseNext(step) {
    const count = this.skeleton.keypoints.length;
    this.model.choose(Math.max(this.model.person, 0), (this.model.keypoint + step + count) % count);
    this.revealChosen();
  }
  revealChosen() {
    if (this.model.point && this.canvas.zoom > 1) this.canvas.reveal(...this.model.point);
  }
  act(name) {
    if (!this.model.key) return;
    if (this.actions[name]()) this.changed();
    else this.show();
  }

  clicked(event) {
    const button = event.target.closest("button");
    if (!button || !this.model.key) return;
    const { action, keypoint, person } = button.dataset;
    if (action) this.act(action);
    if (person !== undefined) this.model.choose(Number(person));
    if (keypoint !== undefined) {
      this.model.choose(Math.max(this.model.person, 0), Number(keypoint));
      this.revealChosen();
    }
    this.show();
  }

  pressed(event) {
    const name = keyAction(event);
    const step = ARROWS[event.key];
    if (!this.model.key || (!name && (!step || event.ctrlKey || event.metaKey))) return;
    const onButton = event.target.closest("button");
    if (onButton && event.key === "Enter") return;
    event.preventDefault();
    if (name === "delete") this.act(this.model.keypoint >= 0 ? "remove" : "drop");
    else if (name) this.act(name);
    else this.nudge(...step.map((pixels) => pixels * (event.shiftKey ? 10 : 1)));
  }
  nudge(dx, dy) {
    const { model } = this;
    const moved = model.change(() => {
      if (model.point) model.put(model.point[0] + dx, model.point[1] + dy);
      else if (model.keypoint < 0) model.shift(dx, dy);
    });
    this.revealChosen();
    if (moved) this.changed();
    else this.show();
  }

  // The people are others than before.
  changed() {
    this.show();
    clearTimeout(this.timer);
    this.send?.(copied(this.model.people), this.model.edits);
    this.timer = setTimeout(() => this.notify?.(), SEND_AFTER);
  }

  show() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      if (!this.model.key) return;
      this.canvas.draw(this.model);
      this.showPanel();
    });
  }

  showPanel() {
    const { model, texts } = this;
    const { chosen, keypoint } = model;
    if (this.peopleBar.children.length !== model.people.length) {
      this.peopleBar.replaceChildren(...model.people.map((_, i) => {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.person = i;
        button.textContent = i + 1;
        button.setAttribute("aria-label", `${texts.person} ${i + 1}`);
        return button;
      }));
    }
    [...this.peopleBar.children].forEach((button, i) => {
      button.setAttribute("aria-pressed", i === model.person);
    });
    this.buttons.forEach((button, k) => {
      const state = this.state(chosen, k);
      button.dataset.state = state;
      button.disabled = !chosen || !model.isFree(chosen, k);
      button.setAttribute("aria-pressed", Boolean(chosen) && k === keypoint);
      button.setAttribute("aria-label", `${texts.names[k]}: ${texts[state]}`);
    });
    const able = {
      undo: model.past.length, redo: model.future.length, drop: chosen, remove: model.point,
      hide: model.point, place: chosen && keypoint >= 0 && !model.point,
      fit: this.canvas.zoom > 1, farther: this.canvas.zoom > 1,
      reset: !samePeople(model.people, model.network),
    };
    for (const [name, possible] of Object.entries(able)) {
      this.root.querySelector(`[data-action=${name}]`).disabled = !possible;
    }
    const hide = this.root.querySelector("[data-action=hide]");
    hide.setAttribute("aria-pressed", model.point?.[3] === HIDDEN);
    this.canvas.svg.classList.toggle("placing", Boolean(able.place));
    const text = this.summary(chosen, keypoint);
    if (this.line.textContent !== text) this.line.textContent = text;
  }

  state(person, k) {
    const point = person?.points[k];
    return point ? (point[3] === HIDDEN ? "hidden" : "visible") : "missing";
  }
  summary(chosen, keypoint) {
    const { texts } = this;
    if (!chosen) return texts.nobody;
    const who = `${texts.person} ${this.model.person + 1}`;
    if (keypoint < 0) return `${who}: ${texts.whole}`;
    const [name, point] = [texts.names[keypoint], this.model.point];
    if (!point) return `${who}, ${name}: ${texts.click}`;
    const [x, y] = point.map((value) => value.toFixed(1));
    return `${who}, ${name}: ${x}, ${y} · ${texts[this.state(chosen, keypoint)]}`;
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = {
  Delete: "delete", Backspace: "delete", Enter: "place", Escape: "leave", h: "hide", n: "next", p: "previous",
  "+": "closer", "=": "closer", "-": "farther", 0: "fit", ".": "larger", ",": "smaller",
};

function keyAction(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    return key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" ? "redo" : null;
  }
  return event.altKey ? null : KEYS[key] ?? null;
}

const editor = new Editor(element.querySelector(".pose-editor"), SKELETON);
editor.send = (people, edits) => { props.value = { ...copied(props.value), people, edits }; };
editor.notify = () => trigger("input");
const adopt = () => { if (props.value?.key) editor.open(copied(props.value)); };
watch("value", adopt);
adopt();
