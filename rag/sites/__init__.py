"""Several news sites on one Recoupe: their keys, their parts of the corpus, their quotas."""

from rag.sites.store import EVERYWHERE, Site, Sites, Theme

__all__ = ["EVERYWHERE", "Site", "Sites", "Theme"]
