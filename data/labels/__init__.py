"""From label files to boxes: YOLO txt, Pascal VOC xml, COCO json, and the classes they name.

May import: files, pictures.
"""
