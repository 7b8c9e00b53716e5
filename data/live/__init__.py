"""Pictures that come while we wait for them: files in a folder, frames of a camera.

May import: files to pictures.
"""
