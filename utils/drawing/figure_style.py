"""The style that all figures share: sizes, colours, axes, and a file that is never seen half written.

Only matplotlib's object API is used (no pyplot): nothing is global, so it works headless and in threads. It is imported
where the first figure is drawn: it takes a third of a second, and most processes draw none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from utils.drawing.fonts import displayable, special_font
from utils.files.output_files import Extra, new_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

INK, FAINT, MARK, LINES = "#27313b", "#dde2e7", "#b3203a", ("#1f77b4", "#e8742c", "#2a9d6f")
DASH: Any = {"linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 1.5}
SHADES: Any = {"cmap": "Blues", "interpolation": "nearest", "vmin": 0}  # of counts and shares
QUALITY: Any = {"quality": 92, "subsampling": 0}  # of JPEG: subsampled colour would blur lines of one pixel


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, at 100 pixels each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure((width, height), dpi=100, layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1))
    FigureCanvasAgg(figure)  # attaches itself to the figure
    return figure


def dress(axes: Axes, title: str, x: str, y: str, grid: Any = "both") -> None:
    """Title, axis labels and grid in the colours of all figures."""
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=INK)
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.set_ylabel(y, fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK, length=3)
    axes.set_axisbelow(True)
    axes.spines[:].set_color(FAINT)
    if grid:
        axes.grid(True, axis=grid, color=FAINT, linewidth=0.7)


def whole_numbers(axis: Axis, most: int = 10) -> None:
    """At most so many ticks, all at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(most, integer=True))


def colour_bar(axes: Axes, shown: AxesImage) -> None:
    """The scale of a picture drawn with SHADES, beside it."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(6, integer=bool(shown.get_clim()[1] > 1))  # counts, or shares
    bar = axes.figure.colorbar(shown, ax=axes, ticks=ticks, fraction=0.03, pad=0.02, aspect=35)
    bar.ax.tick_params(labelsize=8, colors=INK, length=3)
    bar.outline.set_visible(False)


def short_name(names: Sequence[str], label: Any, length: int = 255) -> str:
    """A class name that can be drawn, its middle left out where it is long."""
    name = displayable(names[label]) if label < len(names) else str(label)
    return name if len(name) <= length else f"{name[: length - 7]}…{name[-6:]}"


def save_figure(figure: Figure, path: Path, title: str = "") -> Path:
    """Write the figure, if the disk lets it: a picture for people never ends a run.

    No name is read as mathematics; what DejaVu Sans lacks is set in another font.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

    figure.suptitle(title, fontsize=12, color=INK)
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        if font := special_font(text.get_text()):
            text.set_fontproperties(FontProperties(fname=font, size=text.get_fontsize()))
    with Extra(path), new_file(path) as file:
        figure.savefig(file, format=path.suffix[1:], pil_kwargs=QUALITY)
    return path
