"""The page's theme and its few rules of CSS."""

from __future__ import annotations

import gradio as gr

FONTS = ("system-ui", "Segoe UI", "Noto Sans", "Noto Sans KR", "Noto Sans CJK KR", "sans-serif")
"""Fonts of the visitor's own machine: nothing is fetched, and Korean is covered."""

THEME = gr.themes.Default(
    primary_hue="indigo",
    secondary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    font=FONTS,
    font_mono=("ui-monospace", "Consolas", "monospace"),
).set(
    body_background_fill="*neutral_50",
    body_background_fill_dark="*neutral_950",
    block_shadow="0 1px 2px rgba(15, 23, 42, 0.06)",
    button_large_radius="*radius_md",
)

CSS = """
.gradio-container { max-width: 1440px !important; }
#heading h1 { font-size: 1.7rem; margin: 0.2rem 0 0.1rem; letter-spacing: -0.01em; }
#heading p { margin: 0; color: var(--body-text-color-subdued); max-width: 62rem; }
.section h2 { font-size: 1.2rem; margin: 1.2rem 0 0.1rem; }
.section p { margin: 0 0 0.2rem; color: var(--body-text-color-subdued); max-width: 62rem; }
.hint p { margin: 0; color: var(--body-text-color-subdued); font-size: 0.88rem; }
#status { min-height: 2.4rem; }
#status .lines { display: flex; flex-direction: column; gap: 0.15rem; padding: 0.5rem 0.75rem;
  border-left: 4px solid var(--color-accent); border-radius: 4px;
  background: var(--block-background-fill); font-size: 0.93rem; line-height: 1.4; }
#status .lines .note { color: var(--body-text-color-subdued); }
#status b { font-weight: 600; }
@media (max-width: 640px) {
  .gradio-container main { padding: 0.6rem !important; }
  #heading h1 { font-size: 1.4rem; }
}
"""
