"""The tab for a clip: people followed through it, their curves, and files to take away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

import gradio as gr

from page.components import live_picture, photo_name, public_message, toast
from page.events import LIVE, MODEL_QUEUE, PRIVATE, QUIET, Updates, Values
from page.i18n.labels import label, language_of, say
from page.images import clean_name
from page.models import Job, Models
from page.photo.status import people_count
from page.tabs.controls import fill_on_load, lines, weights_and_preset
from page.tabs.video.clip import Clip, Follower, write_movie, write_tables
from page.tabs.video.curves import CURSOR_SCRIPT, curves_html, first_measures, measures
from page.tabs.video.preview import converted, is_played
from page.workspace import new_folder, remove_folder
from pose import UserError
from pose.images.video import VIDEO_SUFFIXES, count_frames

LONGEST_SECONDS = 20
"""Longest part of a clip that is worked on."""

SECONDS_KEPT = 3600

EXAMPLE = Path(__file__).parents[3] / "assets" / "clips" / "park.mp4"


class VideoTab:
    """A clip, frame by frame; can be stopped."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.stopping: set[str | None] = set()  # sessions whose visitor pressed Stop
        self.folder = gr.State(delete_callback=remove_folder, time_to_live=SECONDS_KEPT)
        self.followed = gr.State(time_to_live=SECONDS_KEPT)
        with gr.Row():
            with gr.Column(scale=4, min_width=300):
                self._inputs()
            with gr.Column(scale=8, min_width=320):
                self._results()

    def _inputs(self) -> None:
        self.hint = gr.Markdown(elem_classes="hint")
        self.clip = gr.Video(
            label=label("video_in"),
            sources=["upload", "webcam"],
            elem_id="video-in",
            height=280,
            include_audio=True,
        )
        # The component above takes only what the browser itself calls a video.
        self.other = gr.UploadButton(
            label("video_other"),  # type: ignore[arg-type]  # translated all the same
            file_types=sorted(VIDEO_SUFFIXES | {".gif"}),
            elem_id="video-other",
            size="sm",
        )
        gr.Examples(
            [[str(EXAMPLE)]],
            [self.clip],
            label=label("examples"),
            elem_id="video-examples",
            api_visibility="private",
        )
        self.how = weights_and_preset(self.models, "video", "fast")
        self.smooth = gr.Checkbox(True, label=label("video_smooth"), elem_id="video-smooth")
        self.joints = gr.Checkbox(False, label=label("video_joints"), elem_id="video-joints")
        with gr.Row():
            self.run_button = gr.Button(label("run_video"), variant="primary", elem_id="video-run")
            self.stop = gr.Button(label("stop"), elem_id="video-stop")

    def _results(self) -> None:
        self.status = gr.HTML(elem_id="video-status")
        self.frame = live_picture(
            label=label("video_out"),
            elem_id="video-frame",
            height=460,
            buttons=[],
        )
        self.result = gr.Video(
            label=label("video_out"),
            interactive=False,
            elem_id="video-out",
            height=460,
            autoplay=True,
            loop=True,
            visible=False,
        )
        with gr.Column(visible=False, elem_id="video-curves") as self.section:
            with gr.Row():
                self.person = gr.Dropdown(
                    label=label("curve_person"), elem_id="curve-person", scale=1, min_width=120
                )
                self.what = gr.Dropdown(
                    label=label("curve_what"), elem_id="curve-what", multiselect=True, scale=4
                )
            gr.Markdown(label("curve_hint"), elem_classes="hint")
            self.curves = gr.HTML(elem_id="curves", js_on_load=CURSOR_SCRIPT)
        self.files = gr.File(
            label=label("downloads"),
            file_count="multiple",
            interactive=False,
            elem_id="video-files",
            visible=False,
        )

    def connect(self, demo: gr.Blocks) -> None:
        for clip in (self.clip, self.other):
            clip.upload(self.playable, [clip], [self.clip], **MODEL_QUEUE, **PRIVATE)
        shown = [self.section, self.person, self.what, self.curves]
        self.run_button.click(
            self.run,
            {self.folder, self.clip, *self.how, self.smooth, self.joints},
            [self.folder, self.followed, self.status, self.frame, self.result, self.files, *shown],
            show_progress="hidden",
            **MODEL_QUEUE,
            **PRIVATE,
        )
        chosen = [self.followed, self.person, self.what]
        self.person.input(self.draw, chosen, [self.curves], **LIVE)
        self.what.input(self.draw, chosen, [self.curves], **LIVE)
        self.stop.click(self.end, None, None, **QUIET)
        fill_on_load(demo, self.models, self.how[0])
        demo.load(self.welcome, None, [self.hint, self.status], show_progress="hidden", **PRIVATE)

    def welcome(self, request: gr.Request) -> list[str]:
        language = language_of(request)
        hint = say("video_hint", language, seconds=LONGEST_SECONDS)
        return [hint, lines(say("video_start", language))]

    def playable(self, path: str | None) -> Any:
        """The clip that was put in, converted where a browser cannot play it."""
        try:
            if not path:
                return gr.skip()
            if is_played(Path(path)):
                return path
            return str(converted(Path(path), new_folder("preview"), LONGEST_SECONDS))
        except UserError as error:
            raise toast(error) from None

    def end(self, request: gr.Request) -> None:
        """Ends this visitor's run after the frame it is at; what is done is kept."""
        self.stopping.add(request.session_hash)

    def run(self, values: Values, request: gr.Request) -> Iterator[Updates]:
        """Shows the frame just done, and at the end the clip, its curves and its files."""
        language, session = language_of(request), request.session_hash
        path = values[self.clip]
        if not path:
            raise gr.Error(say("video_none", language), print_exception=False)
        cut = say("video_cut", language, seconds=LONGEST_SECONDS)
        follower = Follower(Path(path), LONGEST_SECONDS, cut)
        self.stopping.discard(session)
        start = perf_counter()
        try:
            yield from self._find(follower, values, session, language)
            speed = len(follower.times) / (perf_counter() - start)
            yield {self.status: lines(say("video_steadying", language), share=1)}
            yield self._finish(follower, values, speed, language)
        except UserError as error:
            raise toast(error) from None

    def _find(
        self, follower: Follower, values: Values, session: str | None, language: str
    ) -> Iterator[Updates]:
        weights, preset = (values[control] for control in self.how)
        announced = count_frames(follower.path)
        hidden = gr.update(visible=False)
        frames = follower.run(lambda photo: self.models.estimate(Job(photo, weights, preset)))
        with closing(frames):
            for number, picture in enumerate(frames, start=1):
                share = max(follower.end / LONGEST_SECONDS, number / announced if announced else 0)
                yield {
                    self.status: lines(f"{number} / {announced or '?'}", share=min(1.0, share)),
                    self.frame: picture,
                    self.result: hidden,
                    self.files: hidden,
                    self.section: hidden,
                }
                if session in self.stopping:
                    follower.notes.append(say("video_stopped", language))
                    return

    def _finish(self, follower: Follower, values: Values, speed: float, language: str) -> Updates:
        clip = follower.clip(values[self.smooth])
        name = clean_name(photo_name(str(follower.path)))
        folder = new_folder("video")
        movie = folder / f"{name}_skeletons.mp4"
        write_movie(clip, follower.path, movie, values[self.joints])
        files = [movie, *write_tables(clip, folder, name)]
        remove_folder(values[self.folder])
        ids = clip.ids
        text = say(
            "video_done",
            language,
            frames=len(clip.frames),
            people=people_count(len(ids), language),
            speed=f"{speed:.1f}",
        )
        notes = [public_message(UserError(note)) for note in clip.notes]
        updates: Updates = {
            self.folder: str(folder),
            self.followed: clip,
            self.status: lines(text, *notes, share=1),
            self.frame: None,
            self.result: gr.update(value=str(movie), visible=True),
            self.files: gr.update(value=[str(file) for file in files], visible=True),
            self.section: gr.update(visible=bool(ids)),
        }
        if ids:
            keys = first_measures(clip.keypoints(ids[0]))
            updates |= {
                self.person: gr.update(choices=ids, value=ids[0]),
                self.what: gr.update(choices=measures(language), value=keys),
                self.curves: curves_html(clip, ids[0], keys, language),
            }
        return updates

    def draw(self, request: gr.Request, clip: Clip | None, number: int, keys: list[str]) -> Any:
        """The curves that were chosen."""
        if clip is None or not keys:
            return gr.skip()
        return curves_html(clip, int(number), keys, language_of(request))
