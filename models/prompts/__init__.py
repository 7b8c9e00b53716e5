"""RTVPNet's prompt rows: Mobile-SAM's embedding, domain projection, visual prompts, text-visual interaction.

May import: rows to sam.
"""

from models.prompts import embedding, energy, interaction, projection

__all__ = ["embedding", "energy", "interaction", "projection"]
