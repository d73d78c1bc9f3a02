"""The tables of the letterbox: inbox, groups, policies and consent."""
