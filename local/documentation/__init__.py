"""The documentation as a site of static files: the guides, the reference, and a page on which the API can be tried."""

from local.documentation.site import PAGES, Page, build, sources

__all__ = ["PAGES", "Page", "build", "sources"]
