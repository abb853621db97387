"""Figures of the lesson: the colours and the style they share.

Each module draws the figures of one page; each function takes numbers and returns a matplotlib Figure. The colours are
those of the light page; on the site each becomes a CSS variable, so that a figure follows light and dark.
"""

INK = "#1f2430"
"""Text and axes."""
MUTED = "#667085"
"""Secondary text, ticks."""
GRID = "#d5d9e2"
"""Grid lines and outlines."""
PAPER = "#fbfbfd"
"""The page behind the figure."""
SHADE = "#d9dfeb"
"""Filled areas that stay in the background."""
BLUE = "#2f6bd8"
ORANGE = "#c2570c"
GREEN = "#1a7f4b"

CSS_VARIABLES = {
    INK: "--figure-ink",
    MUTED: "--figure-muted",
    GRID: "--figure-grid",
    PAPER: "--figure-paper",
    SHADE: "--figure-shade",
    BLUE: "--figure-blue",
    ORANGE: "--figure-orange",
    GREEN: "--figure-green",
}

YOURS = "_yours"
"""The label of an artist that draws the reader's own measurement: readers see it, and the page's record does not."""

WIDTH = 4.9
"""Inches. At 72 points an inch the drawing is 353 wide, about a phone's column, so its text is never shrunk to dust."""

SIZE, SMALL = 10.5, 10
"""Text sizes in points, of titles and labels, and of ticks and notes."""

STYLE = {
    "figure.figsize": (WIDTH, 3.2),
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # real text: selectable, searchable, in the page's own font
    "svg.hashsalt": "scaling-lesson",
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.labelsize": SIZE,
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # else each layout looks for ticks above the axes, where none are
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 0,  # the grid is enough
    "xtick.minor.size": 0,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "xtick.major.pad": 7,
    "ytick.major.pad": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
}
