"""The tab for many photos: a gallery that fills, and one file of each format for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from page.components import crisp, photo_name, toast, told
from page.controls import fill_on_load, lines, weights_and_preset
from page.labels import label, language_of, say
from page.models import Job, Models
from page.photo_events import MODEL_QUEUE, PRIVATE
from page.session import reduced, scaled
from page.words import people_count
from page.workspace import new_folder, remove_folder
from pose import Person, UserError, load_image
from pose.export import (
    coco_results,
    csv_rows,
    csv_text,
    image_id_of,
    json_text,
    openpose_json,
    write_text_atomically,
)
from pose.render import draw_people

MOST_PHOTOS = 200
GALLERY_SIDE = 800
"""Longer side in pixels of a picture in the gallery."""


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
                self.how = weights_and_preset(models, "many", "fast")
                with gr.Row():
                    self.run_button = gr.Button(
                        label("run_all"), variant="primary", elem_id="many-run"
                    )
                    self.stop = gr.Button(label("stop"), variant="stop", elem_id="many-stop")
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
        running = self.run_button.click(
            self.run,
            [self.folder, self.photos, *self.how],
            [self.folder, self.status, self.gallery, self.files],
            show_progress_on=[self.status],
            **MODEL_QUEUE,
            **PRIVATE,
        )
        self.stop.click(None, cancels=[running])
        fill_on_load(demo, self.models, self.how[0])
        demo.load(self.welcome, None, [self.status], show_progress="hidden", **PRIVATE)

    def welcome(self, request: gr.Request) -> str:
        return lines(say("many_start", language_of(request)))

    def run(
        self,
        request: gr.Request,
        folder: str | None,
        paths: list[str] | None,
        weights: str,
        preset: str,
    ) -> Iterator[list[Any]]:
        """Each photo's people as soon as they are found; the files hold what is done."""
        language = language_of(request)
        if not paths:
            raise gr.Error(say("many_none", language), print_exception=False)
        if len(paths) > MOST_PHOTOS:
            raise toast(UserError(f"at most {MOST_PHOTOS} photos at once, not {len(paths)}"))
        try:
            self.models.estimator(weights)  # with wrong weights no photo can be looked at
        except UserError as error:
            raise toast(error) from None
        remove_folder(folder)
        folder = str(new_folder("many"))
        answers: list[tuple[str, tuple[Person, ...]]] = []
        notes: list[str] = []
        pictures: list[tuple[str, str]] = []
        for done, path in enumerate(paths, start=1):
            name = photo_name(path)
            try:
                photo = load_image(path)
                people = self.models.look(Job(photo, weights, preset, stages=False)).people
            except UserError as error:
                if not Path(path).is_file():
                    raise toast(error) from None
                notes.append(told(error))  # one bad file does not stop the others
            else:
                shown = reduced(photo, GALLERY_SIDE)
                drawn = draw_people(shown, scaled(people, shown.shape[1] / photo.shape[1]))
                pictures.append((crisp(drawn), f"{name}: {people_count(len(people), language)}"))
                answers.append((name, people))
            total = sum(len(people) for _, people in answers)
            text = say(
                "many_done",
                language,
                done=done,
                total=len(paths),
                people=people_count(total, language),
            )
            yield [
                folder,
                lines(text, *notes, share=done / len(paths)),
                gr.update(value=list(pictures), visible=True),
                gr.update(value=write_answers(Path(folder), answers), visible=True),
            ]


def write_answers(folder: Path, answers: list[tuple[str, tuple[Person, ...]]]) -> list[str]:
    """One file of each format for all photos: COCO results, OpenPose JSON by photo, CSV."""
    coco = [
        entry
        for number, (name, people) in enumerate(answers, start=1)
        for entry in coco_results(people, image_id_of(name, number), name)
    ]
    openpose = {name: openpose_json(people) for name, people in answers}
    table = csv_text(row for name, people in answers for row in csv_rows(people, name))
    texts = {
        "photos_coco.json": json_text(coco),
        "photos_openpose.json": json_text(openpose),
        "photos_keypoints.csv": table,
    }
    for name, text in texts.items():
        write_text_atomically(folder / name, text)
    return [str(folder / name) for name in texts]
