"""What a newsroom has on the web, kept in step with the index.

An address (a page, a feed, a sitemap, a site) is looked at in the processes that read; what it
lists is fetched politely, only where it may have changed; what is known of each page is kept
beside the index, so that the next time asks for little.
"""
