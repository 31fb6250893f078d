"""The tab for a clip: people followed through it, back as H.264 and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import gradio as gr

from page.components import photo_name, toast
from page.controls import fill_on_load, lines, weights_and_preset
from page.labels import label, language_of, say
from page.models import Job, Models
from page.photo_events import MODEL_QUEUE, PRIVATE
from page.session import clean_name, reduced
from page.tracking import Tracker
from page.workspace import new_folder, remove_folder
from pose import UserError
from pose.export import json_text, openpose_json, write_text_atomically
from pose.render import DrawSettings, draw_people
from pose.video import VideoWriter, count_frames, frames_per_second, read_frames

LONGEST_SECONDS = 20
"""Longest part of a clip that is worked on."""

FRAME_SIDE = 1280
"""Longer side in pixels of the frames: larger clips are made smaller."""

NUMBERED = DrawSettings(ids=True)


class VideoTab:
    """A clip, frame by frame; can be stopped."""

    def __init__(self, models: Models) -> None:
        self.models = models
        with gr.Row():
            with gr.Column(scale=4, min_width=320):
                self.hint = gr.Markdown(elem_classes="hint")
                self.clip = gr.Video(
                    label=label("video_in"),
                    sources=["upload", "webcam"],
                    elem_id="video-in",
                    height=280,
                    include_audio=True,
                )
                self.how = weights_and_preset(models, "video", "fast")
                with gr.Row():
                    self.run_button = gr.Button(
                        label("run_video"), variant="primary", elem_id="video-run"
                    )
                    self.stop = gr.Button(label("stop"), variant="stop", elem_id="video-stop")
            with gr.Column(scale=7, min_width=320):
                self.status = gr.HTML(elem_id="video-status")
                self.frame = gr.Image(
                    label=label("video_out"),
                    interactive=False,
                    format="jpeg",
                    elem_id="video-frame",
                    height=480,
                    buttons=[],
                    visible=False,
                )
                self.result = gr.Video(
                    label=label("video_out"),
                    interactive=False,
                    elem_id="video-out",
                    height=480,
                    autoplay=True,
                    loop=True,
                    visible=False,
                )
                self.files = gr.File(
                    label=label("downloads"),
                    file_count="multiple",
                    interactive=False,
                    elem_id="video-files",
                    visible=False,
                )
        self.folder = gr.State(delete_callback=remove_folder, time_to_live=3600)

    def connect(self, demo: gr.Blocks) -> None:
        running = self.run_button.click(
            self.run,
            [self.folder, self.clip, *self.how],
            [self.folder, self.status, self.frame, self.result, self.files],
            show_progress="hidden",
            **MODEL_QUEUE,
            **PRIVATE,
        )
        self.stop.click(None, cancels=[running])
        fill_on_load(demo, self.models, self.how[0])
        demo.load(self.welcome, None, [self.hint, self.status], show_progress="hidden", **PRIVATE)

    def welcome(self, request: gr.Request) -> list[str]:
        language = language_of(request)
        hint = say("video_hint", language, seconds=LONGEST_SECONDS)
        return [hint, lines(say("video_start", language))]

    def run(
        self,
        request: gr.Request,
        folder: str | None,
        path: str | None,
        weights: str,
        preset: str,
    ) -> Iterator[list[Any]]:
        """Shows the frame just done, and at the end the clip and its JSON."""
        language = language_of(request)
        if not path:
            raise gr.Error(say("video_none", language), print_exception=False)
        remove_folder(folder)
        folder = str(new_folder("video"))
        name = clean_name(photo_name(path))
        movie = Path(folder) / f"{name}_skeletons.mp4"
        data = Path(folder) / f"{name}_poses.json"
        try:
            for step in self.follow(Path(path), movie, data, weights, preset, language):
                yield [folder, *step]
        except UserError as error:
            raise toast(error) from None

    def follow(
        self, path: Path, movie: Path, data: Path, weights: str, preset: str, language: str
    ) -> Iterator[list[Any]]:
        """The values of all outputs but the folder, after every frame and at the end."""
        rate = frames_per_second(path)
        most = max(1, round(LONGEST_SECONDS * rate))
        announced = count_frames(path)
        total = min(most, announced or most)
        writer, tracker = VideoWriter(movie, rate), Tracker()
        frames: list[dict[str, Any]] = []
        start = perf_counter()
        try:
            for frame in islice(read_frames(path), most):
                photo = reduced(frame, FRAME_SIDE)
                people = self.models.look(Job(photo, weights, preset, stages=False)).people
                numbers = tracker.numbers(people)
                picture = draw_people(photo, people, NUMBERED, ids=numbers)
                writer.add(picture)
                time = round(len(frames) / rate, 3)
                frames.append(
                    {"frame": len(frames), "time": time, **openpose_json(people, numbers)}
                )
                bar = lines(f"{len(frames)} / {total}", share=min(1.0, len(frames) / total))
                hidden = gr.update(visible=False)
                yield [bar, gr.update(value=picture, visible=True), hidden, hidden]
        finally:
            writer.close()
        height, width = photo.shape[:2]
        answer = {"width": width, "height": height, "fps": rate, "frames": frames}
        write_text_atomically(data, json_text(answer))
        speed = f"{len(frames) / (perf_counter() - start):.1f}"
        text = say("video_done", language, frames=len(frames), tracks=tracker.count, speed=speed)
        cut = say("video_cut", language, seconds=LONGEST_SECONDS)
        yield [
            lines(text, *([cut] if announced > most else []), share=1),
            gr.update(value=None, visible=False),
            gr.update(value=str(movie), visible=True),
            gr.update(value=[str(data), str(movie)], visible=True),
        ]
