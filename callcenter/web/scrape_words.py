"""What somebody reads whose scrape of /metrics was refused. Never: a path, or who may instead."""

from callcenter.web.words import N_

TOKEN = N_(
    "The figures need a token: send Authorization: Bearer with what is in the file that web.metrics_token_file names."
)
HERE_ONLY = N_(
    "The figures are open to this machine alone, at its loopback address and not through a proxy. "
    "For other machines set web.metrics_token_file and send that token."
)
UNREADABLE = N_(
    "The daemon cannot read the token that it should compare with: its log says why. See web.metrics_token_file."
)
