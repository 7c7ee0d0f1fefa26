"""The web page's files, as browsers get them: no code of the service; `mossaic.gateway.console` serves them."""
