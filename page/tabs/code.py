"""The tab that shows how programs call the page; tests run its texts."""

from __future__ import annotations

import gradio as gr

from page.events import QUIET
from page.i18n.labels import label

LOCAL = "http://127.0.0.1:7860"

PYTHON = """from gradio_client import Client, handle_file

client = Client("{url}")

overlay, answer = client.predict(
    image=handle_file("photo.jpg"),
    weights="mobilenet-thin",
    preset="balanced",
    api_name="/detect",
)
for person in answer["people"]:
    found = [k for k in person["keypoints"] if k["x"] is not None]
    print(f"person {{person['id']}}: {{len(found)}} keypoints, score {{person['score']:.1f}}")

overlay_a, overlay_b, comparison = client.predict(
    image=handle_file("photo.jpg"),
    weights_a="mobilenet-thin",
    weights_b="custom",
    api_name="/compare",
)
print("mean score", comparison["a"]["mean_score"], comparison["b"]["mean_score"])

picture = client.predict(
    image=handle_file("photo.jpg"),
    kind="direction",
    channel="neck – nose",
    stage=6,
    api_name="/field_map",
)
print(picture)
"""

JAVASCRIPT = """import {{ Client, handle_file }} from "@gradio/client";
import {{ readFile }} from "node:fs/promises";

const client = await Client.connect("{url}");
const image = new Blob([await readFile("photo.jpg")]);

const {{ data: [overlay, answer] }} = await client.predict("/detect", {{ image }});
console.log(answer.people.length, overlay.url);
"""

LOCALLY = """from pose import PoseEstimator

estimator = PoseEstimator.from_pretrained("mobilenet-thin")
result = estimator("photo.jpg")
print(len(result.people), result.timings.total)
"""


class CodeTab:
    """Texts to copy, with the page's own address filled in when it is opened."""

    def __init__(self) -> None:
        gr.Markdown(label("code_hint"), elem_classes="hint")
        with gr.Tab("Python"):
            self.python = gr.Code(
                PYTHON.format(url=LOCAL),
                language="python",
                interactive=False,
                elem_id="code-python",
            )
        with gr.Tab("JavaScript"):
            self.javascript = gr.Code(
                JAVASCRIPT.format(url=LOCAL),
                language="javascript",
                interactive=False,
                elem_id="code-javascript",
            )
        with gr.Tab(label("code_here")):
            gr.Code(LOCALLY, language="python", interactive=False, elem_id="code-here")

    def connect(self, demo: gr.Blocks) -> None:
        demo.load(self.fill, None, [self.python, self.javascript], **QUIET)

    def fill(self, request: gr.Request) -> list[str]:
        """The texts with the address the visitor used."""
        url = address_of(request)
        return [PYTHON.format(url=url), JAVASCRIPT.format(url=url)]


def address_of(request: gr.Request) -> str:
    """The page's address as the browser sees it, also behind a proxy."""
    headers = request.headers or {}
    host = headers.get("x-forwarded-host") or headers.get("host")
    if not host:
        return LOCAL
    scheme = (headers.get("x-forwarded-proto") or "http").split(",")[0].strip()
    return f"{scheme}://{host.split(',')[0].strip()}/"
