"""From label files to boxes: where YOLO txt, Pascal VOC xml and COCO json lie, what they say, which classes they name.

May import: files, pictures.
"""
