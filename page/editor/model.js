// The people being corrected and every earlier state of them; knows nothing of the page.
// A person is {score, edited, points}: 18 points [x, y, score, v], null where missing.

const NECK = 1;
const SHOULDERS = [2, 5];
const HIDDEN = 1;
const VISIBLE = 2;

// A standing figure of height 1 that faces the viewer, its middle at x = 0.
const FIGURE = [
  [0, 0.09], [0, 0.18], [-0.11, 0.18], [-0.15, 0.34], [-0.16, 0.48], [0.11, 0.18], [0.15, 0.34],
  [0.16, 0.48], [-0.07, 0.5], [-0.075, 0.73], [-0.08, 0.96], [0.07, 0.5], [0.075, 0.73],
  [0.08, 0.96], [-0.02, 0.07], [0.02, 0.07], [-0.045, 0.085], [0.045, 0.085],
];

const rounded = (value) => Math.round(value * 100) / 100;
const clamped = (value, low, high) => Math.min(Math.max(value, low), high);
const copied = (data) => JSON.parse(JSON.stringify(data));

// The same places and labels; scores and the last digit do not count, nor people without keypoints.
function samePeople(first, second) {
  const real = (people) => people.filter((person) => person.points.some(Boolean));
  const [a, b] = [real(first), real(second)];
  const same = (p, q) =>
    p && q ? Math.hypot(p[0] - q[0], p[1] - q[1]) < 0.05 && p[3] === q[3] : !p === !q;
  return a.length === b.length
    && a.every((person, i) => person.points.every((point, k) => same(point, b[i].points[k])));
}

class Model {
  key = null;
  width = 1;
  height = 1;
  people = [];
  network = [];
  person = -1;
  keypoint = -1;
  filling = false; // the next missing keypoint is chosen after one is placed
  past = [];
  future = [];
  edits = 0; // so many changes made here; the server tells how many its people include

  // Takes what the server sends. Another photo forgets the past; other people are a step in it,
  // unless they are from before the last change here.
  adopt(value) {
    this.network = copied(value.network);
    if (value.key !== this.key) {
      Object.assign(this, { key: value.key, width: value.width, height: value.height });
      Object.assign(this, { people: copied(value.people), past: [], future: [], filling: false });
      Object.assign(this, { person: value.people.length ? 0 : -1, keypoint: -1 });
      this.edits = value.edits;
      return true;
    }
    if (value.edits >= this.edits && !samePeople(value.people, this.people)) {
      this.change(() => { this.people = copied(value.people); });
      this.edits = value.edits;
    }
    return false;
  }

  get chosen() { return this.people[this.person] ?? null; }
  get point() { return this.chosen?.points[this.keypoint] ?? null; }

  choose(person, keypoint = -1) {
    this.person = person < this.people.length ? person : -1;
    this.keypoint = this.chosen ? keypoint : -1;
    this.filling &&= this.chosen !== null && keypoint >= 0 && !this.point;
  }

  // The neck follows the shoulders; with one of them missing it is a keypoint like any other.
  isFree(person, keypoint) {
    return keypoint !== NECK || !SHOULDERS.every((k) => person.points[k]);
  }

  snapshot() { return JSON.stringify([this.people, this.person, this.keypoint]); }
  restore(snapshot) {
    [this.people, this.person, this.keypoint] = JSON.parse(snapshot);
    this.filling = false;
  }

  begin() {
    this.before = this.snapshot();
    this.edits += 1;
  }
  cancel() {
    this.restore(this.before);
    this.edits -= 1;
  }
  // Ends what begin() began; true if the people are others than then.
  commit() {
    const [people] = JSON.parse(this.before);
    if (JSON.stringify(people) === JSON.stringify(this.people)) {
      this.edits -= 1;
      return false;
    }
    this.past.push(this.before);
    this.future = [];
    return true;
  }
  change(action) {
    this.begin();
    action();
    if (!this.chosen) this.choose(this.people.length - 1);
    return this.commit();
  }

  step(from, to) {
    if (!from.length) return false;
    to.push(this.snapshot());
    this.restore(from.pop());
    this.edits += 1;
    return true;
  }
  undo() { return this.step(this.past, this.future); }
  redo() { return this.step(this.future, this.past); }

  inside(x, y) {
    return [rounded(clamped(x, 0, this.width - 1)), rounded(clamped(y, 0, this.height - 1))];
  }

  touch(person) {
    person.edited = true;
    const [right, left] = SHOULDERS.map((k) => person.points[k]);
    if (right && left) {
      const middle = [0, 1].map((axis) => rounded((right[axis] + left[axis]) / 2));
      person.points[NECK] = [...middle, 1, Math.min(right[3], left[3])];
    }
  }

  // Moves or places the chosen keypoint.
  put(x, y) {
    if (!this.chosen || this.keypoint < 0 || !this.isFree(this.chosen, this.keypoint)) return;
    this.chosen.points[this.keypoint] = [...this.inside(x, y), 1, this.point?.[3] ?? VISIBLE];
    this.touch(this.chosen);
  }
  place(x, y) {
    const filling = this.filling;
    this.put(x, y);
    if (!filling) return;
    const missing = this.chosen.points.findIndex((p, k) => !p && this.isFree(this.chosen, k));
    this.keypoint = missing;
    this.filling = missing >= 0;
  }
  remove() {
    if (!this.point || !this.isFree(this.chosen, this.keypoint)) return;
    this.chosen.points[this.keypoint] = null;
    this.touch(this.chosen);
  }
  toggleHidden() {
    if (!this.point || !this.isFree(this.chosen, this.keypoint)) return;
    this.point[3] = this.point[3] === HIDDEN ? VISIBLE : HIDDEN;
    this.touch(this.chosen);
  }

  deletePerson() {
    this.people.splice(this.person, 1);
    this.choose(Math.min(this.person, this.people.length - 1));
  }
  addPerson(points) {
    this.people.push({ score: 1, edited: true, points });
    this.choose(this.people.length - 1);
  }
  // A standing figure in a view {x, y, w, h}.
  addFigure(view) {
    const size = Math.min(view.h * 0.7, view.w * 1.5);
    const [x, y] = [view.x + view.w / 2, view.y + view.h / 2 - size / 2];
    const at = ([u, v]) => [...this.inside(x + u * size, y + v * size), 1, VISIBLE];
    this.addPerson(FIGURE.map(at));
  }
  addEmpty() {
    this.addPerson(FIGURE.map(() => null));
    this.keypoint = 0;
    this.filling = true;
  }

  box(person) {
    const points = person.points.filter(Boolean);
    if (!points.length) return null;
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const [x, y] = [Math.min(...xs), Math.min(...ys)];
    return { x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y };
  }
  // The whole person by (dx, dy), as far as the photo goes.
  shift(dx, dy) {
    const box = this.chosen && this.box(this.chosen);
    if (!box) return;
    dx = clamped(dx, -box.x, this.width - 1 - box.x - box.w);
    dy = clamped(dy, -box.y, this.height - 1 - box.y - box.h);
    this.reshape(([x, y]) => [x + dx, y + dy]);
  }
  // Scales the person about the top left corner of the box.
  scale(factor) {
    const box = this.chosen && this.box(this.chosen);
    if (!box) return;
    const room = Math.min(
      (this.width - 1 - box.x) / Math.max(box.w, 1), (this.height - 1 - box.y) / Math.max(box.h, 1),
    );
    const by = clamped(factor, Math.min(1, 8 / Math.max(box.w, box.h, 1)), room);
    this.reshape(([x, y]) => [box.x + (x - box.x) * by, box.y + (y - box.y) * by]);
  }
  reshape(map) {
    this.chosen.points = this.chosen.points.map(
      (point) => point && [...this.inside(...map(point)), point[2], point[3]],
    );
    this.touch(this.chosen);
  }

  // Where a missing keypoint may be: the figure laid over the keypoints that are there.
  guess(view) {
    const there = this.chosen.points.map((p, k) => p && [p, FIGURE[k]]).filter(Boolean);
    const middle = (points) => [0, 1].map(
      (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length,
    );
    if (!there.length) return [view.x + view.w / 2, view.y + view.h / 2];
    const [centre, figure] = [middle(there.map(([p]) => p)), middle(there.map(([, f]) => f))];
    const spread = (points, at) => points.reduce(
      (sum, point) => sum + Math.hypot(point[0] - at[0], point[1] - at[1]), 0,
    );
    const size = there.length < 2 ? view.h * 0.7
      : spread(there.map(([p]) => p), centre) / spread(there.map(([, f]) => f), figure);
    return [0, 1].map((axis) => centre[axis] + size * (FIGURE[this.keypoint][axis] - figure[axis]));
  }
}
