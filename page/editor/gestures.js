// Mouse, pen and finger on the photo: drag, place, pan, pinch.

const REACH = { mouse: 10, pen: 12, touch: 24 };
const STILL = 4; // pixels of the screen that a click may move

// `editor` has model, canvas, show() and changed().
function listenToPointers(editor) {
  const { model, canvas } = editor;
  const { svg } = canvas;
  const pointers = new Map();
  let gesture = null;

  function start(event) {
    const [x, y] = canvas.at(event.clientX, event.clientY);
    const hit = canvas.under(model, x, y, REACH[event.pointerType] ?? REACH.mouse);
    model.begin();
    gesture = { kind: hit?.part ?? "empty", moved: false, view: { ...canvas.view } };
    gesture.from = [event.clientX, event.clientY];
    gesture.last = [x, y];
    const places = model.keypoint >= 0 && !model.point;
    if (places) {
      gesture.kind = "empty"; // a click places the keypoint, close as others may be
    } else if (hit?.part === "keypoint") {
      model.choose(hit.person, hit.keypoint);
      gesture.offset = [model.point[0] - x, model.point[1] - y];
    }
  }

  function drag(event) {
    const [dx, dy] = [event.clientX - gesture.from[0], event.clientY - gesture.from[1]];
    gesture.moved ||= Math.hypot(dx, dy) > STILL;
    if (!gesture.moved) return;
    const [x, y] = canvas.at(event.clientX, event.clientY);
    if (gesture.kind === "keypoint") model.put(x + gesture.offset[0], y + gesture.offset[1]);
    if (gesture.kind === "frame") model.shift(x - gesture.last[0], y - gesture.last[1]);
    if (gesture.kind === "corner") {
      const box = model.box(model.chosen);
      const [was, is] = [gesture.last, [x, y]].map(([u, v]) => Math.hypot(u - box.x, v - box.y));
      if (was > 0) model.scale(is / was);
    }
    if (gesture.kind === "empty") {
      const { unit } = canvas;
      canvas.see({ ...gesture.view, x: gesture.view.x - dx * unit, y: gesture.view.y - dy * unit });
    }
    gesture.last = [x, y];
  }

  function pinch() {
    const [a, b] = [...pointers.values()];
    const distance = Math.hypot(a[0] - b[0], a[1] - b[1]);
    const middle = canvas.at((a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
    if (gesture?.kind !== "pinch") {
      if (gesture) model.cancel();
      gesture = { kind: "pinch" };
    } else {
      canvas.see({
        ...canvas.view,
        x: canvas.view.x + gesture.middle[0] - middle[0],
        y: canvas.view.y + gesture.middle[1] - middle[1],
      });
      canvas.zoomBy(distance / gesture.distance, ...gesture.middle);
    }
    gesture.distance = distance;
    gesture.middle = canvas.at((a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
  }

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    svg.focus({ preventScroll: true });
    svg.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (pointers.size === 2) pinch();
    else if (pointers.size === 1) start(event);
    editor.show();
  });

  svg.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId) || !gesture) return;
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (pointers.size === 2) pinch();
    else if (gesture.kind !== "pinch") drag(event);
    editor.show();
  });

  svg.addEventListener("pointerup", (event) => {
    if (!pointers.delete(event.pointerId) || !gesture) return;
    const ended = gesture;
    if (!pointers.size) gesture = null;
    if (ended.kind === "pinch") return;
    if (ended.kind === "empty" && !ended.moved) {
      if (model.keypoint >= 0 && !model.point) model.place(...ended.last);
      else model.choose(model.person);
    }
    if (model.commit()) editor.changed();
    else editor.show();
  });

  svg.addEventListener("pointercancel", (event) => {
    pointers.delete(event.pointerId);
    if (gesture && gesture.kind !== "pinch") model.cancel();
    gesture = null;
    editor.show();
  });

  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    canvas.zoomBy(Math.exp(-event.deltaY / 300), ...canvas.at(event.clientX, event.clientY));
    editor.show();
  }, { passive: false });
}
