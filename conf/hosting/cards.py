"""The picture that a preview of a page shows: its title and question, drawn here."""

import hashlib
from pathlib import Path
from textwrap import wrap

SIZE = (1200, 630)
_INK, _PAPER, _GREEN, _GRAY = "#10241c", "#ffffff", "#0a7a55", "#4b5d55"
# The strokes of docs/_static/logo.svg, on its 64 units.
_LOGO = [
    ([(20, 13), (12, 13), (12, 51), (20, 51)], "#bff0d8", 4),
    ([(44, 13), (52, 13), (52, 51), (44, 51)], "#bff0d8", 4),
    ([(22, 33), (30, 42), (43, 23)], _PAPER, 6),
]
_MADE_OF = "made-of"


def draw(path: Path, title: str, words: str, site: str) -> None:
    """Write the picture, unless it is there already."""
    # Heavy, and needed only where the site's address is known.
    from matplotlib import font_manager
    from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

    code = Path(__file__).read_bytes()
    parts = [code, title.encode(), words.encode(), site.encode()]
    made_of = hashlib.sha256(b"\0".join(parts)).hexdigest()
    if path.exists():
        with Image.open(path) as before:
            if before.info.get(_MADE_OF) == made_of:
                return
    files = {
        weight: font_manager.findfont(
            font_manager.FontProperties(family="DejaVu Sans", weight=weight)
        )
        for weight in ("normal", "bold")
    }

    def font(weight: str, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(files[weight], size)

    image = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 24, SIZE[1]), fill=_GREEN)
    lines = wrap(title, 26)[:3]
    top = 110
    for line in lines:
        pen.text((100, top), line, font=font("bold", 64), fill=_INK)
        top += 80
    top += 24
    for line in wrap(words, 54)[: 5 if len(lines) < 3 else 4]:
        pen.text((100, top), line, font=font("normal", 32), fill=_GRAY)
        top += 46
    pen.rounded_rectangle((100, 528, 154, 582), radius=12, fill=_GREEN)
    for strokes, color, width in _LOGO:
        at = [(100 + x * 54 / 64, 528 + y * 54 / 64) for x, y in strokes]
        pen.line(at, fill=color, width=width, joint="curve")
    pen.text((174, 533), site, font=font("bold", 34), fill=_INK)
    about = PngImagePlugin.PngInfo()
    about.add_text(_MADE_OF, made_of)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(64).save(path, pnginfo=about, optimize=True)
