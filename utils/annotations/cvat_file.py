"""What was found as "CVAT for images 1.1", the XML that CVAT imports."""

from __future__ import annotations

from xml.etree import ElementTree

from utils.annotations.labelled_picture import LabelledPicture, LabelRun
from utils.annotations.xml_text import hex_colour, without_illegal
from utils.files.growing_file import GrowingFile
from utils.files.output_files import write_json

UNSAYABLE = "XML cannot hold their names; rename them, or take --save-labels coco"


class CvatFile:
    """annotations.xml, and labels.json, whose content a CVAT task takes as its labels ("Raw")."""

    def __init__(self, run: LabelRun) -> None:
        self.run, self.count = run, 0
        self.file = GrowingFile(run.folder / "annotations.xml", run.results)
        self.file.write(
            f'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n{self._meta()}'
        )

    def add(self, picture: LabelledPicture) -> str:
        """The element of one picture; returns why it is left out, or ""."""
        if without_illegal(picture.name) != picture.name:
            return UNSAYABLE
        height, width = picture.size
        about = {"id": str(self.count), "name": picture.name, "width": str(width), "height": str(height)}
        image = ElementTree.Element("image", about)
        for name, score, corners in picture.boxes():
            place = {key: f"{v:.2f}" for key, v in zip(("xtl", "ytl", "xbr", "ybr"), corners, strict=True)}
            about = {"label": without_illegal(name), "source": "auto", "occluded": "0", **place, "z_order": "0"}
            box = ElementTree.SubElement(image, "box", about)
            ElementTree.SubElement(box, "attribute", {"name": "score"}).text = f"{score:.3f}"
        self.file.write(_text(image))
        self.count += 1
        return ""

    def close(self) -> None:
        """End the file and write the labels."""
        self.file.close("</annotations>\n")
        score = {"name": "score", "mutable": False, "input_type": "text", "default_value": "", "values": [""]}
        labels = [
            {"name": without_illegal(name), "color": hex_colour(k), "attributes": [score]}
            for k, name in enumerate(self.run.names)
        ]
        with self.run.results.writing():
            write_json(self.run.folder / "labels.json", labels)

    def _meta(self) -> str:
        meta = ElementTree.Element("meta")
        labels = ElementTree.SubElement(ElementTree.SubElement(meta, "task"), "labels")
        for k, name in enumerate(self.run.names):
            label = ElementTree.SubElement(labels, "label")
            ElementTree.SubElement(label, "name").text = without_illegal(name)
            ElementTree.SubElement(label, "color").text = hex_colour(k)
            attribute = ElementTree.SubElement(ElementTree.SubElement(label, "attributes"), "attribute")
            values = {"name": "score", "mutable": "False", "input_type": "text", "default_value": "", "values": ""}
            for key, value in values.items():
                ElementTree.SubElement(attribute, key).text = value
        return _text(meta)


def _text(element: ElementTree.Element) -> str:
    ElementTree.indent(element)
    return ElementTree.tostring(element, encoding="unicode") + "\n"
