"""Write the pages of `docs/reference/` and the pictures of `docs/analytics/`."""

from tests.reference import pages, pictures

made = {pages.FOLDER / name: text for name, text in pages.pages().items()}
made |= {pictures.FOLDER / name: draw() for name, draw in pictures.pictures().items()}
for path, text in made.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(path)
