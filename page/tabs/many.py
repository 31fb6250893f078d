"""The tab for many photos: a gallery that fills, and one file of each format for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from page.components import crisp, photo_name, public_message, toast
from page.events import MODEL_QUEUE, PRIVATE, QUIET, Updates, Values
from page.i18n.labels import label, language_of, say
from page.images import reduced, scaled
from page.models import Job, Models
from page.photo.status import people_count
from page.tabs.controls import fill_on_load, lines, weights_and_preset
from page.workspace import new_folder, remove_folder
from pose import Person, UserError, load_image
from pose.drawing import draw_people
from pose.export import coco_results, csv_rows, csv_text, image_id_of, json_text, openpose_json
from pose.files import write_text

MOST_PHOTOS = 200
GALLERY_SIDE = 800
"""Longer side in pixels of a picture in the gallery."""


@dataclass(frozen=True)
class PhotoPeople:
    """The people in one photo; its maps are not kept."""

    name: str
    people: tuple[Person, ...]
    image_size: tuple[int, int]


class ManyTab:
    """Several photos, one after the other; can be stopped."""

    def __init__(self, models: Models) -> None:
        self.models = models
        with gr.Row():
            with gr.Column(scale=4, min_width=320):
                gr.Markdown(label("many_hint"), elem_classes="hint")
                self.photos = gr.File(
                    label=label("many_photos"),
                    file_count="multiple",
                    file_types=["image"],
                    elem_id="many-photos",
                    height=220,
                )
                self.weights, self.preset = weights_and_preset(models, "many", "fast")
                with gr.Row():
                    self.run_button = gr.Button(
                        label("run_all"), variant="primary", elem_id="many-run"
                    )
                    self.stop = gr.Button(
                        label("stop"), variant="stop", elem_id="many-stop", visible=False
                    )
            with gr.Column(scale=7, min_width=320):
                self.status = gr.HTML(elem_id="many-status")
                self.gallery = gr.Gallery(
                    label=label("gallery"),
                    elem_id="many-gallery",
                    columns=3,
                    format="jpeg",
                    object_fit="contain",
                    height="auto",
                    interactive=False,
                    visible=False,
                    buttons=["download", "fullscreen"],  # not "share", which needs a Space
                )
                self.files = gr.File(
                    label=label("downloads"),
                    file_count="multiple",
                    interactive=False,
                    elem_id="many-files",
                    visible=False,
                )
        self.folder = gr.State(delete_callback=remove_folder, time_to_live=3600)

    def connect(self, demo: gr.Blocks) -> None:
        shown = {"outputs": [self.stop], **QUIET}
        self.run_button.click(lambda: gr.update(visible=True), None, **shown)
        running = self.run_button.click(
            self.run,
            {self.folder, self.photos, self.weights, self.preset},
            [self.folder, self.status, self.gallery, self.files],
            show_progress_on=[self.status],
            **MODEL_QUEUE,
            **PRIVATE,
        )
        running.then(lambda: gr.update(visible=False), None, **shown)
        self.stop.click(lambda: gr.update(visible=False), None, cancels=[running], **shown)
        fill_on_load(demo, self.models, self.weights)
        demo.load(self.welcome, None, [self.status], **QUIET)

    def welcome(self, request: gr.Request) -> str:
        return lines(say("many_start", language_of(request)))

    def run(self, values: Values, request: gr.Request) -> Iterator[Updates]:
        """Each photo's people as soon as they are found; the files hold what is done."""
        language = language_of(request)
        paths: list[str] = values[self.photos] or []
        if not paths:
            raise gr.Error(say("many_none", language), print_exception=False)
        try:
            if len(paths) > MOST_PHOTOS:
                raise UserError(f"at most {MOST_PHOTOS} photos at once, not {len(paths)}")
            self.models.estimator(values[self.weights])  # wrong weights fail every photo
        except UserError as error:
            raise toast(error) from None
        remove_folder(values[self.folder])
        folder = new_folder("many")
        found: list[PhotoPeople] = []
        notes: list[str] = []
        pictures: list[tuple[str, str]] = []
        for done, path in enumerate(paths, start=1):
            name = photo_name(path)
            try:
                job = Job(load_image(path), values[self.weights], values[self.preset])
                people = self.models.estimate(job).people
            except UserError as error:
                if not Path(path).is_file():
                    raise toast(error) from None
                notes.append(public_message(error))  # one bad file does not stop the others
            else:
                shown = reduced(job.photo, GALLERY_SIDE)
                drawn = draw_people(shown, scaled(people, shown.shape[1] / job.photo.shape[1]))
                pictures.append((crisp(drawn), f"{name}: {people_count(len(people), language)}"))
                found.append(PhotoPeople(name, people, job.photo.shape[:2]))
            total = people_count(sum(len(photo.people) for photo in found), language)
            text = say("many_done", language, done=len(found), total=len(paths), people=total)
            if notes:
                text += f", {say('many_refused', language, count=len(notes))}"
            yield {
                self.folder: str(folder),
                self.status: lines(text, *notes, share=done / len(paths)),
                self.gallery: gr.update(value=list(pictures), visible=True),
                self.files: gr.update(value=write_results(folder, found), visible=True),
            }


def write_results(folder: Path, photos: Sequence[PhotoPeople]) -> list[str]:
    """One file of each format for all photos: COCO results, OpenPose JSON by photo, CSV."""
    coco = [
        entry
        for number, photo in enumerate(photos, start=1)
        for entry in coco_results(photo.people, image_id_of(photo.name, number), photo.name)
    ]
    rows = (row for photo in photos for row in csv_rows(photo.people, photo.name))
    texts = {
        "photos_coco.json": json_text(coco),
        "photos_openpose.json": json_text(
            {p.name: openpose_json(p.people, image_size=p.image_size) for p in photos}
        ),
        "photos_keypoints.csv": csv_text(rows),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [str(folder / name) for name in texts]
