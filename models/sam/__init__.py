"""The parts of Mobile-SAM; `models/mobile_sam.py` puts them together."""
