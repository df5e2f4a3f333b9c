"""What there is now: of each vehicle and of each store, for `voltrail status` and for a page that updates by itself."""
