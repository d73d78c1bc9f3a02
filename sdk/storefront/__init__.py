"""The counter: referral links, checkout, orders, webhooks and the sandbox till over HTTP."""

from sdk.storefront.links import PageLink, is_preview
from sdk.storefront.routes import storefront_routes

__all__ = ["PageLink", "is_preview", "storefront_routes"]
